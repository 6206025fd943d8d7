import { type Clock, errorText, type Log, type Random, randomToken } from '../../base/index.ts'
import type { AgentTransport } from '../mtp/index.ts'
import type { Codec, Msg, Notify } from '../wire/index.ts'
import { AgentError } from './agent-error.ts'
import type { AgentModel, ModelChange } from './agent-model.ts'
import { type BootCause, bootArguments } from './boot.ts'
import { occurrencesOf } from './changes.ts'
import { type ChannelHost, ControllerChannel } from './channel.ts'
import { AgentCommands, type CommandHost, type Outcome } from './commands.ts'
import { CONTROLLERS, type ControllerRow, readControllers } from './controller-rows.ts'
import { ModelReader } from './model-reader.ts'
import type { Worth } from './outbox.ts'
import { RequestRefused } from './request-refused.ts'
import { AgentRequests } from './requests.ts'
import { type ActiveSubscription, matchesReference, readSubscriptions, SUBSCRIPTIONS } from './subscriptions.ts'
import { WorkQueue } from './work-queue.ts'

interface AgentOptions {
  model: AgentModel
  transport: AgentTransport
  codec: Codec
  endpointId: string
  identity: { oui: string; productClass: string; serial: string }
  /** For waits. */
  clock: Clock
  /** For dates. */
  wallClock: Clock
  random: Random
  log: Log
}

/** Counts of an Agent since it was made. */
export interface AgentCounters {
  connects: number
  requests: Record<string, number>
  notifies: number
}

type AgentRequest = Extract<Msg, { kind: 'request' }>
type Content = Omit<Notify, 'subscription_id' | 'send_resp'>

const VERSIONS = '1.0,1.1,1.2,1.3,1.4'
/** The wait after a model that could not be read, before it is read again. */
const RETRY_MS = 5000

/**
 * A USP Agent (TR-369) over the model of a device: connects to the Controllers that its rows name, answers requests,
 * keeps subscriptions. Requests, changes and ends of commands are handled one after the other, in the order in which
 * they came.
 */
export class UspAgent implements ChannelHost, CommandHost {
  readonly counters: AgentCounters = { connects: 0, requests: {}, notifies: 0 }
  readonly #options: AgentOptions
  readonly #model: AgentModel
  readonly #requests: AgentRequests
  readonly #commands: AgentCommands
  readonly #work: WorkQueue
  /** By Controller row. */
  readonly #channels = new Map<string, ControllerChannel>()
  readonly #expiries = new Map<string, () => void>()
  #subscriptions: ActiveSubscription[] = []
  #changes: ModelChange[] = []
  #unlisten: (() => void) | undefined
  #cancelRetry: (() => void) | undefined
  #running = false
  /** Counts starts and stops: work that went on over one of them compares it and returns. */
  #life = 0
  #boot: BootCause = { cause: '', commandKey: '', firmwareUpdated: false }
  /** Controllers that have not been sent Boot! of this start. */
  readonly #bootDue = new Set<string>()
  /** Controllers that are sent an OnBoardRequest when they are connected, whatever OnBoardingComplete is. */
  readonly #onBoardDue = new Set<string>()
  #idPrefix = ''
  #nextId = 0

  constructor(options: AgentOptions) {
    this.#options = options
    this.#model = options.model
    this.#requests = new AgentRequests(options.model, (table, by) => this.#ownValues(table, by))
    this.#commands = new AgentCommands(options.model, this, options.log)
    this.#work = new WorkQueue((error) => options.log.error({ err: error }, 'the Agent failed'))
  }

  get running(): boolean {
    return this.#running
  }

