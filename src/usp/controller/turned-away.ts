import type { Clock } from '../../base/index.ts'
import type { AgentLink } from './agent-link.ts'

interface TurnedAwayDeps {
  clock: Clock
  /** The time that a link stays open at least; 30 s by default. */
  heldMs?: number
  /** Frees the Endpoint ID of the link for others. */
  onHeld(agent: AgentLink): void
}

interface Held {
  endpointId: string
  text: string
  cancel(): void
}

/**
 * Most Agents take an opened link for a success, and dial again at their shortest interval (5 to 10 s) when it ends.
 */
const HELD_MS = 30_000
/** Links that are held at once; for one more the oldest is closed. */
const MAX_HELD = 1000

/**
 * Keeps the links of Agents that are not admitted open for some time without reading from them, so that those Agents do
 * not dial again at once. It is used for refusals that only Messages show; others are answered in the handshake.
 */
export class TurnedAway {
  readonly #deps: TurnedAwayDeps
  readonly #held = new Map<AgentLink, Held>()

  constructor(deps: TurnedAwayDeps) {
    this.#deps = deps
  }

  /**
   * Closes the link of an Agent that is not admitted, after the time above. `endpointId` is the one that the Agent
   * claims.
   */
  hold(agent: AgentLink, endpointId: string, text: string): void {
    agent.refuse()
    const { clock, heldMs = HELD_MS, onHeld } = this.#deps
    // The link of a joined device is closed at once: its operations must not go on over it.
    const leftMs = agent.device === undefined ? agent.link.openedAt + heldMs - clock.now() : 0
    if (leftMs <= 0) return agent.link.close('policy', text)
    if (this.#held.has(agent) || !agent.link.isOpen) return
    const cancel = clock.after(leftMs, () => this.#end(agent))
    this.#held.set(agent, { endpointId, text, cancel })
    onHeld(agent)
    const [first] = this.#held.keys()
    if (this.#held.size > MAX_HELD && first !== undefined) this.#end(first)
  }

  /** Closes the held links of an Endpoint ID that is judged anew, so that its Agent dials again. */
  release(endpointId: string): void {
    for (const [agent, held] of this.#held) if (held.endpointId === endpointId) this.#end(agent)
  }

  /** Forgets a link that has ended. */
  forget(agent: AgentLink): void {
    this.#held.get(agent)?.cancel()
    this.#held.delete(agent)
  }

  #end(agent: AgentLink): void {
    const held = this.#held.get(agent)
    this.forget(agent)
    if (held !== undefined) agent.link.close('policy', held.text)
  }
}
