import { parentOf } from '../../datamodel/index.ts'
import type { ModelChange } from './agent-model.ts'
import type { ModelReader } from './model-reader.ts'
import { eventOf, type Occurrence } from './occurrence.ts'

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
    if (kind === 'event') {
      const { name, params, only } = change
      if (reader.isSupported(path)) occurrences.push({ ...eventOf(path, name, params), ...(only && { only }) })
      continue
    }
    if (kind === 'value') {
      if (!previous.has(path)) previous.set(path, change.previous)
    } else if (!reader.isSupported(path)) continue
    else if (kind === 'created') created.add(path)
    else if (!created.delete(path))
      occurrences.push({ type: 'ObjectDeletion', about: path, notification: { obj_deletion: { obj_path: path } } })
  }
  const [keys, values] = await Promise.all([
    reader.uniqueKeys([...created]),
    reader.values([...previous.keys()].filter((path) => reader.supported.parameter(path) !== undefined)),
  ])
  for (const [i, path] of [...created].entries()) {
    const notification = { obj_creation: { obj_path: path, unique_keys: keys[i] ?? {} } }
    occurrences.push({ type: 'ObjectCreation', about: parentOf(path), notification })
  }
  for (const [path, value] of values) {
    if (value === previous.get(path) || [...created].some((row) => path.startsWith(row))) continue
    const notification = { value_change: { param_path: path, param_value: value } }
    occurrences.push({ type: 'ValueChange', about: path, notification })
  }
  return occurrences
}
