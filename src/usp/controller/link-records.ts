import {
  type Clock,
  createRetryQueue,
  errorText,
  isConflict,
  type Log,
  type Random,
  type RetryQueue,
} from '../../base/index.ts'
import type {
  DeviceChange,
  DeviceId,
  DeviceStore,
  DisconnectReason,
  LinkSecrets,
  NewEvent,
} from '../../domain/index.ts'
import type { AuditEntry, AuditLog } from '../../security/index.ts'
import type { AgentLink } from './agent-link.ts'

export interface LinkRecordsDeps {
  devices: DeviceStore
  audit: Pick<AuditLog, 'append'>
  linkSecrets: Pick<LinkSecrets, 'used'>
  instance: string
  clock: Clock
  random: Pick<Random, 'fraction'>
  log: Log
}

/** Records that one look at the database brings at once. */
const BATCH = 500
/**
 * Keeps what the records say of links true. Each fact is tried until it is stored, however long the database is away. A fact about a link that
 * is not the device's any more is dropped: the time at which a link was joined tells one from the other.
 */
export class LinkRecords {
  readonly #deps: LinkRecordsDeps
  readonly #facts: RetryQueue
  /** Devices whose record and link did not fit at the last sweep, with their connectedAt. */
  #unfit = new Map<string, number>()

  constructor(deps: LinkRecordsDeps) {
    this.#deps = deps
    this.#facts = createRetryQueue({ ...deps, name: 'facts of USP links' })
  }

  /** Devices of which something is not stored yet. */
  get waiting(): number {
    return this.#facts.waiting
  }

  /** The link of a joined Agent has ended. */
  ended(agent: AgentLink, reason: DisconnectReason): void {
    if (agent.device !== undefined) this.#note(gone(agent.device.id, agent, reason, this.#deps.clock.now()))
  }

  /** The link took the place of one that had not ended for its device. */
  replaced({ device, connectedAt }: AgentLink): void {
    if (device === undefined) return
    const set = { 'usp.lastDisconnect': { at: this.#deps.clock.now(), reason: 'replaced' as const } }
    this.#note({ deviceId: device.id, set, guard: { uspConnectedAt: connectedAt } })
  }

  /** The Agent has begun to answer, or does not answer any more. */
  answering(agent: AgentLink, answering: boolean): void {
    const { device, connectedAt } = agent
    if (device === undefined) return
    const at = this.#deps.clock.now()
    const type = answering ? ('device.answering' as const) : ('device.silent' as const)
    const data = { endpointId: agent.endpointId }
    const set = answering ? { 'usp.answering': true, 'usp.lastAnswerAt': at } : { 'usp.answering': false }
    this.#note({
      deviceId: device.id,
      set,
      guard: { uspConnectedAt: connectedAt },
      events: [{ type, at, deviceId: device.id, protocol: 'usp', data }],
    })
  }

  /** When the Agent answered last; a value of some minutes ago is good enough. */
  answeredAt(agent: AgentLink, at: number): void {
    const { device, connectedAt } = agent
    if (device !== undefined)
      this.#note({ deviceId: device.id, set: { 'usp.lastAnswerAt': at }, guard: { uspConnectedAt: connectedAt } })
  }

  /**
   * Compares the records that name this instance with its links: a device that it has no link of is marked as disconnected, and a joined Agent
   * whose record says otherwise as linked. Acts on what two sweeps in a row found, because a record and its link do not change at one moment.
   * Rejects when the database does not answer.
   */
  async sweep(links: ReadonlyMap<string, AgentLink>): Promise<void> {
    const { devices, instance, clock, log } = this.#deps
    const before = this.#unfit
    const unfit = new Map<string, number>()
    const isOld = (id: string, connectedAt: number) => {
      unfit.set(id, connectedAt)
      return before.get(id) === connectedAt && !this.#facts.has(id)
    }
    const linked = new Set<string>()
    let repaired = 0
    for await (const batch of devices.linkedTo(instance, BATCH))
      for (const { id, connectedAt } of batch) {
        linked.add(id)
        if (links.has(id) || !isOld(id, connectedAt)) continue
        repaired++
        this.#note(gone(id, { connectedAt }, 'unknown', clock.now()))
      }
    for (const [id, agent] of links) {
      if (linked.has(id) || agent.closed || !isOld(id, agent.connectedAt)) continue
      repaired++
      this.#linked(agent)
    }
    this.#unfit = unfit
    if (repaired > 0) log.warn({ records: repaired }, 'records of USP links did not fit their links and are put right')
  }

  /** The Agent has used the secret in the path of its link: from now on its device needs it. */
  secretUsed({ device, link }: AgentLink): void {
    const { secret } = link
    if (device === undefined || secret === undefined) return
    this.#facts.add(`secret|${device.id}`, () => this.#deps.linkSecrets.used(device.id, secret))
  }

  /** Resolves when the entry is in the audit log, or is kept to be appended later. What it tells of has been done, so it must not be lost. */
  async audit(entry: AuditEntry): Promise<void> {
    const { audit, log } = this.#deps
    try {
      await audit.append(entry)
    } catch (error) {
      log.info(
        { target: entry.target, action: entry.action, reason: errorText(error) },
        'audit entry is appended later',
      )
      this.#facts.add(`audit|${entry.target}`, () => audit.append(entry))
    }
  }

  /** Resolves when everything is stored, or after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void> {
    return this.#facts.stop(timeoutMs)
  }

  /** Another instance has taken this one for dead. */
  #linked({ device, connectedAt }: AgentLink): void {
    if (device === undefined) return
    const set = { 'usp.linked': true, 'usp.instance': this.#deps.instance }
    this.#note({ deviceId: device.id, set, guard: { uspConnectedAt: connectedAt } })
  }

  #note(change: DeviceChange): void {
    this.#facts.add(change.deviceId, async () => {
      try {
        await this.#deps.devices.commit(change)
      } catch (error) {
        // Another link is the device's now, or the record was deleted.
        if (!isConflict(error)) throw error
      }
    })
  }
}

function gone(
  deviceId: DeviceId,
  { connectedAt, endpointId }: { connectedAt: number; endpointId?: string },
  reason: DisconnectReason,
  at: number,
): DeviceChange {
  const data = { ...(endpointId === undefined ? {} : { endpointId }), reason }
  const event: NewEvent = { type: 'device.disconnected', at, deviceId, protocol: 'usp', data }
  return {
    deviceId,
    set: { 'usp.linked': false, 'usp.disconnectedAt': at, 'usp.lastDisconnect': { at, reason } },
    guard: { uspConnectedAt: connectedAt },
    events: [event],
  }
}
