import { type Clock, errorText, type Log, type Random, sleep } from '../../base/index.ts'
import type { TreeChange, TreeView } from '../../datamodel/index.ts'
import type { Codec, Msg, Notify, Operate, OperateResp } from '../wire/index.ts'
import { ControllerChannel } from './channel.ts'
import { AgentRequests, RequestRefused, type WriteQuirk } from './requests.ts'
import { AgentError, resolve } from './resolve.ts'
import { matchesReference, subscriptionsOf } from './subscriptions.ts'

/** How an Agent errs on purpose. */
export interface AgentQuirks {
  /** Connects, but never sends its connect record or OnBoardRequest. */
  neverOnboards?: boolean
  /** Calls itself this on the wire, whatever LocalAgent.EndpointID says. */
  wrongEndpointId?: string
  /** The link breaks after this many messages, once in a while. */
  dropsLinkAfter?: number
  answerDelayMs?: number
  /** Does not have Device.ScheduleTimer(). */
  noTimer?: boolean
  rejectWrites?: WriteQuirk
}

export interface AgentOptions {
  view: TreeView
  codec: Codec
  endpointId: string
  identity: { oui: string; productClass: string; serial: string }
  quirks: AgentQuirks
  timeScale: number
  clock: Clock
  random: Random
  log: Log
  /** PEM certificates that the Agent trusts Controllers by, beside the system's own; read at each connect. */
  trusted(): string[]
  /** The box restarts: `reset` with factory settings; the key goes into the next Boot!. */
  onRestart(reset: boolean, commandKey: string): void
  /** A firmware was fetched from this URL; answers the version it brings. */
  onDownload(url: string): string
}

/** What an Agent did, to prove that nothing was done twice. */
export interface AgentCounters {
  connects: number
  requests: Record<string, number>
  notifies: number
}

const CONTROLLERS = 'Device.LocalAgent.Controller.'

/** A USP Agent over a box's tree (TR-369): dials the Controllers its rows name, answers requests, keeps subscriptions. */
export class UspAgent {
  readonly counters: AgentCounters = { connects: 0, requests: {}, notifies: 0 }
  readonly options: AgentOptions
  readonly #requests: AgentRequests
  readonly #channels = new Map<string, ControllerChannel>()
  #unlisten: (() => void) | undefined
  #running = false
  #boot: Record<string, string> = {}
  #rescan: (() => void) | undefined

