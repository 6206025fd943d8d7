import type { Operation } from '../../device/index.ts'

const MAX = 20_000

/**
 * How often operations failed on the way in this process. Those that were marked sent also count in the store; reads and settling do not,
 * and begin anew in a new process.
 */
export interface Tries {
  /** Counts one more and answers how many it were. */
  count(operation: Operation): number
  forget(operationId: string): void
}

export function createTries(): Tries {
  const counts = new Map<string, number>()
  return {
    count({ id, attempts }) {
      const next = Math.max(counts.get(id) ?? 0, attempts) + 1
      counts.delete(id)
      counts.set(id, next)
      const [oldest] = counts.keys()
      if (counts.size > MAX && oldest !== undefined) counts.delete(oldest)
      return next
    },
    forget: (id) => {
      counts.delete(id)
    },
  }
}
