import { parentOf } from '../../datamodel/index.ts'
import type { Notify } from '../wire/index.ts'
import type { ModelChange } from './agent-model.ts'
import type { ModelReader } from './model-reader.ts'

/** A change as a subscription may be notified of it. */
interface Occurrence {
  type: 'ValueChange' | 'ObjectCreation' | 'ObjectDeletion'
  /** The path that ReferenceList has to mean. */
  about: string
  notification: Pick<Notify, 'value_change' | 'obj_creation' | 'obj_deletion'>
}

/**
 * Resolves with the occurrences of one batch of changes: a parameter once with its last value, a new row with its keys
 * and without a ValueChange for each of its values. Paths that the supported model does not have are left out.
 */
export async function occurrencesOf(reader: ModelReader, changes: readonly ModelChange[]): Promise<Occurrence[]> {
  const created = new Set<string>()
  const previous = new Map<string, string | undefined>()
  const occurrences: Occurrence[] = []
  for (const change of changes) {
    const { kind, path } = change
    if (kind === 'value') {
      if (!previous.has(path)) previous.set(path, change.previous)
    } else if (!reader.isSupported(path)) continue
    else if (kind === 'created') created.add(path)
    else if (!created.delete(path))
      occurrences.push({ type: 'ObjectDeletion', about: path, notification: { obj_deletion: { obj_path: path } } })
  }
  for (const path of created) {
    const notification = { obj_creation: { obj_path: path, unique_keys: await reader.uniqueKeys(path) } }
    occurrences.push({ type: 'ObjectCreation', about: parentOf(path), notification })
  }
  const values = await reader.values([...previous.keys()])
  for (const [path, value] of values) {
    if (value === previous.get(path) || [...created].some((row) => path.startsWith(row))) continue
    const notification = { value_change: { param_path: path, param_value: value } }
    occurrences.push({ type: 'ValueChange', about: path, notification })
  }
  return occurrences
}
