/** Slots for executions: `limit` run at once, further ones wait in the order of their requests. */
export class Slots {
  readonly #limit: number
  readonly #onChange: (taken: number, waiting: number) => void
  readonly #queue = new Set<() => void>()
  #taken = 0

  /** `onChange` is called with the number of taken slots and of waiting executions whenever one of them changes. */
  constructor(limit: number, onChange: (taken: number, waiting: number) => void) {
    this.#limit = limit
    this.#onChange = onChange
  }

  /** Resolves with the function that frees the slot (once), or with undefined when the signal aborts first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined)
    if (this.#taken < this.#limit) return Promise.resolve(this.#occupy())
    return new Promise((resolve) => {
      const onAbort = () => {
        this.#queue.delete(go)
        this.#onChange(this.#taken, this.#queue.size)
        resolve(undefined)
      }
      const go = () => {
        signal.removeEventListener('abort', onAbort)
        resolve(this.#occupy())
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#queue.add(go)
      this.#onChange(this.#taken, this.#queue.size)
    })
  }

  #occupy(): () => void {
    this.#taken++
    this.#onChange(this.#taken, this.#queue.size)
    let isFree = false
    return () => {
      if (isFree) return
      isFree = true
      this.#free()
    }
  }

  #free(): void {
    this.#taken--
    const [next] = this.#queue
    if (next === undefined) {
      this.#onChange(this.#taken, this.#queue.size)
      return
    }
    this.#queue.delete(next)
    next()
  }
}
