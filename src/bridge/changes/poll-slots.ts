/** Routers that are looked at each second, at most; the others wait longer between two looks. */
const FAST_ROUTERS = 50

/** The places for routers that are looked at often. All routers of a bridge share them. */
export class PollSlots {
  readonly #limit: number
  #taken = 0

  constructor(limit = FAST_ROUTERS) {
    this.#limit = limit
  }

  /** Takes a place; returns the function that gives it back, or undefined when there is none. */
  take(): (() => void) | undefined {
    if (this.#taken >= this.#limit) return undefined
    this.#taken++
    let isGivenBack = false
    return () => {
      if (!isGivenBack) this.#taken--
      isGivenBack = true
    }
  }
}
