import type { Clock } from './clock.ts'
import { errorText } from './errors.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'

/** Work that is tried until it succeeds. Tasks of one key run one after the other in the order of their calls. */
export interface RetryQueue {
  /**
   * A task that rejects runs again later, before the key's next one; a task for which there is no reason any more
   * resolves.
   */
  add(key: string, task: () => Promise<void>): void
  /** True while a task of the key has not succeeded. */
  has(key: string): boolean
  /** Keys with tasks that have not succeeded. */
  readonly waiting: number
  /** Resolves when no task is under way or waiting, or after `timeoutMs`. Nothing begins after it. */
  stop(timeoutMs: number): Promise<void>
}

interface RetryQueueOptions {
  /** For log lines. */
  name: string
  clock: Clock
  random: Pick<Random, 'fraction'>
  log: Log
  /** Tasks under way at once. */
  concurrency?: number
  /** Keys that may wait; a task of one more is dropped and logged. */
  maxKeys?: number
  /** The pause after a failure, doubled up to `maxPauseMs` while nothing succeeds. */
  pauseMs?: number
  maxPauseMs?: number
}

export function createRetryQueue(options: RetryQueueOptions): RetryQueue {
  return new PausingRetryQueue(options)
}

interface Entry {
  tasks: (() => Promise<void>)[]
  running: boolean
}

/** One pause for all: what fails is nearly always the way to the same database. */
class PausingRetryQueue implements RetryQueue {
  readonly #options: Required<RetryQueueOptions>
  /** In the order in which the keys are tried. */
  readonly #entries = new Map<string, Entry>()
  #running = 0
  #failures = 0
  #resume: (() => void) | undefined
  #stopped = false
  #onIdle: (() => void) | undefined

  constructor(options: RetryQueueOptions) {
    this.#options = { concurrency: 256, maxKeys: 100_000, pauseMs: 1000, maxPauseMs: 60_000, ...options }
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get waiting(): number {
    return this.#entries.size
  }

  add(key: string, task: () => Promise<void>): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.tasks.push(task)
    else if (this.#entries.size < this.#options.maxKeys) this.#entries.set(key, { tasks: [task], running: false })
    else return this.#options.log.error({ queue: this.#options.name, key }, 'too much waits to be retried: dropped')
    this.#pump()
  }

  async stop(timeoutMs: number): Promise<void> {
    // Entries that wait get the try that they would have had after the pause.
    this.#endPause()
    this.#pump()
    if (this.#entries.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.after(timeoutMs, resolve)
        this.#onIdle = () => {
          cancel()
          resolve()
        }
      })
    }
    this.#stopped = true
    this.#endPause()
    this.#entries.clear()
  }

  #endPause(): void {
    this.#resume?.()
    this.#resume = undefined
  }

  #pump(): void {
    if (this.#resume !== undefined || this.#stopped) return
    for (const [key, entry] of this.#entries) {
      if (this.#running >= this.#options.concurrency) return
      if (!entry.running) void this.#run(key, entry)
    }
  }

  async #run(key: string, entry: Entry): Promise<void> {
    const [task] = entry.tasks
    entry.running = true
    this.#running++
    try {
      await task?.()
      entry.tasks.shift()
      this.#failures = 0
    } catch (error) {
      this.#failed(error)
    }
    this.#running--
    entry.running = false
    this.#entries.delete(key)
    // Behind the others: one that fails for a reason of its own does not hold them up.
    if (entry.tasks.length > 0) this.#entries.set(key, entry)
    if (this.#entries.size === 0) this.#onIdle?.()
    this.#pump()
  }

  #failed(error: unknown): void {
    if (this.#resume !== undefined || this.#stopped) return
    const { clock, random, log, name, pauseMs, maxPauseMs } = this.#options
    const longest = Math.min(pauseMs * 2 ** this.#failures++, maxPauseMs)
    const againMs = Math.round(longest * (0.5 + random.fraction() / 2))
    log.warn({ queue: name, waiting: this.#entries.size, againMs, reason: errorText(error) }, 'tried again later')
    this.#resume = clock.after(againMs, () => {
      this.#resume = undefined
      this.#pump()
    })
  }
}
