import { type Agent, Agent as HttpAgent, type IncomingMessage, request } from 'node:http'
import { Agent as HttpsAgent, request as requestTls } from 'node:https'
import { rootCertificates } from 'node:tls'
import { TransportError } from '../../base/index.ts'
import { authorize, type Challenge, type Login, readChallenge } from './http-auth.ts'

/** One answer of the ACS. */
export interface AcsAnswer {
  status: number
  contentType: string | undefined
  /** The target of a redirect. */
  location: string | undefined
  body: Buffer
}

interface CpeHttpOptions {
  keepCookies: boolean
  timeoutMs: number
  /** The connections to use; by default the client has one of its own for each session. */
  agent?: Agent
  /** Every request goes over a new TCP connection. */
  newConnections?: boolean
  /** Credentials are sent after a challenge only, each time. */
  authAfter401?: boolean
  /** PEM certificates to trust beside the system's own. */
  trusted?: readonly string[]
}

/** An answer longer than this is not a CWMP message. */
const MAX_BODY = 32 * 1024 * 1024

/**
 * The HTTP side of one CPE: one connection per session, cookies, Digest with a nonce that is used again, one request at
 * a time.
 */
export class CpeHttpClient {
  readonly #options: CpeHttpOptions
  readonly #underWay = new Set<{ destroy(): void }>()
  #own: HttpAgent | undefined
  readonly #cookies = new Map<string, string>()
  #challenge: Challenge | undefined
  #origin = ''

  constructor(options: CpeHttpOptions) {
    this.#options = options
  }

  /** Begins a session: without the cookies of the last one, on a connection of its own. */
  begin(): void {
    this.end()
    this.#cookies.clear()
  }

  /** Ends a session and its connection. */
  end(): void {
    this.#own?.destroy()
    this.#own = undefined
  }

  /**
   * POSTs a body ('' = empty POST) and resolves with the answer; one 401 is answered, a second one is the answer.
   * Rejects with TransportError.
   */
  async post(url: URL, login: Login, body: string): Promise<AcsAnswer> {
    if (url.origin !== this.#origin) {
      // A challenge holds for one server.
      this.#origin = url.origin
      this.#challenge = undefined
      this.#cookies.clear()
      this.end()
    }
    const first = await this.#send(url, login, body)
    if (first.status !== 401) return first
    return this.#send(url, login, body)
  }

  /** Cuts the request under way, as a power cut does. */
  abort(): void {
    for (const outgoing of this.#underWay) outgoing.destroy()
    this.end()
  }

  #connection(tls: boolean): HttpAgent {
    if (this.#options.agent !== undefined) return this.#options.agent
    const { newConnections, trusted = [] } = this.#options
    const options = { keepAlive: newConnections !== true, maxSockets: 1 }
    this.#own ??= tls
      ? new HttpsAgent({ ...options, ...(trusted.length === 0 ? {} : { ca: [...rootCertificates, ...trusted] }) })
      : new HttpAgent(options)
    return this.#own
  }

  #headers(url: URL, login: Login, bytes: Buffer): Record<string, string> {
    const headers: Record<string, string> = { 'content-length': String(bytes.length) }
    if (bytes.length > 0) {
      headers['content-type'] = 'text/xml; charset="utf-8"'
      headers.soapaction = ''
    }
    if (this.#options.newConnections === true) headers.connection = 'close'
    if (this.#cookies.size > 0)
      headers.cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    if (this.#challenge !== undefined) {
      headers.authorization = authorize(this.#challenge, login, 'POST', url.pathname + url.search)
      if (this.#options.authAfter401 === true) this.#challenge = undefined
    }
    return headers
  }

  #send(url: URL, login: Login, body: string): Promise<AcsAnswer> {
    const bytes = Buffer.from(body)
    const tls = url.protocol === 'https:'
    const options = {
      method: 'POST',
      headers: this.#headers(url, login, bytes),
      agent: this.#connection(tls),
      timeout: this.#options.timeoutMs,
    }
    return new Promise((resolve, reject) => {
      const outgoing = (tls ? requestTls : request)(url, options, (incoming) => {
        collect(incoming).then((answer) => {
          this.#learn(incoming, tls)
          resolve(answer)
        }, reject)
      })
      this.#underWay.add(outgoing)
      outgoing.on('timeout', () => outgoing.destroy(new Error('the ACS did not answer in time')))
      outgoing.on('error', (cause) =>
        reject(new TransportError('acs', `the ACS was not reached: ${cause.message}`, { cause })),
      )
      outgoing.on('close', () => this.#underWay.delete(outgoing))
      outgoing.end(bytes)
    })
  }

  #learn(incoming: IncomingMessage, tls: boolean): void {
    if (this.#options.keepCookies) {
      for (const header of incoming.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^\s*([^=;\s]+)\s*=\s*([^;]*)/.exec(header) ?? []
        if (name !== '') this.#cookies.set(name, value.trim())
      }
    }
    if (incoming.statusCode !== 401) return
    const challenge = readChallenge(incoming.headers['www-authenticate'])
    // A password in clear text goes over TLS only (TR-069 3.4.4).
    this.#challenge = challenge?.scheme === 'basic' && !tls ? undefined : challenge
  }
}

function collect(incoming: IncomingMessage): Promise<AcsAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > MAX_BODY) incoming.destroy(new TransportError('acs', 'the answer of the ACS has no end'))
      else chunks.push(chunk)
    })
    incoming.on('end', () =>
      resolve({
        status: incoming.statusCode ?? 0,
        contentType: incoming.headers['content-type'],
        location: incoming.headers.location,
        body: Buffer.concat(chunks),
      }),
    )
    incoming.on('error', reject)
    incoming.on('aborted', () => reject(new TransportError('acs', 'the ACS cut its answer off')))
  })
}
