import type { Clock, Log } from '../base/index.ts'
import type { DeviceStore } from '../domain/index.ts'
import type { Contacts } from './contacts.ts'
import type { OperationLimits } from './limits.ts'
import type { Passes } from './passes.ts'

/**
 * A slow walk around the lasting contacts: a link whose device's record says that work is open gets a pass. So work that another instance
 * queued, or that a restart or a failed pass left behind, reaches its device without a word between instances.
 */
interface Sweep {
  start(): void
  stop(): void
}

interface SweepDeps {
  contacts: Contacts
  devices: DeviceStore
  passes: Passes
  clock: Clock
  log: Log
  limits: OperationLimits
}

export function createSweep({ contacts, devices, passes, clock, log, limits }: SweepDeps): Sweep {
  let cancel: (() => void) | undefined

  const round = async () => {
    const due = contacts.nextLasting(limits.sweepLinks).filter((deviceId) => !passes.active(deviceId))
    for (const deviceId of await devices.withOpenWork(due))
      passes.request(deviceId).catch((err) => log.error({ err, deviceId }, 'pass failed'))
  }
  const tick = () => {
    round()
      .catch((err) => log.warn({ err }, 'sweep over the links failed'))
      .finally(() => {
        if (cancel !== undefined) cancel = clock.after(limits.sweepMs, tick)
      })
  }

  return {
    start() {
      cancel ??= clock.after(limits.sweepMs, tick)
    },
    stop() {
      cancel?.()
      cancel = undefined
    },
  }
}
