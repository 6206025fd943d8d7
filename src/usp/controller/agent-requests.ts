import { type Clock, ProtocolError, TransportError } from '../../base/index.ts'
import {
  type ErrorBody,
  type Msg,
  type RequestName,
  type Requests,
  type ResponseNameOf,
  type Responses,
  requestMsg,
} from '../wire/index.ts'

/** The answer of an Agent to a request: its Response, or its Error. */
export type Reply<N extends RequestName> =
  | { ok: true; body: Responses[ResponseNameOf<N>] }
  | { ok: false; error: ErrorBody }

/** Bounds of the wait for one answer. */
export interface RequestOptions {
  timeoutMs?: number
  /** Aborted when the caller gives up: a request that was not sent yet is then not sent. */
  signal?: AbortSignal
}

interface AgentRequestsDeps {
  /** Beginning of the msg_ids; different for every link of every server process. */
  id: string
  clock: Clock
  /** Sends a Message; false when the link does not take it. */
  send(msg: Msg): boolean
  /** The number of requests without an answer has changed. */
  onOutstanding(): void
  /** A request had no answer in time. */
  onTimeout?(): void
}

interface Outstanding {
  name: RequestName
  resolve(reply: { ok: true; body: unknown } | { ok: false; error: ErrorBody }): void
  reject(error: unknown): void
}

/** TR-369 gives Controllers no time limit for an answer; Agents use this one for their brokers. */
const REQUEST_TIMEOUT_MS = 30_000
const MAX_QUEUED = 256
/** The code of a Message with too many fields (resources exceeded). */
const TOO_LARGE = '7005'
const READS: readonly RequestName[] = ['get', 'get_instances', 'get_supported_dm', 'get_supported_protocol']

/** Sends requests to one Agent, one at a time and in order, and finds the request that an answer belongs to. */
export class AgentRequests {
  readonly #deps: AgentRequestsDeps
  #nextId = 0
  #tail: Promise<unknown> = Promise.resolve()
  #queued = 0
  #outstanding: Map<string, Outstanding> | undefined
  #ended = false

  constructor(deps: AgentRequestsDeps) {
    this.#deps = deps
  }

  /** True while a request has no answer. */
  get hasOutstanding(): boolean {
    return (this.#outstanding?.size ?? 0) > 0
  }

  /**
   * Sends a request when those before it are answered. Rejects with TransportError `sent: false` when it was not sent,
   * `sent: true` when the link ended, the time ran out or the caller gave up before the answer. A late answer is
   * ignored: it must not pass for that of a newer request.
   */
  request<N extends RequestName>(name: N, body: Requests[N], options: RequestOptions = {}): Promise<Reply<N>> {
    if (this.#queued >= MAX_QUEUED)
      return Promise.reject(new TransportError('busy', 'too many requests wait for this Agent', { sent: false }))
    this.#queued++
    let isSent = false
    const run = this.#tail.then(() => {
      // The caller has judged the outcome already: a request that is sent now would have an effect that nothing
      // records.
      if (options.signal?.aborted === true) throw givenUp(name, false)
      isSent = true
      return this.exchange(name, body, options)
    })
    this.#tail = run.catch(() => undefined).finally(() => this.#queued--)
    const { signal } = options
    if (signal === undefined) return run
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (!isSent) reject(givenUp(name, false))
      }
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      run.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  /** Sends a request at once, beside those that wait; otherwise as `request`. */
  exchange<N extends RequestName>(name: N, body: Requests[N], options: RequestOptions): Promise<Reply<N>> {
    const { clock, id, send, onOutstanding, onTimeout } = this.#deps
    const { timeoutMs = REQUEST_TIMEOUT_MS, signal } = options
    // Never a msg_id of an earlier link: an Agent that still works on that request ignores a second one with its msg_id
    // (R-MSG.4).
    const msgId = `${id}.${++this.#nextId}`
    if (this.#ended || !send(requestMsg(msgId, name, body)))
      return Promise.reject(
        new TransportError('linkGone', 'the USP link has ended', { sent: false, context: { request: name } }),
      )
    return new Promise<Reply<N>>((resolve, reject) => {
      const end = (error: unknown) => {
        const waiting = this.#outstanding?.get(msgId)
        this.#outstanding?.delete(msgId)
        waiting?.reject(error)
      }
      const onAbort = () => {
        end(givenUp(name, true))
        // The caller has waited for its own time limit.
        if (signal?.reason instanceof TransportError && signal.reason.code === 'timeout') onTimeout?.()
      }
      const cancel = clock.after(timeoutMs, () => {
        const context = { request: name, msgId }
        end(new TransportError('timeout', `no answer to ${name} within ${timeoutMs / 1000} s`, { sent: true, context }))
        onTimeout?.()
      })
      const release = () => {
        cancel()
        onOutstanding()
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#outstanding ??= new Map()
      this.#outstanding.set(msgId, {
        name,
        resolve: (reply) => {
          release()
          // Name and body belong together: `answered` compares both.
          resolve(reply as Reply<N>)
        },
        reject: (error) => {
          release()
          reject(error)
        },
      })
      onOutstanding()
    })
  }

  /** Gives a Response or Error to the request that it answers; false when no request waits for its msg_id. */
  answered(msg: Exclude<Msg, { kind: 'request' }>): boolean {
    const waiting = this.#outstanding?.get(msg.msgId)
    if (waiting === undefined) return false
    this.#outstanding?.delete(msg.msgId)
    if (msg.kind === 'error') waiting.resolve({ ok: false, error: msg.body })
    else if (msg.name === `${waiting.name}_resp`) waiting.resolve({ ok: true, body: msg.body })
    else waiting.reject(new ProtocolError('wrongAnswer', `asked ${waiting.name}, got ${msg.name}`))
    return true
  }

  /**
   * Ends the request whose answer cannot be read; false when no request waits for its msg_id. A read whose answer is
   * too large is refused as the Agent itself would have done, so that the reader asks for less; what a write did is not
   * known.
   */
  unreadable(msgId: string, { code, message }: ProtocolError): boolean {
    const waiting = this.#outstanding?.get(msgId)
    if (waiting === undefined) return false
    this.#outstanding?.delete(msgId)
    const { name } = waiting
    const text = `the answer to ${name} ${code === TOO_LARGE ? 'is too large to be read' : 'cannot be read'}: ${message}`
    if (code === TOO_LARGE && READS.includes(name))
      waiting.resolve({ ok: false, error: { err_code: Number(TOO_LARGE), err_msg: text, param_errs: [] } })
    else waiting.reject(new ProtocolError('unreadableAnswer', text, { context: { request: name } }))
    return true
  }

  /** The link has ended: requests without an answer reject, and no other one is sent. */
  end(): void {
    this.#ended = true
    for (const { name, reject } of this.#outstanding?.values() ?? []) {
      const context = { request: name }
      reject(new TransportError('linkGone', 'the USP link ended before the answer', { sent: true, context }))
    }
    this.#outstanding = undefined
  }
}

function givenUp(request: RequestName, sent: boolean): TransportError {
  return new TransportError('givenUp', `${request} was given up`, { sent, context: { request } })
}
