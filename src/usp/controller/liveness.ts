import { type Clock, type Log, type Random, TransportError } from '../../base/index.ts'
import type { AgentLink } from './agent-link.ts'

interface LivenessDeps {
  clock: Clock
  random: Pick<Random, 'fraction'>
  log: Log
  /** Called when the Agent answers or notifies, for the first time on this link or after it was silent. */
  onAnswering(agent: AgentLink): void
  /** Called when the Agent did not answer a probe. */
  onSilent(agent: AgentLink): void
  limits?: Partial<LivenessLimits>
}

/** Limits for probing an Agent and for closing its link. */
export interface LivenessLimits {
  /** An Agent without a Message for this time is probed; each link adds a random part of up to a half of it. */
  quietMs: number
  /** Time for the answer to a probe. */
  probeTimeoutMs: number
  /** Probes in a row without an answer after which the link is closed. */
  maxUnanswered: number
  /** Probes without an answer yet, over all links. */
  maxProbing: number
}

/** The shortest quietMs; twice the interval of Periodic! where that is longer. */
const MIN_QUIET_MS = 300_000

/** Returns the limits for an interval of Periodic! in seconds. */
export function livenessLimits(periodicNotifIntervalS: number): LivenessLimits {
  return {
    quietMs: Math.max(2 * periodicNotifIntervalS * 1000, MIN_QUIET_MS),
    probeTimeoutMs: 30_000,
    maxUnanswered: 3,
    maxProbing: 500,
  }
}

interface State {
  /** The time of the last Message of the Agent; undefined: not yet on this link. */
  heardAt: number | undefined
  /** The begin of the quiet time. */
  quietSince: number
  /** Messages that were received. */
  messages: number
  /** True when a request had no answer in time, and no Message was received since. */
  suspect: boolean
  answering: boolean
  /** Probes in a row without an answer. */
  unanswered: number
  probing: boolean
  quietMs: number
}

/**
 * Finds out which Agents answer. An open connection proves nothing: an Agent may keep it and ignore each Message, for
 * example after its Controller row was deleted. Only a Message from the Agent proves it. An Agent that is quiet for
 * long, or that left a request without an answer, is probed; one that does not answer is silent, and its link is closed
 * after some more probes.
 */
export class Liveness {
  readonly #deps: LivenessDeps
  readonly #limits: LivenessLimits
  readonly #states = new WeakMap<AgentLink, State>()
  /** Links to be probed, in the order in which they became due. */
  readonly #due = new Set<AgentLink>()
  #probing = 0

  constructor(deps: LivenessDeps, periodicNotifIntervalS: number) {
    this.#deps = deps
    this.#limits = { ...livenessLimits(periodicNotifIntervalS), ...deps.limits }
  }

  /** True when the Agent has answered over this link, and is not silent. */
  answers(agent: AgentLink): boolean {
    return this.#of(agent).answering
  }

  /** True when the Agent has answered over this link, and does not answer now. */
  isSilent(agent: AgentLink): boolean {
    return this.#of(agent).unanswered > 0
  }

  /** Probes the Agent at once; resolves with true when any Message of it is received within this time. */
  async answersWithin(agent: AgentLink, timeoutMs: number): Promise<boolean> {
    const state = this.#of(agent)
    const before = state.messages
    try {
      await agent.probe(timeoutMs)
      return true
    } catch {
      return state.messages > before
    }
  }

  /** Returns when the Agent last sent a Message over this link; undefined: not yet. */
  heardAt(agent: AgentLink): number | undefined {
    return this.#of(agent).heardAt
  }

  /** Notes a Message of the Agent. */
  heard(agent: AgentLink): void {
    const state = this.#of(agent)
    state.heardAt = this.#deps.clock.now()
    state.quietSince = state.heardAt
    state.messages++
    state.suspect = false
    state.unanswered = 0
    if (!state.probing) this.#due.delete(agent)
    if (state.answering) return
    state.answering = true
    this.#deps.onAnswering(agent)
  }

  /** Notes that a request had no answer in time, and probes the Agent. */
  missed(agent: AgentLink): void {
    this.#of(agent).suspect = true
    this.#probeSoon(agent)
  }

  /** Called in each round of a link: begins a probe when one is due. */
  look(agent: AgentLink): void {
    const state = this.#of(agent)
    const now = this.#deps.clock.now()
    // A clock that was set back must not delay the probe.
    state.quietSince = Math.min(state.quietSince, now)
    if (state.suspect || state.unanswered > 0 || now - state.quietSince > state.quietMs) this.#probeSoon(agent)
  }

  #of(agent: AgentLink): State {
    let state = this.#states.get(agent)
    if (state === undefined) {
      const quietMs = this.#limits.quietMs * (1 + this.#deps.random.fraction() / 2)
      state = {
        heardAt: undefined,
        quietSince: this.#deps.clock.now(),
        messages: 0,
        suspect: false,
        answering: false,
        unanswered: 0,
        probing: false,
        quietMs,
      }
      this.#states.set(agent, state)
    }
    return state
  }

  #probeSoon(agent: AgentLink): void {
    if (this.#of(agent).probing || agent.closed) return
    this.#due.add(agent)
    this.#next()
  }

  #next(): void {
    for (const agent of this.#due) {
      if (this.#probing >= this.#limits.maxProbing) return
      this.#due.delete(agent)
      if (!agent.closed) void this.#probe(agent)
    }
  }

  async #probe(agent: AgentLink): Promise<void> {
    const { log } = this.#deps
    const state = this.#of(agent)
    const before = state.messages
    state.probing = true
    this.#probing++
    try {
      await agent.probe(this.#limits.probeTimeoutMs)
    } catch (error) {
      // A wrong answer is an answer, and so is any other Message of the Agent.
      const answered = !(error instanceof TransportError) || state.messages > before
      if (!answered && !agent.closed) this.#unanswered(agent, state)
    } finally {
      state.probing = false
      this.#probing--
    }
    log.trace({ endpointId: agent.endpointId, unanswered: state.unanswered }, 'Agent probed')
    this.#next()
  }

  #unanswered(agent: AgentLink, state: State): void {
    state.unanswered++
    const { unanswered } = state
    const { log, onSilent } = this.#deps
    log.info({ endpointId: agent.endpointId, deviceId: agent.device?.id, unanswered }, 'Agent did not answer')
    if (unanswered === 1) {
      state.answering = false
      onSilent(agent)
    }
    if (unanswered >= this.#limits.maxUnanswered)
      agent.link.close('notAnswering', `${unanswered} requests in a row were not answered`)
  }
}
