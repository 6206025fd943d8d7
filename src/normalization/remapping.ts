import { type Clock, errorText, type Log } from '../base/index.ts'
import type { DeviceId, DeviceStore, InstanceMapStore, MappingRowStore, Remapping } from '../domain/index.ts'
import { scopeFacts } from './record/whole-tree.ts'
import type { RowSets } from './row-sets.ts'

interface RemappingDeps {
  devices: Pick<DeviceStore, 'get' | 'ids' | 'count'>
  instanceMaps: Pick<InstanceMapStore, 'get'>
  mappingRows: Pick<MappingRowStore, 'remapping' | 'noteRemapping'>
  rowSets: Pick<RowSets, 'rowsFor' | 'refresh'>
  /** Maps the whole stored tree of a device, and stores what differs. */
  adopt(deviceId: DeviceId): Promise<void>
  /** Notes in the store that the tree of a device is to be mapped. */
  notePending(deviceId: DeviceId): Promise<void>
  clock: Clock
  log: Log
}

const BATCH = 200
const MAX_COUNT = 10_000_000
/** Devices that are tried once more at the end of a run. */
const MAX_AGAIN = 1_000
/** After each device that was mapped, a pause of so many times as long as that took: other work goes on beside. */
const PAUSE_FACTOR = 1

/**
 * Maps the stored trees again after a change of rows: all devices are looked at in the order of their ids, and those
 * whose rows are others than the last time are mapped. Nothing is asked of a device. One run answers all changes before
 * it; its place is stored after each batch, so that another instance goes on from there. A device that cannot be mapped
 * is noted as pending: its next change maps it, and the next run.
 */
export class RemappingRun {
  readonly #deps: RemappingDeps
  #isStopping = false

  constructor(deps: RemappingDeps) {
    this.#deps = deps
  }

  /** Ends a run at its next device: for a server that is about to stop. */
  end(): void {
    this.#isStopping = true
  }

  /**
   * Looks at all devices when a change wants it. The job queue calls it on one instance. Rejects where neither a device
   * can be mapped nor that be noted; then the next call goes on with its batch.
   */
  async run(): Promise<void> {
    const { mappingRows, rowSets, devices, clock, log } = this.#deps
    const { wanted, ...before } = await mappingRows.remapping()
    if (before.done >= wanted) return
    // Read after `wanted`: the rows of all changes that it counts.
    await rowSets.refresh()
    const goesOn = before.run === wanted && before.finishedAt === undefined
    let work: Omit<Remapping, 'wanted'> = goesOn
      ? before
      : {
          run: wanted,
          done: before.done,
          looked: 0,
          mapped: 0,
          failed: 0,
          total: await devices.count(undefined, MAX_COUNT),
          startedAt: clock.now(),
        }
    const again: DeviceId[] = []
    for await (const ids of devices.ids(undefined, BATCH, work.after)) {
      const { mapped, failed } = await this.#lookAt(ids)
      if (this.#isStopping) return
      const looked = work.looked + ids.length
      work = { ...work, looked, mapped: work.mapped + mapped, failed: work.failed + failed.length }
      again.push(...failed.slice(0, MAX_AGAIN - again.length))
      const last = ids.at(-1)
      if (last !== undefined) work.after = last
      await mappingRows.noteRemapping(work)
      // A change meanwhile: the next run begins anew, with its rows.
      if ((await mappingRows.remapping()).wanted !== wanted) return
    }
    const { mapped, failed } = await this.#lookAt(again)
    if (this.#isStopping) return
    work = { ...work, mapped: work.mapped + mapped, failed: work.failed - again.length + failed.length }
    await mappingRows.noteRemapping({ ...work, done: wanted, finishedAt: clock.now() })
    log.info({ looked: work.looked, mapped: work.mapped, failed: work.failed }, 'devices were mapped by changed rows')
  }

  async #lookAt(ids: readonly DeviceId[]): Promise<{ mapped: number; failed: DeviceId[] }> {
    const { clock, log } = this.#deps
    let mapped = 0
    const failed: DeviceId[] = []
    for (const id of ids) {
      if (this.#isStopping) break
      const begun = performance.now()
      try {
        if (!(await this.#remap(id))) continue
        mapped++
      } catch (error) {
        failed.push(id)
        log.warn({ deviceId: id, reason: errorText(error) }, 'a device could not be mapped by changed rows')
        await this.#deps.notePending(id)
      }
      await new Promise<void>((resolve) => clock.after((performance.now() - begun) * PAUSE_FACTOR, resolve))
    }
    return { mapped, failed }
  }

  /** Resolves with false for a device that has no mapping yet, or has the rows already. */
  async #remap(id: DeviceId): Promise<boolean> {
    const { devices, instanceMaps, rowSets, adopt } = this.#deps
    const [device, stored] = await Promise.all([devices.get(id), instanceMaps.get(id)])
    if (device === undefined || stored === undefined) return false
    if (stored.pending !== true && rowSets.rowsFor(scopeFacts(device))?.version === stored.rows) return false
    await adopt(id)
    return true
  }
}
