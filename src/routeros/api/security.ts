import { isIP } from 'node:net'
import { type ConnectionOptions, TLSSocket } from 'node:tls'
import { isLoopback } from '../../config/index.ts'
import { RouterOsError } from '../router-os-error.ts'

/** The way in which a connection to the API is protected, and by which the router is known. */
export type ApiSecurity =
  /** No protection: to this machine alone, unless the options of the connection allow more. */
  | { kind: 'plain' }
  /** API-SSL; a certificate authority (PEM) vouches for the router. Without `ca` those of Node are asked. */
  | { kind: 'ca'; ca?: string; servername?: string }
  /** API-SSL; the certificate has this SHA-256 fingerprint, in hexadecimal digits with or without colons. */
  | { kind: 'fingerprint'; sha256: string; servername?: string }
  /** API-SSL of a router without a certificate: nothing shows who answers, and anyone in between can read along. */
  | { kind: 'insecureAnonymous' }

const ANONYMOUS = 'ADH-AES256-GCM-SHA384:@SECLEVEL=0'

/** Returns the options of TLS, or undefined for the plain API. RouterOsError `refused` for a fingerprint that is none. */
export function tlsOptions(security: ApiSecurity, host: string): ConnectionOptions | undefined {
  switch (security.kind) {
    case 'plain':
      return undefined
    case 'ca': {
      const { ca } = security
      return { ...nameOf(security.servername, host), ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2' }
    }
    case 'fingerprint':
      if (!/^[0-9A-F]{64}$/.test(plainHex(security.sha256)))
        throw new RouterOsError('refused', 'the fingerprint is no SHA-256 of 64 hexadecimal digits', { sent: false })
      return { ...nameOf(security.servername, host), rejectUnauthorized: false, minVersion: 'TLSv1.2' }
    case 'insecureAnonymous':
      return { ciphers: ANONYMOUS, maxVersion: 'TLSv1.2', rejectUnauthorized: false }
  }
}

/** Refuses a plain connection to another machine that is not allowed: RouterOsError `refused`. */
export function checkPlain(security: ApiSecurity, host: string, allowPlain: boolean): void {
  if (security.kind !== 'plain' || allowPlain || isLoopback(host)) return
  throw new RouterOsError(
    'refused',
    'the plain API sends the password in clear text: use API-SSL, a tunnel to this machine, or allow plain RouterOS',
    { sent: false },
  )
}

/** Refuses a peer that is not the one that was pinned: RouterOsError `untrusted`. Nothing was sent to it yet. */
export function checkPeer(security: ApiSecurity, socket: unknown): void {
  if (security.kind !== 'fingerprint') return
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (certificate !== undefined && plainHex(certificate.fingerprint256) === plainHex(security.sha256)) return
  const seen = certificate === undefined ? 'no certificate' : `a certificate with ${certificate.fingerprint256}`
  throw new RouterOsError('untrusted', `the router shows ${seen}, which is not the pinned fingerprint`, {
    sent: false,
  })
}

function plainHex(fingerprint: string): string {
  return fingerprint.replace(/[:\s]/g, '').toUpperCase()
}

/** The name that the certificate must have; an address is no server name (RFC 6066 3). */
function nameOf(servername: string | undefined, host: string): ConnectionOptions {
  if (servername !== undefined) return { servername }
  return isIP(host) === 0 ? { servername: host } : {}
}
