import { AppError, type Clock } from '../../base/index.ts'
import type { DeviceId, DeviceStore, Group, GroupStore, PlanStore, Selector } from '../../device/index.ts'
import type { AuditLog } from '../../security/index.ts'
import { checkGroup, groupSelector } from './membership.ts'

/** Fields of a group that a person gives. */
export interface GroupInput {
  name: string
  description?: string
  selector?: string
}

/** Groups: static members and a dynamic selector, resolved by indexed queries. */
export interface Groups {
  /** AppError `invalid` for a selector that is none, `conflict` for a name that is taken. */
  create(input: GroupInput, actor: string): Promise<Group>
  /** A field given as undefined goes. AppError `conflict` when `revision` is not the current one. */
  update(
    id: string,
    input: { [K in keyof GroupInput]?: GroupInput[K] | undefined },
    revision: number | undefined,
    actor: string,
  ): Promise<Group>
  get(id: string): Promise<Group>
  /** AppError `conflict` while a plan that moves the group is not over. */
  remove(id: string, actor: string): Promise<void>
  changeMembers(id: string, add: DeviceId[], remove: DeviceId[], actor: string): Promise<number>
  /** Who belongs to it, as a query. */
  selectorOf(group: Group): Selector
  count(group: Group): Promise<number>
}

export interface GroupsDeps {
  groups: GroupStore
  devices: Pick<DeviceStore, 'count'>
  /** Given: a group cannot go while one of its plans is under way. */
  plans?: Pick<PlanStore, 'listPlans'>
  audit: AuditLog
  newId(): string
  clock: Clock
}

const MAX_COUNT = 1_000_000
const MAX_MEMBERS = 10_000

export function createGroups(deps: GroupsDeps): Groups {
  const { groups, devices, audit, newId, clock } = deps
  const note = (actor: string, action: string, target: string, after?: Record<string, unknown>) =>
    audit.append({ at: clock.now(), actor, action, target, result: 'ok', ...(after === undefined ? {} : { after }) })
  const get = async (id: string): Promise<Group> => {
    const group = await groups.get(id)
    if (group === undefined) throw new AppError('notFound', `there is no group ${id}`)
    return group
  }
  return {
    get,
    async create(input, actor) {
      const now = clock.now()
      const group = made({ id: newId(), revision: 1, createdAt: now, updatedAt: now }, input)
      await groups.put(group)
      await note(actor, 'group.create', group.id, { ...input })
      return group
    },
    async update(id, input, revision, actor) {
      const group = await get(id)
      if (revision !== undefined && revision !== group.revision) {
        throw new AppError('conflict', 'the group has changed; read it again')
      }
      const fields = { id, revision: group.revision + 1, createdAt: group.createdAt, updatedAt: clock.now() }
      const next = made(fields, { ...group, ...input, name: input.name ?? group.name })
      await groups.put(next, group.revision)
      await note(actor, 'group.update', id, { ...input })
      return next
    },
    async remove(id, actor) {
      const plan = deps.plans === undefined ? undefined : await planOf(id, deps.plans)
      if (plan !== undefined) throw new AppError('conflict', `plan ${plan} still moves this group`)
      if (!(await groups.delete(id))) throw new AppError('notFound', `there is no group ${id}`)
      await note(actor, 'group.delete', id)
    },
    async changeMembers(id, add, remove, actor) {
      if (add.length + remove.length > MAX_MEMBERS) {
        throw new AppError('tooLarge', `at most ${MAX_MEMBERS} members can be changed at once`)
      }
      await get(id)
      const changed = await groups.changeMembers(id, add, remove)
      await note(actor, 'group.members', id, { added: add.length, removed: remove.length, changed })
      return changed
    },
    selectorOf: groupSelector,
    count: (group) => devices.count(groupSelector(group), MAX_COUNT),
  }
}

/** The group with the fields a person gave, checked. */
function made(
  fields: Pick<Group, 'id' | 'revision' | 'createdAt' | 'updatedAt'>,
  input: { name: string; description?: string | undefined; selector?: string | undefined },
): Group {
  const group: Group = { ...fields, name: input.name.trim() }
  if (input.description !== undefined) group.description = input.description
  if (input.selector !== undefined && input.selector.trim() !== '') group.selector = input.selector
  checkGroup(group)
  return group
}

/** The id of a plan over this group that is not over. */
async function planOf(groupId: string, plans: Pick<PlanStore, 'listPlans'>): Promise<string | undefined> {
  let cursor: string | undefined
  do {
    const page = await plans.listPlans(200, cursor)
    const found = page.items.find(
      (plan) => plan.groupId === groupId && ['running', 'paused', 'aborting'].includes(plan.state),
    )
    if (found !== undefined) return found.id
    cursor = page.next
  } while (cursor !== undefined)
  return undefined
}
