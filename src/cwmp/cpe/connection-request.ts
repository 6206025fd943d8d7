import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { type Random, randomToken } from '../../base/index.ts'

/** A box's listener for connection requests (TR-069 3.2.2): GET on a random path with Digest; 200 accepted, 401, 503 when busy. */
export class ConnectionRequestListener {
  readonly #random: Random
  readonly #login: () => { username: string; password: string }
  readonly #accept: () => boolean
  readonly #path: string
  #server: Server | undefined
  #nonce: string

  constructor(options: { random: Random; login(): { username: string; password: string }; accept(): boolean }) {
    this.#random = options.random
    this.#login = options.login
    this.#accept = options.accept
    this.#path = `/${randomToken(this.#random, 9)}`
    this.#nonce = randomToken(this.#random, 12)
  }

  /** Starts listening; answers the ConnectionRequestURL. */
  async start(): Promise<string> {
    const server = createServer({ keepAlive: false }, (request, response) => {
      response.setHeader('connection', 'close')
      if (request.method !== 'GET' || request.url !== this.#path) return response.writeHead(404).end()
      if (!this.#proven(request.headers.authorization)) {
        this.#nonce = randomToken(this.#random, 12)
        return response
          .writeHead(401, { 'www-authenticate': `Digest realm="box", qop="auth", nonce="${this.#nonce}"` })
          .end()
      }
      return response.writeHead(this.#accept() ? 200 : 503).end()
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    server.unref()
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${this.#path}`
  }

  stop(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
    this.#server = undefined
  }

  #proven(header: string | undefined): boolean {
    if (header === undefined) return false
    const field = (name: string) =>
      new RegExp(`(?:^|[\\s,])${name}=(?:"([^"]*)"|([^\\s,]+))`)
        .exec(header)
        ?.slice(1)
        .find((value) => value !== undefined) ?? ''
    const { username, password } = this.#login()
    if (field('nonce') !== this.#nonce || field('username') !== username) return false
    const md5 = (text: string) => createHash('md5').update(text).digest('hex')
    const ha1 = md5(`${username}:box:${password}`)
    return (
      field('response') ===
      md5(`${ha1}:${this.#nonce}:${field('nc')}:${field('cnonce')}:auth:${md5(`GET:${this.#path}`)}`)
    )
  }
}
