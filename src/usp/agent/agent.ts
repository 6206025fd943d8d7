import { type Clock, type Log, type Random, randomToken } from '../../base/index.ts'
import type { AgentTransport } from '../mtp/index.ts'
import { type Codec, type Notify, SUPPORTED_VERSIONS } from '../wire/index.ts'
import type { AgentModel, ModelChange } from './agent-model.ts'
import { type AgentRequest, Answering } from './answering.ts'
import { type BootCause, bootArguments } from './boot.ts'
import { type ChannelHost, ControllerChannel } from './channel.ts'
import { ControllerChannels } from './channels.ts'
import { AgentCommands, type CommandHost, type Outcome } from './commands.ts'
import { CONTROLLERS } from './controller-rows.ts'
import { ModelReader } from './model-reader.ts'
import { Notifier } from './notifier.ts'
import { eventOf } from './occurrence.ts'
import type { NotifyStore } from './owed.ts'
import { ownRowValues } from './own-values.ts'
import { SUBSCRIPTIONS } from './owned-tables.ts'
import { AgentRequests } from './requests.ts'
import { Retries } from './retries.ts'
import { type AccessPolicy, RoleTable } from './role-table.ts'
import { SubscriptionLives } from './subscription-lives.ts'
import { TurnQueue } from './turn-queue.ts'

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
  /** The roles that the Agent is delivered with; undefined: those of the model as it is. */
  access?: AccessPolicy
  /** Keeps owed notifications over a restart; undefined: a restart loses them. */
  notifyStore?: NotifyStore | undefined
}

/** Counts of an Agent since it was made. */
export interface AgentCounters {
  connects: number
  requests: Record<string, number>
  notifies: number
}

/** Requests that change nothing. */
const READS: ReadonlySet<string> = new Set(['get', 'get_instances', 'get_supported_dm', 'get_supported_protocol'])
const PERIODIC = eventOf('Device.LocalAgent.', 'Periodic!')
/** Changes that wait for a model that cannot be read, at most; older ones are lost. */
const MAX_CHANGES = 10_000

/**
 * A USP Agent (TR-369) over the model of a device: connects to the Controllers that its rows name, answers requests with
 * the rights of each, keeps subscriptions. Requests, changes and ends of commands are handled one after the other: those
 * of one Controller in the order in which they came, those of several in turn. Readings pass between the parts of a
 * request with allow_partial.
 */
