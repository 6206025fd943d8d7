/** A body longer than this is parsed beside few others: its tree takes many times its bytes. */
const LARGE = 1_048_576
const AT_ONCE = 2
const MAX_WAITING = 16

/** Lets few large bodies be parsed at once; the others wait as bytes, in their order. */
export class LargeBodies {
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** Runs the work when there is room for a body of this size; undefined when too many wait. */
  async run<T>(size: number, work: () => Promise<T>): Promise<T | undefined> {
    if (size <= LARGE) return work()
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING) return undefined
      // Whoever ends hands its place over.
      await new Promise<void>((resume) => this.#waiting.push(resume))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
