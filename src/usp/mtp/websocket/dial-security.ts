import { createHash } from 'node:crypto'
import { type createConnection, isIP, type NetConnectOpts } from 'node:net'
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  rootCertificates,
  type SecureContext,
} from 'node:tls'

/** The certificates by which an Agent and a Controller prove themselves to each other. */
export interface DialSecurity {
  /** PEM certificates that are trusted besides those of the system. */
  trusted?: readonly string[]
  /**
   * True: the certificates of the system are not trusted. Each Agent with a certificate of its own then takes some
   * kilobytes and milliseconds for its TLS context; with all certificates of the system it takes a megabyte.
   */
  trustedOnly?: boolean
  /** PEM certificate chain of the Agent, with its key. */
  certificate?: string
  key?: string
  /** The name that the certificate of the Controller must be for, and that is sent to it (SNI); default: the host. */
  serverName?: string
  /** True: the certificate must carry the Endpoint ID of the Controller (R-SEC.3). One that carries another never does. */
  requireEndpointId?: boolean
}

/** Contexts that are kept. */
const MAX_CONTEXTS = 1000

/**
 * TLS contexts by their certificates: connections with the same ones share a context, as it is costly to make and to
 * keep.
 */
export class SecureContexts {
  readonly #known = new Map<string, SecureContext>()

  /**
   * Returns the function that opens a TLS connection to a Controller. A Controller that does not prove that it has the
   * Endpoint ID is sent nothing. Throws when certificate or key cannot be used.
   */
  connectorTo(host: string, controllerId: string, security: DialSecurity): typeof createConnection {
    const secureContext = this.#contextFor(security)
    const servername = security.serverName ?? (isIP(host) === 0 ? host : '')
    return (options: NetConnectOpts | number | string) =>
      connect({
        // The package gives options.
        ...(typeof options === 'object' ? options : {}),
        path: undefined,
        servername,
        checkServerIdentity: (name, certificate) =>
          checkServerIdentity(name === '' ? host : name, certificate) ?? problemOf(certificate, controllerId, security),
        ...(secureContext === undefined ? {} : { secureContext }),
      })
  }

  /** Undefined: the defaults of the system serve. */
  #contextFor({ trusted = [], trustedOnly = false, certificate, key }: DialSecurity): SecureContext | undefined {
    if (trusted.length === 0 && !trustedOnly && certificate === undefined) return undefined
    const id = createHash('sha256')
      .update(JSON.stringify([trusted, trustedOnly, certificate, key]))
      .digest('hex')
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const ca = trustedOnly ? [...trusted] : [...rootCertificates, ...trusted]
    const context = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(trusted.length === 0 && !trustedOnly ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    })
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= MAX_CONTEXTS) this.#known.delete(oldest)
    this.#known.set(id, context)
    return context
  }
}

/**
 * Returns the error by which the certificate of a Controller, that a trusted authority signed, does not prove its
 * Endpoint ID; undefined when it does, or when it names none and need not.
 */
function problemOf(
  certificate: PeerCertificate,
  controllerId: string,
  { requireEndpointId = false }: DialSecurity,
): Error | undefined {
  const ids = (certificate.subjectaltname ?? '')
    .split(', ')
    .flatMap((entry) => /^URI:urn:bbf:usp:id:([^\s"]+)$/i.exec(entry)?.[1] ?? [])
  if (ids.includes(controllerId)) return undefined
  const fqdn = /^fqdn::(.+)$/.exec(controllerId)?.[1]
  if (fqdn !== undefined && (certificate.subjectaltname ?? '').split(', ').includes(`DNS:${fqdn}`)) return undefined
  if (ids.length > 0)
    return new Error(`the certificate of the Controller is for ${ids.slice(0, 3).join(', ')}, not ${controllerId}`)
  return requireEndpointId ? new Error('the certificate of the Controller names no Endpoint ID') : undefined
}
