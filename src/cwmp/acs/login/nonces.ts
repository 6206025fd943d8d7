import { createHmac } from 'node:crypto'
import { BoundedMap, type Clock, type Random } from '../../../base/index.ts'
import { sameText } from './digest.ts'

const LIFE_MS = 300_000
/** A nonce from this far in the future was made before the clock was set back. */
const AHEAD_MS = 5000
const MAX_USED = 200_000
const MAX_KNOWN = 20_000
const TIME_BYTES = 6
const RANDOM_BYTES = 4
const BODY_BYTES = TIME_BYTES + RANDOM_BYTES
const SIGNATURE_BYTES = 14

/**
 * The state of a nonce: fresh, known but too old or used up (the client should take a new one), or made by somebody
 * else.
 */
type NonceState = 'fresh' | 'stale' | 'forged'

/**
 * Nonces that carry their own time under an HMAC: they work over a new TCP connection and cost no memory until a login
 * with them fits. They are 32 characters long, the most that some CPE keep. The highest count is kept per nonce, so
 * that a request cannot be played again.
 */
export class Nonces {
  readonly #clock: Clock
  readonly #random: Random
  readonly #key: Uint8Array
  /** The highest count of each nonce that was used. Forgetting a use must not make it good again. */
  readonly #used = new BoundedMap<string, number>(MAX_USED, (nonce) => {
    const issuedAt = Buffer.from(nonce, 'base64url').readUIntBE(0, TIME_BYTES)
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, issuedAt)
  })
  /** Times of nonces whose signature was made or verified lately: it need not be worked out again. */
  readonly #known = new BoundedMap<string, number>(MAX_KNOWN)
  /** Nonces up to this time are stale: what was known of their use was forgotten. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
    this.#key = random.bytes(32)
  }

  /** A new nonce of 32 characters. */
  issue(): string {
    const body = Buffer.alloc(BODY_BYTES)
    const now = Math.max(0, Math.trunc(this.#clock.now()))
    body.writeUIntBE(now, 0, TIME_BYTES)
    body.set(this.#random.bytes(RANDOM_BYTES), TIME_BYTES)
    const nonce = this.#signed(body)
    this.#known.set(nonce, now)
    return nonce
  }

  /** Checks a nonce and its count (undefined: it is accepted once), without storing it. */
  check(nonce: string, nc: string | undefined): NonceState {
    const issuedAt = this.#known.get(nonce) ?? this.#verify(nonce)
    if (issuedAt === undefined) return 'forged'
    const age = this.#clock.now() - issuedAt
    if (age > LIFE_MS || age < -AHEAD_MS || issuedAt <= this.#forgottenUpTo) return 'stale'
    return countOf(nc) > (this.#used.get(nonce) ?? 0) ? 'fresh' : 'stale'
  }

  /** Uses a nonce that was checked, for a login that fits. False when the same count was used in between. */
  use(nonce: string, nc: string | undefined): boolean {
    if (this.check(nonce, nc) !== 'fresh') return false
    this.#used.set(nonce, countOf(nc))
    return true
  }

  /** The time at which a nonce was issued here; undefined when it was not. */
  #verify(nonce: string): number | undefined {
    const bytes = Buffer.from(nonce, 'base64url')
    const body = bytes.subarray(0, BODY_BYTES)
    if (!sameText(nonce, this.#signed(body)) || bytes.length !== BODY_BYTES + SIGNATURE_BYTES) return undefined
    const issuedAt = body.readUIntBE(0, TIME_BYTES)
    this.#known.set(nonce, issuedAt)
    return issuedAt
  }

  #signed(body: Uint8Array): string {
    const signature = createHmac('sha256', this.#key).update(body).digest().subarray(0, SIGNATURE_BYTES)
    return Buffer.concat([body, signature]).toString('base64url')
  }
}

/** Returns a nonce count (RFC 7616 3.4); without one a nonce is good for one use. */
function countOf(nc: string | undefined): number {
  if (nc === undefined) return Number.POSITIVE_INFINITY
  return /^[0-9a-f]{1,8}$/i.test(nc) ? Number.parseInt(nc, 16) : 0
}
