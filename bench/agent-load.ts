import { Codec } from '../src/usp/index.ts'
import { WebSocket } from '../src/usp/mtp/websocket/ws.ts'
import type { Msg, Notify } from '../src/usp/wire/index.ts'

const codec = new Codec()
const OWN_ROW = 'Device.LocalAgent.Controller.1.'
const TABLE = 'Device.LocalAgent.Subscription.'
/** Stands for the msg_id in prepared Records and is replaced in place: as little work on the load's side as can be. */
const PLACEHOLDER = 'n00000000000'
/** The end of a value, which differs every time, because an equal value is not stored again. */
const CHANGING = '.000'

/** The kinds of notifications: an event, a value, or a value that is also a fact of the record. */
export const NOTIFICATIONS = {
  event: { event: { obj_path: 'Device.LocalAgent.', event_name: 'Periodic!', params: {} } },
  value: { value_change: { param_path: 'Device.WiFi.SSID.1.SSID', param_value: 'home.000' } },
  fact: { value_change: { param_path: 'Device.DeviceInfo.ProvisioningCode', param_value: 'res.000' } },
} as const satisfies Record<string, Partial<Notify>>
export type Notification = keyof typeof NOTIFICATIONS

/** An Agent that lets itself be onboarded, and then only notifies. */
export class AgentLoad {
  readonly endpointId: string
  readonly #controllerId: string
  readonly #url: string
  readonly #identity: Record<string, string>
  readonly #subscriptions: Record<string, string>[] = []
  readonly #notifies = new Map<Notification, Buffer>()
  #socket: WebSocket | undefined
  #sent = 0
  #acknowledged: (() => void) | undefined
  #quiet: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(port: number, path: string, controllerId: string, name: string) {
    this.endpointId = `ops::00256D-Bench-${name}`
    this.#controllerId = controllerId
    this.#url = `ws://127.0.0.1:${port}${path}?eid=${encodeURIComponent(this.endpointId)}`
    this.#identity = {
      Manufacturer: 'Isthmian',
      ManufacturerOUI: '00256D',
      ModelName: 'Bench',
      ProductClass: 'Bench',
      SerialNumber: name,
      SoftwareVersion: '1.0',
      HardwareVersion: 'A',
    }
    for (const name of ['event', 'value', 'fact'] as const) this.#notifies.set(name, this.#prepared(name))
  }

  /** Dials; resolves when the Controller has asked for nothing for `quietMs`. */
  async connect(hello: boolean, quietMs: number): Promise<void> {
    const socket = new WebSocket(this.#url, 'v1.usp', { perMessageDeflate: false })
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#onRecord(data))
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const done = new Promise<void>((resolve) => {
      this.#quiet = resolve
    })
    const rest = () => {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#quiet?.(), quietMs)
    }
    if (hello) {
      socket.on('message', rest)
      this.#send({ kind: 'websocketConnect' })
    }
    rest()
    await done
    if (hello) socket.off('message', rest)
  }

  /** One Notify with send_resp; resolves with its NotifyResp. */
  notify(what: Notification): Promise<void> {
    const bytes = this.#notifies.get(what) ?? Buffer.alloc(0)
    const record = Buffer.from(bytes)
    record.write(`n${String(++this.#sent).padStart(11, '0')}`, record.indexOf(PLACEHOLDER), 'latin1')
    if (what !== 'event') record.write(`.${100 + (this.#sent % 900)}`, record.lastIndexOf(CHANGING), 'latin1')
    return new Promise((resolve) => {
      this.#acknowledged = resolve
      this.#socket?.send(record)
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket?.terminate()
  }

  #prepared(what: Notification): Buffer {
    const notify = { subscription_id: 'isthmus-value', send_resp: true, ...NOTIFICATIONS[what] }
    return Buffer.from(
      codec.encode(this.#controllerId, this.endpointId, {
        msgId: PLACEHOLDER,
        kind: 'request',
        name: 'notify',
        body: notify,
      }),
    )
  }

  #send(body: { kind: 'websocketConnect' } | { kind: 'noSession'; payload: Uint8Array }): void {
    this.#socket?.send(codec.encodeRecord({ toId: this.#controllerId, fromId: this.endpointId, body }))
  }

  #onRecord(bytes: Buffer): void {
    // An Agent that waits for a NotifyResp gets nothing else.
    const acknowledged = this.#acknowledged
    if (acknowledged !== undefined) {
      this.#acknowledged = undefined
      return acknowledged()
    }
    const { body } = codec.decodeRecord(bytes)
    if (body.kind !== 'noSession') return
    const msg = codec.decodeMsg(body.payload)
    if (msg.kind === 'request') this.#send({ kind: 'noSession', payload: codec.encodeMsg(this.#answer(msg)) })
  }

  #answer(msg: Extract<Msg, { kind: 'request' }>): Msg {
    const { msgId } = msg
    switch (msg.name) {
      case 'get': {
        const req_path_results = msg.body.param_paths.map((requested_path) => ({
          requested_path,
          err_code: 0,
          err_msg: '',
          resolved_path_results: this.#rows(requested_path),
        }))
        return { msgId, kind: 'response', name: 'get_resp', body: { req_path_results } }
      }
      case 'get_supported_protocol':
        return {
          msgId,
          kind: 'response',
          name: 'get_supported_protocol_resp',
          body: { agent_supported_protocol_versions: '1.3' },
        }
      case 'get_supported_dm':
        return { msgId, kind: 'response', name: 'get_supported_dm_resp', body: { req_obj_results: [] } }
      case 'add': {
        const created_obj_results = msg.body.create_objs.map(({ obj_path, param_settings }) => {
          this.#subscriptions.push(Object.fromEntries(param_settings.map(({ param, value }) => [param, value])))
          const instantiated_path = `${obj_path}${this.#subscriptions.length}.`
          return {
            requested_path: obj_path,
            oper_status: { oper_success: { instantiated_path, param_errs: [], unique_keys: {} } },
          }
        })
        return { msgId, kind: 'response', name: 'add_resp', body: { created_obj_results } }
      }
      default:
        return { msgId, kind: 'error', body: { err_code: 7001, err_msg: 'Message not supported', param_errs: [] } }
    }
  }

  #rows(path: string): { resolved_path: string; result_params: Record<string, string> }[] {
    if (path.startsWith(TABLE))
      return this.#subscriptions.map((row, i) => ({
        resolved_path: `${TABLE}${i + 1}.`,
        result_params: { ...row, Recipient: OWN_ROW },
      }))
    if (path.startsWith('Device.LocalAgent.Controller.'))
      return [{ resolved_path: OWN_ROW, result_params: { EndpointID: this.#controllerId } }]
    if (path === 'Device.DeviceInfo.') return [{ resolved_path: path, result_params: this.#identity }]
    const name = path.slice('Device.DeviceInfo.'.length)
    const value = path.startsWith('Device.DeviceInfo.') ? this.#identity[name] : undefined
    return value === undefined ? [] : [{ resolved_path: 'Device.DeviceInfo.', result_params: { [name]: value } }]
  }
}
