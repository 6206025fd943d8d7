import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { systemClock, systemRandom } from '../src/base/index.ts'
import { newTlsKey, selfSigned } from '../src/pki/index.ts'
import { Codec } from '../src/usp/index.ts'
import { type WebSocket, WebSocketServer } from '../src/usp/mtp/websocket/ws.ts'
import { type Msg, type Notify, type RequestName, type Requests, requestMsg } from '../src/usp/wire/index.ts'

const codec = new Codec()
const DAY_MS = 86_400_000

/** A USP Controller that asks what it is made to ask, acknowledges each Notify, and keeps nothing. */
export class ControllerLoad {
  readonly endpointId = 'proto::bench'
  /** PEM of its certificate. */
  readonly certificate: string
  onNotify: (endpointId: string, notify: Notify) => void = () => undefined
  readonly #links = new Map<string, WebSocket>()
  readonly #waiting = new Map<string, (msg: Msg) => void>()
  readonly #server
  #sent = 0

  private constructor() {
    const key = newTlsKey()
    const now = systemClock.now()
    const serial = Uint8Array.from([1, ...systemRandom.bytes(8)])
    const dates = { notBefore: now - DAY_MS, notAfter: now + DAY_MS }
    this.certificate = selfSigned({ key, commonName: 'bench', names: ['127.0.0.1', 'localhost'], serial, ...dates })
    this.#server = createServer({ key, cert: this.certificate })
    const sockets = new WebSocketServer({ server: this.#server, perMessageDeflate: false })
    sockets.on('connection', (socket) => {
      socket.on('error', () => socket.terminate())
      socket.on('message', (data: Buffer) => this.#onRecord(socket, data))
    })
  }

  static async start(): Promise<ControllerLoad> {
    const load = new ControllerLoad()
    await new Promise<void>((resolve) => load.#server.listen(0, '127.0.0.1', resolve))
    return load
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Endpoint IDs of the Agents that have a link. */
  get agents(): string[] {
    return [...this.#links.keys()]
  }

  /** Resolves with the answer of an Agent; rejects for an Error. */
  request<N extends RequestName>(endpointId: string, name: N, body: Requests[N]): Promise<Msg> {
    const msgId = `b${++this.#sent}`
    return new Promise((resolve, reject) => {
      this.#waiting.set(msgId, (msg) => {
        if (msg.kind === 'error') reject(new Error(`${endpointId}: ${msg.body.err_code} ${msg.body.err_msg}`))
        else resolve(msg)
      })
      this.#links.get(endpointId)?.send(codec.encode(endpointId, this.endpointId, requestMsg(msgId, name, body)))
    })
  }

  stop(): void {
    for (const link of this.#links.values()) link.terminate()
    this.#server.close()
  }

  #onRecord(socket: WebSocket, data: Buffer): void {
    const { body, fromId } = codec.decodeRecord(data)
    this.#links.set(fromId, socket)
    if (body.kind !== 'noSession') return
    const msg = codec.decodeMsg(body.payload)
    if (msg.kind !== 'request') {
      this.#waiting.get(msg.msgId)?.(msg)
      this.#waiting.delete(msg.msgId)
    } else if (msg.name === 'notify') {
      const { subscription_id } = msg.body
      const answer = { msgId: msg.msgId, kind: 'response', name: 'notify_resp', body: { subscription_id } } as const
      if (msg.body.send_resp) socket.send(codec.encode(fromId, this.endpointId, answer))
      this.onNotify(fromId, msg.body)
    }
  }
}
