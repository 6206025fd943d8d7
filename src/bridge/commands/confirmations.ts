import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { BoundedMap, type Clock } from '../../base/index.ts'
import { AgentError, type CommandCall } from '../../usp/index.ts'

/** Input argument that confirms a command of level 3. */
export const CONFIRM = 'X_MIKROTIK_Confirm'
/** Milliseconds for which a token is good. */
const GOOD_MS = 120_000

/** The refusal of a command that is not done without a confirmation. */
export class ConfirmationNeeded extends AgentError {
  /** The token that confirms the same command, and the seconds for which it is good. */
  readonly token: string
  readonly seconds = GOOD_MS / 1000
  readonly reason: string

  constructor(reason: string, token: string) {
    super(7027, `${reason}: repeat it within ${GOOD_MS / 1000} s with ${CONFIRM}=${token}`)
    this.reason = reason
    this.token = token
  }
}

/**
 * Asks for a confirmation of commands that destroy something. The first call is refused, and its error has a token; the
 * same call with the token in `X_MIKROTIK_Confirm` is done. A token is good for one call with the same command, object
 * and arguments at the same router, for two minutes, and not after a restart of the bridge.
 */
export class Confirmations {
  readonly #key = randomBytes(32)
  readonly #clock: Clock
  /** Tokens that were used. */
  readonly #used = new BoundedMap<string, true>(10_000)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Passes a call that has its token; ConfirmationNeeded for any other. */
  check(router: string, call: CommandCall): void {
    const given = call.args[CONFIRM] ?? ''
    if (given !== '' && this.#isGood(router, call, given)) {
      this.#used.set(given, true)
      return
    }
    const token = this.#tokenOf(router, call, this.#clock.now() + GOOD_MS)
    const reason = given === '' ? 'needs a confirmation' : 'has a confirmation that is not good, or was used'
    throw new ConfirmationNeeded(`the command ${reason}`, token)
  }

  #isGood(router: string, call: CommandCall, given: string): boolean {
    const [, until] = /^([0-9a-z]{1,12})\.[\w-]{22}$/.exec(given) ?? []
    if (until === undefined || this.#used.has(given)) return false
    const end = Number.parseInt(until, 36)
    const expected = Buffer.from(this.#tokenOf(router, call, end))
    const shown = Buffer.from(given)
    return end > this.#clock.now() && shown.length === expected.length && timingSafeEqual(shown, expected)
  }

  #tokenOf(router: string, { object, name, args }: CommandCall, until: number): string {
    const given = Object.entries(args)
      .filter(([argument]) => argument !== CONFIRM)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const text = JSON.stringify([router, object, name, given, until])
    const mac = createHmac('sha256', this.#key).update(text).digest().subarray(0, 16)
    return `${until.toString(36)}.${mac.toString('base64url')}`
  }
}
