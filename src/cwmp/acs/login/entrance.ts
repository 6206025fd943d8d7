import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../../base/index.ts'
import { drain, expectedSize, isEmpty, readBody } from '../http/body.ts'
import { EntryBudget } from '../http/entry-budget.ts'
import { challenged, plain, tooBusy } from '../http/respond.ts'
import type { Authenticator, Shown } from './authenticate.ts'

/** Bytes of an Inform. */
const MAX_INFORM = 256 * 1024

interface EntranceOptions {
  maxInformBytes?: number
  authenticator: Authenticator
  clock: Clock
  /** True while no session may begin. */
  isFull(): boolean
  onRefused?(reason: string): void
}

/** Checks requests whose sender is not known yet, at next to no cost. */
export class Entrance {
  readonly #options: EntranceOptions
  readonly #budget: EntryBudget
  readonly #maxBytes: number

  constructor(options: EntranceOptions) {
    this.#options = options
    this.#budget = new EntryBudget(options.clock)
    this.#maxBytes = options.maxInformBytes ?? MAX_INFORM
  }

  /**
   * Turns a request away that cannot be let in, before its body is read; else reads that (undefined: it is empty) and
   * gives it to `take`, which resolves with true when a session began. `hasCookie`: it names a session, which it did
   * not show to be its own.
   */
  async enter(
    request: IncomingMessage,
    response: ServerResponse,
    shown: Shown,
    hasCookie: boolean,
    take: (body: Buffer | undefined) => Promise<boolean>,
  ): Promise<void> {
    const size = expectedSize(request, this.#maxBytes)
    if (!hasCookie && size === 0) return noSession(response)
    if (!hasCookie && this.#options.isFull()) return this.#turnAway(request, () => tooBusy(response))
    const challenges = this.#options.authenticator.challengeFor(shown)
    if (challenges !== undefined) return this.#turnAway(request, () => challenged(response, challenges))
    const entry = this.#budget.enter(shown.address, size)
    if (entry === undefined) {
      this.#options.onRefused?.('budget of the address')
      return this.#turnAway(request, () => tooBusy(response))
    }
    let isLetIn = false
    let bytes = size
    try {
      const body = await readBody(request, this.#maxBytes)
      bytes = body.length
      isLetIn = await take(isEmpty(body) ? undefined : body)
    } finally {
      entry.leave(isLetIn, bytes)
    }
  }

  /** Answers, and drops the rest of the body, so that the connection stays usable. */
  #turnAway(request: IncomingMessage, answer: () => void): void {
    drain(request, this.#maxBytes)
    answer()
  }
}

/** Answers 400: the first request of a session is an Inform. */
export function noSession(response: ServerResponse): void {
  plain(response, 400, 'there is no session; it begins with an Inform')
}
