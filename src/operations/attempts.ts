import { BoundedMap } from '../base/index.ts'
import type { Operation } from '../domain/index.ts'

const MAX = 20_000

/**
 * Counts of sends and of transport failures, by operation. The store counts the sends of operations with an effect;
 * reads, and reads that reconcile, are counted in this process only, and start at zero in a new one.
 */
export class Attempts {
  readonly #failures = new BoundedMap<string, number>(MAX)
  readonly #reads = new BoundedMap<string, number>(MAX)

  /** Counts one more failure. Returns the number of failures. */
  failed({ id, attempts, state }: Operation): number {
    // An operation that was sent and is queued again has failed as often as it was sent.
    const before = Math.max(this.#failures.get(id) ?? 0, state === 'queued' ? attempts : 0)
    this.#failures.set(id, before + 1)
    return before + 1
  }

  /** Counts one more execution of a read. */
  sentRead({ id }: Operation): void {
    this.#reads.set(id, (this.#reads.get(id) ?? 0) + 1)
  }

  /** Returns the number of sends of an operation. */
  sends({ id, attempts }: Operation): number {
    return Math.max(this.#reads.get(id) ?? 0, attempts)
  }

  /** Drops the counts of an operation that has ended. */
  forget({ id }: Operation): void {
    this.#failures.delete(id)
    this.#reads.delete(id)
  }
}
