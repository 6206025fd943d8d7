import { ProtocolError, TransportError } from '../../base/index.ts'
import type { Device } from '../../device/index.ts'
import type { Link } from '../mtp/index.ts'
import {
  type Codec,
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
  timer: NodeJS.Timeout
}

/** No request timeout is defined for Controllers; agents' own brokers use this one. */
const REQUEST_TIMEOUT_MS = 30_000
const MAX_QUEUED = 256

/** What the Controller keeps for one link: whose it is, and the requests to its Agent, one at a time and in order. */
export class AgentLink {
  readonly link: Link
  /** The device, once the Agent is joined to one. */
  device: Device | undefined
  /** Resolves when the arrival under way is decided. */
  arrival: Promise<void> | undefined
  /** When lastSeenAt was last written. */
  touchedAt = 0
  readonly #codec: Codec
  readonly #ownId: string
  #nextId = 0
  #tail: Promise<unknown> = Promise.resolve()
  #queued = 0
  #outstanding: Map<string, Outstanding> | undefined
  #ended: AbortController | undefined
  #closed = false

  constructor(link: Link, codec: Codec, ownId: string) {
    this.link = link
    this.#codec = codec
    this.#ownId = ownId
  }

  get endpointId(): string {
    return this.link.endpointId
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Aborts when the link is gone. */
  get signal(): AbortSignal {
    this.#ended ??= new AbortController()
    if (this.#closed) this.#ended.abort()
    return this.#ended.signal
  }

  /**
   * Sends a request when those before it are answered. TransportError `sent: false` when it did not leave, `sent: true` when the link went or
   * the time ran out before the answer. A late answer is ignored: a Set must not be taken for done by whoever asked next.
   */
  request<N extends RequestName>(name: N, body: Requests[N], timeoutMs = REQUEST_TIMEOUT_MS): Promise<Reply<N>> {
    if (this.#queued >= MAX_QUEUED)
      return Promise.reject(new TransportError('busy', 'too many requests wait for this Agent', { sent: false }))
    this.#queued++
    const run = this.#tail.then(() => this.#exchange(name, body, timeoutMs))
    this.#tail = run.catch(() => undefined).finally(() => this.#queued--)
    return run
  }

  #exchange<N extends RequestName>(name: N, body: Requests[N], timeoutMs: number): Promise<Reply<N>> {
    const msgId = `i${++this.#nextId}`
    if (this.#closed || !this.send(requestMsg(msgId, name, body))) {
      return Promise.reject(
        new TransportError('linkGone', 'the USP link is gone', { sent: false, context: { request: name } }),
      )
    }
    return new Promise<Reply<N>>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#outstanding?.delete(msgId)
        reject(
          new TransportError('timeout', `no answer to ${name} within ${timeoutMs / 1000} s`, {
            sent: true,
            context: { request: name, msgId },
          }),
        )
      }, timeoutMs)
      this.#outstanding ??= new Map()
      this.#outstanding.set(msgId, { name, resolve: resolve as Outstanding['resolve'], reject, timer })
    })
  }

  /** Sends any Message; false when the link does not take it. */
  send(msg: Msg): boolean {
    return this.link.send(this.#codec.encode(this.endpointId, this.#ownId, msg))
  }

  /** Takes a Response or Error; false when nothing with its msg_id is out. */
  settle(msg: Exclude<Msg, { kind: 'request' }>): boolean {
    const waiting = this.#outstanding?.get(msg.msgId)
    if (waiting === undefined) return false
    this.#outstanding?.delete(msg.msgId)
    clearTimeout(waiting.timer)
    if (msg.kind === 'error') waiting.resolve({ ok: false, error: msg.body })
    else if (msg.name === `${waiting.name}_resp`) waiting.resolve({ ok: true, body: msg.body })
    else waiting.reject(new ProtocolError('wrongAnswer', `asked ${waiting.name}, got ${msg.name}`))
    return true
  }

  /** The link is gone: what is out stays unanswered. */
  close(): void {
    this.#closed = true
    for (const waiting of this.#outstanding?.values() ?? []) {
      clearTimeout(waiting.timer)
      waiting.reject(
        new TransportError('linkGone', 'the USP link went before the answer', {
          sent: true,
          context: { request: waiting.name },
        }),
      )
    }
    this.#outstanding = undefined
    this.#ended?.abort()
  }
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
