import { AppError } from '../base/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceQuery,
  type DeviceStore,
  notFound,
  type Page,
  type Principal,
  parseSelector,
  type Selector,
  searchSelector,
} from '../domain/index.ts'
import type { Groups } from '../groups/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'

/** Tags of one device at most. */
const MAX_TAGS = 64

/** A change of tags: all of them, or single ones. */
interface TagsChange {
  tags?: string[] | undefined
  add?: string[] | undefined
  remove?: string[] | undefined
}

/** Reads a device. AppError `notFound` when there is none with this id. */
export async function readDevice(devices: Pick<DeviceStore, 'get'>, id: DeviceId): Promise<Device> {
  const device = await devices.get(id)
  if (device === undefined) throw notFound('device', id)
  return device
}

/**
 * Returns a page of the devices that match a filter, are found by a text and belong to a group, where these are given. AppError `invalid`
 * for a filter that cannot be read, `notFound` for a group that does not exist.
 */
export async function findDevices(
  { devices, groups }: { devices: Pick<DeviceStore, 'list'>; groups: Pick<Groups, 'get' | 'resolve' | 'selectorOf'> },
  { filter, q, group, ...page }: Omit<DeviceQuery, 'selector'> & { filter?: string; q?: string; group?: string },
): Promise<Page<Device>> {
  const terms: Selector[] = []
  if (filter !== undefined) terms.push(await groups.resolve(parseSelector(filter)))
  if (group !== undefined) terms.push(groups.selectorOf(await groups.get(group)))
  if (q !== undefined) terms.push(searchSelector(q))
  const [first, ...more] = terms
  if (first === undefined) return devices.list(page)
  return devices.list({ ...page, selector: more.length === 0 ? first : { and: terms } })
}

/**
 * Changes the tags of a device that has this revision. AppError `notFound` without such a device, `conflict` when its
 * revision is another one, `invalid` for too many tags.
 */
export async function changeTags(
  deps: AuditDeps & { devices: Pick<DeviceStore, 'get' | 'commit'> },
  target: { id: DeviceId; revision: number },
  change: TagsChange,
  by: Principal,
): Promise<void> {
  const { id, revision } = target
  const before = { tags: (await readDevice(deps.devices, id)).tags }
  const tags = changedTags(id, before.tags, change)
  await auditedBy(deps, by, { action: 'device.tags', target: id, before, after: { tags } }, () =>
    deps.devices.commit({ deviceId: id, set: { tags }, newRevision: true, guard: { revision } }),
  )
}

/** The tags after a change. AppError `invalid` when they are too many. */
function changedTags(id: DeviceId, before: readonly string[], { tags, add = [], remove = [] }: TagsChange): string[] {
  const after = new Set(tags ?? [...before.filter((one) => !remove.includes(one)), ...add])
  if (after.size > MAX_TAGS)
    throw new AppError(
      'invalid',
      `${id} would have ${after.size} tags; a device has at most ${MAX_TAGS} tags: remove some`,
    )
  return [...after]
}
