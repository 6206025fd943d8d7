import type { Clock, Random } from '../../base/index.ts'
import {
  type CredentialStore,
  type CwmpCredential,
  type CwmpLogin,
  type DeviceId,
  type DeviceIdentity,
  encodePart,
} from '../../device/index.ts'
import { remember } from './box-notes.ts'
import { certificateNameOf, readCertificateName } from './certificate-name.ts'
import { type Authorization, digestResponse, Nonces, parseAuthorization, sameText } from './digest.ts'

/** closed: only boxes with a credential of their own. credential: also those with the enrolment secret. open: also those without any. */
export type EnrolmentPolicy = 'closed' | 'credential' | 'open'

export interface AuthenticatorOptions {
  policy: EnrolmentPolicy
  /** The shared secret of boxes that have no credential yet. */
  enrolmentSecret: string
  /** A user name that boxes may send with it, besides the names that TR-069 gives them. */
  enrolmentUsername?: string
  /** Whether a box that has its own credential may come with the enrolment secret again after a reset (0 BOOTSTRAP); else a person releases it. */
  reEnrolment?: 'operator' | 'bootstrap'
  allowBasicOverHttp: boolean
  credentials: CredentialStore
  clock: Clock
  random: Random
}

/**
 * The result of a check. `proof` is the secret that was used: `pending` is the first use of `login`, which was sent to the CPE; `reset` means
 * that a CPE with a credential of its own used the enrolment secret again and may. As a reason, `reset` means that it may not, and
 * `replaced` that the CPE showed a login that was sent for this device once, and another was sent after it. `ambiguousName`: the CPE showed
 * nothing but a certificate whose common name can be read as this device and as another one.
 */
export type AuthResult =
  | { ok: true; proof: Proof; credential: CwmpCredential | undefined; login?: CwmpLogin }
  | { ok: false; reason: RefusedFor; challenges: string[]; text?: string }
export type RefusedFor = 'missing' | 'stale' | 'wrong' | 'unknown' | 'reset' | 'replaced' | 'ambiguousName'
export type Proof = 'certificate' | 'current' | 'pending' | 'enrolment' | 'reset' | 'none'

/** What a request shows. */
export interface Shown {
  header: string | undefined
  tls: boolean
  /** The common name of a client certificate that a trusted authority signed. */
  certificate?: string
  /** Its Inform tells a 0 BOOTSTRAP. */
  bootstrap?: boolean
}

/** What an Authorization header fits. */
interface Match {
  proof: Proof | 'replaced'
  /** The pending login that it was. */
  login?: CwmpLogin
}

const REALM = 'Isthmus'
const CACHE_MS = 60_000
/** A credential that was read so lately is not read again for a wrong password: guessing must not cost the database anything. */
const FRESH_MS = 2000
const CACHE_SIZE = 100_000

