import { AppError, BoundedMap, type Clock, errorText, isConflict, ProtocolError } from '../../base/index.ts'
import {
  type AgentAdmission,
  type ArrivalDecision,
  applyPatch,
  type ConflictStore,
  type Device,
  type DeviceChange,
  type DeviceIdentity,
  type DeviceStore,
  decideArrival,
  deviceIdOf,
  type LinkSecrets,
  type NewEvent,
  type Refusal,
} from '../../domain/index.ts'
import { parseEndpointId, SUPPORTED_VERSIONS } from '../wire/index.ts'
import { NO_SECRET } from './admission.ts'
import { type AgentFacts, readFacts } from './agent-facts.ts'
import type { AgentLink } from './agent-link.ts'
import type { Refusals } from './refusals.ts'

interface ArrivalDeps {
  /** Endpoint ID of the Controller. */
  endpointId: string
  admission: AgentAdmission
  instance: string
  devices: DeviceStore
  conflicts: ConflictStore
  linkSecrets: Pick<LinkSecrets, 'prove'>
  refusals: Refusals
  /** Resolves with true when a device may be registered whose Agent proves nothing; absent: always true. */
  mayRegister?(): Promise<boolean>
  onRefused?(reason: string): void
  nextId(): string
  clock: Clock
  /** Returns when the Agent last sent a Message over its link; undefined: not yet. */
  heardAt(agent: AgentLink): number | undefined
  /** Called when the Agent is joined to `agent.device`, and that is stored. */
  onJoined(agent: AgentLink): void
  /** Called when the Agent has used a secret of its device for the first time. */
  onSecretUsed(agent: AgentLink): void
  /** Closes the link of an Agent that is not admitted, with this text. */
  onTurnedAway(agent: AgentLink, text: string): void
}

type Claimed = DeviceIdentity | undefined

interface State {
  /** Resolves when the arrivals that were begun are decided. */
  arrival: Promise<void> | undefined
  /** The arrival under way that has no OnBoardRequest. */
  joining: Promise<void> | undefined
  /** The identity that Device.DeviceInfo. showed last; undefined: not read yet. */
  shown: DeviceIdentity | undefined
  /** The facts of the arrival, until they are used. */
  facts: AgentFacts | undefined
  /** True when the silent Agent was asked for an answer. */
  isAsked: boolean
}

/** A link without a device is refused after this time. */
const JOIN_MS = 90_000
const MAX_COMMITS = 3
/** Devices that one Endpoint ID with a certificate may put into conflict in an hour, besides its own. */
const MAX_CONFLICTS = 3
const CONFLICT_HOUR_MS = 3_600_000
const MAX_CLAIMANTS = 1000
const IN_CONFLICT: Refusal = { code: 'conflict', text: 'a conflict of this Endpoint ID waits for its decision' }

/**
 * Joins Agents to their devices. On each link the identity that the Agent shows is compared with the device before
 * anything of it is stored and before operations are sent to it; the identity of a later OnBoardRequest is compared as
 * well.
 */
export class Arrivals {
  readonly #deps: ArrivalDeps
  readonly #claimants = new BoundedMap<string, { since: number; devices: Set<string> }>(MAX_CLAIMANTS)
  readonly #states = new WeakMap<AgentLink, State>()
  /** The newest connectedAt. */
  #connectedAt = 0

  constructor(deps: ArrivalDeps) {
    this.#deps = deps
  }