  constructor(options: AgentOptions) {
    this.options = options
    this.#requests = new AgentRequests(
      options.view,
      (row, controller) => this.#onCreate(row, controller),
      options.quirks.rejectWrites,
    )
  }

  get view(): TreeView {
    return this.options.view
  }

  /** Boots: subscriptions that do not persist are gone, enabled Controllers are dialled, Boot! is due. */
  start(boot: { cause: string; commandKey: string; firmwareUpdated: boolean }): void {
    this.#running = true
    this.#boot = {
      CommandKey: boot.commandKey,
      Cause: boot.cause,
      Reason: '',
      FirmwareUpdated: String(boot.firmwareUpdated),
      ParameterMap: '{}',
    }
    for (const row of this.view.instances('Device.LocalAgent.Subscription.')) {
      if (this.view.get(`${row}Persistent`) !== 'true') this.view.tree.deleteRow(this.view.toCanonical(row), 'box')
    }
    this.#unlisten = this.view.tree.onChange((change) => this.#onChange(change))
    this.#scan()
  }

  stop(graceful: boolean): void {
    this.#running = false
    this.#unlisten?.()
    this.#rescan?.()
    for (const channel of this.#channels.values()) channel.stop(graceful)
    this.#channels.clear()
  }

  get connected(): boolean {
    return [...this.#channels.values()].some((channel) => channel.connected)
  }

  /** Sent to every subscription of a Controller that wants it. */
  event(controller: string, objPath: string, name: string, params: Record<string, string>): void {
    for (const subscription of subscriptionsOf(this.view, controller)) {
      if (
        subscription.type !== 'Event' ||
        !subscription.references.some((reference) => matchesReference(reference, objPath + name))
      )
        continue
      this.#notify(controller, subscription.retry, {
        subscription_id: subscription.id,
        send_resp: subscription.retry,
        event: { obj_path: objPath, event_name: name, params },
      })
    }
  }

  /** The channel is up: what is due at a start is due now. */
  onConnected(channel: ControllerChannel): void {
    this.counters.connects++
    if (!channel.bootTold) {
      channel.bootTold = true
      this.event(channel.row, 'Device.', 'Boot!', this.#boot)
    }
    if (this.view.get(`${channel.row}OnBoardingComplete`) !== 'true') this.onBoard(channel)
  }

  onBoard(channel: ControllerChannel): void {
    if (this.options.quirks.neverOnboards === true) return
    const { oui, productClass, serial } = this.options.identity
    const on_board_req = {
      oui,
      product_class: productClass,
      serial_number: serial,
      agent_supported_protocol_versions: '1.0,1.1,1.2,1.3,1.4',
    }
    channel.notify({ subscription_id: '', send_resp: true, on_board_req }, true)
  }

  /** A request of a Controller; answers through the channel. */
  async onRequest(channel: ControllerChannel, msg: Extract<Msg, { kind: 'request' }>): Promise<void> {
    const { quirks, clock } = this.options
    if (quirks.answerDelayMs !== undefined)
      await sleep(clock, quirks.answerDelayMs / Math.max(1, this.options.timeScale / 10))
    const by = channel.row
    try {
      const answer = this.#answer(msg, by, channel)
      this.counters.requests[msg.name] = (this.counters.requests[msg.name] ?? 0) + 1
      if (answer !== undefined) channel.send(answer)
    } catch (error) {
      const code = error instanceof RequestRefused || error instanceof AgentError ? error.code : 7003
      const param_errs = error instanceof RequestRefused ? error.errors : []
      channel.send({ msgId: msg.msgId, kind: 'error', body: { err_code: code, err_msg: errorText(error), param_errs } })
    }
  }

  #answer(msg: Extract<Msg, { kind: 'request' }>, by: string, channel: ControllerChannel): Msg | undefined {
    const { msgId } = msg
    const respond = (name: string, body: unknown) => ({ msgId, kind: 'response', name, body }) as Msg
    switch (msg.name) {
      case 'get':
        return respond('get_resp', this.#requests.get(msg.body))
      case 'get_instances':
        return respond('get_instances_resp', this.#requests.instances(msg.body))
      case 'get_supported_dm':
        return respond('get_supported_dm_resp', this.#requests.supportedModel(msg.body))
      case 'get_supported_protocol':
        return respond('get_supported_protocol_resp', { agent_supported_protocol_versions: '1.0,1.1,1.2,1.3,1.4' })
      case 'set':
        return respond('set_resp', this.#requests.set(msg.body, by))
      case 'add':
        return respond('add_resp', this.#requests.add(msg.body, by))
      case 'delete':
        return respond('delete_resp', this.#requests.remove(msg.body, by))
      case 'operate': {
        const answer = this.#operate(msg.body, channel)
        return msg.body.send_resp ? respond('operate_resp', answer) : undefined
      }
      default:
        throw new RequestRefused(7001, 'Message not supported')
    }
  }

  #operate(request: Operate, channel: ControllerChannel): OperateResp {
    try {
      const { path, objects, leaf } = resolve(this.view, request.command)
      if (path.kind !== 'command') throw new AgentError(7022, 'not a command')
      return { operation_results: objects.map((object) => this.#run(object, leaf, request, channel)) }
    } catch (error) {
      const err_code = error instanceof AgentError ? error.code : 7022
      return {
        operation_results: [
          { executed_command: request.command, cmd_failure: { err_code, err_msg: errorText(error) } },
        ],
      }
    }
  }

  /** One command on one object: answered at once, or by OperationComplete when it takes its time (R-OPR). */
  #run(
    object: string,
    name: string,
    request: Operate,
    channel: ControllerChannel,
  ): OperateResp['operation_results'][number] {
    const executed_command = object + name
    const fail = (err_code: number, err_msg: string) => ({ executed_command, cmd_failure: { err_code, err_msg } })
    const command = this.view.model.object(object)?.commands.get(name)
    if (command === undefined || (name === 'ScheduleTimer()' && this.options.quirks.noTimer === true))
      return fail(7026, 'no such command')
    const missing = command.input.find(
      (arg) => arg.mandatory && !arg.name.includes('{i}') && request.input_args[arg.name] === undefined,
    )
    if (missing !== undefined) return fail(7027, `input argument ${missing.name} is missing`)
    if (!command.async) {
      this.#sync(object, name, request, channel)
      return { executed_command, req_output_args: { output_args: {} } }
    }
    const row = this.view.tree.addRow('Device.LocalAgent.Request.', 'box')
    this.view.tree.put(`${row}Command`, executed_command)
    this.view.tree.put(`${row}CommandKey`, request.command_key)
    this.view.tree.put(`${row}Status`, 'Active')
    const delayMs = name === 'ScheduleTimer()' ? Number(request.input_args.DelaySeconds ?? 1) * 1000 : 500
    this.options.clock.after(delayMs / this.options.timeScale, () => this.#complete(object, name, row, request))
    return { executed_command, req_obj_path: row }
  }

  #sync(object: string, name: string, request: Operate, channel: ControllerChannel): void {
    const later = (work: () => void) => void this.options.clock.after(20, () => this.#running && work())
    if (object === 'Device.' && name === 'Reboot()') later(() => this.options.onRestart(false, request.command_key))
    else if (object === 'Device.' && name === 'FactoryReset()')
      later(() => this.options.onRestart(true, request.command_key))
    else if (name === 'SendOnBoardRequest()') {
      const target = this.#channels.get(object) ?? channel
      later(() => this.onBoard(target))
    }
  }

  #complete(object: string, name: string, row: string, request: Operate): void {
    if (!this.#running) return
    const output: Record<string, string> = {}
    let restart = false
    if (name === 'Download()') {
      const version = this.options.onDownload(request.input_args.URL ?? '')
      this.view.tree.put(`${object}Version`, version)
      this.view.tree.put(`${object}Status`, 'Available')
      restart = request.input_args.AutoActivate === 'true'
      if (restart) this.view.tree.put('Device.DeviceInfo.SoftwareVersion', version)
    } else if (name === 'IPPing()') {
      const unknownHost = request.input_args.Host?.endsWith('.invalid') === true
      const repetitions = request.input_args.NumberOfRepetitions ?? '3'
      Object.assign(output, {
        Status: unknownHost ? 'Error_CannotResolveHostName' : 'Complete',
        SuccessCount: unknownHost ? '0' : repetitions,
        FailureCount: unknownHost ? repetitions : '0',
        AverageResponseTime: unknownHost ? '0' : '12',
      })
    }
    this.view.tree.deleteRow(row, 'box')
    for (const channel of this.#channels.values()) {
      for (const subscription of subscriptionsOf(this.view, channel.row)) {
        if (
          subscription.type !== 'OperationComplete' ||
          !subscription.references.some((reference) => matchesReference(reference, object + name))
        )
          continue
        const oper_complete = {
          obj_path: object,
          command_name: name,
          command_key: request.command_key,
          req_output_args: { output_args: output },
        }
        this.#notify(channel.row, subscription.retry, {
          subscription_id: subscription.id,
          send_resp: subscription.retry,
          oper_complete,
        })
      }
    }
    if (restart)
      this.options.clock.after(
        200 / this.options.timeScale,
        () => this.#running && this.options.onRestart(false, request.command_key),
      )
  }

  /** CWMP's way to say the same: the command-like parameter of the row. */
  sendOnBoardRequest(row: string): void {
    const channel = this.#channels.get(row)
    if (channel?.connected === true) this.onBoard(channel)
  }

  #onCreate(row: string, controller: string): void {
    if (!row.startsWith('Device.LocalAgent.Subscription.')) return
    this.view.tree.put(`${row}Recipient`, controller.replace(/\.$/, ''))
    this.view.tree.put(`${row}CreationDate`, new Date(this.options.clock.now()).toISOString().replace(/\.\d+/, ''))
  }

  #onChange(change: TreeChange): void {
    const path = this.view.fromCanonical(change.path)
    // Rows are written one value after the other: looked at when the writer is done.
    if (path.startsWith(CONTROLLERS) && this.#rescan === undefined) {
      this.#rescan = this.options.clock.after(5, () => {
        this.#rescan = undefined
        if (this.#running) this.#scan()
      })
    }
    if (
      this.#channels.size > 0 &&
      this.view.model.object(path.endsWith('.') ? path : `${path.slice(0, path.lastIndexOf('.') + 1)}`) !== undefined
    )
      this.#tellChange(change, path)
  }

  #tellChange(change: TreeChange, path: string): void {
    const type =
      change.kind === 'value' ? 'ValueChange' : change.kind === 'created' ? 'ObjectCreation' : 'ObjectDeletion'
    for (const channel of this.#channels.values()) {
      for (const subscription of subscriptionsOf(this.view, channel.row)) {
        const about = type === 'ObjectCreation' ? path.replace(/\d+\.$/, '') : path
        if (
          subscription.type !== type ||
          !subscription.references.some((reference) => matchesReference(reference, about))
        )
          continue
        const base = { subscription_id: subscription.id, send_resp: subscription.retry }
        if (type === 'ValueChange')
          this.#notify(channel.row, subscription.retry, {
            ...base,
            value_change: { param_path: path, param_value: this.view.get(path) ?? '' },
          })
        else if (type === 'ObjectCreation')
          this.#notify(channel.row, subscription.retry, { ...base, obj_creation: { obj_path: path, unique_keys: {} } })
        else this.#notify(channel.row, subscription.retry, { ...base, obj_deletion: { obj_path: path } })
      }
    }
  }

  #notify(controller: string, retry: boolean, notify: Notify): void {
    const channel = this.#channels.get(controller)
    if (channel === undefined) return
    this.counters.notifies++
    channel.notify(notify, retry)
  }

  /** Opens what is enabled, closes what is not any more. */
  #scan(): void {
    const wanted = new Map<string, string>()
    for (const row of this.view.instances(CONTROLLERS)) {
      const mtp = this.view
        .instances(`${row}MTP.`)
        .find((path) => this.view.get(`${path}Enable`) === 'true' && this.view.get(`${path}Protocol`) === 'WebSocket')
      if (this.view.get(`${row}Enable`) === 'true' && mtp !== undefined && this.view.get(`${row}EndpointID`) !== '')
        wanted.set(row, mtp)
    }
    for (const [row, channel] of this.#channels) {
      if (wanted.get(row) === channel.mtp && channel.sameTarget()) continue
      channel.stop(true)
      this.#channels.delete(row)
    }
    for (const [row, mtp] of wanted) {
      if (this.#channels.has(row)) continue
      const channel = new ControllerChannel(this, row, mtp)
      this.#channels.set(row, channel)
      channel.start()
    }
  }
}
