import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import { WebSocket } from 'ws'
import type { DeviceIdentity } from '../../src/domain/index.ts'
import {
  Codec,
  type GetResp,
  type Msg,
  type Notify,
  type RecordBody,
  requestMsg,
  responseMsg,
} from '../../src/usp/wire/index.ts'

export type RequestOf<N> = Extract<Msg, { kind: 'request'; name: N }>
export type AnyRequest = Extract<Msg, { kind: 'request' }>
type Outgoing = Parameters<Codec['encodeRecord']>[0]['body']

const codec = new Codec()

/** The Controller refused the upgrade with this HTTP status. */
export class RefusedHandshake extends Error {
  readonly status: number
  constructor(status: number) {
    super(`the handshake was refused with ${status}`)
    this.status = status
  }
}

/** One Agent as TR-369 has it, on a socket of its own: it does what the test says, and nothing else. */
export class RawAgent {
  readonly socket: WebSocket
  readonly endpointId: string
  readonly controllerId: string
  /** Every Message that came, in order. */
  readonly inbox: Msg[] = []
  /** Record bodies that carry no Message. */
  readonly records: RecordBody[] = []
  /** Answers requests by itself; undefined leaves one to the test. */
  answer: (request: AnyRequest) => Msg | undefined = () => undefined
  readonly #arrivals = new EventEmitter()
  readonly #untaken: Msg[] = []
  #nextId = 0

  constructor(socket: WebSocket, endpointId: string, controllerId: string) {
    this.socket = socket
    this.endpointId = endpointId
    this.controllerId = controllerId
    socket.on('message', (data: Buffer) => this.#onRecord(data))
    socket.on('close', () => this.#arrivals.emit('record'))
    socket.on('error', () => undefined)
  }

  /** `eid` is what the query says; '' says nothing. With `tls` over TLS. */
  static async connect(
    port: number,
    eid: string,
    controllerId: string,
    endpointId = eid,
    tls?: SecureContextOptions,
    path = '/usp',
  ): Promise<RawAgent> {
    const query = eid === '' ? '' : `?eid=${encodeURIComponent(eid)}`
    const url = `${tls === undefined ? 'ws' : 'wss'}://localhost:${port}${path}${query}`
    const socket = new WebSocket(url, 'v1.usp', { perMessageDeflate: false, ...tls })
    const agent = new RawAgent(socket, endpointId, controllerId)
    const refused = once(socket, 'unexpected-response').then(([, response]) => {
      throw new RefusedHandshake(Number((response as IncomingMessage).statusCode))
    })
    await Promise.race([once(socket, 'open'), refused])
    refused.catch(() => undefined)
    return agent
  }

  /** Answers what a Controller asks of an Agent that comes, as a device of this identity; `over` goes first. */
  serve(identity: DeviceIdentity, over: (request: AnyRequest) => Msg | undefined = () => undefined): void {
    this.answer = (request) => over(request) ?? onboardingAnswer(request, identity)
  }

  #onRecord(data: Buffer): void {
    const record = codec.decodeRecord(data)
    if (record.toId !== this.endpointId || record.fromId !== this.controllerId) throw new Error('a Record for another')
    if (record.body.kind === 'noSession') {
      const msg = codec.decodeMsg(record.body.payload)
      this.inbox.push(msg)
      const answer = msg.kind === 'request' ? this.answer(msg) : undefined
      if (answer !== undefined) this.send(answer)
      else this.#untaken.push(msg)
    } else this.records.push(record.body)
    this.#arrivals.emit('record')
  }

  send(msg: Msg, over: { toId?: string; fromId?: string } = {}): void {
    this.sendBody({ kind: 'noSession', payload: codec.encodeMsg(msg) }, over)
  }

  sendBody(body: Outgoing, { toId = this.controllerId, fromId = this.endpointId } = {}): void {
    this.sendBytes(codec.encodeRecord({ toId, fromId, body }))
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.send(bytes)
  }

  /** The connect record, with which an Agent begins. */
  hello(): void {
    this.sendBody({ kind: 'websocketConnect' })
  }

  /** Sends a Notify; answers its msg_id. */
  notify(notify: Notify, msgId = `a${++this.#nextId}`): string {
    this.send(requestMsg(msgId, 'notify', notify))
    return msgId
  }

  onBoard({ oui, productClass, serial }: DeviceIdentity, msgId?: string): string {
    const on_board_req = {
      oui,
      product_class: productClass,
      serial_number: serial,
      agent_supported_protocol_versions: '1.4',
    }
    return this.notify({ subscription_id: '', send_resp: true, on_board_req }, msgId)
  }

  /** The next Message that the test has not taken and that fits. */
  async take(fits: (msg: Msg) => boolean = () => true): Promise<Msg> {
    for (;;) {
      const at = this.#untaken.findIndex(fits)
      const [msg] = at < 0 ? [] : this.#untaken.splice(at, 1)
      if (msg !== undefined) return msg
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the link is closed')
      await once(this.#arrivals, 'record')
    }
  }

  takeReply(msgId: string): Promise<Msg> {
    return this.take((msg) => msg.kind !== 'request' && msg.msgId === msgId)
  }

  async takeRequest<N extends AnyRequest['name']>(name: N): Promise<RequestOf<N>> {
    return (await this.take((msg) => msg.kind === 'request' && msg.name === name)) as RequestOf<N>
  }

  async takeRecord(): Promise<RecordBody> {
    for (;;) {
      const record = this.records.shift()
      if (record !== undefined) return record
      await once(this.#arrivals, 'record')
    }
  }

  /** The Controller has read everything sent so far: it answers in order what it does not support. */
  async heard(): Promise<void> {
    const msgId = `heard${++this.#nextId}`
    this.send(requestMsg(msgId, 'register', { allow_partial: false, reg_paths: [] }))
    await this.takeReply(msgId)
  }

  /**
   * Resolves when the Controller has read the answers to everything that it has sent so far, or the link is closed. Two
   * pings do it, because each side reads in order: the first brings what was sent, the second follows the answers.
   */
  async answersRead(): Promise<void> {
    const { socket } = this
    for (let i = 0; i < 2 && socket.readyState === WebSocket.OPEN; i++)
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off('pong', done).off('close', done)
          resolve()
        }
        socket.on('pong', done).on('close', done)
        socket.ping()
      })
  }

