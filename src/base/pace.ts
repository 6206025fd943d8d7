/** Units of work in one turn of the event loop; a unit is about one byte of a document that is read. */
const PER_TURN = 32_768

interface Waiting {
  units: number
  resume(): void
}

/**
 * Shares the event loop among long pieces of work: together they do a bounded number of units in each turn of the loop,
 * so that timers and sockets are served in between, however much work there is and however many do it. Work that begins
 * takes turns with work that goes on: a short piece waits for one portion of the long ones, not for their end.
 */
export class Pace {
  readonly #perTurn: number
  readonly #beginning: Waiting[] = []
  readonly #ongoing: Waiting[] = []
  #left: number
  #isTurnPlanned = false
  #isOngoingNext = false

  constructor(perTurn = PER_TURN) {
    this.#perTurn = perTurn
    this.#left = perTurn
  }

  /** Number of pieces of work that wait for their turn. */
  get waiting(): number {
    return this.#beginning.length + this.#ongoing.length
  }

  /** Undefined when this much work may be done at once; else a promise that resolves when it may. */
  take(units: number, isBeginning: boolean): Promise<void> | undefined {
    if (this.#left > 0 && this.waiting === 0) {
      this.#spend(units)
      return undefined
    }
    return new Promise((resume) => {
      const queue = isBeginning ? this.#beginning : this.#ongoing
      queue.push({ units, resume })
      this.#planTurn()
    })
  }

  #spend(units: number): void {
    this.#left -= units
    this.#planTurn()
  }

  #planTurn(): void {
    if (this.#isTurnPlanned) return
    this.#isTurnPlanned = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isTurnPlanned = false
    // A portion larger than a turn is paid back by the turns after it.
    this.#left = Math.min(this.#perTurn, this.#left + this.#perTurn)
    while (this.#left > 0) {
      const next = this.#next()
      if (next === undefined) return
      this.#spend(next.units)
      next.resume()
    }
    if (this.waiting > 0 || this.#left < this.#perTurn) this.#planTurn()
  }

  #next(): Waiting | undefined {
    const [first, second] = this.#isOngoingNext ? [this.#ongoing, this.#beginning] : [this.#beginning, this.#ongoing]
    this.#isOngoingNext = !this.#isOngoingNext
    return first.shift() ?? second.shift()
  }
}

/** Work that yields the number of units of each portion before it begins it. */
export type Work<T> = Generator<number, T, void>

/** Does the work portion by portion, each when the pace allows it. Rejects with what the work throws. */
export async function inTurns<T>(work: Work<T>, pace: Pace): Promise<T> {
  for (let isBeginning = true; ; isBeginning = false) {
    const step = work.next()
    if (step.done === true) return step.value
    const wait = pace.take(step.value, isBeginning)
    if (wait !== undefined) await wait
  }
}