  get connected(): boolean {
    return [...this.#channels.values()].some((channel) => channel.connected)
  }

  /** Boots: deletes subscriptions that do not persist, connects to the enabled Controllers, sends Boot!. */
  start(boot: BootCause): void {
    this.#running = true
    this.#life++
    this.#boot = boot
    this.#idPrefix = randomToken(this.#options.random, 6)
    this.#work.restart()
    this.enqueue(() => this.#begin())
  }

  /** Stops at once; `graceful` takes leave of the Controllers. Work under way has no further effect on links. */
  stop(graceful: boolean): void {
    this.#running = false
    this.#life++
    this.#work.restart()
    this.#unlisten?.()
    this.#unlisten = undefined
    this.#cancelRetry?.()
    this.#changes = []
    this.#commands.stop()
    for (const cancel of this.#expiries.values()) cancel()
    this.#expiries.clear()
    for (const channel of this.#channels.values()) channel.stop(graceful)
    this.#channels.clear()
    this.#bootDue.clear()
    this.#onBoardDue.clear()
  }

  /** Sends an OnBoardRequest to the Controller of a row, now or when it is connected. */
  sendOnBoardRequest(row: string): void {
    const channel = this.#channels.get(row)
    if (channel?.connected === true) channel.onBoard()
    else this.#onBoardDue.add(row)
  }

  enqueue(work: () => Promise<void>): void {
    if (this.#running) this.#work.run(work)
  }

  now(): number {
    return this.#options.wallClock.now()
  }

  nextMsgId(): string {
    return `${this.#idPrefix}-${++this.#nextId}`
  }

  onBoardRequest(): Notify {
    const { oui, productClass, serial } = this.#options.identity
    const on_board_req = {
      oui,
      product_class: productClass,
      serial_number: serial,
      agent_supported_protocol_versions: VERSIONS,
    }
    return { subscription_id: '', send_resp: true, on_board_req }
  }

  onConnected(channel: ControllerChannel): void {
    this.counters.connects++
    this.enqueue(async () => {
      if (this.#bootDue.delete(channel.row)) await this.#sendBoot(channel)
      if (channel.isOnboarded && !this.#onBoardDue.has(channel.row)) return
      this.#onBoardDue.delete(channel.row)
      channel.onBoard()
    })
  }

  onPeriodic(channel: ControllerChannel): void {
    this.enqueue(async () => {
      const reader = await ModelReader.of(this.#model)
      await this.#notify(
        reader,
        channel,
        'Event',
        'Device.LocalAgent.Periodic!',
        eventOf('Device.LocalAgent.', 'Periodic!'),
      )
    })
  }

  onRequest(channel: ControllerChannel, msg: AgentRequest): Promise<void> {
    return new Promise((resolve) => this.enqueue(() => this.#answer(channel, msg).finally(resolve)))
  }

  async operationComplete(object: string, name: string, commandKey: string, outcome: Outcome): Promise<void> {
    const reader = await ModelReader.of(this.#model)
    const oper_complete = { obj_path: object, command_name: name, command_key: commandKey, ...outcome }
    for (const channel of this.#channels.values())
      await this.#notify(reader, channel, 'OperationComplete', object + name, { oper_complete })
  }

  async transferComplete(params: Record<string, string>): Promise<void> {
    const reader = await ModelReader.of(this.#model)
    const failed = params.FaultCode !== '0'
    for (const channel of this.#channels.values()) {
      const filter = await reader.value(`${channel.row}TransferCompletePolicy.ResultTypeFilter`)
      if ((failed && filter === 'Success') || (!failed && filter === 'Failure')) continue
      const event = eventOf('Device.LocalAgent.', 'TransferComplete!', params)
      await this.#notify(reader, channel, 'Event', 'Device.LocalAgent.TransferComplete!', event)
    }
  }

  /** The first work of a start. A model that cannot be read is read again later. */
  async #begin(): Promise<void> {
    const life = this.#life
    try {
      await this.#commands.clear()
      await this.#deleteSubscriptions(async (row, reader) => (await reader.value(`${row}Persistent`)) !== 'true')
      const reader = await ModelReader.of(this.#model)
      const controllers = await reader.rows(CONTROLLERS)
      if (life !== this.#life) return
      for (const row of controllers) this.#bootDue.add(row)
      this.#unlisten ??= this.#model.changes((change) => this.#onChange(change))
      for (const row of await reader.rows(SUBSCRIPTIONS)) await this.#limitLife(row)
      await this.#refresh()
    } catch (error) {
      this.#retry(life, error, () => this.#begin())
    }
  }

  /** Reads the subscriptions and the Controllers anew. */
  async #refresh(): Promise<void> {
    const life = this.#life
    try {
      this.#subscriptions = await readSubscriptions(await ModelReader.of(this.#model))
      await this.#connect()
    } catch (error) {
      this.#retry(life, error, () => this.#refresh())
    }
  }

  #retry(life: number, error: unknown, work: () => Promise<void>): void {
    if (life !== this.#life) return
    this.#options.log.warn({ reason: errorText(error) }, 'the model of the Agent cannot be read; it is tried again')
    this.#cancelRetry?.()
    this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => this.enqueue(work))
  }

  async #answer(channel: ControllerChannel, msg: AgentRequest): Promise<void> {
    try {
      const { answer, afterwards = [] } = await this.#handle(msg, channel.row)
      this.counters.requests[msg.name] = (this.counters.requests[msg.name] ?? 0) + 1
      if (answer !== undefined) channel.send(answer)
      if (this.#running) for (const work of afterwards) work()
    } catch (error) {
      const code = error instanceof RequestRefused || error instanceof AgentError ? error.code : 7003
      const param_errs = error instanceof RequestRefused ? error.errors : []
      channel.send({ msgId: msg.msgId, kind: 'error', body: { err_code: code, err_msg: errorText(error), param_errs } })
    }
  }

  async #handle(
    msg: AgentRequest,
    by: string,
  ): Promise<{ answer: Msg | undefined; afterwards?: readonly (() => void)[] }> {
    const respond = (name: string, body: unknown) => ({
      answer: { msgId: msg.msgId, kind: 'response', name, body } as Msg,
    })
    switch (msg.name) {
      case 'get':
        return respond('get_resp', await this.#requests.get(msg.body))
      case 'get_instances':
        return respond('get_instances_resp', await this.#requests.instances(msg.body))
      case 'get_supported_dm':
        return respond('get_supported_dm_resp', await this.#requests.supportedModel(msg.body))
      case 'get_supported_protocol':
        return respond('get_supported_protocol_resp', { agent_supported_protocol_versions: VERSIONS })
      case 'set':
        return respond('set_resp', await this.#requests.set(msg.body, by))
      case 'add':
        return respond('add_resp', await this.#requests.add(msg.body, by))
      case 'delete':
        return respond('delete_resp', await this.#requests.remove(msg.body, by))
      case 'operate': {
        const { response, afterwards } = await this.#commands.operate(msg.body, by)
        return { ...(msg.body.send_resp ? respond('operate_resp', response) : { answer: undefined }), afterwards }
      }
      default:
        throw new RequestRefused(7001, 'Message not supported')
    }
  }

  /** Recipient and CreationDate of a subscription are the Agent's to fill. */
  #ownValues(table: string, by: string): Record<string, string> {
    if (table !== SUBSCRIPTIONS) return {}
    return { Recipient: by.replace(/\.$/, ''), CreationDate: new Date(this.now()).toISOString().replace(/\.\d+/, '') }
  }

  /** Changes are looked at when the request that made them is answered: a new row has its values then. */
  #onChange(change: ModelChange): void {
    if (this.#changes.push(change) === 1) this.enqueue(() => this.#onChanges())
  }

  async #onChanges(): Promise<void> {
    const life = this.#life
    const changes = this.#changes
    this.#changes = []
    try {
      await this.#take(changes)
    } catch (error) {
      this.#retry(life, error, () => this.#refresh())
    }
  }

  async #take(changes: readonly ModelChange[]): Promise<void> {
    const under = (table: string) => changes.filter(({ path }) => path.startsWith(table))
    const subscriptions = under(SUBSCRIPTIONS)
    if (subscriptions.length > 0) this.#subscriptions = await readSubscriptions(await ModelReader.of(this.#model))
    for (const { path } of subscriptions)
      if (path.endsWith('.TimeToLive')) await this.#limitLife(path.slice(0, -'TimeToLive'.length))
    await this.#notifyChanges(changes)
    const controllers = under(CONTROLLERS)
    for (const { kind, path } of controllers) if (kind === 'deleted') await this.#forget(path)
    if (controllers.length > 0) await this.#connect()
  }

  /** Deletes the subscriptions of a Controller with its row. */
  async #forget(controller: string): Promise<void> {
    const recipient = controller.replace(/\.$/, '')
    await this.#deleteSubscriptions(async (row, reader) => (await reader.value(`${row}Recipient`)) === recipient)
  }

  async #deleteSubscriptions(isGone: (row: string, reader: ModelReader) => Promise<boolean>): Promise<void> {
    const reader = await ModelReader.of(this.#model)
    const gone: string[] = []
    for (const row of await reader.rows(SUBSCRIPTIONS)) if (await isGone(row, reader)) gone.push(row)
    if (gone.length > 0) await this.#model.delete(gone, 'agent')
  }

  /** Ends a subscription when its TimeToLive has passed since its creation; 0 = never. */
  async #limitLife(row: string): Promise<void> {
    const life = this.#life
    const reader = await ModelReader.of(this.#model)
    const { TimeToLive, CreationDate } = await reader.texts(row, ['TimeToLive', 'CreationDate'])
    const seconds = Number(TimeToLive) || 0
    if (life !== this.#life) return
    this.#expiries.get(row)?.()
    this.#expiries.delete(row)
    if (seconds === 0) return
    const created = Date.parse(CreationDate) || this.now()
    const left = Math.max(0, created + seconds * 1000 - this.now())
    const end = () => this.enqueue(() => this.#model.delete([row], 'agent'))
    this.#expiries.set(row, this.#options.clock.after(left, end))
  }

  async #notifyChanges(changes: readonly ModelChange[]): Promise<void> {
    if (this.#channels.size === 0 || this.#subscriptions.length === 0) return
    const reader = await ModelReader.of(this.#model)
    for (const { type, about, notification } of await occurrencesOf(reader, changes))
      for (const channel of this.#channels.values()) await this.#notify(reader, channel, type, about, notification)
  }

  async #sendBoot(channel: ControllerChannel): Promise<void> {
    const reader = await ModelReader.of(this.#model)
    const params = await bootArguments(reader, channel.row, this.#boot)
    await this.#notify(reader, channel, 'Event', 'Device.Boot!', eventOf('Device.', 'Boot!', params))
  }

  /** Notifies one Controller once for each of its subscriptions that means it. */
  async #notify(
    reader: ModelReader,
    channel: ControllerChannel,
    type: string,
    about: string,
    content: Content,
  ): Promise<void> {
    for (const subscription of this.#subscriptions) {
      if (subscription.controller !== channel.row || subscription.type !== type) continue
      if (!(await isReferred(reader, subscription, about))) continue
      this.counters.notifies++
      const { id, retry } = subscription
      const worth = retry ? this.#worthOf(subscription) : undefined
      channel.notify({ subscription_id: id, send_resp: retry, ...content }, worth)
    }
  }

  #worthOf({ row, id, expirationS }: ActiveSubscription): Worth {
    return {
      forMs: expirationS === 0 ? undefined : expirationS * 1000,
      wanted: () => this.#subscriptions.some((other) => other.row === row && other.id === id),
    }
  }

  /** Opens the channels of enabled Controllers and closes the others. */
  async #connect(): Promise<void> {
    const life = this.#life
    const rows = await readControllers(await ModelReader.of(this.#model))
    if (life !== this.#life) return
    for (const [row, channel] of this.#channels) {
      if (rows.some((other) => other.row === row)) continue
      this.#channels.delete(row)
      channel.stop(true)
    }
    for (const settings of rows) {
      const channel = this.#channels.get(settings.row)
      if (channel !== undefined) channel.apply(settings)
      else if (settings.address !== undefined) this.#open(settings)
    }
  }

  #open(settings: ControllerRow): void {
    const channel = new ControllerChannel(this, settings, this.#options)
    this.#channels.set(settings.row, channel)
    channel.apply(settings)
  }
}

function eventOf(objPath: string, name: string, params: Record<string, string> = {}): Content {
  return { event: { obj_path: objPath, event_name: name, params } }
}

async function isReferred(reader: ModelReader, { references }: ActiveSubscription, about: string): Promise<boolean> {
  for (const reference of references) if (await matchesReference(reader, reference, about)) return true
  return false
}
