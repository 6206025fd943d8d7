/** A certificate that the authority of this installation issued. */
export interface IssuedCertificate {
  /** Serial number, 32 lower-case hexadecimal digits. */
  id: string
  /** The party that holds its key, e.g. `bridge:01h...`. */
  owner: string
  commonName: string
  /** The names that it proves, as URIs. */
  names: string[]
  /** SHA-256 of the public key (SPKI), base64url. */
  keyId: string
  issuedAt: number
  notBefore: number
  notAfter: number
  revokedAt?: number
  /** The reason of the revocation, a sentence. */
  reason?: string
}

/** The certificate of the authority, and its private key. */
export interface AuthorityKeys {
  /** PEM. */
  certificate: string
  /** PEM (PKCS #8). The store seals it. */
  key: string
  createdAt: number
}

/** The certificates that were issued, by serial number, and the keys of the authority. */
export interface CertificateStore {
  /** Resolves with the keys of the authority; undefined before they were made. */
  authority(): Promise<AuthorityKeys | undefined>
  /** Stores these keys unless there are some; resolves with those that are stored. */
  ensureAuthority(made: AuthorityKeys): Promise<AuthorityKeys>
  /** Adds certificates. Durable when it resolves. */
  add(certificates: readonly IssuedCertificate[]): Promise<void>
  get(id: string): Promise<IssuedCertificate | undefined>
  /** Resolves with those of these certificates that exist. */
  find(ids: readonly string[]): Promise<IssuedCertificate[]>
  /** A page in the order of serial numbers; `cursor` is `next` of the page before. */
  list(query: { owner?: string; limit: number; cursor?: string }): Promise<{
    items: IssuedCertificate[]
    next?: string
  }>
  /** Resolves with certificates that were issued for a name, those that were revoked or have expired included. */
  ofName(name: string): Promise<IssuedCertificate[]>
  /** Marks one certificate, or all of an owner, as revoked; those that are stay as they are. Durable when it resolves. */
  revoke(which: { id: string } | { owner: string } | { name: string }, reason: string, at: number): Promise<void>
}

/** The part of its life after which a certificate is renewed: two thirds. */
const RENEW_AFTER = 2 / 3

/** The time, in milliseconds, from which a certificate is to be renewed: two thirds of its life have passed. */
export function renewalTime({ notBefore, notAfter }: { notBefore: number; notAfter: number }): number {
  return Math.floor(notBefore + (notAfter - notBefore) * RENEW_AFTER)
}
