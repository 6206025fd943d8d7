import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import {
  Connections,
  createWebServer,
  type Log,
  listen,
  type Networks,
  portOf,
  renewCertificate,
  type TlsFiles,
} from '../../../base/index.ts'

interface ListenersOptions {
  host: string
  port: number
  /** False: no listener without TLS. Default: true. */
  plain?: boolean
  tls?: TlsFiles & { port: number }
  maxSessions: number
  /** Connections of each listener; the default is enough for the sessions. */
  maxConnections?: number
  /** Connections of one address. */
  maxPerAddress: number
  /** Proxies, behind whose addresses many CPE stand. */
  trustedProxies?: Networks
  onRefused?(reason: string): void
  /** Other times than those for production. */
  httpTimes?: Partial<HttpTimes>
  log: Log
}

/**
 * Longest times for the parts of a request, and the interval of the check, in milliseconds. A slow request ends with
 * 408.
 */
export interface HttpTimes {
  headersTimeout: number
  requestTimeout: number
  keepAliveTimeout: number
  connectionsCheckingInterval: number
  /** Of TLS. */
  handshakeTimeout: number
}

const MAX_HEADER = 16_384
const TIMES: HttpTimes = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5000,
  handshakeTimeout: 20_000,
}

/** The listening sockets of the ACS: HTTP, and HTTPS where there is a certificate. */
export class Listeners {
  readonly #options: ListenersOptions
  readonly #connections: Connections[] = []
  #plain: Server | undefined
  #secure: Server | undefined

  constructor(options: ListenersOptions) {
    this.#options = options
  }

  /** The port of HTTP, after `start`; 0 without such a listener. */
  get port(): number {
    return portOf(this.#plain)
  }

  /** The port of HTTPS, after `start`; 0 without such a listener. */
  get tlsPort(): number {
    return portOf(this.#secure)
  }

  async start(listener: RequestListener): Promise<void> {
    const { port, tls, plain, httpTimes } = this.#options
    const limits = { maxHeaderSize: MAX_HEADER, ...TIMES, ...httpTimes }
    if (plain !== false) {
      this.#plain = createWebServer(limits, undefined, listener)
      await this.#listen(this.#plain, port)
    }
    if (tls === undefined) return
    // A CPE without a certificate, or with one of another authority, shows a password instead.
    this.#secure = createWebServer(limits, { ...tls, handshakeTimeout: limits.handshakeTimeout }, listener)
    await this.#listen(this.#secure, tls.port)
  }

  /**
   * New connections of the HTTPS listener get this certificate; those that stand keep theirs. Throws when it cannot be
   * used.
   */
  renew(files: TlsFiles): void {
    renewCertificate(this.#secure, files)
  }

  /** A CPE has shown on this connection who it is: it is not closed to make room for others. */
  prove(socket: Socket): void {
    for (const connections of this.#connections) connections.prove(socket)
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#connections.reduce((sum, { size }) => sum + size, 0)
  }

  /** No new connections. */
  close(): void {
    for (const server of this.#servers()) server.close()
  }

  closeAll(): void {
    for (const server of this.#servers()) server.closeAllConnections()
  }

  #servers(): Server[] {
    return [this.#plain, this.#secure].filter((server) => server !== undefined)
  }

  async #listen(server: Server, port: number): Promise<void> {
    const { maxSessions, maxPerAddress, trustedProxies, onRefused } = this.#options
    const connections = new Connections({
      // A CPE needs one connection; twice the sessions leaves room for those that are just opened.
      max: this.#options.maxConnections ?? maxSessions * 2 + 1000,
      maxPerAddress,
      isShared: (address) => trustedProxies?.has(address) === true,
      onClosed: (reason) => onRefused?.(`connections of the ${reason}`),
    })
    this.#connections.push(connections)
    server.on('connection', (socket: Socket) => connections.add(socket))
    await listen(server, { host: this.#options.host, port }, (err) =>
      this.#options.log.error({ err }, 'CWMP listener error'),
    )
  }
}
