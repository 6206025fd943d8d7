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

/** A change of what people note about a device: its label, null for none, and its tags, all of them or single ones. */
interface NotesChange {
  label?: string | null | undefined
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
 * Changes label and tags of a device that has this revision. AppError `notFound` without such a device, `conflict` when
 * its revision is another one, `invalid` for too many tags.
 */
export async function changeNotes(
  deps: AuditDeps & { devices: Pick<DeviceStore, 'get' | 'commit'> },
  target: { id: DeviceId; revision: number },
  change: NotesChange,
  by: Principal,
): Promise<void> {
  const { id, revision } = target
  const { label: labelBefore, tags: tagsBefore } = await readDevice(deps.devices, id)
  const isTagged = [change.tags, change.add, change.remove].some((names) => names !== undefined)
  const tags = changedTags(id, tagsBefore, change)
  const { label } = change
  const set = { ...(isTagged ? { tags } : {}), ...(typeof label === 'string' ? { label } : {}) }
  const deed = {
    action: label === undefined ? 'device.tags' : 'device.label',
    target: id,
    before: {
      ...(isTagged ? { tags: tagsBefore } : {}),
      ...(label === undefined ? {} : { label: labelBefore ?? null }),
    },
    after: { ...(isTagged ? { tags } : {}), ...(label === undefined ? {} : { label }) },
  }
  const unset = label === null ? { unset: ['label' as const] } : {}
  await auditedBy(deps, by, deed, () =>
    deps.devices.commit({ deviceId: id, set, ...unset, newRevision: true, guard: { revision } }),
  )
}

/** The tags after a change. AppError `invalid` when they are too many. */
function changedTags(id: DeviceId, before: readonly string[], { tags, add = [], remove = [] }: NotesChange): string[] {
  const after = new Set(tags ?? [...before.filter((one) => !remove.includes(one)), ...add])
  if (after.size > MAX_TAGS)
    throw new AppError(
      'invalid',
      `${id} would have ${after.size} tags; a device has at most ${MAX_TAGS} tags: remove some`,
    )
  return [...after]
}
