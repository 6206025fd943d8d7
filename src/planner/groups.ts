import { AppError, type Clock } from '../base/index.ts'
import {
  type DeviceId,
  type DeviceStore,
  type Group,
  type GroupStore,
  parseSelector,
  type Selector,
} from '../device/index.ts'
import type { AuditLog } from '../security/index.ts'

/** Fields of a group that a person gives. */
export interface GroupInput {
  name: string
  description?: string
  selector?: string
}

/** Groups: static members and a dynamic selector, resolved by indexed queries. */
export interface Groups {
  create(input: GroupInput, actor: string): Promise<Group>
  /** AppError `conflict` when `revision` is not the current one. */
  update(id: string, input: Partial<GroupInput>, revision: number | undefined, actor: string): Promise<Group>
  get(id: string): Promise<Group>
  remove(id: string, actor: string): Promise<void>
  changeMembers(id: string, add: DeviceId[], remove: DeviceId[], actor: string): Promise<number>
  /** Who belongs to it, as a query. */
  selectorOf(group: Group): Selector
  count(group: Group): Promise<number>
}

export interface GroupsDeps {
  groups: GroupStore
  devices: DeviceStore
  audit: AuditLog
  newId(): string
  clock: Clock
}

const MAX_COUNT = 1_000_000

export function createGroups({ groups, devices, audit, newId, clock }: GroupsDeps): Groups {
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
      const group: Group = { id: newId(), ...checked(input), revision: 1, createdAt: now, updatedAt: now }
      await groups.put(group)
      await note(actor, 'group.create', group.id, { ...input })
      return group
    },
    async update(id, input, revision, actor) {
      const group = await get(id)
      if (revision !== undefined && revision !== group.revision)
        throw new AppError('conflict', 'the group has changed; read it again')
      const next: Group = {
        ...group,
        ...checked({ ...group, ...input }),
        revision: group.revision + 1,
        updatedAt: clock.now(),
      }
      await groups.put(next, group.revision)
      await note(actor, 'group.update', id, { ...input })
      return next
    },
    async remove(id, actor) {
      if (!(await groups.delete(id))) throw new AppError('notFound', `there is no group ${id}`)
      await note(actor, 'group.delete', id)
    },
    async changeMembers(id, add, remove, actor) {
      await get(id)
      const changed = await groups.changeMembers(id, add, remove)
      await note(actor, 'group.members', id, { added: add.length, removed: remove.length })
      return changed
    },
    selectorOf,
    count: (group) => devices.count(selectorOf(group), MAX_COUNT),
  }
}

function selectorOf(group: Group): Selector {
  const own: Selector = { field: 'group', operator: '==', values: [group.id] }
  return group.selector === undefined ? own : { or: [own, parseSelector(group.selector)] }
}

/** AppError `invalid` when the selector is none. */
function checked(input: GroupInput): GroupInput {
  if (input.selector !== undefined) parseSelector(input.selector)
  return {
    name: input.name,
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(input.selector === undefined ? {} : { selector: input.selector }),
  }
}
