import { BoundedMap } from '../../base/index.ts'
import type { Document_ } from './mongoose.ts'

/** The field of the mark that the group commit leaves in a document; no record shows it. */
export const MARK = 'commit'

/** A domain value as a document: its `id` becomes `_id`. */
export function toDocument(value: { id: string }): Document_ {
  const { id, ...rest } = value
  return { _id: id, ...rest }
}

/**
 * The domain value behind a document; `hidden` are fields of the store's own. Documents are written by `toDocument`
 * alone.
 */
export function fromDocument<T>(document: Document_, hidden: readonly string[] = []): T {
  const fields = Object.keys(document)
  const value: Record<string, unknown> = { ...shapeOf(fields, hidden) }
  value.id = document._id
  for (const field of fields) if (isShown(field, hidden)) value[field] = document[field]
  return value as T
}

function isShown(field: string, hidden: readonly string[]): boolean {
  return field !== '_id' && field !== MARK && !hidden.includes(field)
}

/** Values with all fields of a kind of document. */
const shapes = new BoundedMap<string, Readonly<Record<string, null>>>(1000)

/**
 * Returns an object with the fields of a value, to be copied and filled: an object that gets some twenty fields one by
 * one is a hash table for V8, whose every read and copy costs several times as much.
 */
function shapeOf(fields: readonly string[], hidden: readonly string[]): Readonly<Record<string, null>> {
  const name = `${hidden.join()}:${fields.join()}`
  const known = shapes.get(name)
  if (known !== undefined) return known
  const shown = ['id', ...fields.filter((field) => isShown(field, hidden))]
  // Parsed text is an object with room for its fields from the start.
  const shape = JSON.parse(JSON.stringify(Object.fromEntries(shown.map((field) => [field, null]))))
  shapes.set(name, shape)
  return shape
}

/** Returns the value of a field, whose name may lead into objects: `usp.instance`. */
export function valueAt(document: Document_, field: string): unknown {
  let value: unknown = document
  for (const part of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value
}