  /**
   * Judges an Agent, with the identity of its OnBoardRequest if it sent one. Resolves when the Agent is joined or
   * refused. Rejects when it could not be judged; the link is then closed, unless the Agent may still send its
   * identity.
   */
  arrive(agent: AgentLink, claimed: Claimed): Promise<void> {
    if (claimed !== undefined) return this.#queue(agent, claimed)
    if (agent.device !== undefined) return Promise.resolve()
    // Notifications that wait for the same arrival go on in the order in which they were received.
    const state = this.#of(agent)
    state.joining ??= this.#queue(agent, undefined).finally(() => {
      state.joining = undefined
    })
    return state.joining
  }

  #queue(agent: AgentLink, claimed: Claimed): Promise<void> {
    const state = this.#of(agent)
    const run = (state.arrival ?? Promise.resolve()).then(() => this.#decide(agent, claimed))
    state.arrival = run.catch((error: unknown) => this.#failed(agent, error))
    return run
  }

  /**
   * Returns the facts of a joined Agent: those of its arrival once, then newly read ones; undefined when `recheck`
   * closed its link.
   */
  async facts(agent: AgentLink): Promise<AgentFacts | undefined> {
    const state = this.#of(agent)
    const read = state.facts
    state.facts = undefined
    return read ?? this.recheck(agent)
  }

  /**
   * Reads the facts of a joined Agent and compares its identity again; undefined, with the link closed, when it is
   * another device.
   */
  async recheck(agent: AgentLink): Promise<AgentFacts | undefined> {
    const facts = await this.#read(agent)
    this.#of(agent).facts = undefined
    const decision = await this.#judge(agent, undefined)
    if (decision.kind === 'refused' || decision.kind === 'conflict') await this.#deny(agent, decision, undefined)
    else if (deviceOf(decision) !== agent.device?.id)
      agent.link.close('tryAgain', 'the Endpoint ID belongs to another device now')
    else return facts
    return undefined
  }

  /**
   * Called in each round for a link without a device: asks an Agent that has sent no Message (USP 1.0 has no connect
   * Record) for its versions, which every Agent answers, and refuses it after 90 s.
   */
  async care(agent: AgentLink): Promise<void> {
    if (agent.device !== undefined || agent.closed) return
    if (this.#deps.clock.now() - agent.link.openedAt >= JOIN_MS)
      return this.turnAway(agent, { code: 'noIdentity', text: 'the link belongs to no device after 90 s' })
    const state = this.#of(agent)
    if (state.arrival !== undefined || agent.endpointId === '' || state.isAsked) return
    state.isAsked = true
    await agent.request('get_supported_protocol', { controller_supported_protocol_versions: SUPPORTED_VERSIONS })
    if (state.arrival === undefined) await this.arrive(agent, undefined)
  }

  /** Refuses an Agent and closes its link. Its text shows nothing about the device that the Agent claims to be. */
  turnAway(agent: AgentLink, refusal: Refusal, claimed?: DeviceIdentity): void {
    if (agent.isRefused) return
    agent.refuse()
    this.#sendAway(agent, refusal, claimed)
  }

  #sendAway(agent: AgentLink, refusal: Refusal, claimed: Claimed): void {
    const claim = claimed ?? this.#of(agent).shown
    this.#deps.refusals.note(
      {
        endpointId: agent.endpointId,
        address: agent.link.remoteAddress,
        proven: agent.link.proof === 'certificate',
        ...(claim === undefined ? {} : { claim }),
      },
      refusal,
    )
    const open = ['noCertificate', 'noIdentity', 'invalid'].includes(refusal.code)
    this.#deps.onTurnedAway(agent, open ? refusal.text : 'the Agent is not admitted')
  }

  async #decide(agent: AgentLink, claimed: Claimed): Promise<void> {
    if (claimed !== undefined && !isUsable(claimed, agent)) return
    for (let commits = 0; commits < MAX_COMMITS; ) {
      if (agent.isRefused || !agent.link.isOpen || (agent.device !== undefined && claimed === undefined)) return
      const decision = await this.#judge(agent, claimed)
      if (decision.kind === 'known') return this.#join(agent, decision.device)
      if (decision.kind === 'refused' || decision.kind === 'conflict') return this.#deny(agent, decision, claimed)
      if (decision.kind === 'read') {
        if (this.#of(agent).shown !== undefined)
          throw new ProtocolError('identity', 'the Agent does not show its OUI and serial number')
        await this.#read(agent)
        continue
      }
      if (commits === 0 && !(await this.#mayCreate(agent, decision.change))) return
      try {
        commits++
        await this.#deps.devices.commit(decision.change)
      } catch (error) {
        // The record was changed or created meanwhile: judge again.
        if (commits < MAX_COMMITS && isConflict(error)) continue
        throw error
      }
      const bound = await this.#deps.devices.get(decision.deviceId)
      if (bound !== undefined) return this.#join(agent, bound)
    }
    throw new AppError('conflict', 'the record changes too often to join it')
  }

  /** Returns false, with the link closed, when the Agent proves nothing and no further device may be registered. */
  async #mayCreate(agent: AgentLink, { create }: DeviceChange): Promise<boolean> {
    const { mayRegister, onRefused } = this.#deps
    if (create === undefined || agent.link.proof === 'certificate' || (await mayRegister?.()) !== false) return true
    onRefused?.('new devices')
    agent.link.close('tryAgain', 'no new device is registered at the moment')
    return false
  }

  async #read(agent: AgentLink): Promise<AgentFacts> {
    const facts = await readFacts(agent, this.#deps.endpointId, this.#deps.clock)
    const state = this.#of(agent)
    state.shown = facts.identity
    state.facts = facts
    return facts
  }

  async #judge(agent: AgentLink, claimed: Claimed): Promise<ArrivalDecision> {
    const { devices, conflicts, admission, refusals, clock } = this.#deps
    const endpointId = parseEndpointId(agent.endpointId)
    const blocked = refusals.blocked(endpointId)
    if (blocked !== undefined) return { kind: 'refused', ...blocked }
    const certificate = agent.link.proof === 'certificate'
    const [byEndpoint, contested] = await Promise.all([
      devices.findByEndpoint(endpointId),
      certificate ? false : conflicts.isContested(endpointId),
    ])
    if (contested) return { kind: 'refused', ...IN_CONFLICT }
    const standing = byEndpoint === undefined && !certificate ? refusals.standing(endpointId) : undefined
    if (standing !== undefined) return { kind: 'refused', ...standing }
    const { shown } = this.#of(agent)
    const claim = {
      endpointId,
      certificate,
      ...(agent.secretOf === undefined ? {} : { secretOf: agent.secretOf }),
      ...(claimed === undefined ? {} : { stated: claimed }),
      ...(shown === undefined ? {} : { shown }),
    }
    const named = claimed ?? shown
    const byIdentity =
      byEndpoint !== undefined || named === undefined || named.oui === '' || named.serial === ''
        ? undefined
        : await devices.get(deviceIdOf(named))
    return decideArrival(claim, byEndpoint, byIdentity, admission, clock.now())
  }

  /** Refuses the Agent; a Conflict is stored before that. */
  async #deny(
    agent: AgentLink,
    decision: Extract<ArrivalDecision, { kind: 'refused' | 'conflict' }>,
    claimed: Claimed,
  ): Promise<void> {
    if (decision.kind === 'refused') return this.turnAway(agent, decision, claimed)
    const { conflict, event } = decision
    if (conflict.kind === 'deviceBoundToOther' && !this.#mayClaim(agent, conflict.deviceId))
      return this.turnAway(agent, { code: 'deviceBound', text: 'this Endpoint ID claims too many devices' }, claimed)
    if (agent.isRefused) return
    // The event of the Conflict closes the other links of this Endpoint ID; this one is closed below.
    agent.refuse()
    await this.#deps.conflicts.open({ ...conflict, id: this.#deps.nextId() }, event)
    this.#sendAway(agent, { code: 'conflict', text: `a conflict was opened: ${conflict.kind}` }, claimed)
  }

  #of(agent: AgentLink): State {
    const state = this.#states.get(agent) ?? {
      arrival: undefined,
      joining: undefined,
      shown: undefined,
      facts: undefined,
      isAsked: false,
    }
    this.#states.set(agent, state)
    return state
  }

  /** Counts the devices of other Agents that an Endpoint ID claims to be; false when they exceed the limit. */
  #mayClaim(agent: AgentLink, deviceId: string): boolean {
    const now = this.#deps.clock.now()
    let seen = this.#claimants.get(agent.endpointId)
    if (seen === undefined || now - seen.since >= CONFLICT_HOUR_MS) {
      seen = { since: now, devices: new Set() }
      this.#claimants.set(agent.endpointId, seen)
    }
    if (seen.devices.size >= MAX_CONFLICTS) return seen.devices.has(deviceId)
    seen.devices.add(deviceId)
    return true
  }

  /**
   * Closes the link after an error, except of an Agent without an identity, which may still send its OnBoardRequest.
   */
  #failed(agent: AgentLink, error: unknown): void {
    if (agent.device !== undefined || !agent.link.isOpen) return
    if (error instanceof ProtocolError && error.code === 'identity') return
    if (error instanceof AppError && error.code === 'invalid')
      this.turnAway(agent, { code: 'invalid', text: errorText(error) })
    else agent.link.close('tryAgain', 'the Agent could not be joined to its device now')
  }

  async #join(agent: AgentLink, device: Device): Promise<void> {
    if (agent.device !== undefined && agent.device.id !== device.id)
      agent.link.close('tryAgain', 'the Endpoint ID belongs to another device now')
    if (agent.device !== undefined || agent.isRefused || !agent.link.isOpen) return
    const { devices, clock, instance, linkSecrets } = this.#deps
    const secret =
      agent.link.proof === 'certificate' ? 'notRequired' : await linkSecrets.prove(device.id, agent.link.secret)
    // Since the admission the Endpoint ID was bound, or the secret was used over another link.
    if (secret === 'required') return this.turnAway(agent, NO_SECRET)
    agent.link.prove()
    const now = clock.now()
    // Always newer than that of the earlier link, also when the clock is set back: guards of facts compare it.
    this.#connectedAt = Math.max(now, (device.usp?.connectedAt ?? 0) + 1, this.#connectedAt + 1)
    const connectedAt = this.#connectedAt
    const heardAt = this.#deps.heardAt(agent)
    const patch = {
      'usp.linked': true,
      'usp.instance': instance,
      'usp.connectedAt': connectedAt,
      'usp.lastSeenAt': now,
      'usp.answering': heardAt !== undefined,
      'usp.weakLink': agent.link.proof !== 'certificate' && secret === 'notRequired',
      'usp.remoteAddress': agent.link.remoteAddress,
      ...(heardAt === undefined ? {} : { 'usp.lastAnswerAt': heardAt }),
      ...(device.root === undefined ? { root: 'Device.' as const } : {}),
    }
    const connected: NewEvent = {
      type: 'device.connected',
      at: now,
      deviceId: device.id,
      protocol: 'usp',
      data: { endpointId: agent.endpointId },
    }
    const changed = patch['usp.weakLink'] ? this.#changeOf(agent, device, now) : []
    await devices.commit({ deviceId: device.id, set: patch, events: [connected, ...changed] })
    agent.join(applyPatch(device, patch, now), connectedAt)
    this.#deps.onJoined(agent)
    if (secret === 'unused') this.#deps.onSecretUsed(agent)
  }

  /** Returns an event when the Agent of an unproven link has another address or firmware than over the earlier link. */
  #changeOf(agent: AgentLink, { id: deviceId, usp, softwareVersion }: Device, at: number): NewEvent[] {
    const address = { before: usp?.remoteAddress, now: agent.link.remoteAddress }
    const shown = this.#of(agent).facts?.parameters.find(({ path }) => path === 'Device.DeviceInfo.SoftwareVersion')
    const firmware = { before: softwareVersion, now: shown?.value }
    const data: Record<string, unknown> = { endpointId: agent.endpointId }
    if (differs(address)) data.address = address
    if (differs(firmware)) data.softwareVersion = firmware
    if (data.address === undefined && data.softwareVersion === undefined) return []
    return [{ type: 'device.linkChanged', at, deviceId, protocol: 'usp', data }]
  }
}

/**
 * Returns false for a claim that names no device, of an Agent that is joined to its device: the claim changes nothing.
 * AppError `invalid` when there is no device to stay with.
 */
function isUsable(claimed: DeviceIdentity, agent: AgentLink): boolean {
  try {
    deviceIdOf(claimed)
    return true
  } catch (error) {
    if (agent.device === undefined || !(error instanceof AppError)) throw error
    return false
  }
}

function differs({ before, now }: { before: string | undefined; now: string | undefined }): boolean {
  return before !== undefined && now !== undefined && before !== now
}

function deviceOf(decision: Exclude<ArrivalDecision, { kind: 'refused' | 'conflict' }>): string | undefined {
  if (decision.kind === 'known') return decision.device.id
  return decision.kind === 'bind' ? decision.deviceId : undefined
}
