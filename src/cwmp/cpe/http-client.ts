import type { CpeTransport, HttpAnswer } from './cpe-transport.ts'
import { authorize, type Challenge, type Login, readChallenge } from './http-auth.ts'

/** The HTTP client of one CPE: cookies, and Digest with a nonce that is used again, one request at a time. */
export class CpeHttpClient {
  readonly #transport: CpeTransport
  readonly #cookies = new Map<string, string>()
  #challenge: Challenge | undefined
  #origin = ''

  constructor(transport: CpeTransport) {
    this.#transport = transport
  }

  /** Begins a session: without the cookies of the last one, on a connection of its own. */
  begin(): void {
    this.end()
    this.#cookies.clear()
  }

  /** Ends a session and its connection. */
  end(): void {
    this.#transport.end()
  }

  /** Cuts the request under way, as a power cut does. */
  abort(): void {
    this.#transport.abort()
  }

  /**
   * POSTs a body ('' = empty POST) and resolves with the answer; one 401 is answered, a second one is the answer.
   * Rejects with TransportError.
   */
  async post(url: URL, login: Login, body: string): Promise<HttpAnswer> {
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

  async #send(url: URL, login: Login, body: string): Promise<HttpAnswer> {
    const answer = await this.#transport.send({ url, headers: this.#headers(url, login, body), body })
    this.#learn(answer, url.protocol === 'https:')
    return answer
  }

  #headers(url: URL, login: Login, body: string): Record<string, string> {
    const headers: Record<string, string> = {}
    if (body !== '') {
      headers['content-type'] = 'text/xml; charset="utf-8"'
      headers.soapaction = ''
    }
    if (this.#cookies.size > 0)
      headers.cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    if (this.#challenge !== undefined)
      headers.authorization = authorize(this.#challenge, login, 'POST', url.pathname + url.search)
    return headers
  }

  #learn({ status, headers }: HttpAnswer, tls: boolean): void {
    for (const header of headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^\s*([^=;\s]+)\s*=\s*([^;]*)/.exec(header) ?? []
      if (name !== '') this.#cookies.set(name, value.trim())
    }
    if (status !== 401) return
    const challenge = readChallenge(headers['www-authenticate'])
    // A password in clear text goes over TLS only (TR-069 3.4.4).
    this.#challenge = challenge?.scheme === 'basic' && !tls ? undefined : challenge
  }
}
