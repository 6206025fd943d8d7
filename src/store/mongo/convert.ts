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
  // Field by field, in half the time of a spread and deletions.
  const value: Record<string, unknown> = { id: document._id }
  for (const field of Object.keys(document))
    if (field !== '_id' && field !== MARK && !hidden.includes(field)) value[field] = document[field]
  return value as T
}

/** Returns the value of a field, whose name may lead into objects: `usp.instance`. */
export function valueAt(document: Document_, field: string): unknown {
  let value: unknown = document
  for (const part of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value
}
