import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ProtocolError } from '../../../base/index.ts'
import { parseEndpointId } from '../../wire/index.ts'

/** The identity of a client as its handshake shows it. */
interface ClientIdentity {
  /** '' when the handshake names none: the first Record does. */
  endpointId: string
  /** True when its certificate is signed by a trusted authority and carries exactly this Endpoint ID. */
  certificate: boolean
}

/** Schemes whose instance-id a shared certificate may leave open (TR-369 R-SEC, shared certificates). */
const SHARED_SCHEMES = /^(oui|cid|pen|os|ops):/

/**
 * Returns the identity of a client by its certificate, the query of its URL and the extension of USP 1.2. ProtocolError
 * `endpointId` when those that are present contradict each other (R-WS.10a-b, R-SEC.0a).
 */
export function clientIdentity(request: IncomingMessage): ClientIdentity {
  const query = rawQuery(request.url ?? '', 'eid')
  const extension = /bbf-usp-protocol\s*;\s*eid\s*=\s*"?([^",;\s]{1,256})/i.exec(
    request.headers['sec-websocket-extensions'] ?? '',
  )?.[1]
  const byQuery = query === undefined || query === '' ? undefined : firstValid([decoded(query), colons(query)], query)
  // The extension carries the Endpoint ID without encoding; some Agents encode it like the query.
  const byExtension = extension === undefined ? undefined : firstValid([extension, decoded(extension)], extension)
  if (byQuery !== undefined && byExtension !== undefined && byQuery !== byExtension)
    throw new ProtocolError('endpointId', 'query and extension name different Endpoint IDs')
  return proven(byQuery ?? byExtension, certificateNames(request.socket))
}

/**
 * Returns the first reading that is an Endpoint ID. An Endpoint ID is encoded once and decoded once (R-WS.10b); Agents
 * in the field leave its own `%` without encoding, or encode it twice. Such readings count only where the regular one
 * is no Endpoint ID.
 */
function firstValid(readings: (string | undefined)[], raw: string): string {
  const once = decoded(raw)
  for (const reading of [...readings, once === undefined ? undefined : decoded(once)]) {
    if (reading !== undefined && isEndpointId(reading)) return reading
  }
  return parseEndpointId(readings[0] ?? raw)
}

function isEndpointId(text: string): boolean {
  try {
    parseEndpointId(text)
    return true
  } catch {
    return false
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const colons = (text: string) => text.replace(/%3A/gi, ':')

/** Returns the first value of a query parameter without decoding it. */
function rawQuery(url: string, name: string): string | undefined {
  const at = url.indexOf('?')
  if (at < 0) return undefined
  const pair = url
    .slice(at + 1)
    .split('&')
    .find((part) => part.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

/**
 * Compares the Endpoint ID that the client names with its certificate. A certificate without an Endpoint ID proves and
 * contradicts nothing.
 */
function proven(said: string | undefined, names: { ids: string[]; hosts: string[] }): ClientIdentity {
  const exact = names.ids.filter((id) => !id.includes('*'))
  const endpointId = said ?? (exact.length === 1 ? exact[0] : undefined)
  if (endpointId === undefined) {
    if (names.ids.length > 0)
      throw new ProtocolError('endpointId', 'the certificate names several Endpoint IDs and the handshake none')
    return { endpointId: '', certificate: false }
  }
  parseEndpointId(endpointId)
  if (exact.includes(endpointId) || names.hosts.some((host) => `fqdn::${host}` === endpointId))
    return { endpointId, certificate: true }
  // A shared certificate proves the family of the Agent, not the single Agent.
  if (names.ids.length === 0 || names.ids.some((pattern) => inFamily(pattern, endpointId)))
    return { endpointId, certificate: false }
  throw new ProtocolError('endpointId', 'the certificate belongs to another Endpoint ID')
}

/** Returns true when a wildcard in the instance part covers this Endpoint ID; the OUI in it may not be left open. */
function inFamily(pattern: string, endpointId: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0 || !SHARED_SCHEMES.test(pattern)) return false
  const fixed = pattern.slice(0, star)
  if (fixed.split(':').length < 3) return false
  if (/^op?s:/.test(pattern) && !/^op?s::[0-9A-Fa-f]{6,9}-/.test(fixed)) return false
  const parts = pattern.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${parts.join('[\\w.%-]*')}$`).test(endpointId)
}

/**
 * Returns the names in the SAN of a client certificate that a trusted authority signed. Node separates entries with `,
 * ` and quotes those that contain a comma or a quote, so that an entry cannot contain the text of another one.
 */
function certificateNames(socket: IncomingMessage['socket']): { ids: string[]; hosts: string[] } {
  const ids: string[] = []
  const hosts: string[] = []
  if (!('getPeerCertificate' in socket)) return { ids, hosts }
  const tls = socket as TLSSocket
  if (!tls.authorized) return { ids, hosts }
  for (const entry of (tls.getPeerCertificate().subjectaltname ?? '').split(', ')) {
    const id = /^URI:urn:bbf:usp:id:([^\s"]+)$/i.exec(entry)?.[1]
    if (id !== undefined) ids.push(id)
    else if (entry.startsWith('DNS:')) hosts.push(entry.slice(4))
  }
  return { ids, hosts }
}

/** Returns the client certificate (DER) of a connection when a trusted authority signed it. */
export function clientCertificate(socket: IncomingMessage['socket']): Uint8Array | undefined {
  if (!('getPeerCertificate' in socket)) return undefined
  const tls = socket as TLSSocket
  return tls.authorized ? tls.getPeerCertificate().raw : undefined
}
