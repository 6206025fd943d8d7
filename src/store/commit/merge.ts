import { isObject } from '../../base/index.ts'
/** The operators of an update that can be merged. */
export interface MergeableUpdate {
  $set?: Record<string, unknown>
  $unset?: Record<string, ''>
  $inc?: Record<string, number>
}

/** Returns how many fields an update sets or takes away; those of a field that is set as a whole count one by one. */
export function fieldsIn({ $set = {}, $unset = {} }: MergeableUpdate): number {
  let fields = Object.keys($unset).length
  for (const value of Object.values($set)) fields += isObject(value) ? Object.keys(value).length : 1
  return fields
}

/**
 * Adds a later update to an earlier one, so that one does what both would do in turn. No field of the result is within
 * another one, which the database refuses: a field that is set as a whole replaces all within it, and one within it that
 * comes later becomes a part of it.
 */
export function merge(whole: MergeableUpdate, { $set, $unset, $inc }: MergeableUpdate): void {
  if (whole.$set === undefined && whole.$unset === undefined) {
    if ($set !== undefined) whole.$set = { ...$set }
    if ($unset !== undefined) whole.$unset = { ...$unset }
  } else {
    if ($set !== undefined) addSet(whole, $set)
    if ($unset !== undefined) addUnset(whole, $unset)
  }
  if ($inc === undefined) return
  whole.$inc ??= {}
  for (const [field, by] of Object.entries($inc)) whole.$inc[field] = (whole.$inc[field] ?? 0) + by
}

function addSet(whole: MergeableUpdate, $set: Record<string, unknown>): void {
  const kept = whole.$set ?? {}
  whole.$set = kept
  const objects = new Set(Object.keys($set).filter((field) => isObject($set[field])))
  if (objects.size > 0) {
    removeWithin(kept, objects)
    if (whole.$unset !== undefined) removeWithin(whole.$unset, objects)
  }
  for (const [field, value] of Object.entries($set)) {
    const place = placeIn(kept, field)
    if (place === undefined) kept[field] = value
    else kept[place.above] = { ...place.object, [place.name]: value }
  }
  remove(whole, '$unset', $set)
}

function addUnset(whole: MergeableUpdate, $unset: Record<string, ''>): void {
  const left: Record<string, ''> = {}
  for (const field of Object.keys($unset)) {
    const place = placeIn(whole.$set ?? {}, field)
    if (place === undefined) left[field] = ''
    else if (whole.$set !== undefined) {
      const { [place.name]: _gone, ...rest } = place.object
      whole.$set[place.above] = rest
    }
  }
  remove(whole, '$set', left)
  if (Object.keys(left).length > 0) whole.$unset = Object.assign(whole.$unset ?? {}, left)
}

/** The object that is set as a whole and that a field is a direct part of. */
function placeIn(
  $set: Record<string, unknown>,
  field: string,
): { above: string; name: string; object: Record<string, unknown> } | undefined {
  const dot = field.lastIndexOf('.')
  if (dot < 0) return undefined
  const above = field.slice(0, dot)
  const object = $set[above]
  return isObject(object) ? { above, name: field.slice(dot + 1), object } : undefined
}

/** Takes out the fields that are direct parts of others. */
function removeWithin(fields: Record<string, unknown>, whole: ReadonlySet<string>): void {
  for (const field of Object.keys(fields)) {
    const dot = field.lastIndexOf('.')
    if (dot > 0 && whole.has(field.slice(0, dot))) delete fields[field]
  }
}

/** Takes fields out of an operator: a later one decides about them, and no update names a field twice. */
function remove(whole: MergeableUpdate, operator: '$set' | '$unset', fields: object): void {
  const kept = whole[operator]
  if (kept === undefined) return
  for (const field of Object.keys(fields)) delete kept[field]
  if (Object.keys(kept).length === 0) delete whole[operator]
}
