import { parentOf } from '../../datamodel/index.ts'
import type { TreeChange, TreeView } from '../../tree/index.ts'
import type { Notify } from '../wire/index.ts'

/** What a subscription may be told about, under the path its references are held against. */
interface Occurrence {
  type: 'ValueChange' | 'ObjectCreation' | 'ObjectDeletion'
  /** What ReferenceList has to name. */
  about: string
  notification: Pick<Notify, 'value_change' | 'obj_creation' | 'obj_deletion'>
}

/** Unique keys of a row, as far as they can be read. */
export function uniqueKeysOf(view: TreeView, row: string): Record<string, string> {
  const names = view.model.object(row)?.keys.flat() ?? []
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = view.get(row + name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/**
 * What one batch of changes is to a USP Agent: a parameter once with its last value, a new row with its keys and without a ValueChange for each of
 * its values, and nothing of what its model does not have.
 */
export function occurrencesOf(view: TreeView, changes: readonly TreeChange[]): Occurrence[] {
  const created = new Set<string>()
  const values = new Map<string, string | undefined>()
  const occurrences: Occurrence[] = []
  for (const change of changes) {
    const path = view.fromCanonical(change.path)
    if (change.kind === 'value') {
      if (!values.has(path)) values.set(path, change.previous)
    } else if (view.model.object(path) === undefined) continue
    else if (change.kind === 'created') created.add(path)
    else if (!created.delete(path))
      occurrences.push({ type: 'ObjectDeletion', about: path, notification: { obj_deletion: { obj_path: path } } })
  }
  for (const path of created) {
    const notification = { obj_creation: { obj_path: path, unique_keys: uniqueKeysOf(view, path) } }
    occurrences.push({ type: 'ObjectCreation', about: parentOf(path), notification })
  }
  for (const [path, previous] of values) {
    const value = view.get(path)
    if (value === undefined || value === previous || [...created].some((row) => path.startsWith(row))) continue
    const notification = { value_change: { param_path: path, param_value: value } }
    occurrences.push({ type: 'ValueChange', about: path, notification })
  }
  return occurrences
}
