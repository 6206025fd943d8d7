import { ProtocolError, TransportError, transition } from '../../../base/index.ts'
import type { Device, DeviceId, ParameterWrite } from '../../../domain/index.ts'
import {
  type CwmpEnvelope,
  type CwmpFault,
  encodeEnvelope,
  type RequestOf,
  type ResponseOf,
  type RpcName,
} from '../../wire/index.ts'
import { SESSION_TABLE, type SessionEvent, type SessionState } from './session-state.ts'

/** Sends one HTTP answer: an envelope, or 204 when undefined. Returns false when the connection is gone. */
type Respond = (envelope: string | undefined) => boolean

/** The answer of a CPE to an RPC: its response, or its fault. */
export type Answer<N extends RpcName> = { ok: true; body: ResponseOf<N> } | { ok: false; fault: CwmpFault }

interface Pending {
  name: RpcName
  id: string
  resolve(answer: { ok: true; body: unknown } | { ok: false; fault: CwmpFault }): void
  reject(error: unknown): void
}

/** RPCs in one session at most; the rest runs in the next one. */
const MAX_RPCS = 2000

/**
 * Returns true when the CPE ended a session while a request was out: it was silent, opened another session, or sent an
 * answer that cannot be read.
 */
export function isEndedByCpe(error: unknown): boolean {
  return (
    error instanceof TransportError &&
    ['timeout', 'superseded', 'protocol', 'connection'].includes(error.code) &&
    error.sent
  )
}

/** One CWMP session: whose it is, where it stands, and the one request that is out. */
export class Session {
  readonly cookie: string
  readonly deviceId: DeviceId
  /** The record as it was after this session's Inform. */
  device: Device
  readonly urn: string
  readonly remoteAddress: string
  /** True for a CPE without a credential of its own. */
  readonly isStranger: boolean
  /** Longest silence of the CPE, in milliseconds; max(SessionTimeout, 30 s). */
  readonly idleMs: number
  lastActivityAt: number
  /**
   * The tree in the record, when the Inform of this session made that and nothing else has brought values into it;
   * else undefined.
   */
  made: readonly ParameterWrite[] | undefined
  /** It began without a login, which the policy allowed. */
  isOpen = false
  /** Names of the parameters in its Inform. */
  informed: readonly string[] = []
  /** CommandKeys of the transfers that its Inform says have ended, in order. */
  transferKeys: readonly string[] = []
  /** The address at which the CPE has reached this server, as far as it says so. */
  reachedAt: string | undefined
  /** The CPE leaves after the InformResponse and cannot be asked anything (14 HEARTBEAT). */
  leavesAtOnce = false
  /** Requests of the CPE so far. */
  cpeRequests = 0
  #state: SessionState = 'awaitingInform'
  #respond: Respond | undefined
  #pending: Pending | undefined
  #rpcs = 0
  #plainId = false
  #answers = 0
  #ended: AbortController | undefined
  /** Called with each step that the debug log shows; set at that log level only, so that other sessions pay nothing. */
  onStep: ((step: string, fields: Record<string, unknown>) => void) | undefined
  /** Called once, when the session is over. */
  onEnded: (() => void) | undefined

  constructor(options: {
    cookie: string
    device: Device
    urn: string
    remoteAddress: string
    isStranger?: boolean
    idleMs: number
    now: number
  }) {
    this.cookie = options.cookie
    this.deviceId = options.device.id
    this.device = options.device
    this.urn = options.urn
    this.remoteAddress = options.remoteAddress
    this.isStranger = options.isStranger === true
    this.idleMs = options.idleMs
    this.lastActivityAt = options.now
  }

  /** Number of RPCs that the ACS has sent in it. */
  get rpcs(): number {
    return this.#rpcs
  }

  /** Number of these that the CPE has answered, faults included. */
  get answers(): number {
    return this.#answers
  }

  get state(): SessionState {
    return this.#state
  }

