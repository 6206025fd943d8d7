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
  const tls = socket instanceof TLSSocket
  const shown: Shown = { header: headers.authorization, address: clientAddress(request, trustedProxies), tls }
  const name = tls && socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined
  if (typeof name === 'string') shown.certificate = name
  return shown
}
