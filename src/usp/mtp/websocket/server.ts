import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type Clock,
  Connections,
  clientAddress,
  createWebServer,
  errorText,
  type Log,
  limitLines,
  listen,
  type Networks,
  ProtocolError,
  portOf,
  renewCertificate,
  type TlsFiles,
} from '../../../base/index.ts'
import type { LinkHandlers, Mtp, Newcomer } from '../port/index.ts'
import { clientCertificate, clientIdentity } from './handshake.ts'
import { LINK_LIMITS, type LinkLimits, WebSocketLink } from './link.ts'
import { type WebSocket, WebSocketServer } from './ws.ts'

export interface WebSocketMtpOptions {
  host: string
  port: number
  path: string
  /** Endpoint ID of the Controller, sent to clients of USP 1.2 that send the extension. */
  endpointId: string
  tls?: TlsFiles
  /** PEM of an authority beside `tls.clientCa` whose client certificates are accepted unless `refused` names them. */
  ownAuthority?: string
  /** Resolves with those of these client certificates (DER) that must not be accepted although they are signed well. */
  refused?(certificates: readonly Uint8Array[]): Promise<ReadonlySet<Uint8Array>>
  maxLinks: number
  /** Connections at once; by default maxLinks and 1,000 more. */
  maxConnections?: number
  /** Connections of one address; 2,500 by default. A loopback address has no limit of its own. */
  maxPerAddress?: number
  /** Proxies whose X-Forwarded-For is used. */
  trustedProxies?: Networks
  limits?: LinkLimits
  clock: Clock
  log: Log
}

const SUBPROTOCOL = 'v1.usp'
const MAX_MESSAGE = 16 * 1024 * 1024
const PING_MS = 30_000
const MAX_PER_ADDRESS = 2500
/** A link without a device is not closed to make room for others during this time. */
const GRACE_MS = 5000
const TLS_HANDSHAKE_MS = 20_000
/** HTTP status of a refused upgrade by the code of its error; 400 for all others. */
const STATUS: Record<string, string> = {
  full: '503 Service Unavailable',
  tryAgain: '503 Service Unavailable',
  noCertificate: '401 Unauthorized',
  notAdmitted: '403 Forbidden',
  version: '426 Upgrade Required',
}
/** The version of the protocol (RFC 6455 4.1); ws would take 8 as well. */
const VERSION = '13'
/** Retry-After of a 503, in seconds. */
const RETRY_AFTER_S = 10
/** Log lines about refused handshakes, which any stranger causes. */
const LINES_PER_MINUTE = 60
/** 128 bits in base64url. */
const SECRET = /^[\w-]{22}$/

const LOOPBACK = /^(localhost|127\.[\d.]+|\[?::1\]?)$/

/** A client that `admit` refused. The handler has logged the refusal, with a bounded rate. */
class NotAdmitted extends ProtocolError {}

/** The WebSocket MTP of the Controller (TR-369 R-WS): listens and checks handshakes. */
export class WebSocketMtp implements Mtp {
  readonly name = 'USP WebSocket MTP'
  readonly connectRecord = 'websocketConnect'
  readonly isExposed: boolean
  readonly #options: WebSocketMtpOptions
  readonly #lines: Log
  readonly #limits: LinkLimits
  readonly #links = new Set<WebSocketLink>()
  /** Links whose Agents have not shown their device yet, the oldest first. */
  readonly #unproven = new Set<WebSocketLink>()
  /** The client certificates (DER) that prove the Endpoint IDs of links. */
  readonly #certificates = new Map<WebSocketLink, Uint8Array>()
  readonly #connections: Connections
  /** Handshakes that are being decided. */
  #deciding = 0
  readonly #upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // With compression ws answers 400 to the colon in the eid of bbf-usp-protocol, and uses memory for each link.
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  #handlers: LinkHandlers | undefined
  #server: Server | undefined
  #ping: NodeJS.Timeout | undefined