  /** Aborts when the session is over. */
  get signal(): AbortSignal {
    this.#ended ??= new AbortController()
    if (this.#state === 'closed') this.#ended.abort()
    return this.#ended.signal
  }

  move(event: SessionEvent): void {
    this.#state = transition('CWMP session', SESSION_TABLE, this.#state, event)
  }

  /** The CPE's POST waits for our answer: from now on we may send one request, or finish. */
  offerTurn(respond: Respond): void {
    this.#respond = respond
  }

  /**
   * Sends one request and resolves with the CPE's answer. TransportError `sent: false` when it could not leave, `sent:
   * true` when the session ended before the answer.
   */
  async call<N extends RpcName>(name: N, body: RequestOf<N>): Promise<Answer<N>> {
    const answer = await this.#ask(name, body)
    if (answer.ok || answer.fault.notUnderstood !== true || this.#plainId) return answer
    // The CPE has not read the request; some refuse an ID with mustUnderstand.
    this.#plainId = true
    return this.#ask(name, body)
  }

  #ask<N extends RpcName>(name: N, body: RequestOf<N>): Promise<Answer<N>> {
    const respond = this.#respond
    if (respond === undefined || this.#state !== 'acsTurn') {
      return Promise.reject(
        new TransportError('sessionOver', 'the CWMP session is over', { sent: false, context: { rpc: name } }),
      )
    }
    if (++this.#rpcs > MAX_RPCS)
      return Promise.reject(
        new TransportError('sessionLimit', `more than ${MAX_RPCS} RPCs in one session`, { sent: false }),
      )
    const id = String(this.#rpcs)
    this.#respond = undefined
    // The name and its body belong together by the signature.
    const message = { kind: 'request', name, body } as Parameters<typeof encodeEnvelope>[2]
    if (!respond(encodeEnvelope(this.urn, this.#plainId ? { id, plainId: true } : { id }, message))) {
      this.drop('connection')
      return Promise.reject(
        new TransportError('connection', 'the CPE closed the connection', { sent: false, context: { rpc: name } }),
      )
    }
    this.move('send')
    this.onStep?.('RPC sent', { rpc: name, id })
    return new Promise((resolve, reject) => {
      this.#pending = { name, id, resolve: resolve as Pending['resolve'], reject }
    })
  }

  /** Takes the next POST of the CPE while an RPC of the ACS is out; `respond` then carries the next answer. */
  answer(envelope: CwmpEnvelope, respond: Respond): void {
    const pending = this.#pending
    if (pending === undefined) throw new ProtocolError('unexpectedAnswer', 'nothing was asked')
    this.#pending = undefined
    this.#answers++
    this.#respond = respond
    this.move('answer')
    const { message } = envelope
    const fault = message.kind === 'fault' ? { fault: message.fault.code } : {}
    this.onStep?.('RPC answered', { rpc: pending.name, id: pending.id, ...fault })
    if (message.kind === 'fault') pending.resolve({ ok: false, fault: message.fault })
    else if (message.kind === 'response' && message.name === pending.name)
      pending.resolve({ ok: true, body: message.body })
    else {
      const got = message.kind === 'unknown' ? message.name : `${message.name} ${message.kind}`
      const cause = message.kind === 'unknown' ? message.error : undefined
      const why = cause === undefined ? '' : `: ${cause.message}`
      pending.reject(new ProtocolError('wrongAnswer', `asked ${pending.name}, got ${got}${why}`, { cause }))
    }
  }

  /** Nothing more to ask: 204, and the session is over. */
  finish(): void {
    const respond = this.#respond
    this.#respond = undefined
    if (this.#state === 'closed') return
    this.move('finish')
    this.onStep?.('session ended', { rpcs: this.#rpcs })
    respond?.(undefined)
    this.#end()
  }

  /**
   * Ends the session at once: superseded, timed out, connection lost. A request that was sent stays unanswered. `detail`
   * is a sentence for the person who waits for it.
   */
  drop(reason: string, detail?: string): void {
    if (this.#state === 'closed') return
    this.#state = transition('CWMP session', SESSION_TABLE, this.#state, 'drop')
    this.onStep?.('session broken off', { reason, rpcs: this.#rpcs })
    const respond = this.#respond
    this.#respond = undefined
    respond?.(undefined)
    const pending = this.#pending
    this.#pending = undefined
    pending?.reject(
      new TransportError(reason, `the CWMP session ended (${detail ?? reason}) before the answer`, {
        sent: true,
        context: { rpc: pending.name },
      }),
    )
    this.#end()
  }

  #end(): void {
    // Most sessions end with nothing to do: an abort signal that no caller uses is not made.
    this.#ended?.abort()
    this.onEnded?.()
  }
}
