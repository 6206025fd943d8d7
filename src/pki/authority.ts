import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { AppError, type Clock, type Random } from '../base/index.ts'
import type { AuthorityKeys, CertificateStore, IssuedCertificate } from './certificate.ts'
import { newTlsKey, writeCertificate } from './x509.ts'

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 7300
const CLIENT_DAYS = 90
/** Clocks of others may be behind. */
const EARLIER_MS = 3_600_000
const SERIAL_BYTES = 16
/** A common name has at most 64 characters (RFC 5280, upper bounds). */
const MAX_COMMON_NAME = 64

/** A certificate to issue: the party that holds the key, and what the certificate proves. */
interface CertificateOrder {
  owner: string
  /** An EC key on P-256. */
  publicKey: KeyObject
  commonName: string
  /** URIs. */
  names: readonly string[]
}

/** A certificate with its text. */
export interface CertificateText {
  certificate: IssuedCertificate
  /** PEM. */
  pem: string
}

/**
 * The certificate authority of this installation: it signs client certificates, keeps a record of each, and knows which
 * were revoked. All servers of one database share its keys, which are made on first need.
 */
export class Authority {
  readonly #store: CertificateStore
  readonly #clock: Pick<Clock, 'now'>
  readonly #random: Random
  #keys: Promise<AuthorityKeys> | undefined

  constructor(deps: { store: CertificateStore; clock: Pick<Clock, 'now'>; random: Random }) {
    this.#store = deps.store
    this.#clock = deps.clock
    this.#random = deps.random
  }

  /** Resolves with the PEM of the authority's certificate, which is made when there is none. */
  async certificate(): Promise<string> {
    return (await this.#ensure()).certificate
  }

  /** Issues client certificates that are valid for 90 days. Their records are durable when it resolves. */
  async issue(orders: readonly CertificateOrder[]): Promise<CertificateText[]> {
    const { certificate: authority, key } = await this.#ensure()
    const issuer = { commonName: commonNameOf(new X509Certificate(authority)), key }
    const issuedAt = this.#clock.now()
    const notBefore = Math.floor((issuedAt - EARLIER_MS) / 1000) * 1000
    const notAfter = notBefore + CLIENT_DAYS * DAY_MS
    const made = orders.map(({ owner, publicKey, commonName, names }) => {
      const serial = this.#serial()
      const shown = commonName.slice(0, MAX_COMMON_NAME)
      const pem = writeCertificate({
        use: 'client',
        commonName: shown,
        names,
        publicKey,
        issuer,
        notBefore,
        notAfter,
        serial,
      })
      const id = Buffer.from(serial).toString('hex')
      const keyId = keyIdOf(publicKey)
      const dates = { issuedAt, notBefore, notAfter }
      return { pem, certificate: { id, owner, commonName: shown, names: [...names], keyId, ...dates } }
    })
    await this.#store.add(made.map(({ certificate }) => certificate))
    return made
  }

  /**
   * Resolves with the record of a certificate that may be used now. AppError `unauthorized` for a serial number that was
   * not issued here, and for a certificate that was revoked or has expired.
   */
  async valid(id: string): Promise<IssuedCertificate> {
    const certificate = await this.#store.get(id)
    if (certificate === undefined) throw new AppError('unauthorized', `no certificate ${id} was issued here`)
    const { revokedAt, reason = '', notAfter } = certificate
    if (revokedAt !== undefined) throw new AppError('unauthorized', `certificate ${id} was revoked: ${reason}`)
    if (notAfter <= this.#clock.now()) throw new AppError('unauthorized', `certificate ${id} has expired`)
    return certificate
  }

  /**
   * Resolves with those of these certificates (DER) that must not be accepted: they name this authority as their issuer
   * and are not listed, were revoked, or have expired. Certificates of other issuers are not judged.
   */
  async refused(certificates: readonly Uint8Array[]): Promise<ReadonlySet<Uint8Array>> {
    if (certificates.length === 0) return new Set()
    const authority = new X509Certificate(await this.certificate())
    const own = certificates.flatMap((raw) => {
      const certificate = new X509Certificate(raw)
      return certificate.issuer === authority.subject ? [{ raw, id: serialOf(certificate) }] : []
    })
    if (own.length === 0) return new Set()
    const now = this.#clock.now()
    const known = await this.#store.find([...new Set(own.map(({ id }) => id))])
    const good = new Set(known.filter((one) => one.revokedAt === undefined && one.notAfter > now).map(({ id }) => id))
    return new Set(own.filter(({ id }) => !good.has(id)).map(({ raw }) => raw))
  }

  async #ensure(): Promise<AuthorityKeys> {
    this.#keys ??= this.#load()
    try {
      return await this.#keys
    } catch (error) {
      this.#keys = undefined
      throw error
    }
  }

  async #load(): Promise<AuthorityKeys> {
    return (await this.#store.authority()) ?? (await this.#store.ensureAuthority(this.#make()))
  }

  #make(): AuthorityKeys {
    const key = newTlsKey()
    const createdAt = this.#clock.now()
    // A part by chance: certificates of two installations have issuers of different names.
    const commonName = `Isthmus authority ${Buffer.from(this.#random.bytes(4)).toString('hex')}`
    const certificate = writeCertificate({
      use: 'authority',
      commonName,
      names: [],
      publicKey: createPublicKey(key),
      issuer: { commonName, key },
      notBefore: createdAt - EARLIER_MS,
      notAfter: createdAt + AUTHORITY_DAYS * DAY_MS,
      serial: this.#serial(),
    })
    return { certificate, key, createdAt }
  }

  /** The first byte is neither 0 nor negative (RFC 5280 4.1.2.2), so that all serial numbers have the same length. */
  #serial(): Uint8Array {
    const serial = Uint8Array.from(this.#random.bytes(SERIAL_BYTES))
    serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
    return serial
  }
}

/** The serial number of a certificate as its record has it: lower-case hexadecimal digits. */
export function serialOf(certificate: X509Certificate): string {
  return certificate.serialNumber.toLowerCase()
}

/** SHA-256 of a public key (SPKI), base64url. */
export function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
}

function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? ''
}
