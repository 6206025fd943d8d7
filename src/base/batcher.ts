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
   * too long. `canWait`: the item waits for company as `patienceMs` says, unless one that cannot comes meanwhile.
   */
  add(item: Item, canWait?: boolean): Promise<Result>
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
  /**
   * Time that a batch of nothing but items which can wait gathers others, until it has enough, when the one before was of
   * several, in milliseconds: under load larger batches save more than the wait costs. Default: `lingerMs` alone.
   */
  patienceMs?: number
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
  canWait: boolean
  weight: number
  since: number
  resolve(value: Result): void
  reject(error: unknown): void
}

/** Items of a batch from which on the next one is likely to have some as well. */
const SEVERAL = 3
/** Items that share the cost of a batch so well that waiting for more saves little. */
const ENOUGH = 16

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  return new GroupingBatcher(options)
}

class GroupingBatcher<Item, Result> implements Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  #queue: Waiting<Item, Result>[] = []
  #weight = 0
  /** Items in the queue that cannot wait. */
  #urgent = 0
  /** The launch to come. */
  #next: { isPatient: boolean; cancel(): void } | undefined
  /** Items of the last batch. After one of a single item the next is most likely alone as well, and waits for nothing. */
  #lastCount = 0
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

  add(item: Item, canWait = false): Promise<Result> {
    const weight = this.#options.weigh?.(item) ?? 1
    if (this.#queue.length > 0 && this.#weight + weight > this.#options.maxWaiting)
      return Promise.reject(
        new AppError(
          'unavailable',
          'too many requests wait in the server, and nothing was done: repeat the request later',
        ),
      )
    return new Promise<Result>((resolve, reject) => {
      this.#queue.push({ item, canWait, weight, since: performance.now(), resolve, reject })
      this.#weight += weight
      if (!canWait) this.#urgent++
      this.#schedule()
      // Only what is held up by a batch under way can wait for long.
      if (this.#underWay.size >= this.#options.concurrency) this.#watch(this.#options.maxWaitMs)
    })
  }

  async drain(): Promise<void> {
    while (this.#queue.length > 0 || this.#underWay.size > 0) {
      if (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
      else await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #schedule(): void {
    const { lingerMs, patienceMs = 0, maxItems, concurrency } = this.#options
    if (this.#queue.length === 0 || this.#underWay.size >= concurrency) return
    const isFull = this.#queue.length >= maxItems
    const isFew = this.#queue.length < Math.min(ENOUGH, maxItems)
    const isPatient = patienceMs > 0 && this.#urgent === 0 && this.#lastCount >= SEVERAL && isFew
    if (this.#next !== undefined) {
      if (isPatient || !this.#next.isPatient) return
      this.#next.cancel()
    }
    if (isPatient) this.#launchIn(patienceMs, true)
    else this.#launchIn(this.#lastCount !== 1 && !isFull ? lingerMs : 0, false)
  }

  #launchIn(ms: number, isPatient: boolean): void {
    const launch = () => {
      this.#next = undefined
      this.#launch()
    }
    const timer = ms > 0 ? setTimeout(launch, ms) : undefined
    const immediate = ms > 0 ? undefined : setImmediate(launch)
    this.#next = {
      isPatient,
      cancel() {
        clearTimeout(timer)
        clearImmediate(immediate)
      },
    }
  }

  #launch(): void {
    if (this.#queue.length === 0) return
    const batch = this.#take(this.#batchSize())
    this.#lastCount = batch.length
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
    for (const { weight, canWait } of taken) {
      this.#weight -= weight
      if (!canWait) this.#urgent--
    }
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
