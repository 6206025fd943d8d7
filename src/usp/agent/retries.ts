import { type Clock, errorText, type Log } from '../../base/index.ts'

interface RetriesOptions {
  clock: Clock
  log: Log
  /** Runs work of the Agent in order with its requests; drops it when the Agent has stopped. */
  enqueue(work: () => Promise<void>): void
}

/** The wait after a model that could not be read, before it is read again; it doubles with each failure in a row. */
const RETRY_MS = 5000
const MAX_RETRY_MS = 60_000

/** Work of an Agent that reads its model: when the model cannot be read, the work is done again later. */
export class Retries {
  readonly #options: RetriesOptions
  /** Cancels the next attempt, by the name of the work. */
  readonly #waiting = new Map<string, () => void>()
  /** Failures in a row, by the name of the work. */
  readonly #failures = new Map<string, number>()

  constructor(options: RetriesOptions) {
    this.#options = options
  }

  /**
   * Does work; never rejects. Resolves with false when it failed: `again` is enqueued later, by default the same work,
   * once for each name.
   */
  async run(
    name: string,
    work: () => Promise<void>,
    again?: () => Promise<void>,
    onFailure?: () => void,
  ): Promise<boolean> {
    try {
      await work()
      this.#failures.delete(name)
      return true
    } catch (error) {
      const { clock, log, enqueue } = this.#options
      log.warn({ work: name, reason: errorText(error) }, 'the model of the Agent cannot be read; it is tried again')
      onFailure?.()
      const next = again ?? (() => this.run(name, work).then(() => undefined))
      this.#waiting.get(name)?.()
      this.#waiting.set(
        name,
        clock.after(this.#waitAfter(name), () => {
          this.#waiting.delete(name)
          enqueue(next)
        }),
      )
      return false
    }
  }

  stop(): void {
    for (const cancel of this.#waiting.values()) cancel()
    this.#waiting.clear()
    this.#failures.clear()
  }

  #waitAfter(name: string): number {
    const failures = this.#failures.get(name) ?? 0
    this.#failures.set(name, failures + 1)
    return Math.min(RETRY_MS * 2 ** failures, MAX_RETRY_MS)
  }
}
