import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { type Networks, plainAddress } from '../../../base/index.ts'

/** A host name, an IPv4 address, or an IPv6 address in brackets, with or without a port. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,120}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

/**
 * Returns the address at which the sender of a request has reached this server, such as `http://acs.example.net:7547`: its
 * own Host header, with the scheme of the connection, or that of X-Forwarded-Proto where a trusted proxy made the
 * connection. Undefined where the header is missing or has another form.
 */
export function reachedAt(
  { headers, socket }: IncomingMessage,
  trustedProxies: Networks | undefined,
): string | undefined {
  const host = headers.host ?? ''
  if (!HOST.test(host)) return undefined
  const isProxied = trustedProxies?.has(plainAddress(socket.remoteAddress ?? '')) === true
  const named = isProxied ? headers['x-forwarded-proto'] : undefined
  if (named === 'https' || named === 'http') return `${named}://${host}`
  return `${socket instanceof TLSSocket ? 'https' : 'http'}://${host}`
}
