import { BoundedMap, type Clock } from '../../base/index.ts'
import type { AgentLink, LinkProof } from './agent-link.ts'
import type { Links } from './links.ts'

interface ClaimsDeps {
  links: Links
  clock: Clock
  /** True when the Agent has answered over its link and does not answer now. */
  isSilent(agent: AgentLink): boolean
  /** Asks the Agent for a Message; resolves with true when one is received within this time. */
  answersWithin(agent: AgentLink, timeoutMs: number): Promise<boolean>
}

/** The outcome for a new link that claims an Endpoint ID. `instead` is the link that it then replaces. */
type Contest =
  | { kind: 'free'; instead: AgentLink | undefined }
  /** The present link proves more. */
  | { kind: 'weaker' }
  /** The present link proves as much, and its Agent answers. */
  | { kind: 'stands' }

/** Time for the Agent of the present link to answer when another link claims its Endpoint ID. */
const ANSWER_MS = 3000
/** Questions to one present link in a minute; further claims in that minute are refused without a question. */
const MAX_ASKED = 6
const MINUTE_MS = 60_000
const MAX_CONTESTED = 10_000

const STRENGTH: Readonly<Record<LinkProof, number>> = { none: 0, secret: 1, certificate: 2 }

/**
 * Decides which link holds an Endpoint ID: a new link replaces the present one when it proves more, or when that one
 * does not answer.
 */
export class Claims {
  readonly #deps: ClaimsDeps
  /** Present links that are asked at the moment. */
  readonly #asking = new Map<AgentLink, Promise<boolean>>()
  readonly #asked = new BoundedMap<string, { since: number; times: number }>(MAX_CONTESTED)

  constructor(deps: ClaimsDeps) {
    this.#deps = deps
  }

  /** Compares a link that is about to be opened, or that has just named its Endpoint ID, with the present one. */
  async contest(endpointId: string, proof: LinkProof): Promise<Contest> {
    const present = this.#deps.links.ofEndpoint(endpointId)
    if (present === undefined || !present.link.isOpen) return { kind: 'free', instead: present }
    const more = STRENGTH[proof] - STRENGTH[present.proof]
    if (more < 0) return { kind: 'weaker' }
    if (more > 0 || this.#deps.isSilent(present)) return { kind: 'free', instead: present }
    return (await this.#answers(endpointId, present)) ? { kind: 'stands' } : { kind: 'free', instead: present }
  }

  /**
   * Gives an Endpoint ID to a link, and closes `instead`. Returns false, and changes nothing, when another link that
   * proves as much took it since the contest.
   */
  take(agent: AgentLink, instead: AgentLink | undefined): boolean {
    const { links } = this.#deps
    const present = links.ofEndpoint(agent.endpointId)
    const isOther = present !== undefined && present !== instead && present !== agent && present.link.isOpen
    if (isOther && STRENGTH[present.proof] >= STRENGTH[agent.proof]) return false
    links.claimEndpoint(agent)
    return true
  }

  #answers(endpointId: string, present: AgentLink): Promise<boolean> {
    const known = this.#asking.get(present)
    if (known !== undefined) return known
    if (!this.#mayAsk(endpointId)) return Promise.resolve(true)
    const asking = this.#deps.answersWithin(present, ANSWER_MS).finally(() => this.#asking.delete(present))
    this.#asking.set(present, asking)
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
