import { type DeviceMapping, decidesRows, objectOf, scanObject, tableOf } from '../../datamodel/index.ts'
import type { FreshValue, StoredTree } from './stored-tree.ts'

/** Returns true for a parameter in a table of the device's own tree that rows of TR-181 stand for. */
export function isInRow(mapping: DeviceMapping, path: string): boolean {
  return mapping.mapping.pairs.has(tableOf(scanObject(objectOf(path)).schema))
}

/** Returns true for a parameter that some row knows, or that decides what is behind one. */
export function bearsOn(mapping: DeviceMapping, path: string): boolean {
  const object = objectOf(path)
  const leaf = path.slice(object.length)
  const isKnown = mapping.mapping.dependents.get(scanObject(object).schema)?.has(leaf) === true
  return isKnown || (isInRow(mapping, path) && decidesRows(path))
}

/** Returns true when values bring a row that is not stored, or differ where they decide what is behind a row. */
export function bringRows(mapping: DeviceMapping, fresh: Iterable<FreshValue>, tree: StoredTree): Promise<boolean> {
  return tree.whenRead(() => {
    let found = false
    for (const { path, value } of fresh) {
      if (!bearsOn(mapping, path)) continue
      const stored = tree.parameter(path)
      found ||= stored === undefined ? isInRow(mapping, path) : stored.value !== value && decidesRows(path)
    }
    return found
  })
}