  constructor(options: WebSocketMtpOptions) {
    this.#options = options
    this.isExposed = options.tls?.clientCa === undefined && !LOOPBACK.test(options.host)
    this.#lines = limitLines(options.log, options.clock, LINES_PER_MINUTE)
    this.#limits = options.limits ?? LINK_LIMITS
    const { maxConnections, maxLinks, maxPerAddress, trustedProxies } = options
    this.#connections = new Connections({
      max: maxConnections ?? maxLinks + 1000,
      maxPerAddress: maxPerAddress ?? MAX_PER_ADDRESS,
      isShared: (address) => trustedProxies?.has(address) === true,
    })
    this.#upgrader.on('headers', (headers, request) => {
      if (request.headers['sec-websocket-extensions']?.includes('bbf-usp-protocol') === true) {
        headers.push(`Sec-WebSocket-Extensions: bbf-usp-protocol; eid="${options.endpointId}"`)
      }
    })
  }

  onLink(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  /** The TCP port; 0 before `start`. */
  get port(): number {
    return portOf(this.#server)
  }

  get linkCount(): number {
    return this.#links.size
  }

  /** Resolves with the number of open TCP connections, those without a finished handshake included. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#server === undefined) return resolve(0)
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
    })
  }

  async start(): Promise<void> {
    const { tls } = this.#options
    const limits = { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000 }
    const refuse = (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end()
    const server = createWebServer(
      limits,
      tls === undefined ? undefined : { ...this.#withOwnAuthority(tls), handshakeTimeout: TLS_HANDSHAKE_MS },
      refuse,
    )
    server.on('connection', (socket: Socket) => this.#connections.add(socket))
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head))
    this.#server = server
    const { host, port, log } = this.#options
    await listen(server, { host, port, backlog: 4096 }, (err) => log.error({ err }, 'USP listener error'))
    this.#ping = setInterval(() => {
      this.#pingAll()
      void this.closeRefused()
    }, PING_MS)
    this.#ping.unref()
  }

  /**
   * Gives new connections this certificate; open links keep theirs. Does nothing without TLS. Throws when the
   * certificate is not usable.
   */
  renewCertificate(files: TlsFiles): void {
    renewCertificate(this.#server, this.#withOwnAuthority(files))
  }

  #withOwnAuthority(files: TlsFiles): TlsFiles {
    const authorities = [files.clientCa, this.#options.ownAuthority].filter((pem) => pem !== undefined)
    return authorities.length === 0 ? files : { ...files, clientCa: authorities.join('\n') }
  }

  async stop(): Promise<void> {
    clearInterval(this.#ping)
    this.#server?.close()
    for (const link of this.#links) link.close('goingAway', 'the Controller stops')
    for (let waited = 0; this.#links.size > 0 && waited < 2000; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20))
    for (const link of this.#links) link.cut('goingAway')
    this.#server?.closeAllConnections()
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', (err) => this.#options.log.debug({ reason: errorText(err) }, 'USP handshake connection failed'))
    this.#decide(request)
      .then((newcomer) => {
        // This call either opens the link or ends the connection.
        this.#upgrader.handleUpgrade(request, socket, head, (webSocket) =>
          this.#onOpen(webSocket, newcomer, request.socket),
        )
      })
      .catch((error: unknown) => this.#refuse(request, socket, error))
  }

  async #decide(request: IncomingMessage): Promise<Newcomer> {
    const newcomer = this.#checkHandshake(request)
    this.#deciding++
    try {
      const shown = clientCertificate(request.socket)
      if (shown !== undefined && (await this.#options.refused?.([shown]))?.has(shown) === true)
        throw new ProtocolError('notAdmitted', 'the client certificate was revoked, has expired or is not known')
      const refusal = await this.#handlers?.admit?.(newcomer)
      if (refusal !== undefined) throw new NotAdmitted(refusal.kind, refusal.text)
      return newcomer
    } finally {
      this.#deciding--
    }
  }

  #refuse(request: IncomingMessage, socket: Duplex, error: unknown): void {
    const lines = this.#lines
    const reason = error instanceof ProtocolError ? error.message : 'handshake failed'
    const status = (error instanceof ProtocolError ? STATUS[error.code] : undefined) ?? '400 Bad Request'
    if (!(error instanceof ProtocolError)) lines.error({ err: error }, 'USP handshake failed')
    else if (!(error instanceof NotAdmitted))
      lines.info({ address: request.socket.remoteAddress, reason }, 'USP handshake refused')
    const text = `${reason}\n`
    const more = status.startsWith('503')
      ? `retry-after: ${RETRY_AFTER_S}\r\n`
      : status.startsWith('426')
        ? `upgrade: websocket\r\nsec-websocket-version: ${VERSION}\r\n`
        : ''
    // A server socket stays half open when the client does not end its side.
    socket.once('finish', () => socket.destroy())
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\n${more}content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    )
  }

  #checkHandshake(request: IncomingMessage): Newcomer {
    if (request.headers['sec-websocket-version'] !== VERSION)
      throw new ProtocolError('version', `Sec-WebSocket-Version must be ${VERSION} (RFC 6455 4.4)`)
    const secret = this.#secretOf(request.url ?? '/')
    if (!this.#hasRoom()) throw new ProtocolError('full', 'too many links')
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (!offered.includes(SUBPROTOCOL))
      throw new ProtocolError('subprotocol', `Sec-WebSocket-Protocol must offer ${SUBPROTOCOL}`)
    return { ...clientIdentity(request), secret, address: clientAddress(request, this.#options.trustedProxies) }
  }

  /** Returns the secret of `<path>/<secret>`; ProtocolError when the URL has another path. */
  #secretOf(url: string): string | undefined {
    const own = this.#options.path.replace(/\/$/, '')
    // Some Agents write a second slash before the path or one behind it.
    const path = url.replace(/\?.*$/s, '').replace(/^\/*/, '/').replace(/\/$/, '')
    if (path === own) return undefined
    const secret = path.startsWith(`${own}/`) ? path.slice(own.length + 1) : ''
    if (!SECRET.test(secret)) throw new ProtocolError('path', `USP is spoken at ${this.#options.path}`)
    return secret
  }

  /** Returns true when one more link may be opened; closes the oldest link without a device to make room. */
  #hasRoom(): boolean {
    const { maxLinks, clock } = this.#options
    if (this.#links.size + this.#deciding < maxLinks) return true
    const [oldest] = this.#unproven
    if (oldest === undefined || clock.now() - oldest.openedAt < GRACE_MS) return false
    this.#forget(oldest)
    oldest.close('tryAgain', 'other Agents need the place, and this Agent has not shown its device')
    return true
  }

  #forget(link: WebSocketLink): void {
    this.#links.delete(link)
    this.#certificates.delete(link)
    this.#unproven.delete(link)
  }

  #onOpen(socket: WebSocket, newcomer: Newcomer, connection: Socket): void {
    const { clock, log } = this.#options
    const link = new WebSocketLink({
      socket,
      endpointId: newcomer.endpointId,
      proof: newcomer.certificate ? 'certificate' : 'none',
      secret: newcomer.secret,
      remoteAddress: newcomer.address,
      openedAt: clock.now(),
      limits: this.#limits,
      onProven: () => {
        this.#unproven.delete(link)
        this.#connections.prove(connection)
      },
    })
    this.#links.add(link)
    const shown = newcomer.certificate ? clientCertificate(connection) : undefined
    if (shown !== undefined) this.#certificates.set(link, shown)
    this.#unproven.add(link)
    this.#boundUnproven(link, connection)
    socket.on('message', (data: Buffer, binary: boolean) => this.#onMessage(link, data, binary))
    socket.on('pong', () => {
      link.alive = true
    })
    // ws answers pings by itself; they count against the limits like Records.
    socket.on('ping', (data: Buffer) => this.#admit(link, data.length))
    socket.on('error', (err) => {
      if (isFrameError(err)) link.broken()
      log.debug({ endpointId: link.endpointId, reason: errorText(err) }, 'USP link error')
    })
    socket.on('close', (code) => {
      this.#forget(link)
      this.#handlers?.onClose(link, link.endOf(code))
    })
    this.#handlers?.onOpen(link, newcomer)
  }

  /**
   * Ends a link that sends too many bytes before its Agent is known: ws keeps the parts of a Message that is not
   * complete.
   */
  #boundUnproven(link: WebSocketLink, connection: Socket): void {
    let bytes = 0
    const count = (chunk: Buffer) => {
      bytes += chunk.length
      if (!this.#unproven.has(link)) connection.off('data', count)
      else if (bytes > this.#limits.maxUnprovenBytes) {
        connection.off('data', count)
        link.shut('too many bytes before the Agent has shown which device it is')
      }
    }
    connection.on('data', count)
  }

  #onMessage(link: WebSocketLink, data: Buffer, binary: boolean): void {
    link.alive = true
    if (!link.isOpen) return
    if (!binary) link.close('unsupported', 'Records are binary')
    else if (this.#admit(link, data.length)) this.#handlers?.onRecord(link, data)
  }

  /** Counts a message; closes the link when it exceeds the limits. */
  #admit(link: WebSocketLink, bytes: number): boolean {
    link.alive = true
    const admitted = link.admit(bytes, this.#options.clock.now())
    if (!admitted) link.shut('too many messages')
    return admitted
  }

  /** Pings all links, and cuts those that did not answer the last ping. One timer serves all links. */
  #pingAll(): void {
    for (const link of this.#links) {
      // The pong of a paused link is not read.
      if (link.isPaused) link.alive = true
      if (!link.alive) link.cut('noPong')
      else if (link.isOpen) {
        link.ping()
        this.#handlers?.onRound?.(link)
      } else link.alive = false
    }
  }

  /** Closes the links whose client certificates are not accepted any more; also done every 30 s. Never rejects. */
  async closeRefused(): Promise<void> {
    const { refused, log } = this.#options
    const shown = [...this.#certificates]
    if (refused === undefined || shown.length === 0) return
    try {
      const gone = await refused(shown.map(([, certificate]) => certificate))
      for (const [link, certificate] of shown)
        if (gone.has(certificate)) link.close('policy', 'the client certificate is not accepted any more')
    } catch (error) {
      log.info({ reason: errorText(error) }, 'client certificates of open links could not be looked at')
    }
  }
}

/** Returns true for an error of ws about frames that violate RFC 6455; other errors are errors of the connection. */
function isFrameError(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('WS_ERR_')
}
