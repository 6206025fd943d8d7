import type { Log } from '../base/index.ts'

/** Tasks that run beside everything else; only `idle` waits for them. */
export class Background {
  readonly #log: Log
  readonly #running = new Set<Promise<void>>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Starts a task. Its failure is logged with the name of the task. */
  run(name: string, task: () => Promise<unknown>): void {
    const run: Promise<void> = task()
      .then(() => undefined)
      .catch((err) => this.#log.error({ err, task: name }, 'background task failed'))
      .finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** Resolves when no task is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
