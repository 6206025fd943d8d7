import type { Clock } from '../../base/index.ts'

/**
 * The waits of one CPE: periodic Informs on their grid, one retry, scheduled Informs, and throttled notifications. They
 * are independent of each other.
 */
export class CpeTimers {
  readonly #clock: Clock
  readonly #single = new Set<() => void>()
  #cancelRetry: (() => void) | undefined
  #cancelPeriodic: (() => void) | undefined
  #grid = ''
  #lastThrottled = Number.NEGATIVE_INFINITY
  #throttled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  retry(delayMs: number, work: () => void): void {
    this.#cancelRetry?.()
    this.#cancelRetry = this.#clock.after(delayMs, work)
  }

  cancelRetry(): void {
    this.#cancelRetry?.()
  }

  once(delayMs: number, work: () => void): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#single.delete(cancel)
      work()
    })
    this.#single.add(cancel)
  }

  /** Does the work at most once per `throttleMs`; an earlier call waits for the rest of that time. */
  throttled(throttleMs: number, work: () => void): void {
    if (this.#throttled) return
    const wait = this.#lastThrottled + throttleMs - this.#clock.now()
    const run = () => {
      this.#throttled = false
      this.#lastThrottled = this.#clock.now()
      work()
    }
    if (wait <= 0) return run()
    this.#throttled = true
    this.once(wait, run)
  }

  /**
   * Does the work every `intervalMs`; undefined stops it. With a phase (PeriodicInformTime, a dateTime) the times are
   * those whose distance from it is a multiple of the interval. The unknown time leaves the phase to the CPE, which
   * counts from now (TR-181 ManagementServer.PeriodicInformTime). A call with the same values keeps the grid, so that
   * sessions in between do not delay an Inform.
   */
  periodic(intervalMs: number | undefined, phase: string, work: () => void): void {
    const grid = `${intervalMs} ${phase}`
    if (grid === this.#grid) return
    this.#grid = grid
    this.#cancelPeriodic?.()
    if (intervalMs === undefined) return
    const next = () => {
      this.#cancelPeriodic = this.#clock.after(this.#untilNext(intervalMs, phase), () => {
        next()
        work()
      })
    }
    next()
  }

  stop(): void {
    this.#cancelRetry?.()
    this.#cancelPeriodic?.()
    this.#grid = ''
    for (const cancel of this.#single) cancel()
    this.#single.clear()
    this.#throttled = false
  }

  #untilNext(intervalMs: number, phase: string): number {
    const from = Date.parse(phase)
    if (phase.startsWith('0001') || Number.isNaN(from)) return intervalMs
    const since = (((this.#clock.now() - from) % intervalMs) + intervalMs) % intervalMs
    return intervalMs - since
  }
}