export class UspAgent implements ChannelHost, CommandHost {
  readonly #options: AgentOptions
  readonly #model: AgentModel
  readonly #roles: RoleTable
  readonly #answering: Answering
  readonly #commands: AgentCommands
  readonly #notifier: Notifier
  readonly #lives: SubscriptionLives
  readonly #work: TurnQueue
  readonly #retries: Retries
  readonly #counts: Omit<AgentCounters, 'notifies'> = { connects: 0, requests: {} }
  readonly #channels: ControllerChannels
  #changes: ModelChange[] = []
  /** Changes of Controller rows that were taken note of, and on which the Agent has not acted. */
  #controllerChanges: ModelChange[] = []
  #unlisten: (() => void) | undefined
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
    const { model, log, access } = options
    this.#options = options
    this.#model = model
    this.#work = new TurnQueue((error) => log.error({ err: error }, 'the Agent failed'))
    const enqueue = (work: () => Promise<void>) => this.enqueue(work)
    this.#retries = new Retries({ clock: options.clock, log, enqueue })
    this.#roles = new RoleTable(model, access)
    this.#commands = new AgentCommands(model, this, log)
    const requests = new AgentRequests(
      model,
      (table, by) => ownRowValues(table, by, this.now()),
      () => this.#work.letReadsPass(),
    )
    this.#answering = new Answering(this.#roles, requests, this.#commands)
    this.#channels = new ControllerChannels(model, (settings) => new ControllerChannel(this, settings, options))
    this.#notifier = new Notifier(model, this.#roles, this.#channels.byRow)
    this.#lives = new SubscriptionLives({ ...options, enqueue })
  }

  get running(): boolean {
    return this.#running
  }

  get connected(): boolean {
    return this.#channels.connected
  }

  get counters(): AgentCounters {
    return { ...this.#counts, notifies: this.#notifier.count }
  }

  /**
   * Boots: deletes subscriptions that do not persist, connects to the enabled Controllers, sends Boot! and what was owed
   * before.
   */
  start(boot: BootCause): void {
    this.#running = true
    this.#life++
    this.#boot = boot
    this.#idPrefix = randomToken(this.#options.random, 6)
    this.#work.restart()
    this.#roles.forget()
    this.enqueue(() => this.#begin())
  }

  /** Stops at once; `graceful` takes leave of the Controllers. Work under way has no further effect on links. */
  stop(graceful: boolean): void {
    this.#running = false
    this.#life++
    this.#work.restart()
    this.#unlisten?.()
    this.#unlisten = undefined
    this.#retries.stop()
    this.#changes = []
    this.#controllerChanges = []
    this.#commands.stop()
    this.#lives.stop()
    this.#channels.stop(graceful)
    this.#bootDue.clear()
    this.#onBoardDue.clear()
  }

  /** Sends an OnBoardRequest to the Controller of a row, now or when it is connected (R-NOT.5). */
  sendOnBoardRequest(row: string): void {
    const channel = this.#channels.byRow.get(row)
    if (channel?.connected === true) this.enqueue(() => channel.onBoard())
    else this.#onBoardDue.add(row)
  }

  resetConnection(mtp: string): void {
    this.#channels.byRow.get(mtp.replace(/MTP\.\d+\.$/, ''))?.reset(mtp)
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
      agent_supported_protocol_versions: SUPPORTED_VERSIONS,
    }
    return { subscription_id: '', send_resp: true, on_board_req }
  }

  onConnected(channel: ControllerChannel): void {
    this.#counts.connects++
    this.enqueue(() => this.#greet(channel))
  }

  onPeriodic(channel: ControllerChannel): void {
    this.enqueue(async () => {
      await this.#notifier.note([PERIODIC], channel)
      channel.outbox.flush()
    })
  }

  onRequest(channel: ControllerChannel, msg: AgentRequest): Promise<void> {
    return new Promise((resolve) => {
      const work = () => this.#answer(channel, msg).finally(resolve)
      if (this.#running) this.#work.request(channel.row, work, READS.has(msg.name))
    })
  }

  async operationComplete(object: string, name: string, commandKey: string, outcome: Outcome): Promise<void> {
    const oper_complete = { obj_path: object, command_name: name, command_key: commandKey, ...outcome }
    const occurrence = { type: 'OperationComplete', about: object + name, notification: { oper_complete } }
    await this.#note(`the end of ${object}${name}`, () => this.#notifier.note([occurrence]))
  }

  async transferComplete(params: Record<string, string>): Promise<void> {
    const result = params.FaultCode === '0' ? 'Success' : 'Failure'
    const event = eventOf('Device.LocalAgent.', 'TransferComplete!', params)
    await this.#note('TransferComplete!', async () => {
      for (const channel of await this.#channels.interestedIn(result)) await this.#notifier.note([event], channel)
    })
  }

  /** Does work that takes note of something; when the model cannot be read, it is done again later. */
  async #note(name: string, work: () => Promise<void>): Promise<void> {
    const id = `${name} ${this.nextMsgId()}`
    const again = async () => {
      await this.#retries.run(id, work, again)
      this.#notifier.flush()
    }
    await this.#retries.run(id, work, again)
  }

  sendNotifications(): void {
    this.#notifier.flush()
  }

  /** The first work of a start. A model that cannot be read is read again later. */
  async #begin(): Promise<void> {
    const life = this.#life
    await this.#retries.run('the start', async () => {
      await this.#roles.seed()
      await this.#commands.clear()
      await this.#lives.endTransient()
      const controllers = await (await ModelReader.of(this.#model)).rows(CONTROLLERS)
      if (life !== this.#life) return
      for (const row of controllers) this.#bootDue.add(row)
      this.#unlisten ??= this.#model.changes((change) => this.#onChange(change))
      await this.#lives.schedule()
      await this.#notifier.refresh()
      await this.#channels.follow()
      this.enqueue(() => this.#restore())
    })
  }

  /** Takes up the notifications that were owed before. */
  async #restore(): Promise<void> {
    const { notifyStore } = this.#options
    if (notifyStore === undefined) return
    await this.#retries.run('owed notifications', () => this.#notifier.restore(notifyStore))
    this.#notifier.flush()
  }

  /** The link to a Controller is open: sends Boot! of this start, an OnBoardRequest, and what is owed. */
  async #greet(channel: ControllerChannel): Promise<void> {
    await this.#retries.run(`Boot! ${channel.row}`, async () => {
      if (!channel.connected || !this.#bootDue.has(channel.row)) return
      const access = await this.#roles.accessOf(channel.row)
      const reader = await ModelReader.of(this.#model, { by: channel.row, access })
      const params = await bootArguments(reader, channel.row, this.#boot)
      await this.#notifier.note([eventOf('Device.', 'Boot!', params)], channel)
      this.#bootDue.delete(channel.row)
      channel.outbox.flush()
    })
    if (this.#onBoardDue.delete(channel.row) || !channel.isOnboarded) await channel.onBoard()
    channel.outbox.flush()
  }

  async #answer(channel: ControllerChannel, request: AgentRequest): Promise<void> {
    const { msg, afterwards } = await this.#answering.answer(request, channel.row)
    if (msg?.kind === 'response') this.#counts.requests[request.name] = (this.#counts.requests[request.name] ?? 0) + 1
    // The notifications of its changes are owed before the Controller is answered.
    await this.#noteChanges()
    if (msg !== undefined) channel.send(msg)
    this.#notifier.flush()
    if (this.#running) for (const work of afterwards) work()
  }

  /** Changes are looked at when the request that made them is handled: a new row has its values then. */
  #onChange(change: ModelChange): void {
    this.#roles.changed(change.path)
    if (this.#changes.push(change) === 1) this.enqueue(() => this.#onChanges())
  }

  async #onChanges(): Promise<void> {
    await this.#noteChanges()
    await this.#retries.run('Controllers', () => this.#followControllers())
    this.#notifier.flush()
  }

  /** Takes note of the changes so far. When the model cannot be read, they are looked at again later. */
  async #noteChanges(): Promise<void> {
    const life = this.#life
    const changes = this.#changes
    if (changes.length === 0) return
    this.#changes = []
    await this.#retries.run(
      'changes',
      async () => {
        const subscriptions = changes.filter(({ path }) => path.startsWith(SUBSCRIPTIONS))
        if (subscriptions.length > 0) await this.#notifier.refresh()
        const limited = subscriptions.filter(({ path }) => path.endsWith('.TimeToLive'))
        if (limited.length > 0)
          await this.#lives.schedule(limited.map(({ path }) => path.slice(0, -'TimeToLive'.length)))
        await this.#notifier.noteChanges(changes)
        if (life !== this.#life) return
        this.#controllerChanges.push(...changes.filter(({ path }) => path.startsWith(CONTROLLERS)))
      },
      () => this.#onChanges(),
      () => {
        if (life === this.#life) this.#changes = [...changes, ...this.#changes].slice(-MAX_CHANGES)
      },
    )
  }

  /** Acts on changes of Controller rows: their subscriptions end with them, links are opened and closed. */
  async #followControllers(): Promise<void> {
    const changes = this.#controllerChanges
    if (changes.length === 0) return
    const deleted = changes.filter(({ kind }) => kind === 'deleted').map(({ path }) => path)
    if (deleted.length > 0) await this.#lives.endOf(deleted)
    await this.#channels.follow()
    this.#controllerChanges = this.#controllerChanges.slice(changes.length)
  }
}
