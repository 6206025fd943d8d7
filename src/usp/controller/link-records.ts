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

interface LinkRecordsDeps {
  devices: DeviceStore
  audit: Pick<AuditLog, 'append'>
  linkSecrets: Pick<LinkSecrets, 'used'>
  /** True when the Agent answers over this link. */
  answers(agent: AgentLink): boolean
  instance: string
  clock: Clock
  random: Pick<Random, 'fraction'>
  log: Log
}

/** Records in one page of a sweep. */
const BATCH = 500
/** Pause between two sweeps. */
const SWEEP_MS = 300_000
/** The stored lastAnswerAt of an Agent that answers is at most so old. */
const NOTE_ANSWER_MS = 600_000

/**
 * Keeps the link fields of the records right. Each fact is written until it is stored, however long the database does
 * not answer. A fact about a link that is not that of its device any more is dropped: `usp.connectedAt` tells the links
 * of a device apart.
 */
export class LinkRecords {
  readonly #deps: LinkRecordsDeps
  readonly #facts: RetryQueue
  /** The time at which the presence of the Agent was last written. */
  readonly #touchedAt = new WeakMap<AgentLink, number>()
  /** Devices whose record and link differed at the last sweep, with their connectedAt. */
  #unfit = new Map<string, number>()
  #cancelSweep: (() => void) | undefined
  #sweeping: Promise<void> | undefined
  #stopping = false

  constructor(deps: LinkRecordsDeps) {
    this.#deps = deps
    this.#facts = createRetryQueue({ ...deps, name: 'facts of USP links' })
  }

  /** Devices with facts that are not stored yet. */
  get waiting(): number {
    return this.#facts.waiting
  }

  /** Writes that the link of a joined Agent has ended. */
  ended(agent: AgentLink, reason: DisconnectReason): void {
    if (agent.device !== undefined) this.#note(gone(agent.device.id, agent, reason, this.#deps.clock.now()))
  }

  /** Writes that the link replaced another link of its device that had not ended. */
  replaced({ device, connectedAt }: AgentLink): void {
    if (device === undefined) return
    const set = { 'usp.lastDisconnect': { at: this.#deps.clock.now(), reason: 'replaced' as const } }
    this.#note({ deviceId: device.id, set, guard: { uspConnectedAt: connectedAt } })
  }

  /** Writes that the Agent has begun to answer, or has stopped. */
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

  /** The times at which lastSeenAt and lastAnswerAt of the device were last written; 0: not over this link. */
  touchedAt(agent: AgentLink): number {
    return this.#touchedAt.get(agent) ?? 0
  }

  /** The presence of the Agent was written, or is about to be. */
  touched(agent: AgentLink, at: number): void {
    this.#touchedAt.set(agent, at)
  }

  /** Writes when the Agent answered last, unless the stored time is younger than ten minutes. */
  answeredAt(agent: AgentLink, at: number): void {
    if (at - this.touchedAt(agent) < NOTE_ANSWER_MS) return
    this.touched(agent, at)
    const { device, connectedAt } = agent
    if (device !== undefined)
      this.#note({ deviceId: device.id, set: { 'usp.lastAnswerAt': at }, guard: { uspConnectedAt: connectedAt } })
  }

  /**
   * Compares the records that name this instance with its links: marks a device without a link as disconnected, and a
   * joined Agent whose record names no link as linked. Acts on differences that two sweeps in a row found, because a
   * record and its link do not change at the same moment. Rejects when the database does not answer.
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
    if (repaired > 0)
      log.warn({ records: repaired }, 'records of USP links differed from their links and are corrected')
  }

  /** Writes that the Agent has used the secret of its link: from now on the device requires it. */
  secretUsed({ device, link }: AgentLink): void {
    const { secret } = link
    if (device === undefined || secret === undefined) return
    this.#facts.add(`secret|${device.id}`, () => this.#deps.linkSecrets.used(device.id, secret))
  }

  /**
   * Resolves when the entry is in the audit log, or is kept to be appended later: its action was executed, so that it
   * must not be lost.
   */
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

  /**
   * Compares records and links every five minutes from now on: a fact may have been lost with an answer of the
   * database.
   */
  start(links: ReadonlyMap<string, AgentLink>): void {
    const { clock, log } = this.#deps
    this.#cancelSweep = clock.after(SWEEP_MS, () => {
      this.#sweeping = this.sweep(links)
        .catch((error: unknown) => log.warn({ reason: errorText(error) }, 'records and links were not compared'))
        .finally(() => {
          if (!this.#stopping) this.start(links)
        })
    })
  }

  /** Begins no further sweep: links that end from now on are still named by their records. */
  endSweeps(): void {
    this.#stopping = true
    this.#cancelSweep?.()
  }

  /** Resolves when everything is stored, or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.endSweeps()
    await Promise.all([this.#sweeping, this.#facts.stop(timeoutMs)])
  }

  /** Writes the link once more: another instance took this one for dead. */
  #linked(agent: AgentLink): void {
    const { device, connectedAt } = agent
    if (device === undefined) return
    const { instance, answers } = this.#deps
    const set = { 'usp.linked': true, 'usp.instance': instance, 'usp.answering': answers(agent) }
    this.#note({ deviceId: device.id, set, guard: { uspConnectedAt: connectedAt } })
  }

  #note(change: DeviceChange): void {
    this.#facts.add(change.deviceId, async () => {
      try {
        await this.#deps.devices.commit(change)
      } catch (error) {
        // The device has another link now, or its record was deleted.
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
    set: {
      'usp.linked': false,
      'usp.answering': false,
      'usp.disconnectedAt': at,
      'usp.lastDisconnect': { at, reason },
    },
    guard: { uspConnectedAt: connectedAt },
    events: [event],
  }
}
