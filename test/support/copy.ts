/**
 * A deep copy of plain data as a database gives it back: fields that are undefined are left out. Much faster than
 * structuredClone.
 */
export function copyOf<T>(value: T): T {
  return copied(value) as T
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copied)
  const copy: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) if (field !== undefined) copy[name] = copied(field)
  return copy
}

/**
 * A copy of the fields of a record, without those that are undefined. Their values are shared: nothing may change
 * them in place.
 */
export function rowOf<T extends object>(record: T): T {
  const row = { ...record }
  for (const name in row) if (row[name] === undefined) delete row[name]
  return row
}

/** As `rowOf`; undefined stays undefined. */
export function maybeRow<T extends object>(record: T | undefined): T | undefined {
  return record === undefined ? undefined : { ...record }
}
