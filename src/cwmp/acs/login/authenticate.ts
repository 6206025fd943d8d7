import { BoundedMap, type Clock, type Random } from '../../../base/index.ts'
import {
  type CredentialStore,
  type CwmpCredential,
  type CwmpLogin,
  type DeviceId,
  type DeviceIdentity,
  encodePart,
} from '../../../domain/index.ts'
import { certificateNameOf, readCertificateName } from './certificate-name.ts'
import { ALGORITHMS, type Authorization, parseAuthorization, proves as provesDigest, sameText } from './digest.ts'
import { Guesses } from './guesses.ts'
import { Nonces } from './nonces.ts'

/**
 * closed: only CPE with a credential of their own. credential: also those with the enrolment secret. open: also those
 * without any.
 */
export type EnrolmentPolicy = 'closed' | 'credential' | 'open'

interface AuthenticatorOptions {
  policy: EnrolmentPolicy
  /** The shared secret of CPE that have no credential yet. */
  enrolmentSecret: string
  /** A user name that is accepted with it, besides the names of TR-069. */
  enrolmentUsername?: string
  /**
   * The permission for a CPE with a credential of its own to use the enrolment secret again after a reset: by its 0
   * BOOTSTRAP, or by an operator.
   */
  reEnrolment?: 'operator' | 'bootstrap'
  allowBasicOverHttp: boolean
  /** Algorithms of the Digest challenges, in the order in which they are offered; default MD5 before SHA-256. */
  digestAlgorithms?: readonly DigestAlgorithm[]
  credentials: Pick<CredentialStore, 'get'>
  /** For the age of nonces, guesses and cached credentials alone: one that no step moves. */
  clock: Clock
  random: Random
}

export type DigestAlgorithm = 'MD5' | 'SHA-256'

/**
 * The result of a check. `proof` is the secret that was used: `pending` is the first use of `login`, which was sent to
 * the CPE; `reset` means that a CPE with a credential of its own used the enrolment secret again and may. As a reason,
 * `reset` means that it may not, and `replaced` that the CPE used a login that was sent for this device before another
 * one was. `ambiguousName`: the CPE showed only a certificate whose common name can be read as this device and as
 * another one. `limited`: too many wrong logins from its address, of all devices or of this one; this one was not
 * compared.
 */
export type AuthResult =
  | { ok: true; proof: Proof; credential: CwmpCredential | undefined; login?: CwmpLogin }
  | { ok: false; reason: RefusedFor; challenges: string[]; text?: string }
export type AuthRefusal = Extract<AuthResult, { ok: false }>
export type RefusedFor = 'missing' | 'stale' | 'wrong' | 'unknown' | 'reset' | 'replaced' | 'ambiguousName' | 'limited'
export type Proof = 'certificate' | 'current' | 'pending' | 'enrolment' | 'reset' | 'none'

/** The proofs in a request; one object for each request, because a request uses a nonce once. */
export interface Shown {
  header: string | undefined
  tls: boolean
  /** Address of the sender, empty when it is not known; wrong logins are counted by it. */
  address: string
  /** The common name of a client certificate that a trusted authority signed. */
  certificate?: string
  /** Its Inform has the event 0 BOOTSTRAP. */
  bootstrap?: boolean
}

/** The credential that an Authorization header matches. */
interface Match {
  proof: Proof | 'replaced'
  /** The pending login that it was. */
  login?: CwmpLogin
}

const REALM = 'Isthmus'
const CACHE_MS = 60_000
/**
 * A credential that was read so lately is not read again for a wrong password: guessing must not cost the database
 * anything.
 */
const FRESH_MS = 2000
const CACHE_SIZE = 100_000
/**
 * MD5 first: RFC 7616 3.7 leaves the preference to the server, and clients that know MD5 alone, such as older libcurl,
 * stop at the first Digest challenge whatever comes after it.
 */
const OFFERED: readonly DigestAlgorithm[] = ['MD5', 'SHA-256']

