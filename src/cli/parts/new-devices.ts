import { Buckets, type Clock, type Log, limitLines } from '../../base/index.ts'
import type { DeviceStore } from '../../domain/index.ts'

/** Limits of devices that register with no better proof than the enrolment secret; 0: no limit. */
export interface NewDeviceLimits {
  /** Devices in an hour, at this server; as many may register at once. */
  perHour: number
  /** Devices of the installation, above which none is added. */
  total: number
}

interface NewDevicesDeps {
  limits: NewDeviceLimits
  devices: Pick<DeviceStore, 'count'>
  clock: Clock
  log: Log
}

const HOUR_S = 3600
/** The devices are counted again after this time; between, those that were let in here are added. */
const COUNT_MS = 60_000
const LINES_PER_MINUTE = 1
const ALL = ''

/**
 * Bounds what somebody who has the enrolment secret can put into the database. Devices with a proof of their own are
 * not counted.
 */
export class NewDevices {
  readonly #deps: NewDevicesDeps
  readonly #rate: Buckets
  readonly #lines: Log
  #counted: { devices: Promise<number>; at: number; added: number } | undefined

  constructor(deps: NewDevicesDeps) {
    this.#deps = deps
    const { perHour } = deps.limits
    this.#rate = new Buckets({ capacity: perHour, perSecond: perHour / HOUR_S, maxKeys: 1 }, deps.clock)
    this.#lines = limitLines(deps.log, deps.clock, LINES_PER_MINUTE)
  }

  /** Counts one more device; false when it may not be registered now. */
  async mayRegister(): Promise<boolean> {
    const { perHour, total } = this.#deps.limits
    if (perHour > 0 && this.#rate.left(ALL) < 1) {
      this.#lines.warn(
        { perHour },
        'no new device is registered: too many came in an hour (--max-new-devices-per-hour)',
      )
      return false
    }
    if (perHour > 0) this.#rate.take(ALL, 1)
    if (total === 0 || (await this.#countOne(total)) <= total) return true
    this.#lines.warn({ total }, 'no new device is registered: there are as many as there may be (--max-devices)')
    return false
  }

  /** The devices with this one. */
  async #countOne(total: number): Promise<number> {
    const { devices, clock } = this.#deps
    const at = clock.now()
    if (this.#counted === undefined || at - this.#counted.at >= COUNT_MS)
      this.#counted = { devices: devices.count(undefined, total), at, added: 0 }
    const counted = this.#counted
    const before = await counted.devices
    return before + ++counted.added
  }
}
