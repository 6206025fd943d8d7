import type { Clock } from '../../src/base/index.ts'

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves on, running due timers in order of time. */
  advance(ms: number): void
  /** Moves to the next timer, if there is one. */
  next(): boolean
  /** Timers that are not due yet. */
  readonly timers: number
}

export function createManualClock(start = 1_700_000_000_000): ManualClock {
  let now = start
  const timers = new Set<{ at: number; callback: () => void }>()
  const earliest = () => [...timers].sort((a, b) => a.at - b.at)[0]
  const fire = (timer: { at: number; callback: () => void }) => {
    timers.delete(timer)
    now = Math.max(now, timer.at)
    timer.callback()
  }
  return {
    get timers() {
      return timers.size
    },
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return () => {
        timers.delete(timer)
      }
    },
    advance(ms) {
      const until = now + ms
      for (let timer = earliest(); timer !== undefined && timer.at <= until; timer = earliest()) fire(timer)
      now = until
    },
    next() {
      const timer = earliest()
      if (timer !== undefined) fire(timer)
      return timer !== undefined
    },
  }
}

/** Lets everything that is ready run, without the clock moving. */
export async function settled(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * Runs until `condition` holds, moving the clock only when nothing else is left to do; throws after `maxMs` of its
 * time.
 */
export async function until(clock: ManualClock, condition: () => boolean, maxMs = 7_200_000): Promise<void> {
  const deadline = clock.now() + maxMs
  for (;;) {
    await settled(8)
    if (condition()) return
    if (clock.now() > deadline || !clock.next()) throw new Error('the condition never held')
  }
}
