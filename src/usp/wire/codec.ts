import { ProtocolError } from '../../base/index.ts'
import { hasMoreFields } from './fields.ts'
import {
  type ErrorBody,
  MSG_TYPES,
  type Msg,
  type RequestName,
  type Requests,
  type ResponseName,
  type Responses,
} from './messages.ts'
import { outlineOf } from './outline.ts'
import { loadWireTypes, type MessageType, type WireTypes } from './protobuf.ts'

/** The Records with which an Agent opens an MTP (R-MTP.8), one for each MTP of the standard. */
const CONNECT_KINDS = ['websocketConnect', 'mqttConnect', 'stompConnect', 'udsConnect'] as const
export type ConnectKind = (typeof CONNECT_KINDS)[number]

/** The body of a Record (TR-369 4.1). Session context is recognised and not supported: it is answered with 7106. */
export type RecordBody =
  | { kind: 'noSession'; payload: Uint8Array }
  | { kind: ConnectKind }
  | { kind: 'disconnect'; reason: string; reasonCode: number }
  | { kind: 'session' }

export interface UspRecord {
  version: string
  toId: string
  fromId: string
  /** True for TLS12, which is legal with a session context only. */
  secured: boolean
  body: RecordBody
}

/** The version that we write into our Records. */
const USP_VERSION = '1.4'
/** The versions for GetSupportedProtocol. */
export const SUPPORTED_VERSIONS = '1.0,1.1,1.2,1.3,1.4'

/** Encodes and decodes Records and Messages. One per process is enough; it keeps no state. */
export class Codec {
  readonly #types: WireTypes

  constructor(types: WireTypes = loadWireTypes()) {
    this.#types = types
  }

