import type { Work } from '../../../base/index.ts'
import type { RawTree } from '../tree/raw-tree.ts'
import type { ReadingTime } from './context.ts'
import type { DeviceMapping, MappedValue } from './device-mapping.ts'

/** A whole tree in TR-181. */
interface MappedTree {
  values: MappedValue[]
  /** Parameters that no row maps; they keep their own path. */
  unmapped: string[]
  /** Parameters that have a row but gave no value: not decoded, a condition that does not hold, no object in TR-181. */
  silent: string[]
}

/** Parameters of one portion of the work. */
const PORTION = 100

/**
 * Maps a whole tree: every parameter with a row, and what is derived. A unit of the work is one parameter; the tree must
 * not change meanwhile.
 */
export function* mapTreeWork(device: DeviceMapping, tree: RawTree, time: ReadingTime): Work<MappedTree> {
  const seen = new Set<string>()
  const values: MappedValue[] = []
  const unmapped: string[] = []
  const silent: string[] = []
  let count = 0
  for (const path of tree.values.keys()) {
    if (count++ % PORTION === 0) yield PORTION
    let any = false
    const mapped = device.visitTargets(path, (target, row, to) => {
      if (seen.has(to)) {
        any = true
        return
      }
      seen.add(to)
      const value = device.evaluateAt(target, row, to, tree, time)
      if (value === undefined) return
      values.push(value)
      any = true
    })
    if (!mapped) unmapped.push(path)
    else if (!any) silent.push(path)
  }
  for (const path of device.derivedPaths(tree)) {
    if (count++ % PORTION === 0) yield PORTION
    if (seen.has(path)) continue
    seen.add(path)
    const value = device.evaluate(path, tree, time)
    if (value !== undefined) values.push(value)
  }
  return { values, unmapped, silent }
}
