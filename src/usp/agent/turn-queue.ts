type Work = () => Promise<void>

/** A request that waits. */
interface Waiting {
  readonly work: Work
  /** True when it changes nothing. */
  readonly isRead: boolean
}

/**
 * Runs work one after the other: first that of the Agent itself in its order, then one request of each Controller in
 * turn, so that none waits for all requests of another. Work that fails does not hold up the next; work from before a
 * restart is not begun.
 */
export class TurnQueue {
  readonly #onError: (error: unknown) => void
  #own: Work[] = []
  /** By Controller row; the Controller whose turn it is comes first. */
  readonly #requests = new Map<string, Waiting[]>()
  #isRunning = false

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Drops the work that waits; work under way is finished before the next. */
  restart(): void {
    this.#own = []
    this.#requests.clear()
  }

  /** Takes work of the Agent itself. */
  run(work: Work): void {
    this.#own.push(work)
    this.#begin()
  }

  /** Takes a request of the Controller of a row; those of one Controller stay in their order. */
  request(controller: string, work: Work, isRead: boolean): void {
    const waiting = this.#requests.get(controller) ?? []
    this.#requests.set(controller, waiting)
    waiting.push({ work, isRead })
    this.#begin()
  }

  /**
   * For long work under way, at a moment at which the model may be read: runs the request of each Controller whose next
   * one only reads, and resolves when they are done.
   */
  async letReadsPass(): Promise<void> {
    for (const controller of [...this.#requests.keys()]) {
      if (this.#requests.get(controller)?.[0]?.isRead !== true) continue
      await this.#take(controller)?.().catch(this.#onError)
    }
  }

  #begin(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    queueMicrotask(() => void this.#go())
  }

  async #go(): Promise<void> {
    for (let work = this.#next(); work !== undefined; work = this.#next()) await work().catch(this.#onError)
    this.#isRunning = false
  }

  #next(): Work | undefined {
    const own = this.#own.shift()
    if (own !== undefined) return own
    const [controller] = this.#requests.keys()
    return controller === undefined ? undefined : this.#take(controller)
  }

  /** Takes the next request of a Controller, whose turn comes after all others then. */
  #take(controller: string): Work | undefined {
    const waiting = this.#requests.get(controller) ?? []
    this.#requests.delete(controller)
    const next = waiting.shift()
    if (waiting.length > 0) this.#requests.set(controller, waiting)
    return next?.work
  }
}
