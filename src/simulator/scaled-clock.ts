import type { Clock } from '../base/index.ts'

/** Returns a clock that runs `scale` times as fast as another: its waits are divided by it. 1 = as in the field. */
export function scaledClock(clock: Clock, scale: number): Clock {
  if (scale === 1) return clock
  const start = clock.now()
  return {
    now: () => start + (clock.now() - start) * scale,
    after: (delayMs, callback) => clock.after(delayMs / scale, callback),
  }
}
