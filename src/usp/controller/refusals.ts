import { BoundedMap, type Clock, type Log } from '../../base/index.ts'
import {
  type AgentAdmission,
  type FeedEvent,
  type PendingAgentStore,
  REFUSAL_TEXTS,
  type Refusal,
  type RefusalCode,
} from '../../domain/index.ts'
import { PendingAgents, type RefusedAgent } from './pending-agents.ts'

interface RefusalsDeps {
  admission: AgentAdmission
  pendingAgents: PendingAgentStore
  clock: Clock
  log: Log
  /** Counts for metrics; once per refusal. */
  onRefused?(reason: string): void
}

interface Known {
  loggedAt: number
  /** The refusal that holds for each link without a proof, independent of what its Agent shows. */
  standing: { refusal: Refusal; until: number } | undefined
}

const HOUR_MS = 3_600_000
/**
 * A refusal that depends on the Endpoint ID alone is repeated for this time without a request to the Agent or the
 * database.
 */
const STANDING_MS = 60_000
const NO_CERTIFICATE: Refusal = { code: 'noCertificate', text: REFUSAL_TEXTS.noCertificate }
const BLOCKED: Refusal = { code: 'blocked', text: REFUSAL_TEXTS.blocked }
const STANDING: readonly RefusalCode[] = ['notBound', 'noCertificate']
const MAX_KNOWN = 10_000
/** Endpoint IDs from one address that are listed and logged in an hour; more are counted. */
const MAX_PER_ADDRESS = 500
const MAX_ADDRESSES = 10_000

/**
 * Bounds the cost of refused Agents: each refusal is counted; an Agent is listed, and is a log line and an event once
 * an hour; one address has a limited number of Agents an hour.
 */
export class Refusals {
  readonly #deps: RefusalsDeps
  readonly #pending: PendingAgents
  readonly #known = new BoundedMap<string, Known>(MAX_KNOWN)
  readonly #addresses = new BoundedMap<string, { since: number; agents: number }>(MAX_ADDRESSES)

  constructor(deps: RefusalsDeps) {
    this.#deps = deps
    this.#pending = new PendingAgents(deps)
  }

  start(): Promise<void> {
    return this.#pending.start()
  }

  stop(): Promise<void> {
    return this.#pending.stop()
  }

  /** Counts a refusal, logs it, and stores it with the pending Agents. */
  note(agent: RefusedAgent, refusal: Refusal): void {
    const { clock, log, onRefused } = this.#deps
    const now = clock.now()
    onRefused?.(refusal.code)
    const { endpointId, address } = agent
    const fields = { endpointId, address, code: refusal.code, reason: refusal.text }
    const known = this.#remember(agent, now)
    if (known === undefined) return log.debug(fields, 'Agent refused')
    if (!agent.proven && STANDING.includes(refusal.code)) known.standing = { refusal, until: now + STANDING_MS }
    const anew = now - known.loggedAt >= HOUR_MS
    if (anew) known.loggedAt = now
    log[anew ? 'warn' : 'debug'](fields, 'Agent refused')
    if (endpointId === '') return
    const data = { endpointId, address, reason: refusal.code }
    this.#pending.note(agent, refusal, anew ? { type: 'agent.refused', at: now, protocol: 'usp', data } : undefined)
  }

  /**
   * Returns, and counts, a refusal that the handshake alone decides. `proven`: a certificate carries the Endpoint ID.
   */
  atHandshake(endpointId: string, proven: boolean, address: string): Refusal | undefined {
    const demanded = this.#deps.admission === 'certificate' && !proven ? NO_CERTIFICATE : undefined
    const refusal = this.blocked(endpointId) ?? demanded ?? (proven ? undefined : this.standing(endpointId))
    if (refusal !== undefined) this.note({ endpointId, address, proven }, refusal)
    return refusal
  }

  /** Returns the refusal of an Agent that an operator has blocked. */
  blocked(endpointId: string): Refusal | undefined {
    return this.#pending.isBlocked(endpointId) ? BLOCKED : undefined
  }

  /** Returns the refusal of a link without a proof whose Endpoint ID was refused for itself in the last minute. */
  standing(endpointId: string): Refusal | undefined {
    const standing = this.#known.get(endpointId)?.standing
    return standing !== undefined && this.#deps.clock.now() < standing.until ? standing.refusal : undefined
  }

  /** Takes an event of the feed: an Endpoint ID that was bound or unblocked is judged anew. */
  heed({ type, data }: FeedEvent): void {
    const endpointId = String(data.endpointId)
    if (type === 'device.bound') this.#pending.bound(endpointId)
    else if (type === 'agent.blocked') return this.#pending.block(endpointId)
    else if (type === 'agent.unblocked') this.#pending.unblock(endpointId)
    else return
    const known = this.#known.get(endpointId)
    if (known !== undefined) known.standing = undefined
  }

  /**
   * Returns the entry of an Agent, by its address when it has no Endpoint ID; undefined when the address has too many
   * Agents.
   */
  #remember({ endpointId, address }: RefusedAgent, now: number): Known | undefined {
    const key = endpointId === '' ? `@${address}` : endpointId
    let known = this.#known.get(key)
    if (known === undefined && !this.#mayList(address, now)) return undefined
    known ??= { loggedAt: now - HOUR_MS, standing: undefined }
    this.#known.set(key, known)
    return known
  }

  #mayList(address: string, now: number): boolean {
    let seen = this.#addresses.get(address)
    if (seen === undefined || now - seen.since >= HOUR_MS) seen = { since: now, agents: 0 }
    this.#addresses.set(address, seen)
    if (seen.agents === MAX_PER_ADDRESS)
      this.#deps.log.warn({ address, agents: seen.agents }, 'more refused Agents of this address are only counted')
    return seen.agents++ < MAX_PER_ADDRESS
  }
}
