import { EventEmitter, once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  Codec,
  type Msg,
  type Notify,
  type RecordBody,
  type RequestName,
  type Requests,
  requestMsg,
  responseMsg,
} from '../../src/usp/wire/index.ts'

const codec = new Codec()

/**
 * A USP Controller on a socket of its own that does what the test says: it acknowledges nothing and asks nothing by
 * itself.
 */
export class ScriptedController {
  readonly endpointId: string
  /** Every Notify that came, in order, with its msg_id. */
  readonly notifies: { msgId: string; notify: Notify }[] = []
  /** Record bodies in order of arrival, over all links. */
  readonly records: RecordBody['kind'][] = []
  readonly connects: IncomingMessage[] = []
  /** Reason codes of disconnect Records, in order. */
  readonly goodbyes: number[] = []
  /** True: notifications that want an answer get one. */
  acknowledge = true
  #socket: WebSocket | undefined
  #agentId = ''
  readonly #server: WebSocketServer
  readonly #arrivals = new EventEmitter().setMaxListeners(0)
  readonly #replies = new Map<string, Msg>()
  #nextId = 0

  private constructor(endpointId: string) {
    this.endpointId = endpointId
    this.#server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'v1.usp' })
    this.#server.on('connection', (socket, request) => {
      this.#socket = socket
      this.connects.push(request)
      socket.on('message', (data: Buffer) => this.#onRecord(data))
      socket.on('close', () => this.#arrivals.emit('any'))
      this.#arrivals.emit('any')
    })
  }

  static async start(endpointId = 'proto::controller'): Promise<ScriptedController> {
    const controller = new ScriptedController(endpointId)
    await once(controller.#server, 'listening')
    return controller
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate()
    this.#server.close()
  }

  /** Cuts the link without a word. */
  cut(): void {
    this.#socket?.terminate()
  }

  sendRecord(body: Parameters<Codec['encodeRecord']>[0]['body'], over: { toId?: string; fromId?: string } = {}): void {
    this.#socket?.send(codec.encodeRecord({ toId: this.#agentId, fromId: this.endpointId, body, ...over }))
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket?.send(bytes)
  }

  /** The Endpoint ID that the Agent last sent. */
  get agentId(): string {
    return this.#agentId
  }

  /** Sends a request; answers its msg_id. */
  request<N extends RequestName>(name: N, body: Requests[N], msgId = `c${++this.#nextId}`): string {
    this.sendRecord({ kind: 'noSession', payload: codec.encodeMsg(requestMsg(msgId, name, body)) })
    return msgId
  }

  /** Sends a request and waits for the answer. */
  async ask<N extends RequestName>(name: N, body: Requests[N]): Promise<Msg> {
    const msgId = this.request(name, body)
    for (;;) {
      const reply = this.#replies.get(msgId)
      if (reply !== undefined) return reply
      await once(this.#arrivals, 'any')
    }
  }

  /** The n-th (from 0) Notify that fits, waited for. */
  async notified(fits: (notify: Notify) => boolean, n = 0): Promise<{ msgId: string; notify: Notify }> {
    for (;;) {
      const found = this.notifies.filter(({ notify }) => fits(notify))[n]
      if (found !== undefined) return found
      await once(this.#arrivals, 'any')
    }
  }

  /** The Agent has come so often, and has said so. */
  async connected(times: number): Promise<void> {
    const greetings = () => this.records.filter((kind) => kind === 'websocketConnect').length
    while (greetings() < times) await once(this.#arrivals, 'any')
  }

  answerNotify(msgId: string, subscriptionId: string): void {
    const msg = responseMsg(msgId, 'notify_resp', { subscription_id: subscriptionId })
    this.sendRecord({ kind: 'noSession', payload: codec.encodeMsg(msg) })
  }

  /** Everything the Agent had to say so far has come: it answers in order. */
  async heard(): Promise<void> {
    await this.ask('get_supported_protocol', { controller_supported_protocol_versions: '1.4' })
  }

  #onRecord(data: Buffer): void {
    const record = codec.decodeRecord(data)
    this.#agentId = record.fromId
    this.records.push(record.body.kind)
    if (record.body.kind === 'disconnect') this.goodbyes.push(record.body.reasonCode)
    if (record.body.kind === 'noSession') {
      const msg = codec.decodeMsg(record.body.payload)
      if (msg.kind === 'request' && msg.name === 'notify') {
        this.notifies.push({ msgId: msg.msgId, notify: msg.body })
        if (this.acknowledge && msg.body.send_resp) this.answerNotify(msg.msgId, msg.body.subscription_id)
      } else this.#replies.set(msg.msgId, msg)
    }
    this.#arrivals.emit('any')
  }
}
