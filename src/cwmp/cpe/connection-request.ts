import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Clock, type Random, randomToken } from '../../base/index.ts'

/** The address of a listener; it is used again when it is free. */
export interface ListenerAddress {
  port: number
  path: string
}

interface ListenerOptions {
  /** Address to listen on; goes into the ConnectionRequestURL. */
  host: string
  /** Milliseconds that a nonce is valid, and in which MAX_REQUESTS requests are accepted. */
  windowMs: number
  clock: Clock
  random: Random
  login(): { username: string; password: string }
  /** Returns true when a request can be accepted now. */
  accept(): boolean
}

const MAX_NONCES = 16
const MAX_REQUESTS = 60

/**
 * The listener of a CPE for connection requests (TR-069 3.2.2): GET on a random path with Digest. Answers 200 when a
 * request is accepted, 401, and 503 when the CPE is busy or is asked too often. A nonce is valid for some time, and
 * each of its counts once.
 */
export class ConnectionRequestListener {
  readonly #options: ListenerOptions
  readonly #nonces = new Map<string, { until: number; count: number }>()
  #address: ListenerAddress
  #taken: number[] = []
  #server: Server | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#address = { port: 0, path: `/${randomToken(options.random, 9)}` }
  }

  get address(): ListenerAddress {
    return this.#address
  }

  set address(address: ListenerAddress) {
    this.#address = address
  }

  /** Starts to listen, at the last port if it is free. Resolves with the ConnectionRequestURL. */
  async start(): Promise<string> {
    const { host } = this.#options
    const server = createServer({ keepAlive: false }, (request, response) => this.#onRequest(request, response))
    this.#server = server
    const port = await listen(server, host, this.#address.port).catch(() => listen(server, host, 0))
    server.unref()
    this.#address = { ...this.#address, port }
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}${this.#address.path}`
  }

  stop(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
    this.#server = undefined
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('connection', 'close')
    if (request.url !== this.#address.path) return void response.writeHead(404).end()
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end()
    if (!this.#proven(request.headers.authorization)) {
      const challenge = `Digest realm="CPE", qop="auth", nonce="${this.#nonce()}"`
      return void response.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    response.writeHead(this.#mayAsk() && this.#options.accept() ? 200 : 503).end()
  }

  #mayAsk(): boolean {
    const { clock, windowMs } = this.#options
    const now = clock.now()
    this.#taken = this.#taken.filter((at) => at > now - windowMs)
    if (this.#taken.length >= MAX_REQUESTS) return false
    this.#taken.push(now)
    return true
  }

  #nonce(): string {
    const { clock, random, windowMs } = this.#options
    const [oldest] = this.#nonces.keys()
    if (this.#nonces.size >= MAX_NONCES && oldest !== undefined) this.#nonces.delete(oldest)
    const nonce = randomToken(random, 12)
    this.#nonces.set(nonce, { until: clock.now() + windowMs, count: 0 })
    return nonce
  }

  #proven(header: string | undefined): boolean {
    if (header === undefined) return false
    const field = (name: string) => {
      const match = new RegExp(`(?:^|[\\s,])${name}=(?:"([^"]*)"|([^\\s,]+))`).exec(header)
      return match?.[1] ?? match?.[2] ?? ''
    }
    const { username, password } = this.#options.login()
    const known = this.#nonces.get(field('nonce'))
    const count = Number.parseInt(field('nc'), 16)
    const { path } = this.#address
    if (known === undefined || known.until < this.#options.clock.now()) return false
    if (field('username') !== username || field('uri') !== path || !(count > known.count)) return false
    const ha1 = md5(`${username}:CPE:${password}`)
    const expected = md5(
      `${ha1}:${field('nonce')}:${field('nc')}:${field('cnonce')}:${field('qop')}:${md5(`GET:${path}`)}`,
    )
    if (field('qop') !== 'auth' || field('response') !== expected) return false
    known.count = count
    return true
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
