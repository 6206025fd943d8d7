import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'

/** A certificate in PEM, and the authority that certificates of clients are asked from. */
export interface TlsFiles {
  cert: string
  key: string
  /** Clients are asked for a certificate of this authority; one without is accepted, and its connection shows that. */
  clientCa?: string
}

const MIN_VERSION = 'TLSv1.2'
/** Requests of one connection in one turn of the event loop; devices and browsers wait for each answer. */
const MAX_IN_TURN = 8
/** The answer for an upgrade: there is no HTTP behind the request, and the parser stops. */
const UPGRADE = 2

/**
 * Returns an HTTP server, or an HTTPS server where `tls` is given; `handshakeTimeout` is in milliseconds. It does not
 * listen yet. A connection that sends many requests without waiting for the answers is closed.
 */
export function createWebServer(
  limits: ServerOptions,
  tls: (TlsFiles & { handshakeTimeout: number }) | undefined,
  listener: RequestListener,
): Server {
  if (tls === undefined) return createServer(limits, listener).on('connection', closeFloods)
  const { cert, key, clientCa, handshakeTimeout } = tls
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }
  const options = { ...limits, ...client, cert, key, handshakeTimeout, minVersion: MIN_VERSION } as const
  return createTlsServer(options, listener).on('secureConnection', closeFloods)
}

/** A connection with the parser that Node's HTTP server gives it. Node has no event that comes before `onIncoming`. */
type Parsed = Socket & { parser?: { onIncoming?: (request: IncomingMessage, keepAlive: boolean) => number } | null }

/**
 * Node reads all requests of a piece of 64 KB in one turn of the event loop, a thousand and more of them, whoever else
 * waits, and answers some of them itself. A connection with more than a few in one turn is closed, and the rest of its
 * piece is not read.
 */
function closeFloods(socket: Parsed): void {
  const { parser } = socket
  const take = parser?.onIncoming
  if (!parser || take === undefined) return
  let count = 0
  parser.onIncoming = (request, keepAlive) => {
    if (count === 0)
      setImmediate(() => {
        count = 0
      })
    if (++count <= MAX_IN_TURN) return take(request, keepAlive)
    socket.destroy()
    return UPGRADE
  }
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
