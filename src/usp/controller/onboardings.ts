import { type Clock, errorText, type Log } from '../../base/index.ts'
import type { DeviceStore, RefreshRules, Upward } from '../../domain/index.ts'
import type { AgentLink } from './agent-link.ts'
import type { Arrivals } from './arrivals.ts'
import type { LinkRecords } from './link-records.ts'
import { onboard } from './onboarding.ts'
import type { SupportedModels } from './supported-models.ts'

interface OnboardingsDeps {
  /** Endpoint ID of the Controller. */
  endpointId: string
  devices: DeviceStore
  models: SupportedModels
  arrivals: Pick<Arrivals, 'facts'>
  records: Pick<LinkRecords, 'audit'>
  upward: Pick<Upward, 'completed'>
  periodicNotifIntervalS: number
  factRules?: RefreshRules
  clock: Clock
  log: Log
  /** Called when the onboarding of a device has ended, with its outcome. */
  onOnboarded?(deviceId: string, outcome: 'ok' | 'failed' | 'linkGone'): void
}

interface State {
  running: Promise<void> | undefined
  /** Failures in a row. */
  failures: number
  /** The time of the next attempt after a failure; 0: none is due. */
  dueAt: number
  /** The time at which the subscriptions were last compared. */
  comparedAt: number
}

/** Pause after a failure, doubled after each further one up to the maximum. */
const AGAIN_MS = 30_000
const AGAIN_MAX_MS = 3_600_000
/** Subscriptions may expire or be disabled: a Periodic! after this time has them compared again. */
const COMPARE_MS = 3_600_000

/** Runs the onboarding of joined Agents, one at a time for each link, and repeats what failed. */
export class Onboardings {
  readonly #deps: OnboardingsDeps
  readonly #states = new WeakMap<AgentLink, State>()

  constructor(deps: OnboardingsDeps) {
    this.#deps = deps
  }

  /** Onboards an Agent; resolves when the run that is under way, or that begins now, has ended. Never rejects. */
  run(agent: AgentLink): Promise<void> {
    const state = this.#of(agent)
    state.running ??= this.#onboard(agent, state).finally(() => {
      state.running = undefined
    })
    return state.running
  }

  /** True when an attempt after a failure is due. */
  isDue(agent: AgentLink): boolean {
    const { dueAt } = this.#of(agent)
    return dueAt !== 0 && this.#deps.clock.now() >= dueAt
  }

  /** True when the subscriptions were not compared for an hour. */
  isOld(agent: AgentLink): boolean {
    return this.#deps.clock.now() - this.#of(agent).comparedAt >= COMPARE_MS
  }

  #of(agent: AgentLink): State {
    const state = this.#states.get(agent) ?? { running: undefined, failures: 0, dueAt: 0, comparedAt: 0 }
    this.#states.set(agent, state)
    return state
  }

  async #onboard(agent: AgentLink, state: State): Promise<void> {
    const { device } = agent
    if (device === undefined || agent.closed) return
    const { arrivals, clock, endpointId, log, onOnboarded, records, upward } = this.#deps
    state.comparedAt = clock.now()
    try {
      const facts = await arrivals.facts(agent)
      if (facts !== undefined)
        await onboard(agent, device, facts, {
          ...this.#deps,
          audit: (entry) => records.audit(entry),
          ownId: endpointId,
          onReset: ({ id: deviceId }) =>
            upward.completed({ deviceId, protocol: 'usp', kind: 'reset', commandKey: '', at: clock.now() }),
        })
      state.failures = 0
      state.dueAt = 0
      onOnboarded?.(device.id, facts === undefined ? 'linkGone' : 'ok')
    } catch (error) {
      onOnboarded?.(device.id, agent.closed ? 'linkGone' : 'failed')
      if (agent.closed) return
      const againMs = Math.min(AGAIN_MS * 2 ** state.failures++, AGAIN_MAX_MS)
      state.dueAt = clock.now() + againMs
      log.warn({ deviceId: device.id, reason: errorText(error), againMs }, 'onboarding failed')
    }
  }
}
