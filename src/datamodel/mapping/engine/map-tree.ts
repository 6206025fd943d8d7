import type { RawTree } from '../tree/raw-tree.ts'
import type { ReadingTime } from './context.ts'
import type { DeviceMapping, MappedValue } from './device-mapping.ts'

/** A whole tree in TR-181. */
export interface MappedTree {
  values: MappedValue[]
  /** Parameters that no row maps; they keep their own path. */
  unmapped: string[]
  /** Parameters that have a row but gave no value: not decoded, a condition that does not hold, no object in TR-181. */
  silent: string[]
}

/** Maps a whole tree: every parameter with a row, and what is derived. */
export function mapTree(device: DeviceMapping, tree: RawTree, time: ReadingTime): MappedTree {
  const seen = new Set<string>()
  const values: MappedValue[] = []
  const unmapped: string[] = []
  const silent: string[] = []
  const read = (path: string): boolean => {
    if (seen.has(path)) return true
    seen.add(path)
    const value = device.evaluate(path, tree, time)
    if (value !== undefined) values.push(value)
    return value !== undefined
  }
  for (const path of tree.values.keys()) {
    if (!device.isMapped(path)) {
      unmapped.push(path)
      continue
    }
    let any = false
    for (const target of device.targetsOf(path)) any = read(target) || any
    if (!any) silent.push(path)
  }
  for (const path of device.derivedPaths(tree)) read(path)
  return { values, unmapped, silent }
}
