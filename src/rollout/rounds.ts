import { AppError, isConflict } from '../base/index.ts'
import { type Actor, PLANNER } from '../domain/index.ts'
import type { BulkQueue } from './bulk-queue.ts'
import { gateClosed } from './gate.ts'
import type { MemberRunner, RolloutDeps } from './member-runner.ts'
import {
  isAborting,
  LIVE,
  type RolloutCounters,
  type RolloutMember,
  type RolloutPlan,
  type RolloutStep,
} from './plan.ts'
import { ROUND_LEASE_MS } from './plan-lock.ts'
import type { Starting } from './starting.ts'
import type { StateTable } from './state-table.ts'

/** Members of a deleted plan that one round deletes. */
const DELETE_PER_ROUND = 2000

/** A change of a plan that a round makes. */
export type PlanChange = Partial<Pick<RolloutPlan, 'state' | 'reason' | 'finishedAt'>>

interface RoundParts<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  states: StateTable<M['state']>
  runner: MemberRunner<P, M, S, X>
  bulk: BulkQueue<P, M>
  starting: Starting<P, M, S, X>
  /** Ends the members of a deleted plan that hold their device without a claim of the plan. */
  release?(plan: P): Promise<void>
  /** Stores a change of the plan's state, with event and audit entry. */
  save(plan: P, change: PlanChange, actor: Actor, action: string): Promise<P>
  /** Asks for another round soon. */
  kick(planId: string): void
}

/**
 * False while a round would find nothing to do, as far as the counters show: bulk work, an end, a start, a gate that
 * closes, members to delete. `start`: the state in which members wait for a place.
 */
export function hasWork<State extends string>(
  plan: Pick<RolloutPlan, 'state' | 'bulk' | 'settings' | 'gateBase'>,
  counters: RolloutCounters,
  states: StateTable<State>,
  start: State,
): boolean {
  if (plan.state === 'deleted') return states.hasReleased(counters) || !states.hasHolding(counters)
  if (plan.bulk !== undefined || !states.hasOpen(counters) || hasComeBack(plan, counters, states)) return true
  if (plan.state !== 'running') return false
  const waits = counters.waits[`${start}|place`] ?? 0
  const mayStart = waits > 0 && states.placesTaken(counters) < plan.settings.maxInFlight
  return mayStart || gateClosed(plan, counters)
}

/**
 * True when a member of a plan that is being aborted is at the start, after the abort has gone through the members: it
 * was being brought back to be tried again when the abort came.
 */
function hasComeBack<State extends string>(
  { state, bulk }: Pick<RolloutPlan, 'state' | 'bulk'>,
  counters: RolloutCounters,
  states: StateTable<State>,
): boolean {
  return state === 'aborting' && bulk === undefined && states.hasBefore(counters)
}

/** Rounds over plans. A round is one look over a plan: bulk work, gate, end, starts, members that are due. */
export class Rounds<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  readonly #deps: RolloutDeps<P, M>
  readonly #parts: RoundParts<P, M, S, X>

  constructor(deps: RolloutDeps<P, M>, parts: RoundParts<P, M, S, X>) {
    this.#deps = deps
    this.#parts = parts
  }

  /**
   * Makes one round. Bulk work, gate, end and starts belong to the holder of the round: one instance at a time, so that
   * limits hold. Members that are under way are worked on by any instance. A permanent failure pauses the plan with its
   * reason.
   */
  async go(plan: P): Promise<void> {
    const { plans, instance, time } = this.#deps
    const { runner, starting } = this.#parts
    const round = await plans.takeRound(plan.id, instance, time.now(), ROUND_LEASE_MS)
    let current: P | undefined = plan
    if (round !== undefined) {
      try {
        current = await this.#steer(plan)
        if (current !== undefined) runner.heed(current)
        if (current?.state === 'running' && !isAborting(current)) await starting.some(current, round.pacing)
      } catch (error) {
        // The plan was changed meanwhile: the next round reads it again.
        if (!isConflict(error)) current = await this.#stopped(plan, error)
      } finally {
        await plans.leaveRound(plan.id, instance)
      }
    }
    if (current !== undefined && LIVE.includes(current.state)) await runner.tick(current)
  }

  /** Undefined: the plan does not exist any more. */
  async #steer(plan: P): Promise<P | undefined> {
    const { bulk, kick, save, states } = this.#parts
    if (plan.state === 'deleted') return this.#forget(plan)
    const current = await bulk.goOn(plan)
    // Without progress the next tick is soon enough.
    if (current.bulk !== undefined && current !== plan) kick(plan.id)
    const counters = await this.#deps.plans.counters(plan.id)
    if (hasComeBack(current, counters, states)) {
      kick(plan.id)
      return bulk.abortAgain(current)
    }
    if (current.bulk === undefined && (await this.#isOver(current, counters))) return this.#finish(current, counters)
    if (current.state === 'running' && gateClosed(current, counters)) {
      const reason = `more than ${current.settings.failureGatePercent} % of the attempts failed`
      return save(current, { state: 'paused', reason }, PLANNER, 'pause')
    }
    return current
  }

  /** Pauses the plan after an error that would be the same again; the next round repeats anything else. */
  async #stopped(plan: P, error: unknown): Promise<P> {
    const permanent = error instanceof AppError && (error.code === 'notFound' || error.code === 'invalid')
    if (!permanent || plan.state !== 'running') throw error
    const present = await this.#deps.plans.getPlan(plan.id)
    if (present?.state !== 'running') return plan
    return this.#parts.save(present, { state: 'paused', reason: error.message }, PLANNER, 'pause')
  }

  /** True when every member has ended. Counters may be wrong without transactions: the members decide. */
  async #isOver(plan: P, counters: RolloutCounters): Promise<boolean> {
    const { states } = this.#parts
    if (states.hasOpen(counters)) return false
    const { items } = await this.#deps.plans.listMembers(plan.id, { states: states.open, limit: 1 })
    return items.length === 0
  }

  async #finish(plan: P, { states }: RolloutCounters): Promise<P> {
    const { clock, plans } = this.#deps
    const change: PlanChange = {
      state: plan.state === 'aborting' ? 'aborted' : 'finished',
      finishedAt: clock.now(),
      ...(Object.keys(states).length === 0 ? { reason: 'the group had no device' } : {}),
    }
    const done = await this.#parts.save(plan, change, PLANNER, 'finish')
    await plans.recount(plan.id)
    return done
  }

  /** Deletes a deleted plan when none of its devices can or must be brought back any more. */
  async #forget(plan: P): Promise<P | undefined> {
    const { plans } = this.#deps
    await this.#parts.release?.(plan)
    const deleted = await plans.deleteReleasedMembers(plan.id, DELETE_PER_ROUND)
    // Only whole rounds are not counted.
    if (deleted > 0 && deleted < DELETE_PER_ROUND) await plans.recount(plan.id)
    if (deleted > 0) return plan
    const { items } = await plans.listMembers(plan.id, { states: this.#parts.states.holding, limit: 1 })
    if (items.length > 0) return plan
    await plans.deletePlan(plan.id)
    return undefined
  }
}
