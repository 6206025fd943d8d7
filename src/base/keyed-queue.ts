/**
 * Runs work of one key strictly in order and work of different keys side by side. A failed task does not hold up the
 * next.
 */
interface KeyedQueue {
  run<T>(key: string, task: () => Promise<T>): Promise<T>
  /** True when work of this key is under way or waiting. */
  has(key: string): boolean
  /** Keys with work under way or waiting. */
  readonly size: number
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export function createKeyedQueue(): KeyedQueue {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run(key, task) {
      const previous = tails.get(key)
      const result = previous === undefined ? task() : previous.then(task, task)
      const tail: Promise<unknown> = result
        .catch(() => undefined)
        .finally(() => {
          if (tails.get(key) === tail) tails.delete(key)
        })
      tails.set(key, tail)
      return result
    },
    has: (key) => tails.has(key),
    get size() {
      return tails.size
    },
    async idle() {
      while (tails.size > 0) await Promise.all(tails.values())
    },
  }
}
