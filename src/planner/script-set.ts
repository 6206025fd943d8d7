import type { Log } from '../base/index.ts'
import {
  type MemberState,
  memberStateRow,
  type NewEvent,
  type ParameterStore,
  type Plan,
  type PlanMember,
  type PlanStore,
  type Selector,
  wasResetSince,
} from '../domain/index.ts'
import { type ApplyOptions, absence, type ScriptSet, type StartDecision } from '../rollout/index.ts'
import { statesThatTake } from './machine/machine.ts'
import {
  failed,
  GONE,
  type Outcome,
  outcomeOf,
  type Persist,
  Script,
  type ScriptDeps,
  type Stored,
} from './machine/script.ts'
import { MIGRATION_STATES } from './machine/states.ts'
import { type MemberStep, Transitions } from './machine/transition.ts'
import { beforeReadiness } from './states/assessing.ts'
import { STATE_SCRIPTS } from './states/index.ts'

/** The parts of the server that a migration works with. */
export interface MigrationDeps extends ScriptDeps {
  plans: PlanStore
  parameters: ParameterStore
  /** This server instance: the holder of leases. */
  instance: string
  log: Log
}

/** The script set of a migration: CWMP to USP, and back. */
export class MigrationSet implements ScriptSet<Plan, PlanMember, MemberStep, Stored> {
  readonly states = MIGRATION_STATES
  readonly start = { from: 'QUEUED', step: { event: 'start' } } as const
  readonly abort: MemberStep = { event: 'abort', facts: { afterwards: 'stop' } }
  readonly awaiting = 'STRANDED'
  readonly #deps: MigrationDeps
  readonly #transitions: Transitions

  constructor(deps: MigrationDeps) {
    this.#deps = deps
    this.#transitions = new Transitions(deps)
  }

  /** The time limit of VERIFYING. */
  readonly limit = {
    ms: ({ settings }: Plan): number => settings.verifyTimeoutMs,
    exceeded: ({ settings }: Plan, { step }: PlanMember): Outcome => {
      const text = `not verified within ${Math.round(settings.verifyTimeoutMs / 1000)} s; last step: ${step}`
      return failed({ code: 'verifyTimeout', text }, true)
    },
  }

  takes(state: MemberState, event: MemberStep['event']): boolean {
    return statesThatTake(event).includes(state)
  }

  /** A device starts when no other plan has it, when CWMP owns it, and when its CPE is here. */
  async mayStart(plan: Plan, member: PlanMember): Promise<StartDecision<PlanMember, MemberStep>> {
    const { devices, clock } = this.#deps
    const device = await devices.get(member.deviceId)
    if (device === undefined) return { starts: false, outcome: GONE }
    const before = beforeReadiness(plan, device)
    if (before !== undefined) return { starts: false, outcome: { kind: 'event', ...before }, device }
    const absent = absence<PlanMember>(device, member, clock.now())
    return absent === undefined ? { starts: true, device } : { starts: false, outcome: absent }
  }

  /** Runs the script of the member's state. Before the start there is nothing to bring back: an error is thrown on. */
  async work(plan: Plan, member: PlanMember, persist: Persist, isNew: boolean) {
    const run = STATE_SCRIPTS[member.state]
    if (run === undefined) return undefined
    const script = new Script(plan, member, this.#deps, persist, isNew)
    let outcome: Outcome | undefined
    try {
      outcome = await run(script)
    } catch (error) {
      if (memberStateRow(member.state).phase === 'before') throw error
      outcome = outcomeOf(error)
    }
    if (outcome === undefined) return undefined
    return { member: script.member, outcome: (await this.#byReset(script, outcome)) ?? outcome }
  }

  /**
   * The failure of a device that was reset to factory settings on the way, where it fails or has its Agent waited for:
   * what the plan wrote on it is gone, and any other reason would mislead. Undefined for other devices and outcomes.
   */
  async #byReset({ member, facts }: Script, outcome: Outcome): Promise<Outcome | undefined> {
    const fails = outcome.kind === 'event' ? outcome.event === 'fail' : outcome.waiting === 'agent'
    if (!fails || memberStateRow(member.state).phase !== 'forward') return undefined
    const device = await this.#deps.devices.get(member.deviceId)
    if (device === undefined || !wasResetSince(facts.bootstrapAt, device)) return undefined
    const text = 'the device was reset to factory settings on the way'
    const found = outcome.kind === 'event' && outcome.reason !== undefined ? `; ${outcome.reason.text}` : ''
    return failed({ code: 'bootstrap', text: text + found }, true)
  }

  apply(plan: Plan, member: PlanMember, step: MemberStep, options: ApplyOptions): Promise<PlanMember> {
    return this.#transitions.apply(plan, member, step, options)
  }

  /** A change of a device that names nothing but the device is left out. */
  commit(before: PlanMember, member: PlanMember, events: NewEvent[], more: Stored = {}): Promise<void> {
    const { change, snapshot } = more
    const isUseful = change !== undefined && Object.keys(change).length > 1
    return this.#deps.plans.commitMember({
      before,
      member,
      events,
      ...(isUseful ? { device: change } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
    })
  }

  devicesOf({ id }: Plan): Selector {
    return { field: 'migration.planId', operator: '==', values: [id] }
  }
}
