/**
 * Groups concurrent calls into one: what arrives while a batch is under way, or within `lingerMs` of the first call, goes out together.
 * Each caller gets its own result. `flush` answers one settled result per item, in order.
 */
export interface Batcher<Item, Result> {
  add(item: Item): Promise<Result>
  /** Items waiting, for metrics and back-pressure. */
  readonly waiting: number
  /** Resolves when all that was added so far is settled. */
  drain(): Promise<void>
}

export type Settled<Result> = { ok: true; value: Result } | { ok: false; error: unknown }

export interface BatcherOptions<Item, Result> {
  /** How many items one flush takes at the most. */
  maxItems: number
  /** How long the first item of a batch waits for company, when nothing is under way. 0 flushes on the next turn of the event loop. */
  lingerMs: number
  /** Batches under way at once. */
  concurrency: number
  flush(items: Item[]): Promise<Settled<Result>[]>
}

interface Waiting<Item, Result> {
  item: Item
  resolve(value: Result): void
  reject(error: unknown): void
}

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  let waiting: Waiting<Item, Result>[] = []
  let scheduled = false
  const underWay = new Set<Promise<void>>()

  const schedule = () => {
    if (scheduled || waiting.length === 0 || underWay.size >= options.concurrency) return
    scheduled = true
    if (options.lingerMs > 0 && waiting.length < options.maxItems) setTimeout(launch, options.lingerMs)
    else setImmediate(launch)
  }
  const launch = () => {
    scheduled = false
    if (waiting.length === 0) return
    const batch = waiting.length <= options.maxItems ? waiting : waiting.slice(0, options.maxItems)
    waiting = batch === waiting ? [] : waiting.slice(options.maxItems)
    const run: Promise<void> = settle(batch).finally(() => {
      underWay.delete(run)
      schedule()
    })
    underWay.add(run)
    schedule()
  }
  const settle = async (batch: Waiting<Item, Result>[]) => {
    let results: Settled<Result>[]
    try {
      results = await options.flush(batch.map((entry) => entry.item))
    } catch (error) {
      for (const entry of batch) entry.reject(error)
      return
    }
    batch.forEach((entry, i) => {
      const result = results[i]
      if (result === undefined) entry.reject(new Error('batch flush answered fewer results than items'))
      else if (result.ok) entry.resolve(result.value)
      else entry.reject(result.error)
    })
  }

  return {
    add: (item) =>
      new Promise<Result>((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        schedule()
      }),
    get waiting() {
      return waiting.length
    },
    async drain() {
      while (waiting.length > 0 || underWay.size > 0 || scheduled) {
        if (underWay.size > 0) await Promise.allSettled(underWay)
        else await new Promise((resolve) => setTimeout(resolve, 1))
      }
    },
  }
}
