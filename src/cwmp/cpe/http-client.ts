import { createHash } from 'node:crypto'
import { type Agent, type IncomingMessage, request } from 'node:http'
import { TransportError } from '../../base/index.ts'

/** One answer of the ACS. */
export interface AcsAnswer {
  status: number
  contentType: string | undefined
  body: Buffer
}

interface Challenge {
  realm: string
  nonce: string
  qop: boolean
  nc: number
}

/** The HTTP side of one CPE: cookies, Digest with a nonce that is used on (RFC 2617), one request at a time. */
export class CpeHttpClient {
  readonly #agent: Agent
  readonly #keepCookies: boolean
  readonly #timeoutMs: number
  readonly #underWay = new Set<{ destroy(): void }>()
  #cookie = ''
  #challenge: Challenge | undefined

  constructor(options: { agent: Agent; keepCookies: boolean; timeoutMs: number }) {
    this.#agent = options.agent
    this.#keepCookies = options.keepCookies
    this.#timeoutMs = options.timeoutMs
  }

  /** A new session begins without the cookies of the last. */
  begin(): void {
    this.#cookie = ''
  }

  /** POSTs a body ('' = empty POST), answering one challenge. TransportError when there is no answer. */
  async post(url: URL, login: { username: string; password: string }, body: string): Promise<AcsAnswer> {
    const first = await this.#send(url, login, body)
    if (first.status !== 401) return first
    return this.#send(url, login, body)
  }

  /** Cuts whatever is under way, as a power cut does. */
  abort(): void {
    for (const outgoing of this.#underWay) outgoing.destroy()
  }

  #send(url: URL, login: { username: string; password: string }, body: string): Promise<AcsAnswer> {
    const bytes = Buffer.from(body)
    const headers: Record<string, string> = { 'content-length': String(bytes.length) }
    if (bytes.length > 0) {
      headers['content-type'] = 'text/xml; charset="utf-8"'
      headers.soapaction = ''
    }
    if (this.#cookie !== '') headers.cookie = this.#cookie
    if (this.#challenge !== undefined) headers.authorization = this.#authorization(url, login, this.#challenge)
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        { method: 'POST', headers, agent: this.#agent, timeout: this.#timeoutMs },
        (incoming) => {
          collect(incoming).then((answer) => {
            this.#learn(incoming)
            resolve(answer)
          }, reject)
        },
      )
      this.#underWay.add(outgoing)
      outgoing.on('timeout', () => outgoing.destroy(new Error('the ACS did not answer in time')))
      outgoing.on('error', (cause) =>
        reject(new TransportError('acs', `the ACS was not reached: ${cause.message}`, { cause })),
      )
      outgoing.on('close', () => this.#underWay.delete(outgoing))
      outgoing.end(bytes)
    })
  }

  #learn(incoming: IncomingMessage): void {
    const set = incoming.headers['set-cookie']?.[0]?.split(';')[0]
    if (set !== undefined && this.#keepCookies) this.#cookie = set
    const header = incoming.headers['www-authenticate']
    if (incoming.statusCode !== 401 || header === undefined || !/^Digest/i.test(header)) return
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`, 'i').exec(header)?.[1] ?? ''
    this.#challenge = { realm: field('realm'), nonce: field('nonce'), qop: /qop=/i.test(header), nc: 0 }
  }

  #authorization(
    url: URL,
    { username, password }: { username: string; password: string },
    challenge: Challenge,
  ): string {
    const uri = url.pathname + url.search
    const ha1 = md5(`${username}:${challenge.realm}:${password}`)
    const ha2 = md5(`POST:${uri}`)
    const start = `Digest username="${username}", realm="${challenge.realm}", nonce="${challenge.nonce}", uri="${uri}", algorithm=MD5`
    if (!challenge.qop) return `${start}, response="${md5(`${ha1}:${challenge.nonce}:${ha2}`)}"`
    const nc = (++challenge.nc).toString(16).padStart(8, '0')
    const cnonce = md5(`${nc}${challenge.nonce}`).slice(0, 16)
    return `${start}, qop=auth, nc=${nc}, cnonce="${cnonce}", response="${md5(`${ha1}:${challenge.nonce}:${nc}:${cnonce}:auth:${ha2}`)}"`
  }
}

function collect(incoming: IncomingMessage): Promise<AcsAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () =>
      resolve({
        status: incoming.statusCode ?? 0,
        contentType: incoming.headers['content-type'],
        body: Buffer.concat(chunks),
      }),
    )
    incoming.on('error', reject)
    incoming.on('aborted', () => reject(new TransportError('acs', 'the ACS cut its answer off')))
  })
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
