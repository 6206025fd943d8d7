import type { Clock, Log } from '../../base/index.ts'
import type { Device, DeviceId, Driver, Protocol, WakeOutcome } from '../../device/index.ts'
import type { Background } from './background.ts'

/** Asks absent devices to come; one attempt series per device and protocol at a time. */
export interface Waker {
  setDrivers(drivers: readonly Driver[]): void
  wake(device: Device, protocol: Protocol): void
  /** The device is here over this protocol: no further attempt. */
  came(deviceId: DeviceId, protocol: Protocol): void
  stop(): void
}

export interface WakerDeps {
  clock: Clock
  log: Log
  background: Background
  /** Pauses between attempts; the last is followed by no other. */
  retryMs: readonly number[]
}

/** Outcomes after which asking again soon can help: a session is just ending, the box is rebooting, or we asked too often. */
const AGAIN: readonly WakeOutcome[] = ['unreachable', 'busy', 'tooSoon', 'alreadyHere']

/** Attempts that belong together; no longer the current one of its key: the device came. */
interface Series {
  cancel(): void
}

export function createWaker({ clock, log, background, retryMs }: WakerDeps): Waker {
  const drivers = new Map<Protocol, Driver>()
  const series = new Map<string, Series>()
  let stopped = false

  const attempt = async (own: Series, key: string, device: Device, driver: Driver, round: number): Promise<void> => {
    let outcome: WakeOutcome = 'unreachable'
    try {
      outcome = await driver.wake(device)
      log.debug({ deviceId: device.id, protocol: driver.protocol, outcome }, 'asked the device to come')
    } catch (err) {
      log.warn({ deviceId: device.id, protocol: driver.protocol, err }, 'asking the device to come failed')
    }
    const delayMs = retryMs[round]
    if (series.get(key) !== own) return
    if (delayMs === undefined || !AGAIN.includes(outcome)) {
      series.delete(key)
      return
    }
    own.cancel = clock.after(delayMs, () => background.run('wake', () => attempt(own, key, device, driver, round + 1)))
  }

  return {
    setDrivers(list) {
      drivers.clear()
      for (const driver of list) drivers.set(driver.protocol, driver)
    },
    wake(device, protocol) {
      const key = keyOf(device.id, protocol)
      const driver = drivers.get(protocol)
      if (driver === undefined || stopped || series.has(key)) return
      const own: Series = { cancel: () => undefined }
      series.set(key, own)
      background.run('wake', () => attempt(own, key, device, driver, 0))
    },
    came(deviceId, protocol) {
      const key = keyOf(deviceId, protocol)
      series.get(key)?.cancel()
      series.delete(key)
    },
    stop() {
      stopped = true
      for (const { cancel } of series.values()) cancel()
      series.clear()
    },
  }
}

function keyOf(deviceId: DeviceId, protocol: Protocol): string {
  return `${protocol}|${deviceId}`
}