/**
 * Checks who a CPE is (TR-069 3.4.4-3.4.5): a certificate, Digest anywhere, Basic over TLS; user or certificate must be
 * of the device that the Inform names.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #nonces: Nonces
  readonly #guesses: Guesses
  readonly #cache = new BoundedMap<DeviceId, { credential: CwmpCredential | undefined; readAt: number }>(CACHE_SIZE)
  readonly #admitted = new WeakSet<Shown>()
  readonly #given = new WeakMap<Shown, { authorization: Authorization | undefined }>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#nonces = new Nonces(options.clock, options.random)
    this.#guesses = new Guesses(options.clock)
  }

  /**
   * Returns the challenges for a request that is refused in any case: it has no Authorization header, or one that
   * answers no challenge of this server. Reads neither the body nor the database. Undefined when the request must be
   * checked.
   */
  challengeFor(shown: Shown): string[] | undefined {
    if (shown.certificate !== undefined || this.#options.policy === 'open') return undefined
    const use = this.#usable(this.#read(shown), shown)
    return use === 'usable' ? undefined : this.refusal(shown, use).challenges
  }

  /** Checks the login of a CPE. A matching login uses up its nonce, once for each `shown`. */
  async check(id: DeviceId, identity: DeviceIdentity, shown: Shown): Promise<AuthResult> {
    const given = this.#read(shown)
    const { address } = shown
    const reading = shown.certificate === undefined ? 'other' : readCertificateName(shown.certificate, identity)
    const use = this.#usable(given, shown)
    const compares = reading !== 'names' && given !== undefined && use === 'usable'
    if (compares && !this.#guesses.mayTry(id, address)) return this.refusal(shown, 'limited')
    const cached = await this.#credential(id)
    if (reading === 'names') return { ok: true, proof: 'certificate', credential: cached.credential }
    if (given === undefined || use !== 'usable') {
      const known = use !== 'stale' && this.#isOpenTo(cached.credential) ? await this.#reload(id) : cached.credential
      // A CPE that has confirmed its own credential must use it.
      if (use !== 'stale' && this.#isOpenTo(known) && known?.delivered !== true)
        return { ok: true, proof: 'none', credential: known }
      return reading === 'ambiguous'
        ? this.#ambiguous(shown, identity)
        : this.refusal(shown, use === 'stale' ? 'stale' : 'missing')
    }
    const result = await this.#compare(given, { id, identity, shown }, cached)
    if (result.ok && result.proof !== 'none') this.#guesses.fitted(id, address)
    else if (!result.ok && result.reason !== 'stale') this.#guesses.failed(id, address)
    return result
  }

  /** The Authorization header of a request, which is read once. */
  #read(shown: Shown): Authorization | undefined {
    if (shown.header === undefined) return undefined
    const known = this.#given.get(shown)
    if (known !== undefined) return known.authorization
    const authorization = parseAuthorization(shown.header)
    this.#given.set(shown, { authorization })
    return authorization
  }

  /**
   * Judges an Authorization header before any secret is compared. Every path is the same resource here (RFC 7616
   * 3.4.6), and proxies rewrite paths.
   */
  #usable(given: Authorization | undefined, shown: Shown): 'usable' | 'missing' | 'stale' {
    if (given === undefined) return 'missing'
    if (given.scheme === 'basic') return this.#takesBasic(shown) ? 'usable' : 'missing'
    const { realm, algorithm, nonce, qop } = given.fields
    if (realm !== REALM || !ALGORITHMS.has(algorithm)) return 'missing'
    // auth-int covers the body, which is not read before the sender is known, and is not offered (RFC 7616 3.4).
    if (qop !== undefined && qop !== 'auth') return 'missing'
    if (this.#admitted.has(shown)) return 'usable'
    const state = this.#nonces.check(nonce, countOf(given))
    return state === 'fresh' ? 'usable' : state === 'stale' ? 'stale' : 'missing'
  }

  async #compare(
    given: Authorization,
    { id, identity, shown }: { id: DeviceId; identity: DeviceIdentity; shown: Shown },
    cached: { credential: CwmpCredential | undefined; readAt: number; isReadNow?: true },
  ): Promise<AuthResult> {
    const first = this.#match(given, identity, cached.credential)
    if (first?.proof === 'current' || first?.proof === 'pending')
      return this.#admit(first, cached.credential, given, shown)
    // It may have been changed since it was cached: by a person, by another instance. A login with the enrolment
    // secret is no guess.
    const isGuess = first?.proof !== 'enrolment' && this.#options.clock.now() - cached.readAt < FRESH_MS
    const credential = isGuess || cached.isReadNow === true ? cached.credential : await this.#reload(id)
    const second = this.#match(given, identity, credential)
    if (second !== undefined) return this.#admit(second, credential, given, shown)
    // The CPE may send the login of its former ACS.
    const latest =
      isGuess && cached.isReadNow !== true && this.#isOpenTo(credential) ? await this.#reload(id) : credential
    if (this.#isOpenTo(latest)) return { ok: true, proof: 'none', credential: latest }
    return this.refusal(shown, credential === undefined && this.#options.policy === 'closed' ? 'unknown' : 'wrong')
  }

  /** The credential of a CPE as it was read lately, or that it has none; undefined when it was not read. */
  known(id: DeviceId): { credential: CwmpCredential | undefined } | undefined {
    return this.#cache.get(id)
  }

  /** Takes a changed credential into the cache. */
  remember(credential: CwmpCredential): void {
    this.#put(credential.deviceId, credential)
  }

  forget(id: DeviceId): void {
    this.#cache.delete(id)
  }

  /** Returns true when the policy `open` accepts a CPE: it has not used a credential of its own yet. */
  #isOpenTo(credential: CwmpCredential | undefined): boolean {
    return this.#options.policy === 'open' && credential?.current === undefined
  }

  #admit(
    { proof, login }: Match,
    credential: CwmpCredential | undefined,
    given: Authorization,
    shown: Shown,
  ): AuthResult {
    // Noted now that the password fits: strangers cannot push the uses of others out of memory.
    if (given.scheme === 'digest' && !this.#admitted.has(shown)) {
      if (!this.#nonces.use(given.fields.nonce, countOf(given))) return this.refusal(shown, 'stale')
      this.#admitted.add(shown)
    }
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
    const text =
      `the common name ${name} of its certificate can be read as another device, too; ` +
      `the certificate needs the common name ${certificateNameOf(identity)}, or the CPE shows its password`
    return { ...this.refusal(shown, 'ambiguousName'), text }
  }

  /** A refusal with the challenges that go with it. */
  refusal(shown: Shown, reason: RefusedFor): AuthRefusal {
    return { ok: false, reason, challenges: this.#challenges(shown, reason === 'stale' ? ', stale=true' : '') }
  }

  /**
   * Returns the challenges: Digest first; Basic, for CPE that support nothing else, only over TLS or where that is
   * allowed.
   */
  #challenges(shown: Shown, more: string): string[] {
    const nonce = this.#nonces.issue()
    const digests = (this.#options.digestAlgorithms ?? OFFERED).map(
      (algorithm) => `Digest realm="${REALM}", qop="auth", algorithm=${algorithm}, nonce="${nonce}"${more}`,
    )
    return this.#takesBasic(shown) ? [...digests, `Basic realm="${REALM}"`] : digests
  }

  #takesBasic({ tls }: Shown): boolean {
    return tls || this.#options.allowBasicOverHttp
  }

  async #credential(
    id: DeviceId,
  ): Promise<{ credential: CwmpCredential | undefined; readAt: number; isReadNow?: true }> {
    const now = this.#options.clock.now()
    const cached = this.#cache.get(id)
    if (cached !== undefined && now - cached.readAt < CACHE_MS) return cached
    return { credential: await this.#reload(id), readAt: now, isReadNow: true }
  }

  async #reload(id: DeviceId): Promise<CwmpCredential | undefined> {
    const credential = await this.#options.credentials.get(id)
    this.#put(id, credential)
    return credential
  }

  #put(id: DeviceId, credential: CwmpCredential | undefined): void {
    this.#cache.set(id, { credential, readAt: this.#options.clock.now() })
  }
}