  get notifyResps(): string[] {
    return this.inbox.flatMap((msg) => (msg.kind === 'response' && msg.name === 'notify_resp' ? [msg.msgId] : []))
  }

  async closed(): Promise<number> {
    const [code] = await once(this.socket, 'close')
    return Number(code)
  }
}

/** A GetResp with one value per path. */
export function values(values: Record<string, string>): GetResp {
  return {
    req_path_results: Object.entries(values).map(([path, value]) => {
      const dot = path.lastIndexOf('.') + 1
      const resolved = { resolved_path: path.slice(0, dot), result_params: { [path.slice(dot)]: value } }
      return { requested_path: path, err_code: 0, err_msg: '', resolved_path_results: [resolved] }
    }),
  }
}

/** A GetResp to a Get of an object, with values below it. */
export function valuesOf(requested_path: string, below: Record<string, string>): GetResp {
  const resolved_path_results = values(below).req_path_results.flatMap((result) => result.resolved_path_results)
  return { req_path_results: [{ requested_path, err_code: 0, err_msg: '', resolved_path_results }] }
}

/** The Endpoint ID in the expression by which a Controller looks for its own row. */
const OWN_ROW = /^Device\.LocalAgent\.Controller\.\[EndpointID=="([^"]+)"\]\.$/

function onboardingAnswer({ msgId, name, body }: AnyRequest, identity: DeviceIdentity): Msg | undefined {
  switch (name) {
    case 'get': {
      const req_path_results = body.param_paths.some((path) => path.startsWith('Device.DeviceInfo.'))
        ? values({
            'Device.DeviceInfo.ManufacturerOUI': identity.oui,
            'Device.DeviceInfo.ProductClass': identity.productClass,
            'Device.DeviceInfo.SerialNumber': identity.serial,
            'Device.DeviceInfo.SoftwareVersion': '1.0',
          }).req_path_results
        : []
      const own = body.param_paths.map((path) => OWN_ROW.exec(path)?.[1]).find((eid) => eid !== undefined)
      if (own !== undefined)
        req_path_results.push(...values({ 'Device.LocalAgent.Controller.1.EndpointID': own }).req_path_results)
      return responseMsg(msgId, 'get_resp', { req_path_results })
    }
    case 'get_supported_protocol':
      return responseMsg(msgId, 'get_supported_protocol_resp', { agent_supported_protocol_versions: '1.4' })
    case 'get_supported_dm':
      return responseMsg(msgId, 'get_supported_dm_resp', { req_obj_results: [] })
    case 'add':
      return responseMsg(msgId, 'add_resp', { created_obj_results: [] })
    case 'set':
      return responseMsg(msgId, 'set_resp', { updated_obj_results: [] })
    default:
      return undefined
  }
}
