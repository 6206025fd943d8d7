import { type Clock, ProtocolError, TransportError } from '../../base/index.ts'
import type { Device, DeviceId, DeviceIdentity, LinkEnd } from '../../domain/index.ts'
import type { Link } from '../mtp/index.ts'
import {
  type Codec,
  type ConnectKind,
  type ErrorBody,
  type Msg,
  type RequestName,
  type Requests,
  type ResponseNameOf,
  type Responses,
  requestMsg,
  uspErrorRow,
} from '../wire/index.ts'

/** An Agent's answer to a request: its Response, or its Error. */
export type Reply<N extends RequestName> =
  | { ok: true; body: Responses[ResponseNameOf<N>] }
  | { ok: false; error: ErrorBody }

interface Outstanding {
  name: RequestName
  resolve(reply: { ok: true; body: unknown } | { ok: false; error: ErrorBody }): void
  reject(error: unknown): void
}

/** Bounds of the wait for one answer. */
export interface RequestOptions {
  timeoutMs?: number
  /** Given up: what has not left stays here. */
  signal?: AbortSignal
}

/** No request timeout is defined for Controllers; agents' own brokers use this one. */
const REQUEST_TIMEOUT_MS = 30_000
const MAX_QUEUED = 256

/** The proof that a link belongs to its Endpoint ID: a client certificate, the secret of a device in its path, or nothing. */
export type LinkProof = 'certificate' | 'secret' | 'none'

export interface AgentLinkOptions {
  link: Link
  /** The Record with which an Agent opens the MTP of this link. */
  connectRecord: ConnectKind
  /** Different for every link of every server process. */
  id: string
  codec: Codec
  /** Endpoint ID of the Controller. */
  ownId: string
  clock: Clock
}

/** The state that the Controller keeps for one link: its device, and the requests to its Agent, one at a time and in order. */
export class AgentLink {
  readonly link: Link
  readonly connectRecord: ConnectKind
  /** Different for every link of every server process. */
  readonly id: string
  /** The device, once the Agent is joined to one. */
  device: Device | undefined
  /** The device whose secret the link shows. */
  secretOf: DeviceId | undefined
  /** Records that wait while it is judged whether the Agent that they name is admitted. */
  unnamed: Uint8Array[] | undefined
  /** oui, class and serial of its Device.DeviceInfo. as it showed them last; undefined: not read yet. */
  shown: DeviceIdentity | undefined
  /** It is not let in: its link is closing. */
  refused = false
  /** Resolves when the arrival under way is decided. */
  arrival: Promise<void> | undefined
  /** The same, of an arrival without an OnBoardRequest. */
  joining: Promise<void> | undefined
  /** usp.connectedAt of its device while this link is the device's. */
  connectedAt = 0
  /** When lastSeenAt and lastAnswerAt were last written. */
  touchedAt = 0
  /** Our own row in its Controller table, with the last dot; '' while unknown. */
  ownRow = ''
  /** Onboarding under way. */
  refreshing: Promise<void> | undefined
  /** Onboardings that failed in a row, and when the next one is due; 0: none is. */
  failures = 0
  refreshDueAt = 0
  /** Rows that it notified of and that are to be read; undefined while none are. */
  newRows: Set<string> | undefined
  /** A Record of it was ignored. */
  ignored = false
  /** It was asked for a sign of life. */
  asked = false
  /** Called when a request has no answer in time. */
  onTimeout: (() => void) | undefined
  /** Told of every Message; set only where somebody reads along. */
  onMessage: ((what: 'Message sent' | 'Message received', msg: Msg) => void) | undefined
  /** When its subscriptions were last looked at. */
  subscriptionsAt = 0
  #firmwareTold: string | undefined
  /** msg_ids of notifications of the Agent that are being worked on or wait for that. */
  processing: Set<string> | undefined
  /** True: more came from it than is worked on at once. */
  #full = false
  readonly #codec: Codec
  readonly #ownId: string
  readonly #clock: Clock
  #nextId = 0
  #tail: Promise<unknown> = Promise.resolve()
  #queued = 0
  #outstanding: Map<string, Outstanding> | undefined
  #end: LinkEnd | undefined
  #onGone: (() => void) | undefined
  #gone: Promise<void> | undefined

