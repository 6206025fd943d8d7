import type { Clock } from '../../base/index.ts'
import type { AgentLink } from './agent-link.ts'

interface TurnedAwayDeps {
  clock: Clock
  /** The time that a link stands at least; 30 s unless told. */
  heldMs?: number
  /** The Endpoint ID of the link is free for others. */
  onHeld(agent: AgentLink): void
}

interface Held {
  endpointId: string
  text: string
  cancel(): void
}

/** Most Agents take a link that was opened for a success, and dial again at their shortest interval (5 to 10 s) when it ends. */
const HELD_MS = 30_000
/** Links that are held at once; the one that was held first is closed for one more. */
const MAX_HELD = 1000

/**
 * Keeps the links of Agents that are not admitted open for a while, without reading what comes over them, so that those Agents do not come
 * again at once. What the handshake shows is refused there; this is for what only Messages show.
 */
export class TurnedAway {
  readonly #deps: TurnedAwayDeps
  readonly #held = new Map<AgentLink, Held>()

  constructor(deps: TurnedAwayDeps) {
    this.#deps = deps
  }

  /** Closes the link of an Agent that is not admitted, in time. `endpointId` is the one that it claims. */
  hold(agent: AgentLink, endpointId: string, text: string): void {
    agent.refuse()
    const { clock, heldMs = HELD_MS, onHeld } = this.#deps
    // Operations and facts of a device must not go on over the link of another one.
    const leftMs = agent.device === undefined ? agent.link.openedAt + heldMs - clock.now() : 0
    if (leftMs <= 0) return agent.link.close('policy', text)
    if (this.#held.has(agent) || !agent.link.isOpen) return
    const cancel = clock.after(leftMs, () => this.#end(agent))
    this.#held.set(agent, { endpointId, text, cancel })
    onHeld(agent)
    const [first] = this.#held.keys()
    if (this.#held.size > MAX_HELD && first !== undefined) this.#end(first)
  }

  /** The Endpoint ID is judged anew: its Agents may come again at once. */
  release(endpointId: string): void {
    for (const [agent, held] of this.#held) if (held.endpointId === endpointId) this.#end(agent)
  }

  /** The link is gone. */
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
