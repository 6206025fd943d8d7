import type { Clock } from '../../base/index.ts'
import type { ContactEntry } from './contacts.ts'
import type { Passes } from './passes.ts'

/**
 * Holds a CWMP session while it may be needed: until no pass over its device is under way or asked for, until it is gone, or until the
 * device has been busy over the other protocol for too long (a CPE that waits for our answer gives up after its own time).
 */
export async function holdSession(entry: ContactEntry, passes: Passes, clock: Clock, quietMs: number): Promise<void> {
  const { deviceId, signal } = entry.contact
  let cancel: () => void = () => undefined
  const quiet = new Promise<void>((resolve) => {
    const look = () => {
      const leftMs = entry.inUse ? quietMs : entry.usedAt + quietMs - clock.now()
      if (leftMs <= 0) resolve()
      else cancel = clock.after(leftMs, look)
    }
    look()
  })
  await Promise.race([passes.settled(deviceId), quiet, gone(signal)])
  cancel()
}

/** Resolves when the signal aborts. */
export function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
