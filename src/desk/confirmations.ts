import { AppError, type Clock, isObject } from '../base/index.ts'
import type { DeviceId, OperationRequest } from '../domain/index.ts'
import { type Mac, TimedCodes } from '../security/index.ts'

/** Milliseconds for which a token is good. */
const GOOD_MS = 120_000
const PURPOSE = 'confirmation of an operation'

/** The facts that a token is for: it is good for the same request by the same party alone. */
interface Confirmed {
  actor: string
  deviceId: DeviceId
  request: OperationRequest
  idempotencyKey: string | undefined
}

/** The refusal of a request that is not done without a confirmation. */
export class ConfirmationNeeded extends AppError {
  /** The token that confirms the same request. */
  readonly confirm: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** The file that the device would be given, its secrets masked. */
  readonly preview: string | undefined

  constructor(reason: string, confirm: string, expiresAt: number, preview: string | undefined) {
    super('conflict', `${reason}: look at \`preview\`, and repeat it within ${GOOD_MS / 1000} s with \`confirm\``)
    this.confirm = confirm
    this.expiresAt = expiresAt
    this.preview = preview
  }
}

/**
 * Tokens that confirm requests of level L3. A token is a code over the request and its end, under a key that each
 * instance has and a restart does not change. It is stored with the operation as its idempotency key, so that it is good
 * for one operation: shown again, it answers that one.
 */
export class Confirmations {
  readonly #codes: TimedCodes
  readonly #clock: Pick<Clock, 'now'>

  constructor(mac: Mac, clock: Pick<Clock, 'now'>) {
    this.#codes = new TimedCodes(PURPOSE, mac)
    this.#clock = clock
  }

  /** Returns true for the token of this request, until its time is over. */
  isGood(token: string, confirmed: Confirmed): boolean {
    return this.#codes.isGood(token, textOf(confirmed), this.#clock.now())
  }

  /** Returns the refusal of a request that has no token, or one that is not good. */
  refusal(token: string | undefined, confirmed: Confirmed, preview: string | undefined): ConfirmationNeeded {
    const until = this.#clock.now() + GOOD_MS
    const needed = this.#codes.of(textOf(confirmed), until)
    const reason =
      token === undefined ? 'needs a confirmation' : 'has a confirmation that is not good for it, or is over'
    return new ConfirmationNeeded(`the request ${reason}`, needed, until, preview)
  }
}

function textOf({ actor, deviceId, request, idempotencyKey = '' }: Confirmed): string {
  return canonical([actor, deviceId, request, idempotencyKey])
}

/** JSON with the names of each object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  )
}
