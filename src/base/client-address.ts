import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { type Networks, plainAddress } from './networks.ts'

const MAX_HEADER = 1024

/**
 * Returns the address of the sender of a request: that of the connection, or, when a trusted proxy made the connection,
 * the last address of X-Forwarded-For that is no trusted proxy. The addresses before it were written by the sender and
 * prove nothing.
 */
export function clientAddress(request: IncomingMessage, trusted: Networks | undefined): string {
  let address = plainAddress(request.socket.remoteAddress ?? '')
  if (trusted === undefined || !trusted.has(address)) return address
  const header = request.headers['x-forwarded-for']
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  for (const hop of text.slice(-MAX_HEADER).split(',').reverse()) {
    const next = addressIn(hop)
    if (next === undefined) return address
    address = next
    if (!trusted.has(address)) return address
  }
  return address
}

/** One address of the header; some proxies add the port. */
function addressIn(hop: string): string | undefined {
  const text = hop.trim().replace(/^"|"$/g, '')
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text
  const address = plainAddress(bare)
  return isIP(address) === 0 ? undefined : address
}