  /** Returns true once for each version: a Notify and an onboarding may find the same change at the same time. */
  tellsFirmware(version: string | undefined): boolean {
    if (version === undefined || version === this.#firmwareTold) return false
    this.#firmwareTold = version
    return true
  }

  /** The change of firmware could not be stored: it is told again. */
  firmwareNotTold(): void {
    this.#firmwareTold = undefined
  }

  constructor({ link, connectRecord, id, codec, ownId, clock }: AgentLinkOptions) {
    this.link = link
    this.connectRecord = connectRecord
    this.id = id
    this.#codec = codec
    this.#ownId = ownId
    this.#clock = clock
  }

  /** Endpoint ID of the Controller. */
  get ownId(): string {
    return this.#ownId
  }

  get endpointId(): string {
    return this.link.endpointId
  }

  get proof(): LinkProof {
    if (this.link.proof === 'certificate') return 'certificate'
    return this.secretOf === undefined ? 'none' : 'secret'
  }

  get closed(): boolean {
    return this.#end !== undefined
  }

  /** Resolves when the link is gone. */
  get gone(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.#gone ??= new Promise((resolve) => {
      this.#onGone = resolve
    })
    return this.#gone
  }

  /** Why the link ended; `connectionLost` while it stands. */
  get end(): LinkEnd {
    return this.#end ?? 'connectionLost'
  }

  /**
   * Sends a request when those before it are answered. TransportError `sent: false` when it did not leave, `sent: true` when the link went, the
   * time ran out or the caller gave up before the answer. A late answer is ignored: a Set must not be taken for done by whoever asked next.
   */
  request<N extends RequestName>(name: N, body: Requests[N], options: RequestOptions = {}): Promise<Reply<N>> {
    if (this.#queued >= MAX_QUEUED)
      return Promise.reject(new TransportError('busy', 'too many requests wait for this Agent', { sent: false }))
    this.#queued++
    let left = false
    const run = this.#tail.then(() => {
      // Whoever gave up has judged the outcome already: sending it now would do what nobody expects any more.
      if (options.signal?.aborted === true) throw givenUp(name, false)
      left = true
      return this.#exchange(name, body, options)
    })
    this.#tail = run.catch(() => undefined).finally(() => this.#queued--)
    const { signal } = options
    if (signal === undefined) return run
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (!left) reject(givenUp(name, false))
      }
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      run.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  /**
   * Asks for one parameter that every Agent has (TR-181 Device.LocalAgent.EndpointID), beside the requests that wait. Rejects with
   * TransportError when there is no answer; what the answer says does not matter.
   */
  async probe(timeoutMs: number): Promise<void> {
    await this.#exchange('get', { param_paths: ['Device.LocalAgent.EndpointID'], max_depth: 0 }, { timeoutMs })
  }

  #exchange<N extends RequestName>(name: N, body: Requests[N], options: RequestOptions): Promise<Reply<N>> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, signal } = options
    // Never one of an earlier link: its Agent may still be at work on that, would ignore its twin (R-MSG.4) and answer the wrong one.
    const msgId = `${this.id}.${++this.#nextId}`
    if (this.closed || !this.send(requestMsg(msgId, name, body))) {
      return Promise.reject(
        new TransportError('linkGone', 'the USP link is gone', { sent: false, context: { request: name } }),
      )
    }
    return new Promise<Reply<N>>((resolve, reject) => {
      const end = (error: unknown) => {
        const waiting = this.#outstanding?.get(msgId)
        this.#outstanding?.delete(msgId)
        waiting?.reject(error)
      }
      const onAbort = () => {
        end(givenUp(name, true))
        // Whoever gave up had waited long enough.
        if (signal?.reason instanceof TransportError && signal.reason.code === 'timeout') this.onTimeout?.()
      }
      const cancel = this.#clock.after(timeoutMs, () => {
        const context = { request: name, msgId }
        end(new TransportError('timeout', `no answer to ${name} within ${timeoutMs / 1000} s`, { sent: true, context }))
        this.onTimeout?.()
      })
      const release = () => {
        cancel()
        this.#regulate()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#outstanding ??= new Map()
      this.#outstanding.set(msgId, {
        name,
        resolve: (reply) => {
          release()
          // Name and body belong together: settle looks at both.
          resolve(reply as Reply<N>)
        },
        reject: (error) => {
          release()
          reject(error)
        },
      })
      this.#regulate()
    })
  }

  /** Reads no more from the Agent while `full`, but for the answers to requests that are out. */
  holdBack(full: boolean): void {
    this.#full = full
    this.#regulate()
  }

  #regulate(): void {
    // Answers come over the same connection, and what is worked on may wait for one.
    if (this.#full && (this.#outstanding?.size ?? 0) === 0) this.link.pause()
    else this.link.resume()
  }

  /** Sends any Message; false when the link does not take it. */
  send(msg: Msg): boolean {
    this.onMessage?.('Message sent', msg)
    return this.link.send(this.#codec.encode(this.endpointId, this.#ownId, msg))
  }

  /** Takes a Response or Error; false when nothing with its msg_id is out. */
  settle(msg: Exclude<Msg, { kind: 'request' }>): boolean {
    const waiting = this.#outstanding?.get(msg.msgId)
    if (waiting === undefined) return false
    this.#outstanding?.delete(msg.msgId)
    if (msg.kind === 'error') waiting.resolve({ ok: false, error: msg.body })
    else if (msg.name === `${waiting.name}_resp`) waiting.resolve({ ok: true, body: msg.body })
    else waiting.reject(new ProtocolError('wrongAnswer', `asked ${waiting.name}, got ${msg.name}`))
    return true
  }

  /** The link is gone: what is out stays unanswered. */
  close(end: LinkEnd): void {
    this.#end = end
    this.#onGone?.()
    for (const waiting of this.#outstanding?.values() ?? []) {
      waiting.reject(
        new TransportError('linkGone', 'the USP link went before the answer', {
          sent: true,
          context: { request: waiting.name },
        }),
      )
    }
    this.#outstanding = undefined
  }
}

function givenUp(request: RequestName, sent: boolean): TransportError {
  return new TransportError('givenUp', `${request} was given up`, { sent, context: { request } })
}

/** A USP error in the words of operations. */
export function uspError({ err_code, err_msg }: { err_code: number; err_msg: string }): {
  code: string
  text: string
  retryable: boolean
} {
  const row = uspErrorRow(err_code)
  return { code: String(err_code), text: err_msg === '' ? row.text : err_msg.slice(0, 1024), retryable: row.retryable }
}
