import type { Clock } from './clock.ts'

interface BucketsOptions {
  /** Content of a full bucket. */
  capacity: number
  /** Refill per second. */
  perSecond: number
  /** Buckets that are remembered; the one that was untouched longest is forgotten, and so is full again. */
  maxKeys: number
}

/**
 * Budgets by key: each is a bucket that refills with time. A bucket may be overdrawn; it is paid back before it gives
 * again.
 */
export class Buckets {
  readonly #options: BucketsOptions
  readonly #clock: Clock
  readonly #levels = new Map<string, { level: number; at: number }>()

  constructor(options: BucketsOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** Number of buckets that are not full, or were not at their last use. */
  get size(): number {
    return this.#levels.size
  }

  /** Returns the present content. */
  left(key: string): number {
    const known = this.#levels.get(key)
    const { capacity, perSecond } = this.#options
    if (known === undefined) return capacity
    // A clock that was set back gives nothing and takes nothing.
    const seconds = Math.max(0, this.#clock.now() - known.at) / 1000
    return Math.min(capacity, known.level + seconds * perSecond)
  }

  /** Takes an amount. */
  take(key: string, amount: number): void {
    this.#put(key, this.left(key) - amount)
  }

  /** Gives an amount back that was taken without need. */
  give(key: string, amount: number): void {
    if (this.#levels.has(key)) this.#put(key, this.left(key) + amount)
  }

  #put(key: string, level: number): void {
    this.#levels.delete(key)
    if (level >= this.#options.capacity) return
    this.#levels.set(key, { level, at: this.#clock.now() })
    if (this.#levels.size <= this.#options.maxKeys) return
    const oldest = this.#levels.keys().next()
    if (oldest.done !== true) this.#levels.delete(oldest.value)
  }
}
