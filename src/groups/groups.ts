import { AppError, type Clock } from '../base/index.ts'
import {
  type Actor,
  actorText,
  type Device,
  type DeviceId,
  type DeviceStore,
  fulfils,
  type Group,
  type GroupStore,
  type MembersChange,
  notFound,
  type Selector,
} from '../domain/index.ts'
import { type AuditLog, audited } from '../security/index.ts'
import { GroupSelectors, MAX_SELECTORS, readable, selectorOf } from './selectors.ts'

/** Fields of a group that a person gives. */
interface GroupInput {
  name: string
  description?: string
  selector?: string
}

interface GroupsDeps {
  groups: GroupStore
  devices: Pick<DeviceStore, 'count'>
  audit: AuditLog
  newId(): string
  clock: Clock
}

const MAX_COUNT = 1_000_000

/**
 * Groups of devices: static members and a dynamic selector, resolved by indexed queries. Each change has an audit
 * entry.
 */
export class Groups {
  readonly #deps: GroupsDeps
  readonly #selectors: GroupSelectors

  constructor(deps: GroupsDeps) {
    this.#deps = deps
    this.#selectors = new GroupSelectors(deps.groups)
  }

  /** The group. AppError `notFound` when it does not exist. */
  async get(id: string): Promise<Group> {
    const group = await this.#deps.groups.get(id)
    if (group === undefined) throw notFound('group', id)
    return group
  }

  /** Stores a new group. AppError `invalid` or `conflict` for a selector that a group cannot have. */
  async create(input: GroupInput, actor: Actor): Promise<Group> {
    const { groups, newId, clock } = this.#deps
    await this.#selectors.check(input.selector, undefined)
    const now = clock.now()
    const group: Group = { id: newId(), ...fieldsOf(input), revision: 1, createdAt: now, updatedAt: now }
    await this.#audited(actor, 'create', group.id, { ...input }, () => groups.put(group))
    return group
  }

  /** Stores the changed fields. AppError `conflict` when `revision` is not the current one. */
  async update(id: string, input: Partial<GroupInput>, revision: number | undefined, actor: Actor): Promise<Group> {
    const { groups, clock } = this.#deps
    const group = await this.get(id)
    if (revision !== undefined && revision !== group.revision)
      throw new AppError('conflict', `group ${id} has changed since it was read; read it again`)
    await this.#selectors.check(input.selector, group)
    const next: Group = {
      ...group,
      ...fieldsOf({ ...group, ...input }),
      revision: group.revision + 1,
      updatedAt: clock.now(),
    }
    await this.#audited(actor, 'update', id, { ...input }, () => groups.put(next, group.revision))
    return next
  }

  /** Deletes a group; its devices stay. AppError `notFound` when it does not exist. */
  async remove(id: string, actor: Actor): Promise<void> {
    const { name } = await this.get(id)
    await this.#audited(actor, 'delete', id, { name }, () => this.#deps.groups.delete(id))
  }

  /** Adds and removes static members. AppError `notFound` when the group does not exist. */
  async changeMembers(id: string, add: DeviceId[], remove: DeviceId[], actor: Actor): Promise<MembersChange> {
    await this.get(id)
    const after = { added: add.length, removed: remove.length }
    return this.#audited(actor, 'members', id, after, () => this.#deps.groups.changeMembers(id, add, remove))
  }

  /** Stores that an action was refused, and throws AppError `conflict` with the reason. */
  async refuse(id: string, action: string, reason: string, actor: Actor): Promise<never> {
    const at = this.#deps.clock.now()
    const entry = { at, actor: actorText(actor), action: `group.${action}`, target: id }
    await this.#deps.audit.append({ ...entry, result: 'refused', reason })
    throw new AppError('conflict', reason)
  }

  /** The devices of a group as a query. */
  selectorOf(group: Group): Selector {
    return selectorOf(group)
  }

  /** A query with the groups that it names resolved. AppError `invalid` for a group that does not exist. */
  resolve(selector: Selector): Promise<Selector> {
    return this.#selectors.resolve(selector)
  }

  /** The groups that each of these devices belongs to, as static member or by selector. */
  async of(devices: readonly Device[]): Promise<Map<DeviceId, string[]>> {
    const dynamic = (await this.#deps.groups.withSelector(MAX_SELECTORS)).map(({ id, selector = '' }) => ({
      id,
      selector: readable(selector),
    }))
    return new Map(
      devices.map((device) => {
        const fits = dynamic.filter(({ selector }) => selector !== undefined && fulfils(device, selector))
        return [device.id, [...new Set([...device.groups, ...fits.map(({ id }) => id)])]]
      }),
    )
  }

  /** The number of devices of a group, at most one million. */
  count(group: Group): Promise<number> {
    return this.#deps.devices.count(selectorOf(group), MAX_COUNT)
  }

  #audited<T>(
    actor: Actor,
    action: string,
    target: string,
    after: Record<string, unknown>,
    work: () => Promise<T>,
  ): Promise<T> {
    const { audit, clock } = this.#deps
    const entry = { at: clock.now(), actor: actorText(actor), action: `group.${action}`, target, after }
    return audited(audit, entry, work)
  }
}

function fieldsOf(input: GroupInput): GroupInput {
  return {
    name: input.name,
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(input.selector === undefined ? {} : { selector: input.selector }),
  }
}
