import { BoundedMap, type Clock } from '../../base/index.ts'
import type { AgentLink, LinkProof } from './agent-link.ts'

export interface ClaimsDeps {
  clock: Clock
  /** True when the Agent has answered over its link and does not answer any more. */
  isSilent(agent: AgentLink): boolean
  /** Resolves with whether the Agent sends a Message within this time; it is asked for one. */
  answersWithin(agent: AgentLink, timeoutMs: number): Promise<boolean>
}

/** The outcome for a new link that claims an Endpoint ID. `instead` is the link that it then replaces. */
export type Contest =
  | { kind: 'free'; instead: AgentLink | undefined }
  /** The link that stands proves more. */
  | { kind: 'weaker' }
  /** The link that stands proves as much, and its Agent answers. */
  | { kind: 'stands' }

/** The time that the Agent of a link that stands has to answer when another link claims its Endpoint ID. */
const ANSWER_MS = 3000
/** A link that stands is asked so often in a minute; links that come after that are refused without asking. */
const MAX_ASKED = 6
const MINUTE_MS = 60_000
const MAX_CONTESTED = 10_000

const STRENGTH: Readonly<Record<LinkProof, number>> = { none: 0, secret: 1, certificate: 2 }

/** Keeps one link per Endpoint ID. A new link replaces the one that stands when it proves more, or when that one does not answer. */
export class Claims {
  readonly #deps: ClaimsDeps
  readonly #standing = new Map<string, AgentLink>()
  /** Links that stand and are being asked. */
  readonly #asking = new Map<AgentLink, Promise<boolean>>()
  readonly #asked = new BoundedMap<string, { since: number; times: number }>(MAX_CONTESTED)

  constructor(deps: ClaimsDeps) {
    this.#deps = deps
  }

  /** Judges a link that is about to be opened, or that has just named its Endpoint ID. */
  async contest(endpointId: string, proof: LinkProof): Promise<Contest> {
    const standing = this.#standing.get(endpointId)
    if (standing === undefined || !standing.link.isOpen) return { kind: 'free', instead: standing }
    const more = STRENGTH[proof] - STRENGTH[standing.proof]
    if (more < 0) return { kind: 'weaker' }
    if (more > 0 || this.#deps.isSilent(standing)) return { kind: 'free', instead: standing }
    return (await this.#answers(endpointId, standing)) ? { kind: 'stands' } : { kind: 'free', instead: standing }
  }

  /**
   * Gives an Endpoint ID its link, and closes `instead`. False when another link took it since it was judged that proves as much: then
   * nothing changes.
   */
  take(agent: AgentLink, instead: AgentLink | undefined): boolean {
    const standing = this.#standing.get(agent.endpointId)
    const other = standing !== undefined && standing !== instead && standing !== agent && standing.link.isOpen
    if (other && STRENGTH[standing.proof] >= STRENGTH[agent.proof]) return false
    this.#standing.set(agent.endpointId, agent)
    if (standing !== agent) standing?.link.close('replaced', 'a newer link of this Endpoint ID came')
    return true
  }

  /** The link is gone. */
  release(agent: AgentLink): void {
    if (this.#standing.get(agent.endpointId) === agent) this.#standing.delete(agent.endpointId)
  }

  #answers(endpointId: string, standing: AgentLink): Promise<boolean> {
    const known = this.#asking.get(standing)
    if (known !== undefined) return known
    if (!this.#mayAsk(endpointId)) return Promise.resolve(true)
    const asking = this.#deps.answersWithin(standing, ANSWER_MS).finally(() => this.#asking.delete(standing))
    this.#asking.set(standing, asking)
    return asking
  }

  #mayAsk(endpointId: string): boolean {
    const now = this.#deps.clock.now()
    let asked = this.#asked.get(endpointId)
    if (asked === undefined || Math.abs(now - asked.since) >= MINUTE_MS) asked = { since: now, times: 0 }
    this.#asked.set(endpointId, asked)
    return asked.times++ < MAX_ASKED
  }
}
