import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { clientAddress, type Networks } from '../../../base/index.ts'
import type { Shown } from './authenticate.ts'

/**
 * Returns the proofs in a request: its address, its login, and the name in a certificate that a trusted authority
 * signed.
 */
export function shownBy(request: IncomingMessage, trustedProxies: Networks | undefined): Shown {
  const { socket, headers } = request
  const shown = { header: headers.authorization, address: clientAddress(request, trustedProxies) }
  if (!(socket instanceof TLSSocket)) return { ...shown, tls: false }
  const name = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined
  return { ...shown, tls: true, ...(typeof name === 'string' ? { certificate: name } : {}) }
}
