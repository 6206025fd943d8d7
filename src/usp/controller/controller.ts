import {
  AppError,
  type Clock,
  endsWithin,
  errorText,
  type Lifecycle,
  type Log,
  ProtocolError,
  type Random,
  systemClock,
  TransportError,
} from '../../base/index.ts'
import { loadModel, type Model } from '../../datamodel/index.ts'
import type {
  AgentAdmission,
  CloseReason,
  ConflictStore,
  Contact,
  Device,
  DeviceStore,
  Driver,
  EndpointId,
  FeedEvent,
  LinkEnd,
  LinkSecrets,
  PendingAgentStore,
  SupportedModelStore,
  Upward,
  UspLinks,
} from '../../domain/index.ts'
import type { AuditEntry, AuditLog } from '../../security/index.ts'
import type { Link, LinkRefusal, Mtp, Newcomer } from '../mtp/index.ts'
import { Codec, type ConnectKind, type Msg, parseEndpointId, type UspRecord } from '../wire/index.ts'
import { Admission, type Admitted } from './admission.ts'
import { AgentLink } from './agent-link.ts'
import { Arrivals } from './arrivals.ts'
import { Claims } from './claims.ts'
import { execute } from './execute.ts'
import { LinkRecords } from './link-records.ts'
import { Liveness, type LivenessLimits } from './liveness.ts'
import { NewRows } from './new-rows.ts'
import { Notifications } from './notifications.ts'
import { onboard } from './onboarding.ts'
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
  /** This server instance, noted on the devices whose links it holds. */
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
  /** When Agents are probed; those that go with the interval of Periodic! unless given. */
  liveness?: Partial<LivenessLimits>
  /** The time that the link of an Agent that is not admitted stays open; 30 s unless told. */
  turnedAwayMs?: number
  /** Counts for metrics. */
  onNotify?(kind: string): void
  onRefused?(reason: string): void
  /** Onboarding of a device is over, with whatever outcome. */
  onOnboarded?(deviceId: string, outcome: 'ok' | 'failed' | 'linkGone'): void
  onDisconnected?(reason: LinkEnd): void
}

/** Onboarding that failed is tried again after this, doubled each time up to the last. */
const REFRESH_AGAIN_MS = 30_000
const REFRESH_AGAIN_MAX_MS = 3_600_000
/** A stored lastAnswerAt of an Agent that answers gets no older. */
const NOTE_ANSWER_MS = 600_000
/** The subscriptions of an Agent are looked at again with a Periodic! after this time: they may have run out or been switched off. */
const LOOK_MS = 3_600_000
/** Records and links are compared so often. */
const SWEEP_MS = 300_000
/** How long a stop waits for facts that are not stored. */
const STOP_MS = 5000
/** An Agent that is asked whether it answers has so long. */
const ASK_TIMEOUT_MS = 10_000

/** Records of a link without an Endpoint ID that are kept while the Agent is judged. */
const MAX_UNNAMED = 16

/** Sentences for whoever reads the log of the Agent. */
const CLOSE_TEXTS: Readonly<Record<CloseReason, string>> = {
  policy: 'the Agent is not admitted',
  tryAgain: 'the Agent cannot be served now',
  goingAway: 'the Controller stops',
  unsupported: 'this is not supported',
  replaced: 'a newer link took over',
  notAnswering: 'requests were not answered',
  rolledBack: 'the device is managed over CWMP again',
}

