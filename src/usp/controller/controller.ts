import {
  AppError,
  type Clock,
  endsWithin,
  errorText,
  type Lifecycle,
  type Log,
  limitLines,
  type Random,
  systemClock,
} from '../../base/index.ts'
import { loadModel } from '../../datamodel/index.ts'
import type {
  AgentAdmission,
  ConflictStore,
  DeviceStore,
  Driver,
  EndpointId,
  FeedEvent,
  LinkEnd,
  LinkSecrets,
  PendingAgentStore,
  RefreshRules,
  SupportedModelStore,
  Upward,
  UspLinks,
} from '../../domain/index.ts'
import type { AuditLog } from '../../security/index.ts'
import type { Link, Mtp, Newcomer } from '../mtp/index.ts'
import { Codec, type Msg, parseEndpointId } from '../wire/index.ts'
import { Admission } from './admission.ts'
import { AgentLink, type AgentLinkOptions } from './agent-link.ts'
import { Arrivals } from './arrivals.ts'
import { Claims } from './claims.ts'
import { Contacts } from './contacts.ts'
import { Incoming } from './incoming.ts'
import { LinkControl } from './link-control.ts'
import { LinkRecords } from './link-records.ts'
import { LinkWork } from './link-work.ts'
import { Links } from './links.ts'
import { Liveness, type LivenessLimits } from './liveness.ts'
import { NewRows } from './new-rows.ts'
import { Notifications } from './notifications.ts'
import { Onboardings } from './onboardings.ts'
import { Refusals } from './refusals.ts'
import { WATCHED_PATHS } from './subscriptions.ts'
import { SupportedModels } from './supported-models.ts'
import { TurnedAway } from './turned-away.ts'

export interface ControllerOptions {
  /** The transports over which Agents link; started and stopped with the Controller. */
  mtps: readonly Mtp[]
  /** Endpoint ID of the Controller. */
  endpointId: string
  admission: AgentAdmission
  periodicNotifIntervalS: number
  /** The policy by which Agents are asked to report sources of live facts; absent: they are not. */
  factRules?: RefreshRules
  /** This server instance, stored with the devices whose links it holds. */
  instance: string
  devices: DeviceStore
  conflicts: ConflictStore
  pendingAgents: PendingAgentStore
  linkSecrets: LinkSecrets
  supportedModels: SupportedModelStore
  audit: AuditLog
  upward: Upward
  /** Asked before a device is registered whose Agent proves nothing; absent: it may be. */
  mayRegister?(): Promise<boolean>
  nextId(): string
  clock: Clock
  random: Pick<Random, 'fraction'>
  log: Log
  /** The times after which Agents are probed; by default derived from the interval of Periodic!. */
  liveness?: Partial<LivenessLimits>
  /** The time that the link of an Agent that is not admitted stays open; 30 s by default. */
  turnedAwayMs?: number
  /** Counts for metrics. */
  onNotify?(kind: string): void
  onRefused?(reason: string): void
  /** Called when the onboarding of a device has ended, with its outcome. */
  onOnboarded?(deviceId: string, outcome: 'ok' | 'failed' | 'linkGone'): void
  onDisconnected?(reason: LinkEnd): void
}

/** Time for a stop to store facts of links. */
const STOP_MS = 5000
/** Log lines of one kind about Records and work of Agents, which an Agent may cause as often as it likes. */
const LINES_PER_MINUTE = 60
/**
 * The USP Controller over all its MTPs. It builds the classes that each do one thing, and connects them: a link is
 * opened (Admission), its Records are taken (Incoming), its Agent is joined to a device (Arrivals) and onboarded
 * (Onboardings), and the device is offered to operations (Contacts) while its Agent answers (Liveness).
 */
