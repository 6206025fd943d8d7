import type { Clock, Log } from '../../base/index.ts'
import type { DeviceIdentity, Refusal, RefusalCode } from '../../device/index.ts'

export interface RefusalsDeps {
  clock: Clock
  log: Log
  /** Counts for metrics; once per refusal. */
  onRefused?(reason: string): void
}

/** An Agent that is refused, as its link shows it. */
export interface RefusedAgent {
  /** '' when the Agent never named one. */
  endpointId: string
  address: string
  /** True when a client certificate carries the Endpoint ID. */
  proven: boolean
  claim?: DeviceIdentity
}

interface Known {
  loggedAt: number
  /** The refusal that holds for every link without a proof, whatever its Agent shows. */
  standing: { refusal: Refusal; until: number } | undefined
}

const HOUR_MS = 3_600_000
/** A refusal that depends on the Endpoint ID alone is repeated for so long without asking the Agent or the database. */
const STANDING_MS = 60_000
const STANDING: readonly RefusalCode[] = ['notBound', 'noCertificate']
const MAX_KNOWN = 10_000

/** Keeps what refused Agents cost within bounds: each refusal is counted, an Agent is logged once an hour. */
export class Refusals {
  readonly #deps: RefusalsDeps
  readonly #known = new Map<string, Known>()

  constructor(deps: RefusalsDeps) {
    this.#deps = deps
  }

  /** Counts a refusal. */
  note(agent: RefusedAgent, refusal: Refusal): void {
    const { clock, log, onRefused } = this.#deps
    const now = clock.now()
    onRefused?.(refusal.code)
    const known = this.#remember(agent, now)
    if (!agent.proven && STANDING.includes(refusal.code)) known.standing = { refusal, until: now + STANDING_MS }
    const { endpointId, address } = agent
    const fields = { endpointId, address, code: refusal.code, reason: refusal.text }
    if (now - known.loggedAt < HOUR_MS) return log.debug(fields, 'Agent refused')
    known.loggedAt = now
    log.warn(fields, 'Agent refused')
  }

  /** The refusal that a link without a proof gets at once: the Endpoint ID was refused for itself a moment ago. */
  standing(endpointId: string): Refusal | undefined {
    const standing = this.#known.get(endpointId)?.standing
    return standing !== undefined && this.#deps.clock.now() < standing.until ? standing.refusal : undefined
  }

  /** The Endpoint ID was bound: its next link is judged anew. */
  forget(endpointId: string): void {
    const known = this.#known.get(endpointId)
    if (known !== undefined) known.standing = undefined
  }

  /** Agents without an Endpoint ID are known by their address. */
  #remember({ endpointId, address }: RefusedAgent, now: number): Known {
    const key = endpointId === '' ? `@${address}` : endpointId
    const known = this.#known.get(key) ?? { loggedAt: now - HOUR_MS, standing: undefined }
    this.#known.delete(key)
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    return known
  }
}
