import type { KeyObject } from 'node:crypto'
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { rootCertificates } from 'node:tls'
import { AppError, type AppErrorCode, type Clock, errorText } from '../../base/index.ts'
import { isLoopback } from '../../config/index.ts'
import { signRequest } from '../../security/index.ts'

/** The key that signs requests, and the serial number of its certificate. */
export interface RequestKey {
  keyId: string
  key: KeyObject
}

/** A request to the API of the server. `proof`: the token of a bridge, or the key that signs. */
interface ServerRequest {
  method: 'GET' | 'POST'
  /** Below `/api/v1`, with its query. */
  path: string
  body?: unknown
  proof: { token: string } | RequestKey
}

const TIMEOUT_MS = 30_000
/** Time in which an answer is complete, however it comes. */
const ANSWER_MS = 120_000
const MAX_ANSWER = 16 * 1024 * 1024
/** A clock that is further from that of the server is corrected in signatures. */
const CLOCK_STEP_MS = 30_000

const CODES: Readonly<Record<number, AppErrorCode>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  409: 'conflict',
  413: 'tooLarge',
  429: 'rateLimited',
}

/** The API of a server as a bridge calls it: over HTTPS, or over HTTP to this machine. */
export class ServerClient {
  readonly #base: URL
  readonly #agent: Agent | PlainAgent
  readonly #clock: Pick<Clock, 'now'>
  /** Milliseconds that the clock of the server is ahead, as its answers show. */
  #ahead = 0

  /**
   * `ca`: PEM certificates that are trusted besides those of the system. AppError `invalid` for a URL that is none, or is
   * plain HTTP to another machine: the token would be readable on the way.
   */
  constructor({ url, ca, clock }: { url: string; ca?: string | undefined; clock: Pick<Clock, 'now'> }) {
    this.#base = baseOf(url)
    this.#clock = clock
    const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] }
    const options = { keepAlive: true, maxSockets: 4 }
    this.#agent = this.#base.protocol === 'https:' ? new Agent({ ...options, ...trusted }) : new PlainAgent(options)
  }

  /** Resolves with the body of the answer. AppError with the code of the problem; `unavailable` without an answer. */
  async call(asked: ServerRequest): Promise<unknown> {
    const before = this.#ahead
    try {
      return await this.#send(asked)
    } catch (error) {
      // A signature with a wrong time: the answer showed the right one.
      const isLate = error instanceof AppError && error.code === 'unauthorized' && this.#ahead !== before
      if (!isLate || 'token' in asked.proof) throw error
      return this.#send(asked)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #send({ method, path, body, proof }: ServerRequest): Promise<unknown> {
    const url = new URL(`${this.#base.pathname}api/v1${path}`, this.#base)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const now = this.#clock.now() + this.#ahead
    const parts = { method, path: url.pathname, query: url.search }
    const shown: Record<string, string> =
      'token' in proof ? { authorization: `Bearer ${proof.token}` } : signRequest(parts, { ...proof, body: text, now })
    const headers = {
      ...shown,
      accept: 'application/json',
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    }
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) =>
        reject(
          new AppError('unavailable', `the server at ${this.#base.origin} does not answer: ${errorText(cause)}`, {
            cause,
          }),
        )
      const open = this.#base.protocol === 'https:' ? request : plainRequest
      const asked = open(url, { method, headers, agent: this.#agent, timeout: TIMEOUT_MS })
      const late = setTimeout(
        () => asked.destroy(new Error(`no complete answer within ${ANSWER_MS / 1000} s`)),
        ANSWER_MS,
      )
      asked.on('close', () => clearTimeout(late))
      asked.on('timeout', () => asked.destroy(new Error(`nothing within ${TIMEOUT_MS / 1000} s`)))
      asked.on('error', fail)
      asked.on('response', (response) => {
        this.#compareClocks(response.headers.date)
        read(response).then((answer) => this.#take(response, answer, resolve, reject), fail)
      })
      asked.end(text)
    })
  }

  #take(
    { statusCode = 0 }: IncomingMessage,
    answer: string,
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    let value: unknown
    try {
      value = answer === '' ? undefined : JSON.parse(answer)
    } catch (cause) {
      const text = `the server at ${this.#base.origin} answered ${statusCode} with something that is not JSON`
      return reject(new AppError('unavailable', text, { cause }))
    }
    if (statusCode >= 200 && statusCode < 300) return resolve(value)
    const detail = (value as { detail?: unknown } | undefined)?.detail
    const text = typeof detail === 'string' ? detail.slice(0, 500) : 'without a reason'
    reject(new AppError(CODES[statusCode] ?? 'unavailable', `the server answered ${statusCode}: ${text}`))
  }

  #compareClocks(date: string | undefined): void {
    const theirs = Date.parse(date ?? '')
    if (Number.isNaN(theirs)) return
    const ahead = theirs - this.#clock.now()
    if (Math.abs(ahead - this.#ahead) > CLOCK_STEP_MS) this.#ahead = Math.abs(ahead) > CLOCK_STEP_MS ? ahead : 0
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER) throw new Error(`its answer has more than ${MAX_ANSWER} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new AppError('invalid', `${text} is no address of a server: use https://<host>:<port>`)
  if (url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, '')))
    throw new AppError('invalid', `${url.origin} is not HTTPS: plain HTTP is for a server on this machine alone`)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}
