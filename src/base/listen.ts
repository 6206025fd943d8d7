import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
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
/** The answer of `onIncoming` of Node's HTTP parser for an upgrade. */
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
  const bounded = withoutFloods(listener)
  if (tls === undefined) return createServer(limits, bounded)
  const { cert, key, clientCa, handshakeTimeout } = tls
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }
  return createTlsServer({ ...limits, ...client, cert, key, handshakeTimeout, minVersion: MIN_VERSION }, bounded)
}

/**
 * Node reads all requests of a piece of 64 KB in one turn of the event loop, a thousand and more of them, whoever else
 * waits: a connection with more than a few in one turn is closed, and the rest of its piece is not read.
 */
function withoutFloods(listener: RequestListener): RequestListener {
  const counts = new Map<Socket, number>()
  return (request, response) => {
    const { socket } = request
    if (counts.size === 0) setImmediate(() => counts.clear())
    const count = (counts.get(socket) ?? 0) + 1
    counts.set(socket, count)
    if (count <= MAX_IN_TURN) return listener(request, response)
    stopReading(socket)
    socket.destroy()
  }
}

/** The parser takes the next request for an upgrade, behind which there is no HTTP: nothing else of Node's stops it. */
function stopReading(socket: Socket & { parser?: { onIncoming?: () => number } | null }): void {
  if (socket.parser?.onIncoming !== undefined) socket.parser.onIncoming = () => UPGRADE
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
