import { type Clock, errorText, type Log, type Random, randomToken, sleep } from '../../base/index.ts'
import type { TreeChange, TreeView } from '../../tree/index.ts'
import type { Codec, Msg, Notify } from '../wire/index.ts'
import { type BootCause, bootArguments } from './boot.ts'
import { occurrencesOf } from './changes.ts'
import { ControllerChannel } from './channel.ts'
import { AgentCommands } from './commands.ts'
import { AgentRequests, RequestRefused, type WriteQuirk } from './requests.ts'
import { AgentError } from './resolve.ts'
import { type ActiveSubscription, matchesReference, SUBSCRIPTIONS, subscriptionsOf } from './subscriptions.ts'

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
  /**
   * Deleting its Controller row does not end the link, as in a widespread Agent: the socket stays open, is opened again when it breaks, and
   * everything that comes over it is ignored. Enable=false on the Controller or MTP row, or deleting the MTP row, ends the link. A row that
   * is made for the same Controller while such a link stands ends that link and is not dialled until the Agent restarts.
   */
  deaf?: boolean
  rejectWrites?: WriteQuirk
}

interface AgentOptions {
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
  /** A certificate to trust; answers why it cannot be. */
  onCertificate(pem: string): string | undefined
  /** The box restarts: `reset` with factory settings; the key goes into the next Boot!. */
  onRestart(reset: boolean, commandKey: string): void
  firmware: {
    /** Fetches into a bank; throws an Error, with a TransferComplete `code` where there is one. */
    download(bank: string, args: Record<string, string>, signal: AbortSignal): Promise<void>
    holdsImage(bank: string): boolean
    bootFrom(bank: string): void
  }
}

/** What an Agent did, to prove that nothing was done twice. */
export interface AgentCounters {
  connects: number
  requests: Record<string, number>
  notifies: number
}

const CONTROLLERS = 'Device.LocalAgent.Controller.'
const CONTROLLER_ENABLE = /^(Device\.LocalAgent\.Controller\.\d+\.)(?:MTP\.\d+\.)?Enable$/
const CONTROLLER_MTP = /^(Device\.LocalAgent\.Controller\.\d+\.)MTP\.\d+\.$/
const VERSIONS = '1.0,1.1,1.2,1.3,1.4'

/** A USP Agent over a box's tree (TR-369): dials the Controllers its rows name, answers requests, keeps subscriptions. */
export class UspAgent {
  readonly counters: AgentCounters = { connects: 0, requests: {}, notifies: 0 }
  readonly options: AgentOptions
  readonly #requests: AgentRequests
  readonly #commands: AgentCommands
  readonly #channels = new Map<string, ControllerChannel>()
  /** Links without a Controller row, by Endpoint ID of the Controller. */
  readonly #deaf = new Map<string, ControllerChannel>()
  /** Rows that are not dialled before the next start. */
  readonly #undialled = new Set<string>()
  /** Controller rows that were disabled since the last look at them. */
  readonly #disabled = new Set<string>()
  readonly #expiries = new Map<string, () => void>()
  #unlisten: (() => void) | undefined
  #running = false
  #boot: BootCause = { cause: '', commandKey: '', firmwareUpdated: false }
  /** Controllers that have yet to hear of this boot. */
  readonly #bootDue = new Set<string>()
  /** Controllers that are to get an OnBoardRequest as soon as they are there, whatever OnBoardingComplete says. */
  readonly #onBoardDue = new Set<string>()
  #changes: TreeChange[] = []
  #rescan: (() => void) | undefined
  #idPrefix = ''
  #nextId = 0

