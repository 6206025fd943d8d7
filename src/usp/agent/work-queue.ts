/** Runs work strictly in order. Work that fails does not hold up the next; work from before a restart is not begun. */
export class WorkQueue {
  readonly #onError: (error: unknown) => void
  #tail: Promise<void> = Promise.resolve()
  #life = 0

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Drops the work that waits; work under way is finished before the next. */
  restart(): void {
    this.#life++
  }

  run(work: () => Promise<void>): void {
    const life = this.#life
    this.#tail = this.#tail.then(async () => {
      if (life !== this.#life) return
      await work().catch(this.#onError)
    })
  }
}
