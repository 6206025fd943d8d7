import type { Clock } from '../base/index.ts'
import type { DeviceId } from '../domain/index.ts'
import type { ContactEntry } from './contacts.ts'
import type { FollowUps } from './follow-ups.ts'
import type { Passes } from './passes.ts'

interface HoldDeps {
  passes: Passes
  followUps: FollowUps
  clock: Clock
  quietMs: number
}

/**
 * Holds a CWMP session while it may be needed: until no pass over its device is under way or asked for and nothing more is about to be asked
 * for, until it is gone, or until the device has been busy over the other protocol for too long (a CPE that waits for our answer gives up
 * after its own time).
 */
export async function holdSession(entry: ContactEntry, { passes, followUps, clock, quietMs }: HoldDeps): Promise<void> {
  const { deviceId, signal } = entry.contact
  const work = async () => {
    do await passes.settled(deviceId)
    while (await more(deviceId))
  }
  /** True when more was asked for in time: a new session for each step of a migration would cost more than the steps. */
  const more = (device: DeviceId): Promise<boolean> => {
    const leftMs = followUps.leftMs(device)
    if (leftMs <= 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const end = (asked: boolean) => {
        leave()
        stop()
        resolve(asked)
      }
      const leave = passes.onAsked(device, () => end(true))
      const stop = clock.after(leftMs, () => end(false))
      signal.addEventListener('abort', () => end(false), { once: true })
    })
  }
  let cancel: () => void = () => undefined
  const quiet = new Promise<void>((resolve) => {
    const look = () => {
      const leftMs = entry.inUse ? quietMs : entry.usedAt + quietMs - clock.now()
      if (leftMs <= 0) resolve()
      else cancel = clock.after(leftMs, look)
    }
    look()
  })
  await Promise.race([work(), quiet, gone(signal)])
  cancel()
}

/** Resolves when the signal aborts. */
export function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
