import type { Clock } from './clock.ts'

/** Keeps the service time of an installation over restarts. */
export interface ServiceTimeStore {
  /**
   * Stores `ms` unless a larger value is stored, with the wall-clock time `at`, and answers the larger of the two and
   * the time that was stored before, which is absent at the first call of an installation.
   */
  raise(ms: number, at: number): Promise<{ ms: number; at?: number }>
}

/**
 * Milliseconds in which some server of this installation could hear its devices. Deadlines and waits are kept in it, so
 * that only such time counts against a device: it stops while no server runs and while the database does not answer,
 * and no step of a wall clock changes it.
 */
export interface ServiceTime {
  /** The service time now. */
  now(): number
  /**
   * The service time from which the silence of a device counts: after an outage of the servers devices need up to twice
   * its length to reconnect, because their retry intervals double (TR-181 SessionRetryIntervalMultiplier, TR-069
   * 3.2.1.1).
   */
  readonly silenceCountsFrom: number
  /** The wall-clock time of a service time that lies near, for people to read. */
  wallTime(serviceMs: number): number
}

/** Time runs on for so long after the last answer of the store; then it waits for the next one. */
const MAX_AHEAD_MS = 10_000
/** The longest retry interval of a device: 5 s, doubled nine times, with some room. */
const MAX_COMEBACK_MS = 3_600_000

/**
 * Service time by a monotonic clock, stored at each `beat`. After a kill it goes on at most one beat earlier than it
 * stood. Several instances agree to within one beat: each takes over the largest value.
 */
export class StoredServiceTime implements ServiceTime {
  readonly #store: ServiceTimeStore
  readonly #clock: Pick<Clock, 'now'>
  readonly #monotonicMs: () => number
  #base = 0
  #baseAt = 0
  #silenceCountsFrom = 0

  constructor(store: ServiceTimeStore, clock: Pick<Clock, 'now'>, monotonicMs: () => number) {
    this.#store = store
    this.#clock = clock
    this.#monotonicMs = monotonicMs
  }

  /** Goes on where the installation stood. */
  async start(): Promise<void> {
    const now = this.#clock.now()
    const { ms, at = now } = await this.#store.raise(0, now)
    this.#base = ms
    this.#baseAt = this.#monotonicMs()
    // A clock that was set meanwhile makes the outage look shorter or longer: then the bounds hold.
    this.#silenceCountsFrom = ms + Math.min(2 * Math.max(now - at, 0), MAX_COMEBACK_MS)
  }

  /**
   * Stores the present value. To be called every few seconds; rejects when the store does not answer, and time then
   * stops soon.
   */
  async beat(): Promise<void> {
    const { ms: largest } = await this.#store.raise(this.now(), this.#clock.now())
    const at = this.#monotonicMs()
    // Time in which the store did not answer is no service time: `now` has stood still.
    this.#base = Math.max(largest, this.now())
    this.#baseAt = at
  }

  get silenceCountsFrom(): number {
    return this.#silenceCountsFrom
  }

  now(): number {
    const passed = Math.max(0, this.#monotonicMs() - this.#baseAt)
    return Math.round(this.#base + Math.min(passed, MAX_AHEAD_MS))
  }

  wallTime(serviceMs: number): number {
    return Math.round(this.#clock.now() + serviceMs - this.now())
  }
}
