import type { Clock } from '../base/index.ts'
import type { Operation } from '../domain/index.ts'

/** An operation that may wait no longer than this is ended in time; others by the recurring care, some seconds late. */
const SOON_MS = 120_000
const MAX = 1000

/** Ends operations that expire soon when their time has come. */
interface Expiries {
  expect(operation: Operation): void
  stop(): void
}

/** `expire` ends what has expired; its times are those of the wall clock, as `expiresAt` is. */
export function createExpiries(clock: Clock, expire: () => void): Expiries {
  const timers = new Map<string, () => void>()
  return {
    expect({ id, expiresAt }) {
      const ms = expiresAt - clock.now()
      if (ms > SOON_MS || timers.size >= MAX) return
      timers.get(id)?.()
      const cancel = clock.after(Math.max(ms, 0) + 1, () => {
        timers.delete(id)
        expire()
      })
      timers.set(id, cancel)
    },
    stop() {
      for (const cancel of timers.values()) cancel()
      timers.clear()
    },
  }
}
