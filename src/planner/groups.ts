import { AppError, type Clock } from '../base/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceStore,
  fulfils,
  type Group,
  type GroupStore,
  type MembersChange,
  parseSelector,
  type Selector,
  type SelectorTerm,
} from '../domain/index.ts'
import { type AuditLog, audited } from '../security/index.ts'

/** Fields of a group that a person gives. */
interface GroupInput {
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
  changeMembers(id: string, add: DeviceId[], remove: DeviceId[], actor: string): Promise<MembersChange>
  /** The devices that belong to it, as a query. */
  selectorOf(group: Group): Selector
  /** The same query with the groups that it names resolved, so that their selectors count. AppError `invalid` for a group that there is not. */
  resolve(selector: Selector): Promise<Selector>
  /** The groups that each of these devices belongs to, as static member or by selector. */
  of(devices: readonly Device[]): Promise<Map<DeviceId, string[]>>
  count(group: Group): Promise<number>
  /** Notes that something was not done, and throws AppError `conflict` with the reason. */
  refuse(id: string, action: string, reason: string, actor: string): Promise<never>
}

interface GroupsDeps {
  groups: GroupStore
  devices: DeviceStore
  audit: AuditLog
  newId(): string
  clock: Clock
}

const MAX_COUNT = 1_000_000
/** Groups with a selector: each is held against each device that is shown. */
const MAX_SELECTORS = 1000
/** Groups that one selector names. */
const MAX_NAMED = 64

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

  /** The groups that a term names. AppError `invalid` when it names one that there is not. */
  async function named({ values }: SelectorTerm): Promise<Group[]> {
    if (values.length > MAX_NAMED) throw new AppError('invalid', `selector: at most ${MAX_NAMED} groups can be named`)
    return Promise.all(
      values.map(async (value) => {
        const group = await groups.get(String(value))
        if (group === undefined) throw new AppError('invalid', `selector: there is no group ${JSON.stringify(value)}`)
        return group
      }),
    )
  }

  async function resolve(selector: Selector): Promise<Selector> {
    if ('and' in selector) return { and: await Promise.all(selector.and.map(resolve)) }
    if ('or' in selector) return { or: await Promise.all(selector.or.map(resolve)) }
    if ('not' in selector) return { not: await resolve(selector.not) }
    if (selector.field !== 'groups') return selector
    const found = await named(selector)
    if (found.every((group) => group.selector === undefined)) return selector
    const fits: Selector = { or: found.map(selectorOf) }
    return selector.operator === '==' || selector.operator === 'in' ? fits : { not: fits }
  }

  /**
   * Groups do not contain groups with a selector: what such a selector selects would change with the other group. AppError `invalid` for a
   * selector that is none or names such a group, `conflict` for too many, and for a group that others name already.
   */
  async function checkSelector({ selector }: Partial<GroupInput>, present: Group | undefined): Promise<void> {
    if (selector === undefined) return
    for (const term of groupTerms(parseSelector(selector)))
      for (const group of await named(term))
        if (group.selector !== undefined || group.id === present?.id)
          throw new AppError(
            'invalid',
            `selector: group ${group.id} has a selector of its own; write that instead: ${group.selector ?? selector}`,
          )
    if (present?.selector !== undefined) return
    const dynamic = await groups.withSelector(MAX_SELECTORS)
    if (dynamic.length >= MAX_SELECTORS)
      throw new AppError('conflict', `${MAX_SELECTORS} groups have a selector already; use tags or static members`)
    const user = present === undefined ? undefined : dynamic.find(({ selector: text }) => text?.includes(present.id))
    if (user !== undefined)
      throw new AppError('conflict', `group ${user.id} names this group in its selector, so it cannot have one itself`)
  }

  return {
    get,
    async create(input, actor) {
      const now = clock.now()
      await checkSelector(input, undefined)
      const group: Group = { id: newId(), ...fieldsOf(input), revision: 1, createdAt: now, updatedAt: now }
      await told(actor, 'create', group.id, { ...input }, () => groups.put(group))
      return group
    },
    async update(id, input, revision, actor) {
      const group = await get(id)
      if (revision !== undefined && revision !== group.revision)
        throw new AppError('conflict', 'the group has changed; read it again')
      await checkSelector(input, group)
      const next: Group = {
        ...group,
        ...fieldsOf({ ...group, ...input }),
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
    resolve,
    async of(devices) {
      const dynamic = (await groups.withSelector(MAX_SELECTORS)).map(({ id, selector = '' }) => ({
        id,
        selector: readable(selector),
      }))
      return new Map(
        devices.map((device) => {
          const fits = dynamic.filter(({ selector }) => selector !== undefined && fulfils(device, selector))
          return [device.id, [...new Set([...device.groups, ...fits.map(({ id }) => id)])]]
        }),
      )
    },
    count: (group) => devices.count(selectorOf(group), MAX_COUNT),
  }
}

function selectorOf(group: Group): Selector {
  const own: Selector = { field: 'groups', operator: '==', values: [group.id] }
  return group.selector === undefined ? own : { or: [own, parseSelector(group.selector)] }
}

function fieldsOf(input: GroupInput): GroupInput {
  return {
    name: input.name,
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(input.selector === undefined ? {} : { selector: input.selector }),
  }
}

/** The terms of a selector that name groups. */
function groupTerms(selector: Selector): SelectorTerm[] {
  if ('and' in selector) return selector.and.flatMap(groupTerms)
  if ('or' in selector) return selector.or.flatMap(groupTerms)
  if ('not' in selector) return groupTerms(selector.not)
  return selector.field === 'groups' ? [selector] : []
}

/** A stored selector that cannot be read any more selects nothing here; whoever asks for that group is told why. */
function readable(selector: string): Selector | undefined {
  try {
    return parseSelector(selector)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}
