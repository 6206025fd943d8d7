import { ProtocolError } from '../../base/index.ts'
import { type CwmpHeader, type CwmpMessage, encodeEnvelope, type RequestOf } from '../wire/index.ts'
import { type AcsEnvelope, readAcsEnvelope } from './acs-messages.ts'
import type { AcsRequest } from './cpe-methods.ts'
import type { HttpAnswer } from './cpe-transport.ts'
import { agreedUrn, type CwmpVersion, supportedVersions, urnOfVersion } from './versions.ts'

type Outgoing = Exclude<CwmpMessage, { kind: 'unknown' }>
type OwnMessage = Extract<CwmpMessage, { kind: 'request' }>

/** A request of the CPE itself; one of the two callbacks is called when the ACS has answered it. */
export interface OwnRequest {
  message: OwnMessage
  answered(): void
  /** The ACS answered with a fault: the session goes on (A.5). */
  refused(code: number): void
}

/** The CPE behind a session. */
export interface SessionHost {
  version: CwmpVersion
  /** Seconds that the ACS is asked to wait; CWMP 1.3 and later. */
  sessionTimeoutS: number | undefined
  post(url: URL, body: string): Promise<HttpAnswer>
  inform(): RequestOf<'Inform'>
  /** The InformResponse has arrived: the events are delivered. */
  informed(): void
  /** Returns the next request of the CPE itself; undefined when there is none. */
  next(): OwnRequest | undefined
  /** Resolves with the answer to one request of the ACS; rejects when the session ends without one. */
  answer(request: AcsRequest): Promise<Outgoing>
}

const MAX_REDIRECTS = 5
const MAX_RETRIES = 5
/** An ACS that sends more is faulty. */
const MAX_MESSAGES = 20_000
const RETRY_REQUEST = 8005

/**
 * One CWMP session on the side of the CPE (TR-069 3.7): Inform, own requests, empty POST, requests of the ACS, its
 * empty answer.
 */
export class CpeSession {
  readonly #host: SessionHost
  #url: URL
  #urn: string
  #nextId = 0
  #redirects = 0
  #retries = 0

  constructor(host: SessionHost, url: URL) {
    this.#host = host
    this.#url = url
    this.#urn = urnOfVersion(host.version)
  }

  /** Resolves when the session has ended by the rules; rejects when it has failed. */
  async run(): Promise<void> {
    let hold = await this.#inform()
    let turnGiven = false
    let outgoing = ''
    for (let sent = 0; sent < MAX_MESSAGES; sent++) {
      const answering = outgoing !== ''
      const own = answering || hold || turnGiven ? undefined : this.#host.next()
      if (!answering && own === undefined && !hold) turnGiven = true
      const id = String(++this.#nextId)
      const answer = await this.#post(own === undefined ? outgoing : this.#encode({ id }, own.message))
      outgoing = ''
      if (answer.body.length === 0) {
        if (own !== undefined) throw new ProtocolError('silent', `the ACS did not answer ${own.message.name}`)
        // An empty answer means HoldRequests false: requests that were held are sent.
        if (turnGiven || this.#host.next() === undefined) return
        hold = false
        continue
      }
      const envelope = readAcsEnvelope(answer.body, answer.headers['content-type'])
      hold = envelope.header.holdRequests ?? false
      if (own !== undefined) this.#takeAnswer(own, id, envelope)
      else outgoing = await this.#answer(envelope)
    }
    throw new ProtocolError('endless', 'the ACS has no end')
  }

  /** Resolves with true when the ACS holds requests. */
  async #inform(): Promise<boolean> {
    const { version, sessionTimeoutS } = this.#host
    const header: CwmpHeader = {}
    const versions = supportedVersions(version)
    if (versions !== undefined) header.supportedCwmpVersions = versions
    if (sessionTimeoutS !== undefined && version >= '1.3') header.sessionTimeoutS = sessionTimeoutS
    for (let attempt = 0; attempt <= MAX_RETRIES; attempt++) {
      const id = String(++this.#nextId)
      const message: OwnMessage = { kind: 'request', name: 'Inform', body: this.#host.inform() }
      const answer = await this.#post(this.#encode({ id, ...header }, message))
      if (answer.body.length === 0) throw new ProtocolError('silent', 'the ACS did not answer the Inform')
      const reply = readAcsEnvelope(answer.body, answer.headers['content-type'])
      if (reply.message.kind === 'fault' && reply.message.fault.code === RETRY_REQUEST) continue
      if (reply.message.kind === 'fault')
        throw new ProtocolError('refused', `the ACS answered the Inform with ${reply.message.fault.code}`)
      if (reply.message.kind !== 'response' || reply.message.name !== 'Inform')
        throw new ProtocolError('response', `the ACS answered the Inform with a ${reply.message.kind}`)
      this.#checkId(id, reply)
      this.#urn = agreedUrn(version, { urn: reply.urn, ...reply.header })
      this.#host.informed()
      return reply.header.holdRequests ?? false
    }
    throw new ProtocolError('refused', 'the ACS asked for the Inform again and again')
  }

  #takeAnswer(own: OwnRequest, id: string, envelope: AcsEnvelope): void {
    const { message } = envelope
    if (message.kind === 'fault') {
      // Retry request: it is sent again in the next turn.
      if (message.fault.code === RETRY_REQUEST && ++this.#retries <= MAX_RETRIES) return
      return own.refused(message.fault.code)
    }
    if (message.kind !== 'response' || message.name !== own.message.name)
      throw new ProtocolError('response', `the ACS answered ${own.message.name} with a ${message.kind}`)
    this.#checkId(id, envelope)
    own.answered()
  }

  async #answer({ message, header }: AcsEnvelope): Promise<string> {
    const back: CwmpHeader = header.id === undefined ? {} : { id: header.id }
    switch (message.kind) {
      case 'request':
        return this.#encode(back, await this.#host.answer(message))
      case 'unknown': {
        const [code, text] = message.error === undefined ? [9000, 'Method not supported'] : [9003, 'Invalid arguments']
        return this.#encode(back, { kind: 'fault', fault: { code, text, parameters: [] } })
      }
      default:
        throw new ProtocolError('response', `the ACS sent a ${message.kind} to nothing`)
    }
  }

  /** Throws when a response does not repeat the ID of its request (TR-069 A.3.1). */
  #checkId(id: string, { header }: AcsEnvelope): void {
    if (header.id !== id) throw new ProtocolError('id', `the ACS answered ID ${id} with ${header.id ?? 'none'}`)
  }

  #encode(header: CwmpHeader, message: Outgoing): string {
    return encodeEnvelope(this.#urn, header, message)
  }

  /** Follows redirects; they hold for the rest of the session (TR-069 3.4). */
  async #post(body: string): Promise<HttpAnswer> {
    for (;;) {
      const answer = await this.#host.post(this.#url, body)
      if (answer.status === 302 || answer.status === 307) {
        if (++this.#redirects > MAX_REDIRECTS) throw new ProtocolError('redirect', 'the ACS redirects without end')
        this.#url = this.#redirected(answer.headers.location)
        continue
      }
      this.#redirects = 0
      if (answer.status === 204 || answer.status === 200) return answer
      throw new ProtocolError('status', `the ACS answered ${answer.status} ${answer.body.toString().slice(0, 200)}`)
    }
  }

  #redirected(location: string | undefined): URL {
    if (location === undefined || !URL.canParse(location, this.#url.href))
      throw new ProtocolError('redirect', 'the ACS redirects to nowhere')
    const url = new URL(location, this.#url)
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new ProtocolError('redirect', `the ACS redirects to ${url.protocol}`)
    return url
  }
}
