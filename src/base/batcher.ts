import { AppError } from './errors.ts'

/**
 * Groups concurrent calls into one: items that arrive while a batch is under way, or within `lingerMs` of the first
 * one, are flushed together. Each caller gets its own result. `flush` returns one result per item, in order.
 * Items that cannot be flushed soon are refused, not kept: the caller can report the refusal to its peer, and memory
 * stays bounded.
 */
export interface Batcher<Item, Result> {
  /**
   * AppError `unavailable`, and the item was not and will not be flushed, when too much waits already or it has waited
   * too long.
   */
  add(item: Item): Promise<Result>
  /** Items waiting, for metrics. */
  readonly waiting: number
  /** True while items wait or are flushed. */
  readonly isBusy: boolean
  /** Resolves when each item that was added so far has its result. */
  drain(): Promise<void>
}

/** The result of one item of a flush. */
export type FlushResult<Result> = { ok: true; value: Result } | { ok: false; error: unknown }

interface BatcherOptions<Item, Result> {
  /** Items in one flush at most. */
  maxItems: number
  /**
   * Time that the first item of a batch waits for others when no flush is under way, in milliseconds. 0 flushes on the
   * next turn of the event loop, as an item does after one that waited and was still alone.
   */
  lingerMs: number
  /** Batches under way at once. */
  concurrency: number
  /** Weight of the waiting items at most, as `weigh` counts. One item may always wait. */
  maxWaiting: number
  /** Time that an item waits for the begin of its flush at most, in milliseconds. */
  maxWaitMs: number
  /** Weight of one flush at most, as `weigh` counts; a single item may weigh more. Default: no bound. */
  maxFlush?: number
  /** Weight of an item for `maxWaiting` and `maxFlush`; default 1. */
  weigh?(item: Item): number
  flush(items: Item[]): Promise<FlushResult<Result>[]>
}

interface Waiting<Item, Result> {
  item: Item
  weight: number
  since: number
  resolve(value: Result): void
  reject(error: unknown): void
}

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  return new GroupingBatcher(options)
}

class GroupingBatcher<Item, Result> implements Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  #queue: Waiting<Item, Result>[] = []
  #weight = 0
  #scheduled = false
  /** The last batch was one item: the next one is most likely alone as well, and waits for nothing. */
  #wasAlone = false
  #expiry: NodeJS.Timeout | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
  }

  get waiting(): number {
    return this.#queue.length
  }

  get isBusy(): boolean {
    return this.#queue.length > 0 || this.#underWay.size > 0
  }

  add(item: Item): Promise<Result> {
    const weight = this.#options.weigh?.(item) ?? 1
    if (this.#queue.length > 0 && this.#weight + weight > this.#options.maxWaiting)
      return Promise.reject(
        new AppError(
          'unavailable',
          'too many requests wait in the server, and nothing was done: repeat the request later',
        ),
      )
    return new Promise<Result>((resolve, reject) => {
      this.#queue.push({ item, weight, since: performance.now(), resolve, reject })
      this.#weight += weight
      this.#schedule()
      // Only what is held up by a batch under way can wait for long.
      if (this.#underWay.size >= this.#options.concurrency) this.#watch(this.#options.maxWaitMs)
    })
  }

  async drain(): Promise<void> {
    while (this.#queue.length > 0 || this.#underWay.size > 0 || this.#scheduled) {
      if (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
      else await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #schedule(): void {
    const { lingerMs, maxItems, concurrency } = this.#options
    if (this.#scheduled || this.#queue.length === 0 || this.#underWay.size >= concurrency) return
    this.#scheduled = true
    if (lingerMs > 0 && !this.#wasAlone && this.#queue.length < maxItems) setTimeout(() => this.#launch(), lingerMs)
    else setImmediate(() => this.#launch())
  }

  #launch(): void {
    this.#scheduled = false
    if (this.#queue.length === 0) return
    const batch = this.#take(this.#batchSize())
    this.#wasAlone = batch.length === 1
    const run: Promise<void> = this.#flush(batch).finally(() => {
      this.#underWay.delete(run)
      this.#schedule()
    })
    this.#underWay.add(run)
    this.#schedule()
  }

  /** As many as are in front, within both bounds, but one at least. */
  #batchSize(): number {
    const { maxItems, maxFlush = Number.POSITIVE_INFINITY } = this.#options
    let weight = 0
    let count = 0
    for (const entry of this.#queue) {
      weight += entry.weight
      if (count === maxItems || (count > 0 && weight > maxFlush)) break
      count++
    }
    return count
  }

  #take(count: number): Waiting<Item, Result>[] {
    const all = this.#queue
    this.#queue = all.length <= count ? [] : all.slice(count)
    const taken = all.length <= count ? all : all.slice(0, count)
    for (const { weight } of taken) this.#weight -= weight
    return taken
  }

  async #flush(batch: Waiting<Item, Result>[]): Promise<void> {
    let results: FlushResult<Result>[]
    try {
      results = await this.#options.flush(batch.map((entry) => entry.item))
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

  #watch(delayMs: number): void {
    this.#expiry ??= setTimeout(() => this.#expire(), delayMs).unref()
  }

  /** Refuses what has waited too long; the queue is in order of arrival. */
  #expire(): void {
    this.#expiry = undefined
    const before = performance.now() - this.#options.maxWaitMs
    let late = 0
    while ((this.#queue[late]?.since ?? Number.POSITIVE_INFINITY) <= before) late++
    for (const { reject } of this.#take(late))
      reject(
        new AppError(
          'unavailable',
          'the server did not begin the request in time, and nothing was done: repeat it later',
        ),
      )
    const first = this.#queue[0]
    if (first !== undefined) this.#watch(Math.max(1, Math.ceil(first.since - before)))
  }
}
