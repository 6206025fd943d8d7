import { AppError, type Clock, errorText, type Lifecycle, type Log, ProtocolError } from '../../base/index.ts'
import { loadModel, type Model } from '../../datamodel/index.ts'
import {
  type AgentAdmission,
  applyPatch,
  type ConflictStore,
  type Contact,
  type Device,
  type DeviceIdentity,
  type DeviceStore,
  type Driver,
  decideArrival,
  deviceIdOf,
  type NewEvent,
  type SupportedModelStore,
  type Upward,
} from '../../device/index.ts'
import type { AuditLog } from '../../security/index.ts'
import { CLOSE, type Link, UspWebSocketServer } from '../mtp/index.ts'
import { Codec, type Msg, type Notify, parseEndpointId, responseMsg } from '../wire/index.ts'
import { AgentLink } from './agent-link.ts'
import { execute } from './execute.ts'
import { notifyEffect } from './notify.ts'
import { modelKey, type OnboardingDeps, onboard, readIdentity } from './onboarding.ts'

export interface ControllerOptions {
  host: string
  port: number
  path: string
  tls?: { cert: string; key: string; clientCa?: string }
  /** Our own Endpoint ID. */
  endpointId: string
  admission: AgentAdmission
  maxLinks: number
  periodicNotifIntervalS: number
  /** This server instance, noted on the devices whose links it holds. */
  instance: string
  devices: DeviceStore
  conflicts: ConflictStore
  supportedModels: SupportedModelStore
  audit: AuditLog
  upward: Upward
  nextId(): string
  clock: Clock
  log: Log
  /** Counts for metrics. */
  onNotify?(kind: string): void
  onRefused?(reason: string): void
}

const NOTIFICATIONS = ['value_change', 'event', 'obj_creation', 'obj_deletion', 'oper_complete'] as const

