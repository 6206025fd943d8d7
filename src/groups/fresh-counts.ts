import type { Clock, Log } from '../base/index.ts'
import type { Timestamp } from '../domain/index.ts'

/** A count and when it was begun. */
export interface Counted<T> {
  value: T
  countedAt: Timestamp
}

interface Entry<T> {
  count: () => Promise<T>
  last?: Counted<T>
  underWay?: Promise<Counted<T>>
  /** Milliseconds that the last count took. */
  tookMs: number
  askedAt: Timestamp
}

/** No count that is given out is older. */
const MAX_AGE_MS = 10_000
/** A count that was asked for lately is repeated in the background before it is too old. */
const RENEW_MS = 7000
const LATELY_MS = 180_000
/** A count that takes longer is not made without being asked for: it would keep the database busy. */
const CHEAP_MS = 1000
/** The number of counts that are kept. */
const MAX_ENTRIES = 200
/** The number of counts that are renewed in the background, one after the other. */
const MAX_RENEWED = 20

/**
 * Counts over many devices, at most ten seconds old. Several that ask at once wait for one count. With `background`,
 * what was asked for in the last minutes is counted again by itself, so that an answer does not wait for the database.
 */
export class FreshCounts<T> {
  readonly #clock: Clock
  readonly #log: Log
  readonly #background: boolean
  readonly #entries = new Map<string, Entry<T>>()
  #cancel: (() => void) | undefined
  #stopped = false

  constructor({ clock, log }: { clock: Clock; log: Log }, options: { background: boolean }) {
    this.#clock = clock
    this.#log = log
    this.#background = options.background
  }

  /** The count of a key; `count` makes it. */
  async get(key: string, count: () => Promise<T>): Promise<Counted<T>> {
    const now = this.#clock.now()
    const entry = this.#entries.get(key) ?? { count, tookMs: 0, askedAt: now }
    Object.assign(entry, { count, askedAt: now })
    // The newest one is last, so that the first is the one to forget.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size > MAX_ENTRIES) this.#forgetOldest()
    this.#schedule()
    const { last } = entry
    return last !== undefined && now - last.countedAt < MAX_AGE_MS && last.countedAt <= now ? last : this.#make(entry)
  }

  /** Ends the counting in the background. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #make(entry: Entry<T>): Promise<Counted<T>> {
    entry.underWay ??= this.#count(entry).finally(() => {
      delete entry.underWay
    })
    return entry.underWay
  }

  async #count(entry: Entry<T>): Promise<Counted<T>> {
    const countedAt = this.#clock.now()
    const begun = performance.now()
    const value = await entry.count()
    entry.tookMs = performance.now() - begun
    entry.last = { value, countedAt }
    return entry.last
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  #schedule(): void {
    if (!this.#background || this.#stopped || this.#cancel !== undefined) return
    this.#cancel = this.#clock.after(RENEW_MS, () => {
      this.#renew()
        .catch((err: unknown) => this.#log.warn({ err }, 'devices were not counted; the next request counts them'))
        .finally(() => {
          this.#cancel = undefined
          if (this.#lately().length > 0) this.#schedule()
        })
    })
  }

  async #renew(): Promise<void> {
    for (const entry of this.#lately().slice(-MAX_RENEWED)) {
      if (this.#stopped) return
      if (entry.tookMs <= CHEAP_MS) await this.#make(entry)
    }
  }

  #lately(): Entry<T>[] {
    const since = this.#clock.now() - LATELY_MS
    return [...this.#entries.values()].filter(({ askedAt }) => askedAt >= since)
  }
}
