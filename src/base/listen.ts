import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Server as NetServer } from 'node:net'

/** A certificate in PEM, and the authority that certificates of clients are asked from. */
export interface TlsFiles {
  cert: string
  key: string
  /** Clients are asked for a certificate of this authority; one without is accepted, and its connection shows that. */
  clientCa?: string
}

const MIN_VERSION = 'TLSv1.2'

/**
 * Returns an HTTP server, or an HTTPS server where `tls` is given; `handshakeTimeout` is in milliseconds. It does not
 * listen yet.
 */
export function createWebServer(
  limits: ServerOptions,
  tls: (TlsFiles & { handshakeTimeout: number }) | undefined,
  listener: RequestListener,
): Server {
  if (tls === undefined) return createServer(limits, listener)
  const { cert, key, clientCa, handshakeTimeout } = tls
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }
  return createTlsServer({ ...limits, ...client, cert, key, handshakeTimeout, minVersion: MIN_VERSION }, listener)
}

/**
 * New connections get this certificate; those that stand keep theirs. Nothing happens without TLS. Throws when it
 * cannot be used.
 */
export function renewCertificate(server: Server | undefined, { cert, key, clientCa }: TlsFiles): void {
  if (!(server instanceof TlsServer)) return
  server.setSecureContext({ cert, key, minVersion: MIN_VERSION, ...(clientCa === undefined ? {} : { ca: clientCa }) })
}

/**
 * Starts listening and resolves with the port. Rejects with the error of the system (EADDRINUSE, EACCES) when it
 * cannot. `onError` gets the errors after that.
 */
export function listen(
  server: NetServer,
  at: { host: string; port: number; backlog?: number },
  onError?: (error: Error) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      if (onError !== undefined) server.on('error', onError)
      resolve(portOf(server))
    })
  })
}

/** Returns the port that a server listens at; 0 when it does not. */
export function portOf(server: NetServer | undefined): number {
  const address = server?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