/** The USP Controller: links to Agents, who they are, what they tell, and the way down to them. */
export class Controller implements Lifecycle {
  readonly name = 'USP Controller'
  readonly driver: Driver = {
    protocol: 'usp',
    // An Agent behind a WebSocket dials us; nobody can ask it to.
    wake: (device) => Promise.resolve(this.#byDevice.has(device.id) ? 'alreadyHere' : 'notSupported'),
  }
  readonly #options: ControllerOptions
  readonly #codec = new Codec()
  readonly #model: Model = loadModel('tr181-usp')
  readonly #server: UspWebSocketServer
  readonly #byDevice = new Map<string, AgentLink>()
  readonly #underWay = new Set<Promise<void>>()
  #stopping = false

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#server = new UspWebSocketServer({
      ...options,
      handlers: {
        onOpen: (link) => {
          link.state = new AgentLink(link, this.#codec, options.endpointId)
        },
        onRecord: (link, bytes) => this.#onRecord(link, bytes),
        onClose: (link) => this.#onClose(agentOf(link)),
      },
    })
  }

  get port(): number {
    return this.#server.port
  }

  get linkCount(): number {
    return this.#server.linkCount
  }

  start(): Promise<void> {
    return this.#server.start()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#server.stop()
    const limit = new Promise((resolve) => setTimeout(resolve, 5000).unref())
    await Promise.race([Promise.allSettled([...this.#underWay]), limit])
  }

  /** Runs work of one link beside the others; what goes wrong there is logged and ends there. */
  #background(agent: AgentLink, what: string, work: Promise<void>): void {
    const run: Promise<void> = work
      .catch((err) => {
        const expected = agent.closed || err instanceof ProtocolError || err instanceof AppError
        const fields = { endpointId: agent.endpointId, deviceId: agent.device?.id }
        if (expected) this.#options.log.info({ ...fields, reason: errorText(err) }, what)
        else this.#options.log.error({ ...fields, err }, what)
      })
      .finally(() => this.#underWay.delete(run))
    this.#underWay.add(run)
  }

  #onRecord(link: Link, bytes: Uint8Array): void {
    const agent = agentOf(link)
    try {
      const record = this.#codec.decodeRecord(bytes)
      // Not for us, or not from whom the link belongs to: ignored without a word (R-E2E.1, R-SEC.0a).
      if (record.toId !== this.#options.endpointId) return this.#ignore(agent, 'to_id is somebody else')
      if (link.endpointId === '') this.#server.claim(link, parseEndpointId(record.fromId))
      if (record.fromId !== link.endpointId) return this.#ignore(agent, 'from_id is not the Endpoint ID of the link')
      if (record.secured && record.body.kind !== 'session')
        return this.#ignore(agent, 'payload security without session context')
      switch (record.body.kind) {
        case 'websocketConnect':
          this.#arrive(agent, undefined)
          break
        case 'noSession':
          this.#onMsg(agent, this.#codec.decodeMsg(record.body.payload))
          break
        case 'session':
          link.send(
            this.#codec.encodeRecord({
              toId: record.fromId,
              fromId: this.#options.endpointId,
              body: { kind: 'disconnect', reason: 'session context is not supported', reasonCode: 7106 },
            }),
          )
          break
        case 'disconnect':
          this.#options.log.debug({ endpointId: link.endpointId, reason: record.body.reason }, 'Agent disconnects')
          break
        case 'otherConnect':
          this.#ignore(agent, 'connect record of another MTP')
      }
    } catch (error) {
      this.#refuse(agent, error)
    }
  }

  #ignore(agent: AgentLink, reason: string): void {
    this.#options.onRefused?.('ignored')
    this.#options.log.debug({ endpointId: agent.endpointId, reason }, 'Record ignored')
  }

  /** Bytes that are no Record close the link (R-WS.16); a Request that is wrong is answered; the rest is ignored (R-MTP.5). */
  #refuse(agent: AgentLink, error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      this.#options.log.error({ endpointId: agent.endpointId, err: error }, 'Record handling failed')
      return agent.link.close(CLOSE.policy, 'internal error')
    }
    this.#options.onRefused?.(error.code)
    this.#options.log.info({ endpointId: agent.endpointId, code: error.code, reason: error.message }, 'Record refused')
    const msgId = error.context.msgId
    if (typeof msgId === 'string')
      agent.send({ msgId, kind: 'error', body: { err_code: 7004, err_msg: error.message, param_errs: [] } })
    else if (error.code === '7100') agent.link.close(CLOSE.unsupported, error.message)
  }

  #onMsg(agent: AgentLink, msg: Msg): void {
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
    this.#background(agent, 'Notify failed', this.#onNotify(agent, msg.msgId, msg.body))
  }

  /** Committed first, acknowledged then (section 20.5): an Agent that hears nothing sends it again. */
  async #onNotify(agent: AgentLink, msgId: string, notify: Notify): Promise<void> {
    const { clock, upward, devices } = this.#options
    if (notify.on_board_req !== undefined) {
      const { oui, product_class, serial_number } = notify.on_board_req
      await this.#arrive(agent, { oui, productClass: product_class, serial: serial_number })
      this.#options.onNotify?.('onBoardRequest')
    } else {
      if (agent.device === undefined) await this.#arrive(agent, undefined)
      const device = agent.device
      if (device === undefined) return
      const effect = notifyEffect(agent, device.id, notify, this.#model, clock.now())
      await devices.commit(effect.change)
      if (effect.change.set !== undefined) agent.device = applyPatch(device, effect.change.set, clock.now())
      if (effect.completion !== undefined)
        await upward.completed({
          ...effect.completion,
          ...(device.softwareVersion === undefined || effect.rebooted
            ? {}
            : { softwareVersion: device.softwareVersion }),
        })
      if (effect.rebooted) this.#background(agent, 'onboarding after boot failed', this.#refresh(agent))
      this.#options.onNotify?.(NOTIFICATIONS.find((name) => notify[name] !== undefined) ?? 'unknown')
    }
    if (notify.send_resp && !agent.closed)
      agent.send(responseMsg(msgId, 'notify_resp', { subscription_id: notify.subscription_id }))
  }

  /** Joins an Agent to its device, once per link and again when it tells who it is. */
  #arrive(agent: AgentLink, identity: DeviceIdentity | undefined): Promise<void> {
    if (agent.device !== undefined && identity === undefined) return Promise.resolve()
    const run = (agent.arrival ?? Promise.resolve()).then(() => this.#decide(agent, identity))
    // Without an identity the caller is the connect record, which waits for nothing.
    if (identity === undefined && agent.arrival === undefined) this.#background(agent, 'arrival failed', run)
    agent.arrival = run.catch(() => undefined)
    return run
  }

  async #decide(agent: AgentLink, identity: DeviceIdentity | undefined): Promise<void> {
    const { devices, clock } = this.#options
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (agent.closed || (agent.device !== undefined && identity === undefined)) return
      const endpointId = parseEndpointId(agent.endpointId)
      const byEndpoint = await devices.findByEndpoint(endpointId)
      const claim = { endpointId, certificate: agent.link.certificate, ...(identity === undefined ? {} : { identity }) }
      const byIdentity =
        identity === undefined || byEndpoint !== undefined ? undefined : await devices.get(deviceIdOf(identity))
      const decision = decideArrival(claim, byEndpoint, byIdentity, this.#options.admission, clock.now())
      if (decision.kind === 'known') return this.#join(agent, decision.device)
      if (decision.kind === 'needIdentity') {
        identity = await readIdentity(agent)
        continue
      }
      if (decision.kind === 'refused') return this.#turnAway(agent, decision.reason)
      if (decision.kind === 'conflict') {
        await this.#options.conflicts.open({ ...decision.conflict, id: this.#options.nextId() }, decision.event)
        return this.#turnAway(agent, `identity conflict: ${decision.conflict.kind}`)
      }
      try {
        await devices.commit(decision.change)
      } catch (error) {
        // Somebody changed or created the record meanwhile: look again.
        if (attempt < 3 && error instanceof AppError && error.code === 'conflict') continue
        throw error
      }
      const bound = await devices.get(decision.deviceId)
      if (bound !== undefined) return this.#join(agent, bound)
    }
  }

  #turnAway(agent: AgentLink, reason: string): void {
    this.#options.onRefused?.('admission')
    this.#options.log.warn({ endpointId: agent.endpointId, address: agent.link.remoteAddress, reason }, 'Agent refused')
    agent.link.close(CLOSE.policy, reason)
  }

  /** The Agent is this device: note the link, onboard, and offer the contact to operations. */
  async #join(agent: AgentLink, device: Device): Promise<void> {
    if (agent.device !== undefined || agent.closed) return
    const { devices, clock, instance } = this.#options
    const now = clock.now()
    const patch = {
      'usp.linked': true,
      'usp.instance': instance,
      'usp.connectedAt': now,
      'usp.lastSeenAt': now,
      ...(device.root === undefined ? { root: 'Device.' as const } : {}),
    }
    const connected: NewEvent = {
      type: 'device.connected',
      at: now,
      deviceId: device.id,
      protocol: 'usp',
      data: { endpointId: agent.endpointId },
    }
    await devices.commit({ deviceId: device.id, set: patch, events: [connected] })
    agent.device = applyPatch(device, patch, now)
    agent.touchedAt = now
    this.#byDevice.set(device.id, agent)
    if (agent.closed) return this.#onClose(agent)
    this.#background(agent, 'onboarding failed', this.#serve(agent))
  }

  async #serve(agent: AgentLink): Promise<void> {
    await this.#refresh(agent)
    const device = agent.device
    if (device === undefined || agent.closed) return
    // Resolves when the link ends: not part of what a stop waits for.
    void this.#options.upward.contact(this.#contact(agent, device))
  }

  async #refresh(agent: AgentLink): Promise<void> {
    if (agent.device !== undefined && !agent.closed)
      agent.device = await onboard(agent, agent.device, this.#onboardingDeps())
  }

  #onboardingDeps(): OnboardingDeps {
    return { ...this.#options, ownId: this.#options.endpointId }
  }

  #contact(agent: AgentLink, device: Device): Contact {
    const supported = () => this.#options.supportedModels.get(modelKey(agent.device ?? device))
    return {
      deviceId: device.id,
      protocol: 'usp',
      lasting: true,
      signal: agent.signal,
      // The record was read when the link came; meanwhile work may have come too.
      workKnown: true,
      execute: (operation, hooks) => execute(agent, operation, hooks, { model: this.#model, supported }),
    }
  }

  #onClose(agent: AgentLink): void {
    agent.close()
    const { device } = agent
    if (device === undefined || this.#byDevice.get(device.id) !== agent) return
    this.#byDevice.delete(device.id)
    // A stopping server marks all its links at once.
    if (this.#stopping) return
    const { devices, clock } = this.#options
    const now = clock.now()
    const gone: NewEvent = {
      type: 'device.disconnected',
      at: now,
      deviceId: device.id,
      protocol: 'usp',
      data: { endpointId: agent.endpointId },
    }
    this.#background(
      agent,
      'disconnect was not noted',
      devices.commit({ deviceId: device.id, set: { 'usp.linked': false, 'usp.disconnectedAt': now }, events: [gone] }),
    )
  }
}

/** The state that `onOpen` put on the link. */
function agentOf(link: Link): AgentLink {
  if (link.state instanceof AgentLink) return link.state
  throw new Error('a link without its state')
}
