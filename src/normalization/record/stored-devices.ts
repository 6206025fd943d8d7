import { type Clock, errorText, type Log } from '../../base/index.ts'
import type { Device, DeviceStore } from '../../domain/index.ts'
import type { DeviceMaps } from '../tree/device-maps.ts'
import { OWN_ROOT } from '../tree/paths.ts'
import { isDiscovered, type MappedRecord } from './mapped-record.ts'

interface StoredDevicesDeps {
  devices: Pick<DeviceStore, 'get' | 'ids'>
  maps: DeviceMaps
  record: Pick<MappedRecord, 'adopt'>
  clock: Clock
  log: Log
}

const BATCH = 100
/** The rest after each device that was mapped, as a multiple of the time that it took, and at least in milliseconds. */
const REST = 4
const MIN_REST_MS = 5

/**
 * Maps the trees that were discovered before there was a mapping, which an upgrade needs no new discovery for, and those
 * whose mapping was cut off before its values were stored. Looks at all
 * devices once after each start; those that come into contact before are mapped then.
 */
export class StoredDevices {
  readonly #deps: StoredDevicesDeps
  readonly #stopping = new AbortController()
  #isDone = false

  constructor(deps: StoredDevicesDeps) {
    this.#deps = deps
  }

  /** For the recurring job: goes on where nothing is left to do at once. */
  async adopt(): Promise<void> {
    if (this.#isDone) return
    const { devices, log } = this.#deps
    let adopted = 0
    for await (const ids of devices.ids({ field: 'root', operator: '==', values: [OWN_ROOT] }, BATCH))
      for (const id of ids) {
        if (this.#stopping.signal.aborted) return
        const record = await devices.get(id)
        if (record !== undefined && (await this.#adoptOne(record))) adopted++
      }
    this.#isDone = true
    if (adopted > 0) log.info({ devices: adopted }, 'stored trees of TR-098 devices were mapped to TR-181')
  }

  /** A job under way ends after its present device. */
  stop(): void {
    this.#stopping.abort()
  }

  async #adoptOne(device: Device): Promise<boolean> {
    const { maps, record, clock, log } = this.#deps
    if (!isDiscovered(device)) return false
    const known = await maps.of(device.id)
    if (known !== undefined && known.stored.pending !== true) return false
    const startedAt = performance.now()
    try {
      await record.adopt(device.id)
    } catch (error) {
      log.info({ deviceId: device.id, reason: errorText(error) }, 'a stored tree was not mapped')
      return false
    }
    const restMs = Math.max(MIN_REST_MS, (performance.now() - startedAt) * REST)
    await new Promise<void>((resolve) => clock.after(restMs, resolve))
    return true
  }
}
