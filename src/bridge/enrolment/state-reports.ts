import { AppError, type Clock, errorText, type Log } from '../../base/index.ts'
import type { FoundState } from '../agents/router-rows.ts'

interface ReportDeps {
  /** Sends states; resolves when the server has stored them. */
  send(states: readonly ({ routerId: string } & FoundState)[]): Promise<void>
  clock: Clock
  log: Log
}

/** Changes that come within this time go out together. */
const GATHER_MS = 500
const RETRY_MS = 5000
const MAX_REPORT = 200

/**
 * The states of routers on their way to the server: the newest of each router alone, sent until the server has stored
 * it. Reports go out one after the other, so that an older state never replaces a newer one.
 */
export class StateReports {
  readonly #deps: ReportDeps
  readonly #due = new Map<string, FoundState>()
  #sending: Promise<void> | undefined
  #cancel: (() => void) | undefined

  constructor(deps: ReportDeps) {
    this.#deps = deps
  }

  add(routerId: string, state: FoundState): void {
    // The newest one goes last.
    this.#due.delete(routerId)
    this.#due.set(routerId, state)
    this.#plan(GATHER_MS)
  }

  forget(routerId: string): void {
    this.#due.delete(routerId)
  }

  /** Sends all that is due now; resolves when that was tried. */
  async flush(): Promise<void> {
    await this.#sending
    this.#cancel?.()
    this.#cancel = undefined
    await this.#send()
  }

  stop(): void {
    this.#cancel?.()
    this.#due.clear()
  }

  #plan(delayMs: number): void {
    if (this.#cancel !== undefined || this.#sending !== undefined || this.#due.size === 0) return
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#cancel = undefined
      void this.#send()
    })
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    let delay = GATHER_MS
    while (this.#due.size > 0) {
      const taken = [...this.#due].slice(0, MAX_REPORT)
      for (const [routerId] of taken) this.#due.delete(routerId)
      try {
        await this.#report(taken)
      } catch (error) {
        this.#deps.log.warn({ reason: errorText(error), routers: taken.length }, 'states of routers were not reported')
        for (const [routerId, state] of taken) if (!this.#due.has(routerId)) this.#due.set(routerId, state)
        delay = RETRY_MS
        break
      }
    }
    queueMicrotask(() => this.#plan(delay))
  }

  /**
   * Sends some states. A state that the server refuses is left out, because it would be refused again; those of other
   * routers in the same report are sent without it.
   */
  async #report(states: readonly (readonly [routerId: string, state: FoundState])[]): Promise<void> {
    try {
      await this.#deps.send(states.map(([routerId, state]) => ({ routerId, ...state })))
    } catch (error) {
      if (!(error instanceof AppError) || (error.code !== 'invalid' && error.code !== 'tooLarge')) throw error
      if (states.length > 1) {
        const half = Math.ceil(states.length / 2)
        await this.#report(states.slice(0, half))
        return this.#report(states.slice(half))
      }
      const [router] = states.map(([routerId]) => routerId)
      this.#deps.log.warn({ router, reason: errorText(error) }, 'the server refuses the state of a router')
    }
  }
}
