import { type Clock, createKeyedQueue } from '../base/index.ts'
import type { DeviceId } from '../domain/index.ts'

/** One pass over a device; `again` requests another one. It must not reject. */
type Pass = (deviceId: DeviceId, again: () => void) => Promise<void>

/**
 * The queue of passes: one at a time per device. All requests that arrive while a pass is under way lead to one more
 * pass, which begins after them.
 */
export class Passes {
  readonly #pass: Pass
  readonly #queue = createKeyedQueue()
  readonly #waiting = new Set<DeviceId>()
  readonly #last = new Map<DeviceId, Promise<void>>()
  readonly #listeners = new Map<DeviceId, () => void>()

  constructor(pass: Pass) {
    this.#pass = pass
  }

  /** Requests a pass that begins after this call. Returns at once. */
  request(deviceId: DeviceId): void {
    if (this.#waiting.has(deviceId)) return
    this.#waiting.add(deviceId)
    const run: Promise<void> = this.#queue
      .run(deviceId, async () => {
        // Begins in a later microtask, so that one pass serves all requests of this one.
        await Promise.resolve()
        this.#waiting.delete(deviceId)
        await this.#pass(deviceId, () => this.request(deviceId))
      })
      .finally(() => {
        if (this.#last.get(deviceId) === run) this.#last.delete(deviceId)
      })
    this.#last.set(deviceId, run)
    this.#listeners.get(deviceId)?.()
  }

  /** Runs other work with the device between its passes; those that are requested meanwhile begin after it. */
  between(deviceId: DeviceId, work: () => Promise<void>): Promise<void> {
    const run: Promise<void> = this.#queue.run(deviceId, work).finally(() => {
      if (this.#last.get(deviceId) === run) this.#last.delete(deviceId)
    })
    this.#last.set(deviceId, run)
    return run
  }

  /** Resolves when no pass over the device is under way or requested. */
  async ended(deviceId: DeviceId): Promise<void> {
    for (let run = this.#last.get(deviceId); run !== undefined; run = this.#last.get(deviceId)) await run
  }

  /** Returns true while a pass over the device is under way or requested. */
  isActive(deviceId: DeviceId): boolean {
    return this.#last.has(deviceId)
  }

  /** Calls back at each request for the device; the returned function ends that. One listener per device. */
  onRequest(deviceId: DeviceId, listener: () => void): () => void {
    this.#listeners.set(deviceId, listener)
    return () => {
      if (this.#listeners.get(deviceId) === listener) this.#listeners.delete(deviceId)
    }
  }

  /** Resolves when no pass is under way at all. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }
}

const NEWS_KEPT_MS = 600_000
const MAX_NEWS = 50_000

/**
 * Devices for which this process has stored, or is about to store, new operations. A session that read the record
 * before that asks here and not the database. Sessions are short, so old entries are dropped: the work flag of the
 * record says the same.
 */
export class News {
  readonly #clock: Clock
  readonly #since = new Map<DeviceId, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(deviceId: DeviceId): void {
    const now = this.#clock.now()
    this.#since.delete(deviceId)
    this.#since.set(deviceId, now)
    // A Map keeps the order of insertion: the oldest entries are first.
    for (const [oldest, at] of this.#since) {
      if (this.#since.size <= MAX_NEWS && now - at <= NEWS_KEPT_MS) break
      this.#since.delete(oldest)
    }
  }

  has(deviceId: DeviceId): boolean {
    return this.#since.has(deviceId)
  }

  /** Removes the entry: a pass reads the queue next. */
  take(deviceId: DeviceId): void {
    this.#since.delete(deviceId)
  }
}
