import { type DeviceMapping, mapTreeWork, type RawTree, type ReadingTime } from '../../src/datamodel/index.ts'

/** Maps a whole tree at once. */
export function mapTree(device: DeviceMapping, tree: RawTree, time: ReadingTime) {
  const work = mapTreeWork(device, tree, time)
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