  constructor(options: AgentOptions) {
    this.options = options
    this.#requests = new AgentRequests(
      options.view,
      (row, controller) => this.#onCreate(row, controller),
      options.quirks.rejectWrites,
    )
    this.#commands = new AgentCommands(this)
  }

  get view(): TreeView {
    return this.options.view
  }

  get running(): boolean {
    return this.#running
  }

  get connected(): boolean {
    return [...this.#channels.values()].some((channel) => channel.connected)
  }

  /** Links that stand without a Controller row. */
  get deafLinks(): number {
    return [...this.#deaf.values()].filter((channel) => channel.connected).length
  }

  /** Boots: subscriptions that do not persist are gone, enabled Controllers are dialled, Boot! is due. */
  start(boot: BootCause): void {
    this.#running = true
    this.#boot = boot
    this.#idPrefix = randomToken(this.options.random, 6)
    this.#commands.reset()
    for (const row of this.view.instances(SUBSCRIPTIONS)) {
      if (this.view.get(`${row}Persistent`) !== 'true') this.view.tree.deleteRow(this.view.toCanonical(row), 'device')
      else this.#limitLife(row)
    }
    this.#bootDue.clear()
    for (const row of this.view.instances(CONTROLLERS)) this.#bootDue.add(row)
    this.#unlisten = this.view.tree.onChange((change) => this.#onChange(change))
    this.#scan()
  }

  stop(graceful: boolean): void {
    this.#running = false
    this.#unlisten?.()
    this.#rescan?.()
    this.#rescan = undefined
    this.#changes = []
    for (const cancel of this.#expiries.values()) cancel()
    this.#expiries.clear()
    for (const channel of [...this.#channels.values(), ...this.#deaf.values()]) channel.stop(graceful)
    this.#channels.clear()
    this.#deaf.clear()
    this.#undialled.clear()
    this.#disabled.clear()
  }

  /** Unique over restarts, too: a Controller may know the ids of the run before. */
  nextMsgId(): string {
    return `${this.#idPrefix}-${++this.#nextId}`
  }

  /** Sent to every subscription of a Controller that wants it. */
  event(controller: string, objPath: string, name: string, params: Record<string, string>): void {
    this.#tell(controller, 'Event', objPath + name, {
      event: { obj_path: objPath, event_name: name, params },
    })
  }

  /** A command has ended: everybody who asked for its end is told. */
  operationComplete(
    object: string,
    name: string,
    commandKey: string,
    outcome: Pick<NonNullable<Notify['oper_complete']>, 'req_output_args' | 'cmd_failure'>,
  ): void {
    for (const controller of this.#channels.keys())
      this.#tell(controller, 'OperationComplete', object + name, {
        oper_complete: { obj_path: object, command_name: name, command_key: commandKey, ...outcome },
      })
  }

  /** TransferComplete! as far as the Controller's policy wants to hear of it. */
  transferComplete(requestor: string, params: Record<string, string>): void {
    const failed = params.FaultCode !== '0'
    for (const controller of this.#channels.keys()) {
      const filter = this.view.get(`${controller}TransferCompletePolicy.ResultTypeFilter`) ?? 'Both'
      if ((failed && filter === 'Success') || (!failed && filter === 'Failure')) continue
      this.event(controller, 'Device.LocalAgent.', 'TransferComplete!', params)
    }
    this.options.log.debug({ requestor, failed }, 'transfer ended')
  }

  /** The channel is up: what is due at a start is due now. */
  onConnected(channel: ControllerChannel): void {
    this.counters.connects++
    if (this.#bootDue.delete(channel.row))
      this.event(channel.row, 'Device.', 'Boot!', bootArguments(this.view, channel.row, this.#boot))
    if (this.view.get(`${channel.row}OnBoardingComplete`) !== 'true' || this.#onBoardDue.has(channel.row)) {
      this.#onBoardDue.delete(channel.row)
      channel.onBoard()
    }
  }

  onBoardRequest(): Notify {
    const { oui, productClass, serial } = this.options.identity
    const on_board_req = {
      oui,
      product_class: productClass,
      serial_number: serial,
      agent_supported_protocol_versions: VERSIONS,
    }
    return { subscription_id: '', send_resp: true, on_board_req }
  }

  /** Asked for by command, over USP or by CWMP's parameter of the same name: now, or as soon as the Controller is there. */
  sendOnBoardRequest(row: string): void {
    if (this.options.quirks.neverOnboards === true) return
    const channel = this.#channels.get(row)
    if (channel?.connected === true) channel.onBoard()
    else this.#onBoardDue.add(row)
  }

  /** A request of a Controller; answers through the channel. */
  async onRequest(channel: ControllerChannel, msg: Extract<Msg, { kind: 'request' }>): Promise<void> {
    const { quirks, clock, timeScale } = this.options
    if (quirks.answerDelayMs !== undefined) await sleep(clock, quirks.answerDelayMs / Math.max(1, timeScale / 10))
    if (!this.#running) return
    try {
      const answer = this.#answer(msg, channel)
      this.counters.requests[msg.name] = (this.counters.requests[msg.name] ?? 0) + 1
      if (answer !== undefined) channel.send(answer)
    } catch (error) {
      const code = error instanceof RequestRefused || error instanceof AgentError ? error.code : 7003
      const param_errs = error instanceof RequestRefused ? error.errors : []
      channel.send({ msgId: msg.msgId, kind: 'error', body: { err_code: code, err_msg: errorText(error), param_errs } })
    }
  }

  #answer(msg: Extract<Msg, { kind: 'request' }>, channel: ControllerChannel): Msg | undefined {
    const { msgId } = msg
    const by = channel.row
    const respond = (name: string, body: unknown) => ({ msgId, kind: 'response', name, body }) as Msg
    switch (msg.name) {
      case 'get':
        return respond('get_resp', this.#requests.get(msg.body))
      case 'get_instances':
        return respond('get_instances_resp', this.#requests.instances(msg.body))
      case 'get_supported_dm':
        return respond('get_supported_dm_resp', this.#requests.supportedModel(msg.body))
      case 'get_supported_protocol':
        return respond('get_supported_protocol_resp', { agent_supported_protocol_versions: VERSIONS })
      case 'set':
        return respond('set_resp', this.#requests.set(msg.body, by))
      case 'add':
        return respond('add_resp', this.#requests.add(msg.body, by))
      case 'delete':
        return respond('delete_resp', this.#requests.remove(msg.body, by))
      case 'operate': {
        const answer = this.#commands.operate(msg.body, channel)
        return msg.body.send_resp ? respond('operate_resp', answer) : undefined
      }
      default:
        throw new RequestRefused(7001, 'Message not supported')
    }
  }

  #onCreate(row: string, controller: string): void {
    if (!row.startsWith(SUBSCRIPTIONS)) return
    this.view.tree.put(`${row}Recipient`, controller.replace(/\.$/, ''))
    this.view.tree.put(`${row}CreationDate`, new Date(this.options.clock.now()).toISOString().replace(/\.\d+/, ''))
  }

  #onChange(change: TreeChange): void {
    const path = this.view.fromCanonical(change.path)
    if (path.startsWith(CONTROLLERS)) this.#onControllers(change, path)
    if (change.kind === 'value' && path.startsWith(SUBSCRIPTIONS) && path.endsWith('.TimeToLive'))
      this.#limitLife(path.slice(0, -'TimeToLive'.length))
    // Told when the writer is done: a row has its keys then, and its answer has gone.
    if (this.#changes.push(change) === 1) queueMicrotask(() => this.#tellChanges())
  }

  #onControllers(change: TreeChange, path: string): void {
    if (change.kind === 'deleted') this.#forget(path)
    const disabled = disabledBy(change, path)
    if (disabled !== undefined) this.#disabled.add(disabled)
    if (path.endsWith('.PeriodicNotifInterval'))
      this.#channels.get(path.slice(0, -'PeriodicNotifInterval'.length))?.restartPeriodic()
    // Rows are written one value after the other: looked at when the writer is done.
    this.#rescan ??= this.options.clock.after(5, () => {
      this.#rescan = undefined
      if (this.#running) this.#scan()
    })
  }

  /** A Controller's subscriptions go with its row. */
  #forget(controller: string): void {
    const recipient = controller.replace(/\.$/, '')
    for (const row of this.view.instances(SUBSCRIPTIONS))
      if (this.view.get(`${row}Recipient`) === recipient) this.view.tree.deleteRow(this.view.toCanonical(row), 'device')
  }

  /** TimeToLive counts from the creation; 0 is for ever. */
  #limitLife(row: string): void {
    this.#expiries.get(row)?.()
    this.#expiries.delete(row)
    const seconds = Number(this.view.get(`${row}TimeToLive`)) || 0
    if (seconds === 0) return
    const { clock, timeScale } = this.options
    const created = Date.parse(this.view.get(`${row}CreationDate`) ?? '') || clock.now()
    const left = Math.max(0, created + (seconds * 1000) / timeScale - clock.now())
    this.#expiries.set(
      row,
      clock.after(
        left,
        () => this.view.hasObject(row) && this.view.tree.deleteRow(this.view.toCanonical(row), 'device'),
      ),
    )
  }

  #tellChanges(): void {
    const changes = this.#changes
    this.#changes = []
    if (!this.#running || this.#channels.size === 0) return
    for (const { type, about, notification } of occurrencesOf(this.view, changes))
      for (const controller of this.#channels.keys()) this.#tell(controller, type, about, notification)
  }

  #tell(
    controller: string,
    type: string,
    about: string,
    notification: Omit<Notify, 'subscription_id' | 'send_resp'>,
  ): void {
    const channel = this.#channels.get(controller)
    if (channel === undefined || this.options.quirks.neverOnboards === true) return
    for (const subscription of subscriptionsOf(this.view, controller)) {
      if (subscription.type !== type) continue
      if (!subscription.references.some((reference) => matchesReference(this.view, reference, about))) continue
      this.counters.notifies++
      const { id, retry } = subscription
      channel.notify(
        { subscription_id: id, send_resp: retry, ...notification },
        retry ? this.#worthOf(subscription) : undefined,
      )
    }
  }

  #worthOf({ row, id, expirationS }: ActiveSubscription): { forMs: number | undefined; wanted(): boolean } {
    return {
      forMs: expirationS === 0 ? undefined : expirationS * 1000,
      wanted: () => this.view.get(`${row}ID`) === id,
    }
  }

  /** Opens what is enabled, closes what is not any more. */
  #scan(): void {
    const rows = this.view.instances(CONTROLLERS)
    for (const [row, channel] of this.#channels) {
      if (rows.includes(row)) continue
      this.#channels.delete(row)
      if (this.options.quirks.deaf === true && channel.connected && !this.#disabled.has(row)) this.#deafen(channel)
      else channel.stop(true)
    }
    this.#disabled.clear()
    for (const row of rows) {
      const mtp = this.#mtpOf(row)
      if (mtp === undefined) {
        this.#channels.get(row)?.close(true)
        continue
      }
      if (this.#endDeaf(this.view.get(`${row}EndpointID`) ?? '')) this.#undialled.add(row)
      if (this.#undialled.has(row)) continue
      const channel = this.#channels.get(row) ?? new ControllerChannel(this, row)
      this.#channels.set(row, channel)
      channel.open(mtp)
    }
  }

  #deafen(channel: ControllerChannel): void {
    channel.deafen()
    this.#endDeaf(channel.controllerId)
    this.#deaf.set(channel.controllerId, channel)
  }

  /** Ends the link without a row to this Controller; false when there is none. */
  #endDeaf(controllerId: string): boolean {
    this.#deaf.get(controllerId)?.stop(true)
    return this.#deaf.delete(controllerId)
  }

  /** The enabled WebSocket of an enabled Controller that has a name. */
  #mtpOf(row: string): string | undefined {
    if (this.view.get(`${row}Enable`) !== 'true' || this.view.get(`${row}EndpointID`) === '') return undefined
    return this.view
      .instances(`${row}MTP.`)
      .find((path) => this.view.get(`${path}Enable`) === 'true' && this.view.get(`${path}Protocol`) === 'WebSocket')
  }
}

/** The Controller row that a change disables, itself or by its MTP row. */
function disabledBy({ kind, value }: TreeChange, path: string): string | undefined {
  if (kind === 'deleted') return CONTROLLER_MTP.exec(path)?.[1]
  return kind === 'value' && value !== 'true' ? CONTROLLER_ENABLE.exec(path)?.[1] : undefined
}
