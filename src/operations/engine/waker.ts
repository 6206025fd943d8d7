import type { Clock, Log } from '../../base/index.ts'
import type { Device, DeviceId, Driver, Protocol, WakeOutcome } from '../../device/index.ts'
import type { Background } from './background.ts'

/** Asks absent devices to come; one attempt series per device and protocol at a time. */
export interface Waker {
  setDrivers(drivers: readonly Driver[]): void
  wake(device: Device, protocol: Protocol): void
  stop(): void
}

export interface WakerDeps {
  clock: Clock
  log: Log
  background: Background
  /** Pauses between attempts; the last is followed by no other. */
  retryMs: readonly number[]
  /** Whether the device is here meanwhile. */
  isHere(deviceId: DeviceId, protocol: Protocol): boolean
}

/** Outcomes after which asking again soon can help: a session was just ending, the box was rebooting, or we asked too often. */
const AGAIN: readonly WakeOutcome[] = ['unreachable', 'busy', 'tooSoon']

export function createWaker({ clock, log, background, retryMs, isHere }: WakerDeps): Waker {
  const drivers = new Map<Protocol, Driver>()
  const series = new Map<string, () => void>()
  let stopped = false

  const attempt = async (key: string, device: Device, driver: Driver, round: number): Promise<void> => {
    let outcome: WakeOutcome = 'unreachable'
    try {
      outcome = await driver.wake(device)
      log.debug({ deviceId: device.id, protocol: driver.protocol, outcome }, 'asked the device to come')
    } catch (err) {
      log.warn({ deviceId: device.id, protocol: driver.protocol, err }, 'asking the device to come failed')
    }
    const delayMs = retryMs[round]
    if (stopped || delayMs === undefined || !AGAIN.includes(outcome)) {
      series.delete(key)
      return
    }
    series.set(
      key,
      clock.after(delayMs, () => {
        if (stopped || isHere(device.id, driver.protocol)) series.delete(key)
        else background.run('wake', () => attempt(key, device, driver, round + 1))
      }),
    )
  }

  return {
    setDrivers(list) {
      drivers.clear()
      for (const driver of list) drivers.set(driver.protocol, driver)
    },
    wake(device, protocol) {
      const key = `${protocol}|${device.id}`
      const driver = drivers.get(protocol)
      if (driver === undefined || stopped || series.has(key)) return
      series.set(key, () => undefined)
      background.run('wake', () => attempt(key, device, driver, 0))
    },
    stop() {
      stopped = true
      for (const cancel of series.values()) cancel()
      series.clear()
    },
  }
}
