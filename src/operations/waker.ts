import type { Clock, Log } from '../base/index.ts'
import type { Device, DeviceId, DeviceStore, Driver, Protocol, WakeOutcome } from '../domain/index.ts'
import type { Background } from './background.ts'

/** Asks absent devices to come; one series of attempts per device and protocol at a time. */
interface Waker {
  setDrivers(drivers: readonly Driver[]): void
  /** Begins a series, or begins the one under way anew. */
  wake(device: Device, protocol: Protocol): void
  /** The device is here over this protocol: no further attempt. */
  came(deviceId: DeviceId, protocol: Protocol): void
  stop(): void
}

interface WakerDeps {
  devices: DeviceStore
  clock: Clock
  log: Log
  background: Background
  /** Pauses between attempts; the last is followed by no other. */
  retryMs: readonly number[]
}

/** Outcomes after which asking again soon can help: a session is just ending, the device is rebooting, or we asked too often. */
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

/** Attempts that belong together. Dropped from the table when the device comes. */
interface Series {
  device: Device
  driver: Driver
  /** Attempts made. */
  round: number
  /** Ends the pause before the next attempt; undefined while one is under way. */
  cancel?: (() => void) | undefined
}

export function createWaker({ devices, clock, log, background, retryMs }: WakerDeps): Waker {
  const drivers = new Map<Protocol, Driver>()
  const table = new Map<string, Series>()
  let stopped = false

  const attempt = async (series: Series): Promise<void> => {
    series.cancel = undefined
    const { driver, device } = series
    let outcome: WakeOutcome = 'unreachable'
    try {
      // A box that booted meanwhile may be reached elsewhere now.
      const current = series.round === 0 ? device : ((await devices.get(device.id)) ?? device)
      outcome = await driver.wake(current)
      log.debug({ deviceId: device.id, protocol: driver.protocol, outcome }, 'asked the device to come')
    } catch (err) {
      log.warn({ deviceId: device.id, protocol: driver.protocol, err }, 'asking the device to come failed')
    }
    const key = keyOf(device.id, driver.protocol)
    if (table.get(key) !== series) return
    const delayMs = retryMs[series.round++]
    if (delayMs !== undefined && AGAIN.includes(outcome)) pause(series, delayMs)
    else table.delete(key)
  }
  const pause = (series: Series, delayMs: number) => {
    series.cancel?.()
    series.cancel = clock.after(delayMs, () => background.run('wake', () => attempt(series)))
  }

  return {
    setDrivers(list) {
      drivers.clear()
      for (const driver of list) drivers.set(driver.protocol, driver)
    },
    wake(device, protocol) {
      const driver = drivers.get(protocol)
      if (driver === undefined || stopped) return
      const key = keyOf(device.id, protocol)
      const under = table.get(key)
      if (under === undefined) {
        const series: Series = { device, driver, round: 0 }
        table.set(key, series)
        background.run('wake', () => attempt(series))
        return
      }
      under.device = device
      // News shorten a long pause, but do not add attempts to those of the first pause.
      if (under.cancel !== undefined && under.round > 1) pause(under, retryMs[0] ?? 0)
      under.round = Math.min(under.round, 1)
    },
    came(deviceId, protocol) {
      const key = keyOf(deviceId, protocol)
      table.get(key)?.cancel?.()
      table.delete(key)
    },
    stop() {
      stopped = true
      for (const { cancel } of table.values()) cancel?.()
      table.clear()
    },
  }
}

function keyOf(deviceId: DeviceId, protocol: Protocol): string {
  return `${protocol}|${deviceId}`
}
