import { AppError, type Clock } from '../base/index.ts'
import {
  type DeviceId,
  type DeviceStore,
  type Group,
  type GroupStore,
  parseSelector,
  type Selector,
} from '../device/index.ts'
import { type AuditLog, audited } from '../security/index.ts'

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
  /** Notes that something was not done, and throws AppError `conflict` with the reason. */
  refuse(id: string, action: string, reason: string, actor: string): Promise<never>
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
  const told = <T>(
    actor: string,
    action: string,
    target: string,
    after: Record<string, unknown>,
    work: () => Promise<T>,
  ): Promise<T> => audited(audit, { at: clock.now(), actor, action: `group.${action}`, target, after }, work)
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
      await told(actor, 'create', group.id, { ...input }, () => groups.put(group))
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
      await told(actor, 'update', id, { ...input }, () => groups.put(next, group.revision))
      return next
    },
    async remove(id, actor) {
      const { name } = await get(id)
      await told(actor, 'delete', id, { name }, () => groups.delete(id))
    },
    async changeMembers(id, add, remove, actor) {
      await get(id)
      const after = { added: add.length, removed: remove.length }
      return told(actor, 'members', id, after, () => groups.changeMembers(id, add, remove))
    },
    async refuse(id, action, reason, actor) {
      const at = clock.now()
      await audit.append({ at, actor, action: `group.${action}`, target: id, result: 'refused', reason })
      throw new AppError('conflict', reason)
    },
    selectorOf,
    count: (group) => devices.count(selectorOf(group), MAX_COUNT),
  }
}

function selectorOf(group: Group): Selector {
  const own: Selector = { field: 'groups', operator: '==', values: [group.id] }
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
