import { createPublicKey } from 'node:crypto'
import { AppError, type Clock } from '../../base/index.ts'
import { type BridgePermission, type BridgeStore, bridgeOfOwner, may, type Principal } from '../../domain/index.ts'
import type { Authority } from '../../pki/index.ts'
import { matchesBridgeToken, readSignature, splitBridgeToken, verifySignature } from '../../security/index.ts'
import { limit, RateLimiterMemory } from './rate-limits.ts'

/** A request as the checks of bridges see it. */
interface ShownRequest {
  method: string
  /** The path, and the query behind it with its `?`. */
  path: string
  query: string
  /** The address of the sender. */
  address: string
  hasBody: boolean
  header(name: string): string | undefined
}

interface BridgeAuthDeps {
  bridges: Pick<BridgeStore, 'get'>
  authority: Pick<Authority, 'valid'>
  clock: Clock
}

/** Wrong tokens and signatures of one address in a minute. */
const WRONG = 30
/** Requests of one bridge in a minute: it asks every five seconds and reports once a second at most. */
const REQUESTS = 600

/**
 * Checks the proofs of bridges: the token of one that registers, and the signature, by the key of its certificate, of
 * one that serves. Nothing is read from the body before.
 */
export class BridgeAuth {
  readonly #deps: BridgeAuthDeps
  readonly #failures = new RateLimiterMemory({ points: WRONG, duration: 60 })
  readonly #requests = new RateLimiterMemory({ points: REQUESTS, duration: 60 })

  constructor(deps: BridgeAuthDeps) {
    this.#deps = deps
  }

  /** Returns the bridge behind a request. AppError `unauthorized` without a valid proof, `rateLimited` for too many. */
  async check(request: ShownRequest, permission: BridgePermission): Promise<Principal> {
    const principal = await this.#proven(request, permission)
    if (!may(principal, permission)) throw new AppError('forbidden', `a bridge may not ${permission}`)
    await limit(
      this.#requests,
      principal.id,
      `more than ${REQUESTS} requests a minute came from this bridge; wait a minute`,
    )
    return principal
  }

  async #proven(request: ShownRequest, permission: BridgePermission): Promise<Principal> {
    try {
      return permission === 'bridge.register' ? await this.#byToken(request) : await this.#bySignature(request)
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized')
        await limit(
          this.#failures,
          request.address,
          `more than ${WRONG} wrong proofs came from this address; wait a minute`,
        )
      throw error
    }
  }

  async #byToken({ header }: ShownRequest): Promise<Principal> {
    const text = /^Bearer\s+(\S{1,200})$/i.exec(header('authorization') ?? '')?.[1] ?? ''
    const parts = splitBridgeToken(text)
    if (parts === undefined)
      throw new AppError('unauthorized', 'the request has no token of a bridge; POST /bridges gives one')
    const enrolment = (await this.#deps.bridges.get(parts.id))?.enrolment
    if (enrolment === undefined || !matchesBridgeToken(enrolment.hash, parts.secret))
      throw new AppError('unauthorized', 'this token is not known; POST /bridges/{id}/token gives a new one')
    if (enrolment.expiresAt <= this.#deps.clock.now())
      throw new AppError('unauthorized', 'this token has expired; POST /bridges/{id}/token gives a new one')
    return { kind: 'bridge', id: parts.id, roles: ['newBridge'], groups: [] }
  }

  async #bySignature({ header, hasBody, method, path, query }: ShownRequest): Promise<Principal> {
    const { bridges, authority, clock } = this.#deps
    const shown = readSignature(header)
    if (hasBody && shown.digest === undefined)
      throw new AppError('unauthorized', 'the signature does not cover the body: sign content-digest, too')
    const { owner, keyId } = await authority.valid(shown.keyId)
    const id = bridgeOfOwner(owner)
    const keys = id === undefined ? undefined : (await bridges.get(id))?.keys
    if (id === undefined || keys?.keyId !== keyId)
      throw new AppError('unauthorized', 'the certificate is not that of a registered bridge')
    verifySignature(shown, { method, path, query }, createPublicKey(keys.certificateKey), clock.now())
    return { kind: 'bridge', id, roles: ['bridge'], groups: [] }
  }
}