/** The USP Controller: links to Agents, who they are, what they tell, and the way down to them. */
export class Controller implements Lifecycle {
  readonly name = 'USP Controller'
  readonly driver: Driver = {
    protocol: 'usp',
    // The Agent opens the link; a Controller has no means to ask for one.
    wake: (device) => Promise.resolve(this.#byDevice.has(device.id) ? 'alreadyHere' : 'notSupported'),
  }
  readonly links: UspLinks = {
    close: (deviceId, reason) => this.#closeLink(deviceId, reason),
    ask: (deviceId) => this.#askAgent(deviceId),
  }
  readonly #options: ControllerOptions
  readonly #codec = new Codec()
  readonly #model: Model = loadModel('tr181-usp')
  readonly #refusals: Refusals
  readonly #arrivals: Arrivals
  readonly #models: SupportedModels
  readonly #notifications: Notifications
  readonly #liveness: Liveness
  readonly #records: LinkRecords
  readonly #claims: Claims
  readonly #admission: Admission
  readonly #turnedAway: TurnedAway
  /** Clients whose link is about to be opened. */
  readonly #admitted = new WeakMap<Newcomer, Admitted>()
  readonly #agents = new Map<Link, AgentLink>()
  readonly #byDevice = new Map<string, AgentLink>()
  /** The contacts that are offered to operations. */
  readonly #contacts = new Map<AgentLink, AbortController>()
  readonly #underWay = new Set<Promise<void>>()
  readonly #process: string
  #links = 0
  #stopping = false
  #cancelSweep: (() => void) | undefined

  constructor(options: ControllerOptions) {
    this.#options = options
    const { supportedModels } = options
    this.#process = options.nextId()
    this.#models = new SupportedModels({ ...options, store: supportedModels, of: WATCHED_PATHS })
    this.#refusals = new Refusals(options)
    this.#records = new LinkRecords(options)
    this.#liveness = new Liveness(
      {
        ...options,
        onAnswering: (agent) => this.#onAnswering(agent),
        onSilent: (agent) => this.#onSilent(agent),
        ...(options.liveness === undefined ? {} : { limits: options.liveness }),
      },
      options.periodicNotifIntervalS,
    )
    this.#claims = new Claims({
      clock: options.clock,
      isSilent: (agent) => this.#liveness.isSilent(agent),
      answersWithin: (agent, timeoutMs) => this.#liveness.answersWithin(agent, timeoutMs),
    })
    this.#admission = new Admission({ ...options, refusals: this.#refusals, claims: this.#claims })
    this.#turnedAway = new TurnedAway({
      clock: options.clock,
      onHeld: (agent) => this.#claims.release(agent),
      ...(options.turnedAwayMs === undefined ? {} : { heldMs: options.turnedAwayMs }),
    })
    this.#arrivals = new Arrivals({
      ...options,
      refusals: this.#refusals,
      heardAt: (agent) => this.#liveness.heardAt(agent),
      onJoined: (agent) => this.#onJoined(agent),
      onSecretUsed: (agent) => this.#records.secretUsed(agent),
      onTurnedAway: (agent, text) => this.#turnedAway.hold(agent, agent.endpointId, text),
    })
    const newRows = new NewRows({ ...options, model: this.#model })
    this.#notifications = new Notifications({
      ...options,
      arrivals: this.#arrivals,
      model: this.#model,
      onRow: (agent, path) => {
        const reading = newRows.read(agent, path)
        if (reading !== undefined) this.#background(agent, 'new rows were not read', reading)
      },
      onPeriodic: (agent) => {
        if (options.clock.now() - agent.subscriptionsAt < LOOK_MS) return
        this.#background(agent, 'subscriptions were not looked at', this.#refresh(agent))
      },
      onBoot: (agent) => this.#background(agent, 'onboarding after boot failed', this.#refresh(agent)),
    })
    for (const mtp of options.mtps)
      mtp.onLink({
        admit: (newcomer) => this.#admit(newcomer),
        onOpen: (link, newcomer) => this.#onOpen(link, newcomer, mtp.connectRecord),
        onRound: (link) => this.#onRound(this.#agentOf(link)),
        onRecord: (link, bytes) => this.#onRecord(link, bytes),
        onClose: (link, end) => {
          options.onDisconnected?.(end)
          this.#onClose(this.#agentOf(link), end)
          this.#agents.delete(link)
        },
      })
  }

  /** Links that are open, over all MTPs. */
  get linkCount(): number {
    return this.#options.mtps.reduce((sum, mtp) => sum + mtp.linkCount, 0)
  }

  async start(): Promise<void> {
    await this.#refusals.start()
    for (const mtp of this.#options.mtps) await mtp.start()
    this.#warnOfClaims()
    this.#scheduleSweep()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#cancelSweep?.()
    await Promise.all(this.#options.mtps.map((mtp) => mtp.stop()))
    const work = [...this.#underWay, this.#records.stop(STOP_MS), this.#refusals.stop()]
    await endsWithin(Promise.allSettled(work), STOP_MS, systemClock)
  }

  /** A device whose link has no secret is whoever knows its Endpoint ID, and that is printed on it. */
  #warnOfClaims(): void {
    const { mtps, admission, log } = this.#options
    if (admission === 'certificate' || !mtps.some((mtp) => mtp.isExposed)) return
    log.warn(
      { admission },
      'USP Agents are not asked for certificates: a link without a secret in its path (usp.weakLink) belongs to whoever knows the Endpoint ID; see --tls-client-ca and POST /devices/{id}/link-secret',
    )
  }

  /** Compares records and links now and then: a fact may have been lost with an answer of the database. */
  #scheduleSweep(): void {
    const { clock, log } = this.#options
    this.#cancelSweep = clock.after(SWEEP_MS, () => {
      const work = this.#records
        .sweep(this.#byDevice)
        .catch((error: unknown) => log.warn({ reason: errorText(error) }, 'records and links were not compared'))
        .finally(() => {
          this.#underWay.delete(work)
          if (!this.#stopping) this.#scheduleSweep()
        })
      this.#underWay.add(work)
    })
  }

  /** The text as an Endpoint ID that an Agent may have. AppError `invalid` when it is none (TR-369 2.2), or our own. */
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

  /** Takes in an event of the feed that changes who is let in, or what is known of models. Links that are not let in any more are closed. */
  heed(event: FeedEvent): void {
    this.#refusals.heed(event)
    const { type, deviceId, data } = event
    if (type === 'supportedModel.deleted') this.#models.forget(String(data.model))
    if (type === 'device.bound' || type === 'device.unbound') {
      const agent = deviceId === undefined ? undefined : this.#byDevice.get(deviceId)
      const stays = (agent?.endpointId === data.endpointId) === (type === 'device.bound')
      if (!stays) agent?.link.close('policy', 'the Endpoint ID does not belong to this device any more')
    }
    if (type === 'device.bound' || type === 'agent.unblocked') this.#turnedAway.release(String(data.endpointId))
    if (type !== 'device.conflict' && type !== 'agent.blocked') return
    for (const { endpointId, link, refused } of this.#agents.values())
      if (endpointId === data.endpointId && !refused && (type === 'agent.blocked' || link.proof !== 'certificate'))
        link.close('policy', 'the Agent is not admitted any more')
  }

  async #admit(newcomer: Newcomer): Promise<LinkRefusal | undefined> {
    const judged = await this.#admission.judge(newcomer)
    if ('kind' in judged) return judged
    this.#admitted.set(newcomer, judged)
    return undefined
  }

  #onOpen(link: Link, newcomer: Newcomer, connectRecord: ConnectKind): void {
    const { endpointId: ownId, clock, log } = this.#options
    const id = `${this.#process}.${++this.#links}`
    const agent = new AgentLink({ link, connectRecord, id, codec: this.#codec, ownId, clock })
    agent.onTimeout = () => this.#liveness.missed(agent)
    this.#agents.set(link, agent)
    if (log.isDebug()) agent.onMessage = (what, msg) => log.debug(lineOf(agent, msg), what)
    const admitted = this.#admitted.get(newcomer)
    if (admitted !== undefined && link.endpointId !== '') this.#claim(agent, admitted)
  }

  /** False when another link has taken the Endpoint ID meanwhile: then this one is closed. */
  #claim(agent: AgentLink, { secretOf, instead }: Admitted): boolean {
    agent.secretOf = secretOf
    const taken = this.#claims.take(agent, instead)
    if (!taken) agent.link.close('tryAgain', 'another link of this Endpoint ID came')
    return taken
  }

  /** Judges the Agent that the first Record of a link names; Records that come meanwhile wait. */
  async #name(agent: AgentLink, endpointId: string): Promise<void> {
    const { link } = agent
    const { secret, remoteAddress: address } = link
    const judged = await this.#admission.judge({ endpointId, certificate: false, secret, address })
    const records = agent.unnamed ?? []
    agent.unnamed = undefined
    if (!link.isOpen) return
    if ('kind' in judged) {
      if (judged.kind === 'tryAgain') return link.close('tryAgain', judged.text)
      return this.#turnedAway.hold(agent, endpointId, judged.text)
    }
    link.endpointId = endpointId
    if (!this.#claim(agent, judged)) return
    for (const bytes of records) this.#onRecord(link, bytes)
  }

  /** The AgentLink that `onOpen` made for this link. */
  #agentOf(link: Link): AgentLink {
    const agent = this.#agents.get(link)
    if (agent === undefined) throw new Error('a link that was not opened')
    return agent
  }

  /** Runs work of one link beside the others; what goes wrong there is logged and ends there. */
  #background(agent: AgentLink, what: string, work: Promise<void>): void {
    const run: Promise<void> = work
      .catch((err) => {
        // Agents that fall silent or leave are everyday; what is left is a defect of ours.
        const expected =
          agent.closed || err instanceof ProtocolError || err instanceof TransportError || err instanceof AppError
        const fields = { endpointId: agent.endpointId, deviceId: agent.device?.id }
        if (expected) this.#options.log.info({ ...fields, reason: errorText(err) }, what)
        else this.#options.log.error({ ...fields, err }, what)
      })
      .finally(() => this.#underWay.delete(run))
    this.#underWay.add(run)
  }

  #onRecord(link: Link, bytes: Uint8Array): void {
    const agent = this.#agentOf(link)
    if (agent.refused) return
    if (agent.unnamed !== undefined) {
      // One that says so much before it is admitted is none that waits for an answer.
      if (agent.unnamed.push(bytes) > MAX_UNNAMED) link.close('policy', 'too many Records before the Agent is admitted')
      return
    }
    try {
      const record = this.#codec.decodeRecord(bytes)
      // Not for us, or not from whom the link belongs to: ignored without a word (R-E2E.1, R-SEC.0a).
      if (record.toId !== this.#options.endpointId)
        return this.#ignore(agent, `to_id is not ours but ${JSON.stringify(record.toId.slice(0, 80))}`)
      if (link.endpointId === '') {
        const endpointId = parseEndpointId(record.fromId)
        agent.unnamed = [bytes]
        return this.#background(agent, 'Agent was not judged', this.#name(agent, endpointId))
      }
      if (record.fromId !== link.endpointId)
        return this.#ignore(agent, `from_id is not that of the link but ${JSON.stringify(record.fromId.slice(0, 80))}`)
      this.#onOwnRecord(agent, record)
    } catch (error) {
      this.#refuse(agent, error)
    }
  }

  #onOwnRecord(agent: AgentLink, { body, secured }: UspRecord): void {
    if (body.kind === 'session')
      return secured
        ? this.#disconnect(agent, 7102, 'secure session context is not supported')
        : this.#disconnect(agent, 7106, 'session context is not supported')
    if (secured) return this.#ignore(agent, 'payload security without session context')
    switch (body.kind) {
      case 'noSession':
        return this.#onMsg(agent, this.#codec.decodeMsg(body.payload))
      case 'disconnect':
        // The link may stay, and the Agent may connect anew over it (R-MTP.8).
        return this.#options.log.debug({ endpointId: agent.endpointId, reason: body.reason }, 'Agent disconnects')
      default:
        if (body.kind !== agent.connectRecord) return this.#ignore(agent, 'connect record of another MTP')
        return this.#background(agent, 'arrival failed', this.#arrivals.arrive(agent, undefined))
    }
  }

  #disconnect(agent: AgentLink, reasonCode: number, reason: string): void {
    const body = { kind: 'disconnect', reason, reasonCode } as const
    agent.link.send(this.#codec.encodeRecord({ toId: agent.endpointId, fromId: this.#options.endpointId, body }))
  }

  /** Told once per link where people see it: an Agent that has our Endpoint ID wrong is silent to them otherwise. */
  #ignore(agent: AgentLink, reason: string): void {
    this.#options.onRefused?.('ignored')
    const { log } = this.#options
    const fields = { endpointId: agent.endpointId, address: agent.link.remoteAddress, reason }
    if (agent.ignored) log.debug(fields, 'Record ignored')
    else log.info(fields, 'Record ignored')
    agent.ignored = true
  }

  /** Bytes that are no Record close the link (R-WS.16); a Request that is wrong is answered; the rest is ignored (R-MTP.5). */
  #refuse(agent: AgentLink, error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      this.#options.log.error({ endpointId: agent.endpointId, err: error }, 'Record handling failed')
      return agent.link.close('policy', 'internal error')
    }
    this.#options.onRefused?.(error.code)
    this.#options.log.info({ endpointId: agent.endpointId, code: error.code, reason: error.message }, 'Record refused')
    const msgId = error.context.msgId
    if (typeof msgId === 'string')
      agent.send({ msgId, kind: 'error', body: { err_code: 7004, err_msg: error.message, param_errs: [] } })
    else if (error.code === '7100') agent.link.close('unsupported', error.message)
  }

  #onMsg(agent: AgentLink, msg: Msg): void {
    agent.onMessage?.('Message received', msg)
    this.#liveness.heard(agent)
    if (msg.kind !== 'request') {
      if (!agent.settle(msg))
        this.#options.log.debug({ endpointId: agent.endpointId, msgId: msg.msgId }, 'late or unasked answer ignored')
      return
    }
    if (msg.name !== 'notify') {
      // Register and Deregister are for brokers; Agents do not send the rest.
      agent.send({
        msgId: msg.msgId,
        kind: 'error',
        body: { err_code: 7001, err_msg: 'Message not supported', param_errs: [] },
      })
      return
    }
    const refusal = this.#notifications.refusal(agent, msg.msgId)
    if (refusal !== undefined) return this.#ignore(agent, refusal)
    this.#background(agent, 'Notify failed', this.#notifications.take(agent, msg.msgId, msg.body))
  }

  #onJoined(agent: AgentLink): void {
    const { device } = agent
    if (device === undefined) return
    // Its binding went to another Endpoint ID meanwhile.
    const former = this.#byDevice.get(device.id)
    if (former !== undefined && former !== agent) {
      former.link.close('replaced', 'another Agent is this device now')
      this.#records.replaced(agent)
    }
    this.#byDevice.set(device.id, agent)
    if (agent.closed) return this.#onClose(agent, agent.end)
    // Its first Message came while the link was being stored.
    if (device.usp?.answering === false && this.#liveness.answers(agent)) this.#records.answering(agent, true)
    // Operations may reach the device while and although it is onboarded: its Agent has answered.
    this.#offer(agent)
    this.#background(agent, 'onboarding failed', this.#refresh(agent))
  }

  #onAnswering(agent: AgentLink): void {
    if (agent.device === undefined) return
    this.#records.answering(agent, true)
    this.#offer(agent)
  }

  /** Operations wait for an Agent that does not answer: one that is sent to it would hold up the others. */
  #onSilent(agent: AgentLink): void {
    this.#records.answering(agent, false)
    this.#endContact(agent)
  }

  #endContact(agent: AgentLink): void {
    this.#contacts.get(agent)?.abort()
    this.#contacts.delete(agent)
  }

  /** Every ping round of a link: who has no device, and who is not onboarded. */
  #onRound(agent: AgentLink): void {
    if (agent.refused) return
    if (agent.device === undefined) return this.#background(agent, 'Agent was not joined', this.#arrivals.care(agent))
    this.#liveness.look(agent)
    this.#noteAnswer(agent)
    if (agent.refreshDueAt !== 0 && this.#options.clock.now() >= agent.refreshDueAt)
      this.#background(agent, 'onboarding failed again', this.#refresh(agent))
  }

  /** Answers are noted now and then; notifications note themselves. */
  #noteAnswer(agent: AgentLink): void {
    const heardAt = this.#liveness.heardAt(agent)
    if (heardAt === undefined || heardAt - agent.touchedAt < NOTE_ANSWER_MS) return
    agent.touchedAt = heardAt
    this.#records.answeredAt(agent, heardAt)
  }

  /** Offers the device to operations while its Agent answers. */
  #offer(agent: AgentLink): void {
    const { device } = agent
    if (device === undefined || agent.closed || this.#contacts.has(agent) || !this.#liveness.answers(agent)) return
    const contact = new AbortController()
    this.#contacts.set(agent, contact)
    // Resolves when the contact ends: not part of what a stop waits for.
    void this.#options.upward.contact(this.#contact(agent, device, contact.signal))
  }

  /** Onboards, once at a time per Agent; what goes wrong is tried again later. */
  #refresh(agent: AgentLink): Promise<void> {
    agent.refreshing ??= this.#onboard(agent).finally(() => {
      agent.refreshing = undefined
    })
    return agent.refreshing
  }

  async #onboard(agent: AgentLink): Promise<void> {
    const { device } = agent
    if (device === undefined || agent.closed) return
    const { clock, log, endpointId, onOnboarded, upward } = this.#options
    agent.subscriptionsAt = clock.now()
    try {
      const facts = await this.#arrivals.facts(agent)
      const audit = (entry: AuditEntry) => this.#records.audit(entry)
      if (facts !== undefined)
        await onboard(agent, device, facts, {
          ...this.#options,
          audit,
          ownId: endpointId,
          models: this.#models,
          onReset: ({ id: deviceId }) =>
            upward.completed({ deviceId, protocol: 'usp', kind: 'reset', commandKey: '', at: clock.now() }),
        })
      agent.failures = 0
      agent.refreshDueAt = 0
      onOnboarded?.(device.id, facts === undefined ? 'linkGone' : 'ok')
    } catch (error) {
      onOnboarded?.(device.id, agent.closed ? 'linkGone' : 'failed')
      if (agent.closed) return
      const waitMs = Math.min(REFRESH_AGAIN_MS * 2 ** agent.failures++, REFRESH_AGAIN_MAX_MS)
      agent.refreshDueAt = clock.now() + waitMs
      log.warn({ deviceId: device.id, reason: errorText(error), againMs: waitMs }, 'onboarding failed')
    }
  }

  #contact(agent: AgentLink, device: Device, signal: AbortSignal): Contact {
    const supported = () => this.#models.full(agent.device ?? device)
    return {
      deviceId: device.id,
      protocol: 'usp',
      lasting: true,
      signal,
      // The record was read when the link came; meanwhile work may have come too.
      workKnown: true,
      execute: (operation, hooks) => execute(agent, operation, hooks, { model: this.#model, supported }),
    }
  }

  #closeLink(deviceId: string, reason: CloseReason): Promise<void> {
    const agent = this.#byDevice.get(deviceId)
    if (agent === undefined) return Promise.resolve()
    agent.link.close(reason, CLOSE_TEXTS[reason])
    return agent.gone
  }

  async #askAgent(deviceId: string): Promise<'answered' | 'silent' | 'elsewhere'> {
    const agent = this.#byDevice.get(deviceId)
    if (agent === undefined || agent.closed) return 'elsewhere'
    try {
      await agent.probe(ASK_TIMEOUT_MS)
      return 'answered'
    } catch (error) {
      return error instanceof TransportError ? 'silent' : 'answered'
    }
  }

  #onClose(agent: AgentLink, end: LinkEnd): void {
    agent.close(end)
    this.#claims.release(agent)
    this.#turnedAway.forget(agent)
    this.#endContact(agent)
    const { device } = agent
    if (device === undefined || this.#byDevice.get(device.id) !== agent) return
    this.#byDevice.delete(device.id)
    // A stopping server marks all its links at once.
    if (!this.#stopping) this.#records.ended(agent, end)
  }
}

/** What a log line tells of a Message: whose it is and which, never what it carries. */
function lineOf(agent: AgentLink, msg: Msg): Record<string, unknown> {
  return {
    deviceId: agent.device?.id,
    endpointId: agent.endpointId,
    msgId: msg.msgId,
    type: msg.kind === 'error' ? 'error' : msg.name,
    ...(msg.kind === 'error' ? { code: msg.body.err_code } : {}),
  }
}
