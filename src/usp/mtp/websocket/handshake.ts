import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ProtocolError } from '../../../base/index.ts'
import { parseEndpointId } from '../../wire/index.ts'

/** The identity of a client as its handshake shows it. */
interface ClientIdentity {
  /** '' when nothing names it: its first Record will. */
  endpointId: string
  /** Its certificate, signed by one of our authorities, carries exactly this Endpoint ID. */
  certificate: boolean
}

/** Schemes whose instance-id a shared certificate may leave open (TR-369 R-SEC, shared certificates). */
const SHARED_SCHEMES = /^(oui|cid|pen|os|ops):/

/**
 * Who dials, by everything that names it: certificate, query, extension of USP 1.2. All that is there must agree (R-WS.10a-b, R-SEC.0a);
 * ProtocolError `endpointId` where it does not.
 */
export function clientIdentity(request: IncomingMessage): ClientIdentity {
  const query = rawQuery(request.url ?? '', 'eid')
  const extension = /bbf-usp-protocol\s*;\s*eid\s*=\s*"?([^",;\s]{1,256})/i.exec(
    request.headers['sec-websocket-extensions'] ?? '',
  )?.[1]
  const byQuery = query === undefined || query === '' ? undefined : firstValid([decoded(query), colons(query)], query)
  // The extension carries it as it is; some encode it like the query.
  const byExtension = extension === undefined ? undefined : firstValid([extension, decoded(extension)], extension)
  if (byQuery !== undefined && byExtension !== undefined && byQuery !== byExtension)
    throw new ProtocolError('endpointId', 'query and extension name different Endpoint IDs')
  return proven(byQuery ?? byExtension, certificateNames(request.socket))
}

/**
 * The first reading that is an Endpoint ID. The rule is to encode it and then decode once; Agents in the field leave its own `%` as it is or
 * encode all of it twice, and what they mean is clear as long as the rule's own reading is no Endpoint ID.
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

/** The first value of a query parameter as it came over the wire. */
function rawQuery(url: string, name: string): string | undefined {
  const at = url.indexOf('?')
  if (at < 0) return undefined
  const pair = url
    .slice(at + 1)
    .split('&')
    .find((part) => part.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

/** Compares the Endpoint ID that the client names with its certificate. A certificate without any Endpoint ID says nothing about it. */
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
  // A shared certificate proves the family of the Agent, and not which of them it is.
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
 * Names in the SAN of a client certificate that our authorities signed. Node separates entries with `, ` and writes those with a comma or a
 * quote in quotes: an entry that imitates another one inside itself is never taken for it.
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
