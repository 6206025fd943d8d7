import { splitLeaf } from '../../datamodel/index.ts'
import type { ParameterWrite } from '../../domain/index.ts'
import { startingWith } from '../mongo/filter.ts'
import { type MergeableUpdate, merge } from './merge.ts'
import type { Write } from './write-set.ts'

/**
 * A longer value is a document of its own, in bytes: an object with as many parameters as are kept of one at a time is
 * then far smaller than a document may be (16 MiB).
 */
const MAX_INLINE_BYTES = 512
/** The tree whose parameters may be mapped from others. */
const TR181 = 'Device.'
/** The `_id` of a value that is a document of its own. */
export function largeValueId(deviceId: string, path: string): string {
  return `${deviceId}|${path}`
}

/**
 * Upserts of objects: their leaves by name. One that the device shows itself keeps no source of a mapped value. The
 * value of a leaf is null where it is a document of its own, which stays when a short value follows: nothing refers to it
 * then, and it goes with its object.
 */
export function parameterWrites(deviceId: string, parameters: ParameterWrite[]): Write[] {
  const writes: Write[] = []
  for (const [object, leaves] of byObject(parameters)) {
    for (const { path, value } of leaves) if (isLarge(value)) writes.push(largeValueWrite(deviceId, path, value))
    const _id = `${deviceId}|${object}`
    const { $set, $unset } = fieldsOf(leaves)
    const update = {
      $set: { deviceId, object, ...$set },
      ...(Object.keys($unset).length === 0 ? {} : { $unset }),
    }
    const operation = { updateOne: { filter: { _id }, update, upsert: true } }
    writes.push({ collection: 'parameters', mergeKey: _id, operation })
  }
  return writes
}

/**
 * Writes of short values that each land only where nothing is stored, or what is stored was collected earlier. They may
 * be repeated, and are never merged with others.
 */
export function newerParameterWrites(deviceId: string, parameters: ParameterWrite[]): Write[] {
  const writes: Write[] = []
  for (const [object, leaves] of byObject(parameters.filter(({ value }) => !isLarge(value)))) {
    const _id = `${deviceId}|${object}`
    const insert = { filter: { _id }, update: { $setOnInsert: { deviceId, object } }, upsert: true }
    writes.push({ collection: 'parameters', operation: { updateOne: insert } })
    for (const leaf of leaves) {
      const at = `leaves.${splitLeaf(leaf.path).leaf}.collectedAt`
      const filter = { _id, $or: [{ [at]: { $exists: false } }, { [at]: { $lt: leaf.collectedAt } }] }
      const { $set, $unset } = fieldsOf([leaf])
      const update = Object.keys($unset).length === 0 ? { $set } : { $set, $unset }
      writes.push({ collection: 'parameters', operation: { updateOne: { filter, update } } })
    }
  }
  return writes
}

/** Returns parameters by their objects; those with a name that the database does not take are left out. */
export function byObject(parameters: ParameterWrite[]): Map<string, ParameterWrite[]> {
  const objects = new Map<string, ParameterWrite[]>()
  let object = ''
  let leaves: ParameterWrite[] | undefined
  for (const parameter of parameters) {
    const { path } = parameter
    const end = path.lastIndexOf('.') + 1
    // Field names of the database must not begin with a dollar sign; no parameter of any model does.
    if (end === path.length || path[end] === '$' || path.indexOf('\0', end) >= 0) continue
    // Those of one object mostly come together.
    if (leaves === undefined || end !== object.length || !path.startsWith(object)) {
      object = path.slice(0, end)
      leaves = objects.get(object)
      if (leaves === undefined) {
        leaves = []
        objects.set(object, leaves)
      }
    }
    leaves.push(parameter)
  }
  return objects
}

/**
 * The update of one object. A leaf of which all is known is written as one field, which leaves nothing of an earlier one;
 * of another one only what is known.
 */
function fieldsOf(leaves: ParameterWrite[]): { $set: Record<string, unknown>; $unset: Record<string, ''> } {
  const once = { $set: {} as Record<string, unknown>, $unset: {} as Record<string, ''> }
  const repeated: MergeableUpdate[] = []
  const seen = new Set<string>()
  for (const { path, value, type, source, collectedAt, writable, from } of leaves) {
    const at = `leaves.${splitLeaf(path).leaf}`
    const stored = isLarge(value) ? null : value
    const isRepeated = seen.has(at)
    seen.add(at)
    if (!isRepeated && type !== 'unknown' && writable !== undefined) {
      const leaf = { value: stored, type, source, collectedAt, writable }
      once.$set[at] = from === undefined ? leaf : { ...leaf, from }
      continue
    }
    const $set: Record<string, unknown> = isRepeated ? {} : once.$set
    $set[`${at}.value`] = stored
    if (type !== 'unknown') $set[`${at}.type`] = type
    $set[`${at}.source`] = source
    $set[`${at}.collectedAt`] = collectedAt
    if (writable !== undefined) $set[`${at}.writable`] = writable
    if (from !== undefined) $set[`${at}.from`] = from
    const unset = from === undefined && path.startsWith(TR181) ? `${at}.from` : undefined
    if (isRepeated) repeated.push(unset === undefined ? { $set } : { $set, $unset: { [unset]: '' } })
    else if (unset !== undefined) once.$unset[unset] = ''
  }
  const update: MergeableUpdate = once
  for (const later of repeated) merge(update, later)
  return { $set: update.$set ?? {}, $unset: update.$unset ?? {} }
}

/** Returns true for a value that is a document of its own. */
export function isLarge(value: string): boolean {
  return value.length > MAX_INLINE_BYTES / 4 && Buffer.byteLength(value) > MAX_INLINE_BYTES
}

function largeValueWrite(deviceId: string, path: string, value: string): Write {
  const replacement = { deviceId, path, value }
  const operation = { replaceOne: { filter: { _id: largeValueId(deviceId, path) }, replacement, upsert: true } }
  return { collection: 'largeValues', operation, bytes: Buffer.byteLength(value) }
}

/** Takes single leaves out of their objects. */
export function dropLeafWrites(deviceId: string, paths: string[]): Write[] {
  const objects = new Map<string, Record<string, ''>>()
  const writes: Write[] = []
  for (const path of paths) {
    const { object, leaf } = splitLeaf(path)
    const $unset = objects.get(object) ?? {}
    $unset[`leaves.${leaf}`] = ''
    objects.set(object, $unset)
    const filter = { _id: largeValueId(deviceId, path) }
    writes.push({ collection: 'largeValues', operation: { deleteOne: { filter } } })
  }
  for (const [object, $unset] of objects)
    writes.push({
      collection: 'parameters',
      operation: { updateOne: { filter: { _id: `${deviceId}|${object}` }, update: { $unset } } },
    })
  return writes
}

/** Takes out all that is at and below an object; '' = the whole tree. */
export function dropWrites(deviceId: string, prefix: string): Write[] {
  return [
    { collection: 'largeValues', operation: { deleteMany: { filter: largeValuesFilter(deviceId, prefix) } } },
    { collection: 'parameters', operation: { deleteMany: { filter: subtreeFilter(deviceId, prefix) } } },
  ]
}

/** The objects at and below a path of a device; '' = all. */
export function subtreeFilter(
  deviceId: string,
  prefix: string,
): { deviceId: string; object: { $gte: string; $lt: string } } {
  return { deviceId, object: startingWith(prefix) }
}

/** The long values at and below a path of a device; '' = all. */
function largeValuesFilter(
  deviceId: string,
  prefix: string,
): { deviceId: string; path: { $gte: string; $lt: string } } {
  return { deviceId, path: startingWith(prefix) }
}
