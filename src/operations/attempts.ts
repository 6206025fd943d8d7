import { BoundedMap } from '../base/index.ts'
import type { Operation } from '../domain/index.ts'

const MAX = 20_000

/**
 * How often operations were sent and failed on the way in this process. The store counts the sends of what has an effect; reads and settling
 * are counted here alone and begin anew in a new process.
 */
export interface Tries {
  /** Counts one more failure and returns how many there were. */
  count(operation: Operation): number
  /** Counts one more execution of a read. */
  sent(operation: Operation): void
  /** Returns how often an operation was sent. */
  sends(operation: Operation): number
  forget(operationId: string): void
}

export function createTries(): Tries {
  const failures = new BoundedMap<string, number>(MAX)
  const reads = new BoundedMap<string, number>(MAX)
  const put = (counts: Map<string, number>, id: string, count: number) => {
    counts.set(id, count)
    return count
  }
  return {
    // What was sent and is queued again has failed as often as it was sent.
    count: ({ id, attempts, state }) =>
      put(failures, id, Math.max(failures.get(id) ?? 0, state === 'queued' ? attempts : 0) + 1),
    sent: ({ id }) => void put(reads, id, (reads.get(id) ?? 0) + 1),
    sends: ({ id, attempts }) => Math.max(reads.get(id) ?? 0, attempts),
    forget: (id) => {
      failures.delete(id)
      reads.delete(id)
    },
  }
}
