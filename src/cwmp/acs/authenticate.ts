import type { Clock, Random } from '../../base/index.ts'
import {
  type CredentialStore,
  type CwmpCredential,
  type DeviceId,
  type DeviceIdentity,
  encodePart,
} from '../../device/index.ts'
import { type Authorization, digestResponse, Nonces, parseAuthorization, sameText } from './digest.ts'

/** closed: only boxes with a credential of their own. credential: also those with the enrolment secret. open: also those without any. */
export type EnrolmentPolicy = 'closed' | 'credential' | 'open'

export interface AuthenticatorOptions {
  policy: EnrolmentPolicy
  /** The shared secret of boxes that have no credential yet. */
  enrolmentSecret: string
  allowBasicOverHttp: boolean
  credentials: CredentialStore
  clock: Clock
  random: Random
}

/** What came of it. `proof` tells which secret was used: `pending` is the moment when a new credential has arrived in the box. */
export type AuthResult =
  | { ok: true; proof: 'current' | 'pending' | 'enrolment' | 'none'; credential: CwmpCredential | undefined }
  | { ok: false; reason: 'missing' | 'stale' | 'wrong' | 'unknown'; challenge: string }

const REALM = 'Isthmus'
const CACHE_MS = 60_000
const CACHE_SIZE = 100_000

/** Checks who a CPE is (TR-069 3.4.4-3.4.5): Digest anywhere, Basic over TLS; the user must be the device that the Inform names. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #nonces: Nonces
  readonly #cache = new Map<DeviceId, { credential: CwmpCredential | undefined; until: number }>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#nonces = new Nonces(options.clock, options.random)
  }

  async check(
    id: DeviceId,
    identity: DeviceIdentity,
    request: { header: string | undefined; path: string; tls: boolean },
  ): Promise<AuthResult> {
    const given = parseAuthorization(request.header)
    const credential = await this.#credential(id)
    if (given === undefined) {
      if (this.#options.policy === 'open' && credential?.current === undefined)
        return { ok: true, proof: 'none', credential }
      return this.#refuse('missing')
    }
    if (given.scheme === 'basic' && !request.tls && !this.#options.allowBasicOverHttp) return this.#refuse('missing')
    if (given.scheme === 'digest') {
      const nonce = this.#nonces.check(given.fields.nonce, given.fields.nc)
      if (nonce !== 'fresh') return this.#refuse(nonce === 'stale' ? 'stale' : 'missing')
      if (!sameTarget(given.fields.uri, request.path) || !['MD5', 'MD5-SESS'].includes(given.fields.algorithm))
        return this.#refuse('wrong')
    }
    const first = this.#match(given, identity, credential)
    if (first !== undefined) return { ok: true, proof: first, credential }
    // Another instance may have set a new credential since this one was cached.
    const fresh = await this.#reload(id)
    const second = this.#match(given, identity, fresh)
    if (second !== undefined) return { ok: true, proof: second, credential: fresh }
    return this.#refuse(fresh === undefined && this.#options.policy === 'closed' ? 'unknown' : 'wrong')
  }

  /** Takes a changed credential into the cache. */
  remember(credential: CwmpCredential): void {
    this.#put(credential.deviceId, credential)
  }

  forget(id: DeviceId): void {
    this.#cache.delete(id)
  }

  #match(
    given: Authorization,
    identity: DeviceIdentity,
    credential: CwmpCredential | undefined,
  ): 'current' | 'pending' | 'enrolment' | undefined {
    if (
      credential?.current !== undefined &&
      given.username === credential.current.username &&
      proves(given, credential.current.password)
    )
      return 'current'
    if (
      credential?.pending !== undefined &&
      given.username === credential.pending.username &&
      proves(given, credential.pending.password)
    )
      return 'pending'
    const enrols = this.#options.policy !== 'closed' && credential?.current === undefined
    return enrols && defaultUsernames(identity).includes(given.username) && proves(given, this.#options.enrolmentSecret)
      ? 'enrolment'
      : undefined
  }

  #refuse(reason: 'missing' | 'stale' | 'wrong' | 'unknown'): AuthResult {
    const stale = reason === 'stale' ? ', stale=true' : ''
    return {
      ok: false,
      reason,
      challenge: `Digest realm="${REALM}", qop="auth", algorithm=MD5, nonce="${this.#nonces.issue()}"${stale}`,
    }
  }

  async #credential(id: DeviceId): Promise<CwmpCredential | undefined> {
    const cached = this.#cache.get(id)
    if (cached !== undefined && cached.until > this.#options.clock.now()) return cached.credential
    return this.#reload(id)
  }

  async #reload(id: DeviceId): Promise<CwmpCredential | undefined> {
    const credential = await this.#options.credentials.get(id)
    this.#put(id, credential)
    return credential
  }

  #put(id: DeviceId, credential: CwmpCredential | undefined): void {
    this.#cache.delete(id)
    this.#cache.set(id, { credential, until: this.#options.clock.now() + CACHE_MS })
    if (this.#cache.size > CACHE_SIZE) {
      const oldest = this.#cache.keys().next()
      if (oldest.done !== true) this.#cache.delete(oldest.value)
    }
  }
}

/** The username forms of 3.4.4: with and without ProductClass. */
export function defaultUsernames(identity: DeviceIdentity): string[] {
  const oui = identity.oui.trim()
  const forms = [
    `${encodePart(identity.productClass)}-${encodePart(identity.serial)}`,
    encodePart(identity.serial),
    `${identity.productClass}-${identity.serial}`,
  ]
  return forms.flatMap((form) => [`${oui.toUpperCase()}-${form}`, `${oui}-${form}`])
}

function proves(given: Authorization, password: string): boolean {
  if (given.scheme === 'basic') return sameText(given.password, password)
  return sameText(given.fields.response, digestResponse(given.username, password, 'POST', given.fields))
}

/** The digest's uri must name this request; some boxes give the whole URL. */
function sameTarget(uri: string, path: string): boolean {
  return uri === path || uri.endsWith(path)
}