/**
 * The user names that may go with the enrolment secret: the forms of TR-069 3.4.4, those with the encoding of URLs, which
 * leaves hyphens as they are, and those without an encoding.
 */
export function defaultUsernames(identity: DeviceIdentity): string[] {
  const oui = identity.oui.trim()
  const encodings = [encodePart, encodeUrlPart, (text: string) => text]
  const forms = encodings.flatMap((encoded) => {
    const serial = encoded(identity.serial)
    return [`${encoded(identity.productClass)}-${serial}`, serial]
  })
  return [...new Set(forms)].flatMap((form) => [`${oui.toUpperCase()}-${form}`, `${oui}-${form}`])
}

/** Encodes what is not unreserved in URLs (RFC 3986 2.3). */
function encodeUrlPart(text: string): string {
  return encodePart(text).replace(/%(?:2D|2E|7E)/g, decodeURIComponent)
}

function proves(given: Authorization, password: string): boolean {
  if (given.scheme === 'basic') return sameText(given.password, password)
  return provesDigest(given.username, password, 'POST', given.fields)
}

/** The count of a nonce, where the response covers it: with qop (RFC 7616 3.4.1). */
function countOf({ fields }: Extract<Authorization, { scheme: 'digest' }>): string | undefined {
  return fields.qop === undefined ? undefined : (fields.nc ?? '')
}
