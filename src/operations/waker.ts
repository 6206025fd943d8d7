import type { Clock, Log } from '../base/index.ts'
import type { Device, DeviceId, DeviceStore, Driver, Protocol, WakeOutcome } from '../domain/index.ts'
import type { Background } from './background.ts'

interface WakerDeps {
  devices: DeviceStore
  clock: Clock
  log: Log
  background: Background
  /** Pauses between attempts, in milliseconds; none follows the last. */
  retryMs: readonly number[]
}

/** Outcomes after which another attempt can help: a session is ending, the device boots, or requests were too many. */
const AGAIN: readonly WakeOutcome[] = [
  'refused',
  'timeout',
  'unreachable',
  'unknownHost',
  'busy',
  'http5xx',
  'tooSoon',
  'alreadyHere',
]

/** The attempts for one device over one protocol. Dropped when the device is in contact. */
interface Series {
  device: Device
  driver: Driver
  /** Number of attempts made. */
  attempts: number
  /** Ends the pause before the next attempt; undefined while an attempt is under way. */
  cancel?: (() => void) | undefined
}

/** Asks absent devices to connect; one series of attempts per device and protocol at a time. */
export class Waker {
  readonly #deps: WakerDeps
  readonly #drivers = new Map<Protocol, Driver>()
  readonly #table = new Map<string, Series>()
  #isStopped = false

  constructor(deps: WakerDeps) {
    this.#deps = deps
  }

  /** Sets the drivers of the protocols. Before that no device is asked. */
  setDrivers(drivers: readonly Driver[]): void {
    this.#drivers.clear()
    for (const driver of drivers) this.#drivers.set(driver.protocol, driver)
  }

  /** Begins a series, or restarts the one under way. */
  wake(device: Device, protocol: Protocol): void {
    const driver = this.#drivers.get(protocol)
    if (driver === undefined || this.#isStopped) return
    const key = keyOf(device.id, protocol)
    const series = this.#table.get(key)
    if (series === undefined) {
      const begun: Series = { device, driver, attempts: 0 }
      this.#table.set(key, begun)
      this.#deps.background.run('wake', () => this.#attempt(begun))
      return
    }
    series.device = device
    // A new operation shortens a long pause; it adds no attempts while the first pause lasts.
    if (series.cancel !== undefined && series.attempts > 1) this.#pause(series, this.#deps.retryMs[0] ?? 0)
    series.attempts = Math.min(series.attempts, 1)
  }

  /** The device is in contact over this protocol: its series ends. */
  arrived(deviceId: DeviceId, protocol: Protocol): void {
    const key = keyOf(deviceId, protocol)
    this.#table.get(key)?.cancel?.()
    this.#table.delete(key)
  }

  stop(): void {
    this.#isStopped = true
    for (const { cancel } of this.#table.values()) cancel?.()
    this.#table.clear()
  }

  async #attempt(series: Series): Promise<void> {
    const { devices, log, retryMs } = this.#deps
    series.cancel = undefined
    const { driver, device } = series
    const about = { deviceId: device.id, protocol: driver.protocol }
    let outcome: WakeOutcome = 'unreachable'
    try {
      // A device that booted in between may have a new address.
      const current = series.attempts === 0 ? device : ((await devices.get(device.id)) ?? device)
      outcome = await driver.wake(current)
      log.debug({ ...about, outcome }, 'asked the device to connect')
    } catch (err) {
      log.warn({ ...about, err }, 'the request that asks the device to connect failed')
    }
    const key = keyOf(device.id, driver.protocol)
    if (this.#table.get(key) !== series) return
    const delayMs = retryMs[series.attempts++]
    if (delayMs !== undefined && AGAIN.includes(outcome)) this.#pause(series, delayMs)
    else this.#table.delete(key)
  }

  #pause(series: Series, delayMs: number): void {
    const { clock, background } = this.#deps
    series.cancel?.()
    series.cancel = clock.after(delayMs, () => background.run('wake', () => this.#attempt(series)))
  }
}

function keyOf(deviceId: DeviceId, protocol: Protocol): string {
  return `${protocol}|${deviceId}`
}