export class Controller implements Lifecycle {
  readonly name = 'USP Controller'
  readonly driver: Driver = {
    protocol: 'usp',
    // The Agent opens the link; a Controller has no means to ask for one.
    wake: (device) => Promise.resolve(this.#links.ofDevice(device.id) === undefined ? 'notSupported' : 'alreadyHere'),
  }
  readonly #options: ControllerOptions
  readonly #control: LinkControl
  readonly #codec = new Codec()
  readonly #links = new Links()
  readonly #work: LinkWork
  readonly #refusals: Refusals
  readonly #turnedAway: TurnedAway
  readonly #admission: Admission
  readonly #incoming: Incoming
  readonly #liveness: Liveness
  readonly #arrivals: Arrivals
  readonly #records: LinkRecords
  readonly #onboardings: Onboardings
  readonly #contacts: Contacts
  readonly #process: string
  #opened = 0
  #stopping = false

  constructor(options: ControllerOptions) {
    this.#options = options
    const { clock, periodicNotifIntervalS, upward } = options
    const links = this.#links
    const model = loadModel('tr181-usp')
    this.#process = options.nextId()
    const log = limitLines(options.log, options.clock, LINES_PER_MINUTE)
    this.#work = new LinkWork(log)
    const models = new SupportedModels({ ...options, store: options.supportedModels, of: WATCHED_PATHS })
    this.#refusals = new Refusals(options)
    this.#records = new LinkRecords({ ...options, answers: (agent) => this.#liveness.answers(agent) })
    const { liveness: limits, turnedAwayMs: heldMs, ...rest } = options
    this.#liveness = new Liveness(
      {
        ...rest,
        onAnswering: (agent) => this.#onAnswering(agent),
        onSilent: (agent) => this.#onSilent(agent),
        ...(limits === undefined ? {} : { limits }),
      },
      periodicNotifIntervalS,
    )
    const claims = new Claims({
      links,
      clock,
      isSilent: (agent) => this.#liveness.isSilent(agent),
      answersWithin: (agent, timeoutMs) => this.#liveness.answersWithin(agent, timeoutMs),
    })
    this.#turnedAway = new TurnedAway({
      clock,
      onHeld: (agent) => links.releaseEndpoint(agent),
      ...(heldMs === undefined ? {} : { heldMs }),
    })
    this.#control = new LinkControl({
      links,
      models,
      refusals: this.#refusals,
      turnedAway: this.#turnedAway,
    })
    this.#admission = new Admission({ ...options, refusals: this.#refusals, claims, turnedAway: this.#turnedAway })
    this.#arrivals = new Arrivals({
      ...options,
      refusals: this.#refusals,
      heardAt: (agent) => this.#liveness.heardAt(agent),
      onJoined: (agent) => this.#onJoined(agent),
      onSecretUsed: (agent) => this.#records.secretUsed(agent),
      onTurnedAway: (agent, text) => this.#turnedAway.hold(agent, agent.endpointId, text),
    })
    const parts = { arrivals: this.#arrivals, records: this.#records, models, liveness: this.#liveness }
    this.#onboardings = new Onboardings({ ...options, ...parts })
    this.#contacts = new Contacts({ ...parts, upward, model })
    const notifications = this.#notifications({ ...options, ...parts, model })
    this.#incoming = new Incoming({
      ...options,
      ...parts,
      log,
      admission: this.#admission,
      notifications,
      codec: this.#codec,
      work: this.#work,
    })
    for (const mtp of options.mtps) this.#listen(mtp)
  }

  /** Connects the links of an MTP with the classes that take them. */
  #listen(mtp: Mtp): void {
    mtp.onLink({
      admit: (newcomer) => this.#admission.admit(newcomer),
      onOpen: (link, newcomer) => this.#onOpen(link, newcomer, mtp),
      onRound: (link) => this.#onRound(this.#links.of(link)),
      onRecord: (link, bytes) => this.#incoming.receive(this.#links.of(link), bytes),
      onClose: (link, end) => {
        this.#options.onDisconnected?.(end)
        this.#onClose(this.#links.of(link), end)
      },
    })
  }

  /** Builds the class that takes notifications, and connects it with the work that they start. */
  #notifications(
    deps: Omit<ConstructorParameters<typeof Notifications>[0], 'onRow' | 'onPeriodic' | 'onBoot'>,
  ): Notifications {
    const newRows = new NewRows(deps)
    return new Notifications({
      ...deps,
      onRow: (agent, path) => {
        const reading = newRows.read(agent, path)
        if (reading !== undefined) this.#work.run(agent, 'new rows were not read', reading)
      },
      onPeriodic: (agent) => {
        if (this.#onboardings.isOld(agent)) this.#onboard(agent)
      },
      onBoot: (agent) => this.#onboard(agent),
    })
  }

  /** Closes and probes links by device. */
  get links(): UspLinks {
    return this.#control
  }

  /** Links that are open, over all MTPs. */
  get linkCount(): number {
    return this.#options.mtps.reduce((sum, mtp) => sum + mtp.linkCount, 0)
  }

  async start(): Promise<void> {
    await this.#refusals.start()
    for (const mtp of this.#options.mtps) await mtp.start()
    this.#warnOfClaims()
    this.#records.start(this.#links.devices)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#records.endSweeps()
    await Promise.all(this.#options.mtps.map((mtp) => mtp.stop()))
    const work = [this.#work.ended(), this.#records.stop(STOP_MS), this.#refusals.stop()]
    await endsWithin(Promise.allSettled(work), STOP_MS, systemClock)
  }

  /**
   * An Endpoint ID is no secret: a link that shows neither certificate nor secret belongs to any client that knows the
   * ID.
   */
  #warnOfClaims(): void {
    const { mtps, admission, log } = this.#options
    if (admission === 'certificate' || !mtps.some((mtp) => mtp.isExposed)) return
    log.warn(
      { admission },
      'USP Agents are not asked for certificates: a link without a secret in its path (usp.weakLink) belongs to ' +
        'whoever knows the Endpoint ID; see --tls-client-ca and POST /devices/{id}/link-secret',
    )
  }

  /**
   * Returns the text as the Endpoint ID of an Agent. AppError `invalid` when it is none (TR-369 2.2), or that of this
   * Controller.
   */
  asEndpointId(text: string): EndpointId {
    let endpointId: EndpointId
    try {
      endpointId = parseEndpointId(text)
    } catch (cause) {
      throw new AppError('invalid', errorText(cause), { cause })
    }
    if (endpointId === this.#options.endpointId)
      throw new AppError('invalid', `${endpointId} is the Endpoint ID of this Controller`)
    return endpointId
  }

  /** Takes an event of the feed; see HEEDED_EVENTS. */
  heed(event: FeedEvent): void {
    this.#control.heed(event)
  }

  #onOpen(link: Link, newcomer: Newcomer, { connectRecord }: Mtp): void {
    const { endpointId: ownId, clock, log } = this.#options
    const id = `${this.#process}.${++this.#opened}`
    const logged: Pick<AgentLinkOptions, 'onMessage'> = log.isDebug()
      ? { onMessage: (agent, direction, msg) => log.debug(lineOf(agent, msg), direction) }
      : {}
    const onTimeout = (agent: AgentLink) => this.#liveness.missed(agent)
    const agent = new AgentLink({ link, connectRecord, id, codec: this.#codec, ownId, clock, onTimeout, ...logged })
    this.#links.add(agent)
    this.#admission.open(agent, newcomer)
  }

  /** Called in each round of a link: joins Agents without a device, probes silent ones, and repeats what failed. */
  #onRound(agent: AgentLink): void {
    if (agent.isRefused) return
    if (agent.device === undefined) return this.#work.run(agent, 'Agent was not joined', this.#arrivals.care(agent))
    this.#liveness.look(agent)
    const heardAt = this.#liveness.heardAt(agent)
    if (heardAt !== undefined) this.#records.answeredAt(agent, heardAt)
    if (this.#onboardings.isDue(agent)) this.#onboard(agent)
  }

  #onClose(agent: AgentLink, end: LinkEnd): void {
    agent.close(end)
    const wasOfDevice = this.#links.remove(agent)
    this.#turnedAway.forget(agent)
    this.#contacts.end(agent)
    // A stopping server marks all its links at once.
    if (wasOfDevice && !this.#stopping) this.#records.ended(agent, end)
  }

  #onJoined(agent: AgentLink): void {
    const { device } = agent
    if (device === undefined) return
    this.#records.touched(agent, device.usp?.lastSeenAt ?? 0)
    // Its binding went to another Endpoint ID meanwhile.
    const former = this.#links.claimDevice(agent, device.id)
    if (former !== undefined) {
      former.link.close('replaced', 'another Agent is this device now')
      this.#records.replaced(agent)
    }
    if (agent.closed) return this.#onClose(agent, agent.end)
    // Its first Message was received while the link was being stored.
    if (device.usp?.answering === false && this.#liveness.answers(agent)) this.#records.answering(agent, true)
    // Operations may use the device during its onboarding, and after one that failed: its Agent has answered.
    this.#contacts.offer(agent)
    this.#onboard(agent)
  }

  #onAnswering(agent: AgentLink): void {
    if (agent.device === undefined) return
    this.#records.answering(agent, true)
    this.#contacts.offer(agent)
  }

  #onSilent(agent: AgentLink): void {
    this.#records.answering(agent, false)
    this.#contacts.end(agent)
  }

  #onboard(agent: AgentLink): void {
    this.#work.run(agent, 'onboarding failed', this.#onboardings.run(agent))
  }
}

/** Returns the fields of the log line of a Message: its device, Agent and type, and nothing that it carries. */
function lineOf(agent: AgentLink, msg: Msg): Record<string, unknown> {
  return {
    deviceId: agent.device?.id,
    endpointId: agent.endpointId,
    msgId: msg.msgId,
    type: msg.kind === 'error' ? 'error' : msg.name,
    ...(msg.kind === 'error' ? { code: msg.body.err_code } : {}),
  }
}
