/**
 * Time as an argument: production uses the system, tests a clock they move by hand. All times are milliseconds since
 * the Unix epoch.
 */
export interface Clock {
  now(): number
  /**
   * Calls back once after `delayMs`; the returned function cancels. The timer never keeps the process alive by itself.
   */
  after(delayMs: number, callback: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, 2_147_483_647))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

const AT_START = Date.now() - performance.now()

/**
 * Runs evenly from the time at which the process began: no step of the machine's clock moves it. For how long something
 * may take or last.
 */
export const steadyClock: Clock = { ...systemClock, now: () => AT_START + performance.now() }

/** Waits, and rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
