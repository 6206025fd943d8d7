import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'

export interface WireAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface Login {
  username: string
  password: string
}

/** One TCP connection of a CPE made by hand, and nothing else: cookies and credentials are the caller's. */
export class CpeWire {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(port: number) {
    this.#port = port
  }

  /** A POST; '' is the empty one, without Content-Type and SOAPAction. */
  post(body: string, headers: Record<string, string> = {}): Promise<WireAnswer> {
    const soap = body === '' ? {} : { 'content-type': 'text/xml; charset="utf-8"', soapaction: '' }
    const length = { 'content-length': String(Buffer.byteLength(body)) }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          method: 'POST',
          path: '/',
          agent: this.#agent,
          headers: { ...soap, ...length, ...headers },
        },
        (incoming) => {
          let text = ''
          incoming.setEncoding('utf8')
          incoming.on('data', (chunk: string) => {
            text += chunk
          })
          incoming.on('error', reject)
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The Cookie header for what a session's answer set. */
export function cookieOf(answer: WireAnswer): { cookie: string } {
  return { cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' }
}

/** The Authorization header that answers a 401. */
export function digestFor(answer: WireAnswer, { username, password }: Login, nc = 1): { authorization: string } {
  const challenge = answer.headers['www-authenticate'] ?? ''
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  const [realm, nonce] = [field('realm'), field('nonce')]
  const count = nc.toString(16).padStart(8, '0')
  const proof = md5(`${md5(`${username}:${realm}:${password}`)}:${nonce}:${count}:0a4f113b:auth:${md5('POST:/')}`)
  const fields = `username="${username}", realm="${realm}", nonce="${nonce}", uri="/", qop=auth, nc=${count}`
  return { authorization: `Digest ${fields}, cnonce="0a4f113b", response="${proof}"` }
}

/** An envelope written by hand, with words of it replaced: `{ SERIAL: 'box-1' }`. */
export function vector(name: string, words: Record<string, string> = {}): string {
  let text = readFileSync(join(import.meta.dirname, `../vectors/cwmp/session/${name}.xml`), 'utf8')
  for (const [word, value] of Object.entries(words)) text = text.replaceAll(word, value)
  return text
}
