/** The event of the driver by which all connections of a server are given up. */
interface PoolEvents {
  on(event: 'connectionPoolCleared', listener: () => void): unknown
}

interface LostCallTimes {
  /** A call that began before its server was given up may still fail by itself in this time. */
  graceMs: number
  /** No call takes longer: the driver's own limit ends it before. */
  limitMs: number
}

interface Call {
  since: number
  fail(): void
}

/**
 * Ends calls to the database that nothing would end. When a connection closes at the moment in which the driver
 * (mongodb 7.9) writes to it, `write` returns false, and the driver waits for a `drain` that a closed socket never
 * emits: no error, no timeout. A group commit behind such a call would wait without end.
 */
export class LostCalls {
  readonly #calls = new Set<Call>()
  readonly #times: LostCallTimes
  readonly #error: () => Error
  #watch: NodeJS.Timeout | undefined

  /** `error` makes the error that a lost call fails with: the outcome of that call is not known. */
  constructor(pools: PoolEvents, times: LostCallTimes, error: () => Error) {
    this.#times = times
    this.#error = error
    pools.on('connectionPoolCleared', () => this.#onCleared())
  }

  /** The result of one call to the driver, or its loss. */
  within<T>(result: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call: Call = { since: performance.now(), fail: () => reject(this.#error()) }
      this.#calls.add(call)
      this.#watch ??= setInterval(() => this.#look(), 1000).unref()
      result.then(
        (value) => {
          this.#calls.delete(call)
          resolve(value)
        },
        (error: unknown) => {
          this.#calls.delete(call)
          reject(error)
        },
      )
    })
  }

  /** The same object; the promises that its methods return, and the cursors, are watched. */
  guard<T extends object>(target: T): T {
    const guarded: T = new Proxy(target, {
      get: (of, name) => {
        const member: unknown = Reflect.get(of, name, of)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          const result: unknown = member.apply(of, args)
          // A cursor's method that returns the cursor itself.
          if (result === of) return guarded
          if (result instanceof Promise) return this.within(result)
          if (name === Symbol.asyncIterator) return this.#iterator(result as AsyncIterator<unknown>)
          return isCursor(result) ? this.guard(result) : result
        }
      },
    })
    return guarded
  }

  #iterator(iterator: AsyncIterator<unknown>): AsyncIterator<unknown> {
    return {
      next: () => this.within(iterator.next()),
      return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
    }
  }

  #onCleared(): void {
    const cleared = performance.now()
    setTimeout(() => this.#failFrom(cleared), this.#times.graceMs).unref()
  }

  /** Runs while there are calls, and once after the last one: a timer for each call would cost more than the look. */
  #look(): void {
    this.#failFrom(performance.now() - this.#times.limitMs)
    if (this.#calls.size > 0) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }

  #failFrom(time: number): void {
    for (const call of this.#calls) {
      if (call.since > time) continue
      this.#calls.delete(call)
      call.fail()
    }
  }
}

function isCursor(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'toArray' in value
}
