import type { Clock } from '../../base/index.ts'

/** Milliseconds for which an id is remembered. */
const KEPT_MS = 600_000
/** Ids that are remembered at most: more than a router is let have in that time. */
const MAX_IDS = 2000

/** The ids of the commands of one router in the last ten minutes. */
export class SeenIds {
  readonly #clock: Clock
  readonly #at = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Notes an id; returns false for one that was seen before, and when there are too many. */
  take(id: string): boolean {
    const now = this.#clock.now()
    for (const [old, at] of this.#at) {
      if (now - at < KEPT_MS) break
      this.#at.delete(old)
    }
    if (this.#at.has(id) || this.#at.size >= MAX_IDS) return false
    this.#at.set(id, now)
    return true
  }
}
