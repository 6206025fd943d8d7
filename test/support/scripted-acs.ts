import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'

/** One POST of a CPE. */
export interface CpePost {
  path: string
  headers: IncomingHttpHeaders
  /** Port the CPE came from: which TCP connection. */
  from: number | undefined
  body: string
  /** Local name of what the Body holds; '' for an empty POST. */
  name: string
  id: string | undefined
}

export interface AcsReply {
  status?: number
  headers?: Record<string, string | string[]>
  body?: string
}

const OPEN =
  '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:n="http://schemas.xmlsoap.org/soap/encoding/" xmlns:d="http://www.w3.org/2001/XMLSchema" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'

/** An envelope as an ACS that is not ours would write it: other prefixes, every namespace its own. */
export function envelope(
  inner: string,
  {
    id,
    header = '',
    urn = 'urn:dslforum-org:cwmp-1-0',
  }: { id?: string | undefined; header?: string; urn?: string } = {},
): string {
  const idElement = id === undefined ? '' : `<c:ID e:mustUnderstand="1">${id}</c:ID>`
  return `${OPEN} xmlns:c="${urn}"><e:Header>${idElement}${header}</e:Header><e:Body>${inner}</e:Body></e:Envelope>`
}

/**
 * An ACS written by hand from TR-069: answers Inform and TransferComplete, asks what a test queues, one request per
 * turn. A test may answer any POST otherwise.
 */
export class ScriptedAcs {
  readonly posts: CpePost[] = []
  /** Inner XML of requests that are asked in the next turns of the ACS. */
  readonly queue: string[] = []
  /** Header elements of the next envelopes, one each. */
  readonly nextHeaders: string[] = []
  urn = 'urn:dslforum-org:cwmp-1-0'
  /** Answers a POST instead of the default; undefined: the default. */
  over: (post: CpePost) => AcsReply | undefined = () => undefined
  readonly #server: Server
  readonly #arrivals = new EventEmitter()
  #nextId = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        const post: CpePost = {
          path: request.url ?? '',
          headers: request.headers,
          from: request.socket.remotePort,
          body,
          name: /<(?:[\w-]+:)?Body>\s*<(?:[\w-]+:)?(\w+)/.exec(body)?.[1] ?? '',
          id: /<(?:[\w-]+:)?ID[^>]*>([^<]*)</.exec(body)?.[1],
        }
        this.posts.push(post)
        this.#reply(post, response)
        this.#arrivals.emit('post')
      })
    })
  }

  static async start(): Promise<ScriptedAcs> {
    const acs = new ScriptedAcs()
    acs.#server.listen(0, '127.0.0.1')
    await once(acs.#server, 'listening')
    return acs
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/acs`
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** The n-th POST (from 0) of this name, waited for. */
  async post(name: string, n = 0): Promise<CpePost> {
    for (;;) {
      const found = this.posts.filter((post) => post.name === name)[n]
      if (found !== undefined) return found
      await once(this.#arrivals, 'post')
    }
  }

  count(name: string): number {
    return this.posts.filter((post) => post.name === name).length
  }

  envelope(inner: string, id: string | undefined): string {
    return envelope(inner, { id, header: this.nextHeaders.shift() ?? '', urn: this.urn })
  }

  #reply(post: CpePost, response: ServerResponse): void {
    const { status = 200, headers = {}, body = '' } = this.over(post) ?? this.#default(post)
    response.writeHead(body === '' && status === 200 ? 204 : status, {
      ...(body === '' ? {} : { 'content-type': 'text/xml; charset=utf-8' }),
      ...headers,
    })
    response.end(body)
  }

  #default({ name, id }: CpePost): AcsReply {
    if (name === 'Inform')
      return { body: this.envelope('<c:InformResponse><MaxEnvelopes>1</MaxEnvelopes></c:InformResponse>', id) }
    if (name === 'TransferComplete') return { body: this.envelope('<c:TransferCompleteResponse/>', id) }
    const next = this.queue.shift()
    return next === undefined ? {} : { body: this.envelope(next, `acs${++this.#nextId}`) }
  }
}

/** Event codes of an Inform, in order. */
export function eventsOf({ body }: CpePost): string[] {
  return [...body.matchAll(/<EventCode>([^<]*)</g)].map((match) => match[1] ?? '')
}

/** Parameters of an Inform or GetParameterValuesResponse. */
export function valuesOf({ body }: CpePost): Record<string, string> {
  return Object.fromEntries(
    [...body.matchAll(/<Name>([^<]*)<\/Name><Value[^>]*>([^<]*)</g)].map((match) => [match[1] ?? '', match[2] ?? '']),
  )
}
