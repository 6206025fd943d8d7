import { AppError, type Clock, errorText, type Log, ProtocolError, TransportError } from '../../base/index.ts'
import {
  type AgentAdmission,
  applyPatch,
  type ConflictStore,
  type Device,
  type DeviceId,
  type DeviceIdentity,
  type DeviceStore,
  decideArrival,
  deviceIdOf,
  type NewEvent,
} from '../../device/index.ts'
import { parseEndpointId, SUPPORTED_VERSIONS } from '../wire/index.ts'
import type { AgentLink } from './agent-link.ts'
import { readIdentity } from './onboarding.ts'

export interface ArrivalDeps {
  admission: AgentAdmission
  instance: string
  devices: DeviceStore
  conflicts: ConflictStore
  nextId(): string
  clock: Clock
  log: Log
  onRefused?(reason: string): void
  /** The Agent is joined to `agent.device`, and that is stored. */
  onJoined(agent: AgentLink): void
}

/** How long a link may stand that belongs to no device. */
const JOIN_MS = 90_000
/** Different conflicts that one address may open in an hour: each stops the migration of a device until a person has looked at it. */
const MAX_CONFLICTS = 100
const CONFLICT_HOUR_MS = 3_600_000
const MAX_ADDRESSES = 10_000

/** Joins Agents to their devices: once per link, and again when one tells who it is. */
export class Arrivals {
  readonly #deps: ArrivalDeps
  readonly #conflicts = new Map<string, { since: number; claims: Set<string> }>()

  constructor(deps: ArrivalDeps) {
    this.#deps = deps
  }

  /** Resolves when it is decided; rejects when it could not be, and then the link is closed unless the Agent can still do better. */
  arrive(agent: AgentLink, identity: DeviceIdentity | undefined): Promise<void> {
    if (agent.device !== undefined && identity === undefined) return Promise.resolve()
    const run = (agent.arrival ?? Promise.resolve()).then(() => this.#decide(agent, identity))
    agent.arrival = run.catch((error: unknown) => this.#failed(agent, error))
    return run
  }

  /**
   * For a link that stands for a while: an Agent that said nothing since it came (1.0 has no connect record) is asked something that every
   * Agent answers; who has no device by then gives its place to others.
   */
  async care(agent: AgentLink): Promise<void> {
    if (agent.device !== undefined || agent.closed) return
    if (this.#deps.clock.now() - agent.link.openedAt >= JOIN_MS)
      return this.turnAway(agent, 'the link belongs to no device after 90 s')
    if (agent.arrival !== undefined || agent.endpointId === '' || agent.asked) return
    agent.asked = true
    await agent.request('get_supported_protocol', { controller_supported_protocol_versions: SUPPORTED_VERSIONS })
    if (agent.arrival === undefined) await this.arrive(agent, undefined)
  }

  async #decide(agent: AgentLink, identity: DeviceIdentity | undefined): Promise<void> {
    const { devices, clock } = this.#deps
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (agent.closed || (agent.device !== undefined && identity === undefined)) return
      const endpointId = parseEndpointId(agent.endpointId)
      const byEndpoint = await devices.findByEndpoint(endpointId)
      const claim = {
        endpointId,
        certificate: agent.link.proof === 'certificate',
        ...(identity === undefined ? {} : { identity }),
      }
      const byIdentity =
        identity === undefined || byEndpoint !== undefined ? undefined : await devices.get(deviceIdOf(identity))
      const decision = decideArrival(claim, byEndpoint, byIdentity, this.#deps.admission, clock.now())
      if (decision.kind === 'known') return this.#join(agent, decision.device)
      if (decision.kind === 'needIdentity') {
        identity = await readIdentity(agent)
        continue
      }
      if (decision.kind === 'refused') return this.turnAway(agent, decision.reason)
      if (decision.kind === 'conflict') {
        if (!this.#mayContradict(agent, decision.conflict.deviceId))
          return this.turnAway(agent, 'too many identity conflicts from this address')
        await this.#deps.conflicts.open({ ...decision.conflict, id: this.#deps.nextId() }, decision.event)
        return this.turnAway(agent, `identity conflict: ${decision.conflict.kind}`)
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
    throw new AppError('conflict', 'the record changes too often to join it')
  }

  /** Counts the conflicts of an Agent's address; false when this is one too many. A certificate vouches for its owner. */
  #mayContradict(agent: AgentLink, deviceId: DeviceId): boolean {
    if (agent.link.proof === 'certificate') return true
    const now = this.#deps.clock.now()
    const address = agent.link.remoteAddress
    let seen = this.#conflicts.get(address)
    if (seen === undefined || now - seen.since >= CONFLICT_HOUR_MS) {
      this.#conflicts.delete(address)
      seen = { since: now, claims: new Set() }
      this.#conflicts.set(address, seen)
      const [oldest] = this.#conflicts.keys()
      if (this.#conflicts.size > MAX_ADDRESSES && oldest !== undefined) this.#conflicts.delete(oldest)
    }
    const claim = `${deviceId}|${agent.endpointId}`
    if (seen.claims.size >= MAX_CONFLICTS) return seen.claims.has(claim)
    seen.claims.add(claim)
    return true
  }

  /** An Agent that does not answer, or not enough, may still send its OnBoardRequest; for all else it does better to come again. */
  #failed(agent: AgentLink, error: unknown): void {
    if (agent.device !== undefined || agent.closed) return
    if (error instanceof ProtocolError || error instanceof TransportError) return
    if (error instanceof AppError && error.code === 'invalid') this.turnAway(agent, errorText(error))
    else agent.link.close('tryAgain', 'the Agent could not be joined to its device now')
  }

  /** Closes the link of an Agent that is not let in. */
  turnAway(agent: AgentLink, reason: string): void {
    const { onRefused, log } = this.#deps
    onRefused?.('admission')
    log.warn({ endpointId: agent.endpointId, address: agent.link.remoteAddress, reason }, 'Agent refused')
    agent.link.close('policy', reason)
  }

  async #join(agent: AgentLink, device: Device): Promise<void> {
    if (agent.device !== undefined || agent.closed) return
    const { devices, clock, instance } = this.#deps
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
    this.#deps.onJoined(agent)
  }
}