/**
 * Checks who a CPE is (TR-069 3.4.4-3.4.5): a certificate, Digest anywhere, Basic over TLS; user or certificate must be of the device that
 * the Inform names.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #nonces: Nonces
  readonly #cache = new Map<DeviceId, { credential: CwmpCredential | undefined; readAt: number }>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#nonces = new Nonces(options.clock, options.random)
  }

  /** The challenges for a request that shows nothing where nobody is let in so, told before anything is read; else undefined. */
  challengeFor(shown: Shown): string[] | undefined {
    if (shown.header !== undefined || shown.certificate !== undefined || this.#options.policy === 'open')
      return undefined
    return this.#challenges(shown, '')
  }

  async check(id: DeviceId, identity: DeviceIdentity, shown: Shown): Promise<AuthResult> {
    const given = parseAuthorization(shown.header)
    const cached = await this.#credential(id)
    const reading = shown.certificate === undefined ? 'other' : readCertificateName(shown.certificate, identity)
    if (reading === 'names') return { ok: true, proof: 'certificate', credential: cached.credential }
    if (given === undefined) {
      const known = this.#isOpenTo(cached.credential) ? await this.#reload(id) : cached.credential
      // A CPE that said it took its own credential is asked for it.
      if (this.#isOpenTo(known) && known?.delivered !== true) return { ok: true, proof: 'none', credential: known }
      return reading === 'ambiguous' ? this.#ambiguous(shown, identity) : this.refusal(shown, 'missing')
    }
    if (given.scheme === 'basic' && !this.#takesBasic(shown)) return this.refusal(shown, 'missing')
    if (given.scheme === 'digest') {
      const nonce = this.#nonces.check(given.fields.nonce, given.fields.nc)
      if (nonce !== 'fresh') return this.refusal(shown, nonce === 'stale' ? 'stale' : 'missing')
      // Not compared with the request's path: every path is the same resource here (RFC 2617 3.2.2.5), and proxies rewrite paths.
      if (!['MD5', 'MD5-SESS'].includes(given.fields.algorithm)) return this.refusal(shown, 'wrong')
    }
    const first = this.#match(given, identity, cached.credential)
    if (first?.proof === 'current' || first?.proof === 'pending') return this.#admit(first, cached.credential, shown)
    // It may have been changed since it was cached: by a person, by another instance. Whoever knows the enrolment secret does not guess.
    const isGuess = first?.proof !== 'enrolment' && this.#options.clock.now() - cached.readAt < FRESH_MS
    const credential = isGuess ? cached.credential : await this.#reload(id)
    const second = this.#match(given, identity, credential)
    if (second !== undefined) return this.#admit(second, credential, shown)
    // What it shows may be meant for the ACS before us.
    const latest = isGuess && this.#isOpenTo(credential) ? await this.#reload(id) : credential
    if (this.#isOpenTo(latest)) return { ok: true, proof: 'none', credential: latest }
    return this.refusal(shown, credential === undefined && this.#options.policy === 'closed' ? 'unknown' : 'wrong')
  }

  /** Takes a changed credential into the cache. */
  remember(credential: CwmpCredential): void {
    this.#put(credential.deviceId, credential)
  }

  forget(id: DeviceId): void {
    this.#cache.delete(id)
  }

  /** Policy `open` lets in any box that has not used a credential of its own yet. */
  #isOpenTo(credential: CwmpCredential | undefined): boolean {
    return this.#options.policy === 'open' && credential?.current === undefined
  }

  #admit({ proof, login }: Match, credential: CwmpCredential | undefined, shown: Shown): AuthResult {
    if (proof === 'replaced') return this.refusal(shown, 'replaced')
    if (proof === 'reset' && !(this.#options.reEnrolment === 'bootstrap' && shown.bootstrap === true))
      return this.refusal(shown, 'reset')
    return { ok: true, proof, credential, ...(login === undefined ? {} : { login }) }
  }

  #match(given: Authorization, identity: DeviceIdentity, credential: CwmpCredential | undefined): Match | undefined {
    const is = (login: CwmpLogin) => given.username === login.username && proves(given, login.password)
    if (credential?.current !== undefined && is(credential.current)) return { proof: 'current' }
    const { pending, earlier = [], replaced = [] } = credential ?? {}
    const login = [...(pending === undefined ? [] : [pending]), ...earlier].find(is)
    if (login !== undefined) return { proof: 'pending', login }
    if (replaced.some(is)) return { proof: 'replaced' }
    const { policy, enrolmentSecret, enrolmentUsername } = this.#options
    if (policy === 'closed') return undefined
    const named = given.username === enrolmentUsername || defaultUsernames(identity).includes(given.username)
    if (!named || !proves(given, enrolmentSecret)) return undefined
    return { proof: credential?.current === undefined ? 'enrolment' : 'reset' }
  }

  #ambiguous(shown: Shown, identity: DeviceIdentity): AuthResult {
    const name = JSON.stringify(shown.certificate)
    const text = `the common name ${name} of its certificate can be read as another device, too; the certificate needs the common name ${certificateNameOf(identity)}, or the CPE shows its password`
    return { ...this.refusal(shown, 'ambiguousName'), text }
  }

  /** A refusal with the challenges that go with it. */
  refusal(shown: Shown, reason: RefusedFor): Extract<AuthResult, { ok: false }> {
    return { ok: false, reason, challenges: this.#challenges(shown, reason === 'stale' ? ', stale=true' : '') }
  }

  /** Digest first; Basic, for boxes that know nothing else, only where nobody else can read it or where that is allowed. */
  #challenges(shown: Shown, more: string): string[] {
    const digest = `Digest realm="${REALM}", qop="auth", algorithm=MD5, nonce="${this.#nonces.issue()}"${more}`
    return this.#takesBasic(shown) ? [digest, `Basic realm="${REALM}"`] : [digest]
  }

  #takesBasic({ tls }: Shown): boolean {
    return tls || this.#options.allowBasicOverHttp
  }

  async #credential(id: DeviceId): Promise<{ credential: CwmpCredential | undefined; readAt: number }> {
    const now = this.#options.clock.now()
    const cached = this.#cache.get(id)
    if (cached !== undefined && now - cached.readAt < CACHE_MS) return cached
    return { credential: await this.#reload(id), readAt: now }
  }

  async #reload(id: DeviceId): Promise<CwmpCredential | undefined> {
    const credential = await this.#options.credentials.get(id)
    this.#put(id, credential)
    return credential
  }

  #put(id: DeviceId, credential: CwmpCredential | undefined): void {
    remember(this.#cache, id, { credential, readAt: this.#options.clock.now() }, CACHE_SIZE)
  }
}

/** The user names that may go with the enrolment secret: the forms of TR-069 3.4.4, and the one without its encoding. */
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