  /** ProtocolError 7100: no Record, or one with too many fields. 7104: a mandatory field is missing. */
  decodeRecord(bytes: Uint8Array): UspRecord {
    const raw = decode(this.#types.record, bytes, '7100')
    const record = {
      version: text(raw.version),
      toId: text(raw.to_id),
      fromId: text(raw.from_id),
      secured: raw.payload_security === 1,
    }
    if (record.fromId === '' || record.fromId.length > 256)
      throw new ProtocolError('7104', 'from_id is missing or too long')
    if (raw.payload_security !== 0 && raw.payload_security !== 1)
      throw new ProtocolError('7104', 'payload_security is neither PLAINTEXT nor TLS12')
    return { ...record, body: recordBody(raw) }
  }

  encodeRecord(record: {
    toId: string
    fromId: string
    body: Exclude<RecordBody, { kind: 'session' | ConnectKind }> | { kind: 'websocketConnect' }
  }): Uint8Array {
    const raw: Record<string, unknown> = { version: USP_VERSION, to_id: record.toId, from_id: record.fromId }
    const { body } = record
    if (body.kind === 'noSession') raw.no_session_context = { payload: body.payload }
    else if (body.kind === 'websocketConnect') raw.websocket_connect = {}
    else raw.disconnect = { reason: body.reason, reason_code: body.reasonCode }
    return this.#types.record.encode(raw).finish()
  }

  /**
   * ProtocolError 7005: too many fields. 7001: a request that nobody knows. 7004: anything else. Its context has the
   * msg_id of a request, which an Error can answer, as `msgId`, and that of a Response or Error, whose request waits
   * for it, as `answers`.
   */
  decodeMsg(bytes: Uint8Array): Msg {
    let raw: Raw
    try {
      raw = decode(this.#types.msg, bytes, '7004', '7005')
    } catch (error) {
      throw error instanceof ProtocolError ? withMsgId(error, bytes) : error
    }
    const header = raw.header as Raw | null
    const msgId = text(header?.msg_id)
    if (msgId === '' || msgId.length > 256) throw new ProtocolError('7004', 'msg_id is missing or too long')
    const body = raw.body as Raw | null
    const refuse = (why: string, code = '7004') => new ProtocolError(code, why, { context: { msgId } })
    if (body === null) throw refuse('the Message has no Body')
    const error = body.error
    if (error !== undefined) return { msgId, kind: 'error', body: error as ErrorBody }
    const group = (body.request ?? body.response) as Raw | undefined
    if (group === undefined) throw refuse('the Body is empty')
    const kind = body.request === undefined ? 'response' : 'request'
    for (const name of Object.keys(group)) {
      if (!(name in MSG_TYPES)) continue
      if (kind === 'request' && name === 'notify') checkNotify(group[name] as Raw, refuse)
      if (kind === 'response') addStatus(group[name] as Raw)
      return { msgId, kind, name, body: group[name] } as Msg
    }
    // A Response gets no answer, so that its error goes to the log, and to the request that waits for it.
    if (kind === 'response') throw new ProtocolError('7004', 'the response is empty', { context: { answers: msgId } })
    if (outlineOf(bytes).isEmpty) throw refuse('the request is empty')
    throw refuse('Message not supported', '7001')
  }

  encodeMsg(msg: Msg): Uint8Array {
    const name = msg.kind === 'error' ? 'error' : msg.name
    const body = msg.kind === 'error' ? { error: msg.body } : { [msg.kind]: { [msg.name]: msg.body } }
    return this.#types.msg.encode({ header: { msg_id: msg.msgId, msg_type: MSG_TYPES[name] }, body }).finish()
  }

  /** Returns true for a Message that `decodeMsg` of the other side takes, as far as its size goes. */
  isReadable(payload: Uint8Array): boolean {
    return payload.length <= MAX_PAYLOAD && !hasMoreFields(this.#types.msg, payload, MAX_FIELDS)
  }

  /** A Message in a Record without session context, ready for the MTP. */
  encode(toId: string, fromId: string, msg: Msg): Uint8Array {
    return this.encodeRecord({ toId, fromId, body: { kind: 'noSession', payload: this.encodeMsg(msg) } })
  }
}

/** A request Message. */
export function requestMsg<N extends RequestName>(msgId: string, name: N, body: Requests[N]): Msg {
  // Name and body belong together by the signature.
  return { msgId, kind: 'request', name, body } as Msg
}

/** A response Message. */
export function responseMsg<N extends ResponseName>(msgId: string, name: N, body: Responses[N]): Msg {
  return { msgId, kind: 'response', name, body } as Msg
}

type Raw = { [field: string]: unknown }

/** Fields of one Record or Message: for some 30,000 parameters with their values; no tree of an Agent has as many. */
const MAX_FIELDS = 100_000

/** Bytes of a Message: with its Record, it is below the 16 MB that an MTP takes. */
const MAX_PAYLOAD = 16 * 1024 * 1024 - 4096

function decode(type: MessageType, bytes: Uint8Array, code: string, tooLarge = code): Raw {
  if (hasMoreFields(type, bytes, MAX_FIELDS))
    throw new ProtocolError(tooLarge, `${type.name} has more than ${MAX_FIELDS} fields`)
  try {
    const message = type.decode(bytes)
    return type.toObject(message, { defaults: true, longs: String, enums: Number }) as Raw
  } catch (cause) {
    throw new ProtocolError(code, `${type.name} cannot be decoded`, { cause })
  }
}

/** Returns the error of a Message that is not decoded with its msg_id, as far as the bytes tell it. */
function withMsgId({ code, message, cause }: ProtocolError, bytes: Uint8Array): ProtocolError {
  const { msgId, kind } = outlineOf(bytes)
  if (msgId === '' || kind === undefined) return new ProtocolError(code, message, { cause })
  return new ProtocolError(code, message, { cause, context: kind === 'request' ? { msgId } : { answers: msgId } })
}

function recordBody(raw: Raw): RecordBody {
  const payload = (raw.no_session_context as Raw | undefined)?.payload
  if (raw.no_session_context !== undefined) {
    if (!(payload instanceof Uint8Array) || payload.length === 0)
      throw new ProtocolError('7104', 'the payload is empty')
    return { kind: 'noSession', payload }
  }
  if (raw.websocket_connect !== undefined) return { kind: 'websocketConnect' }
  if (raw.session_context !== undefined) return { kind: 'session' }
  const disconnect = raw.disconnect as Raw | undefined
  if (disconnect !== undefined)
    return { kind: 'disconnect', reason: text(disconnect.reason), reasonCode: Number(disconnect.reason_code ?? 0) }
  if (raw.mqtt_connect !== undefined) return { kind: 'mqttConnect' }
  if (raw.stomp_connect !== undefined) return { kind: 'stompConnect' }
  if (raw.uds_connect !== undefined) return { kind: 'udsConnect' }
  throw new ProtocolError('7104', 'the Record has no record_type')
}

function checkNotify(notify: Raw, refuse: (why: string) => ProtocolError): void {
  const variants = ['event', 'value_change', 'obj_creation', 'obj_deletion', 'oper_complete', 'on_board_req'].filter(
    (name) => notify[name] !== undefined,
  )
  if (variants.length !== 1) throw refuse('the Notify has no notification')
}

/** Gives each result of a Response the status that its type has, where the Agent leaves it out: it then says nothing. */
function addStatus(body: Raw): void {
  for (const results of Object.values(body)) {
    if (!Array.isArray(results)) continue
    for (const result of results as Raw[]) if (result.oper_status === null) result.oper_status = {}
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
