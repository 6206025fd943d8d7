import { AppError, isConflict } from '../base/index.ts'
import { HOLDING, MEMBER_STATES, OPEN, type Plan, type PlanCounters } from '../domain/index.ts'
import type { BulkWorks } from './bulk-work.ts'
import { gateClosed } from './gate.ts'
import type { MemberRunner, RunnerDeps } from './member-runner.ts'
import { placesTaken } from './pace.ts'
import { ROUND_LEASE_MS } from './plan-lock.ts'
import { isAborting, LIVE } from './plan-state.ts'
import { startSome } from './starting.ts'

/** Members of a deleted plan that one round deletes. */
const DELETE_PER_ROUND = 2000

export interface RoundDeps extends RunnerDeps {
  runner: MemberRunner
  bulk: BulkWorks
  /** Changes the plan's state, with event and audit entry. */
  save(plan: Plan, changes: Partial<Plan>, actor: string, action: string): Promise<Plan>
  /** Asks for another round soon. */
  kick(planId: string): void
}

/**
 * False while a round would find nothing to do, as far as the counters show: bulk work, an end, a start, a gate that closes, members to
 * delete.
 */
export function hasWork(plan: Plan, counters: PlanCounters): boolean {
  const { states, waits } = counters
  if (plan.state === 'deleted') return hasReleased(counters) || !HOLDING.some((state) => (states[state] ?? 0) > 0)
  if (plan.bulk !== undefined || !hasOpen(counters)) return true
  if (plan.state !== 'running') return false
  const mayStart = (waits['QUEUED|place'] ?? 0) > 0 && placesTaken(counters) < plan.settings.maxInFlight
  return mayStart || gateClosed(plan, counters)
}

/** True when a member has not ended. */
export function hasOpen({ states }: Pick<PlanCounters, 'states'>): boolean {
  return OPEN.some((state) => (states[state] ?? 0) > 0)
}

function hasReleased({ states }: PlanCounters): boolean {
  return MEMBER_STATES.some((state) => !HOLDING.includes(state) && (states[state] ?? 0) > 0)
}

/**
 * One round over a plan. Bulk work, gate, end and starts belong to the holder of the round: one instance at a time, so that limits hold;
 * members that are under way are worked on by any instance. A permanent failure pauses the plan with its reason.
 */
export async function goRound(plan: Plan, deps: RoundDeps): Promise<void> {
  const { plans, instance, time, runner } = deps
  const round = await plans.takeRound(plan.id, instance, time.now(), ROUND_LEASE_MS)
  let current: Plan | undefined = plan
  if (round !== undefined) {
    try {
      current = await steer(plan, deps)
      if (current !== undefined) runner.heed(current)
      if (current?.state === 'running' && !isAborting(current)) await startSome(current, round.pacing, deps, runner)
    } catch (error) {
      // Somebody changed the plan meanwhile: the next round sees it.
      if (!isConflict(error)) current = await stopped(plan, error, deps)
    } finally {
      await plans.leaveRound(plan.id, instance)
    }
  }
  if (current !== undefined && LIVE.includes(current.state)) await runner.tick(current)
}

/** Undefined: the plan does not exist any more. */
async function steer(plan: Plan, deps: RoundDeps): Promise<Plan | undefined> {
  if (plan.state === 'deleted') return forget(plan, deps)
  const current = await deps.bulk.goOn(plan)
  // Without progress the next tick is soon enough.
  if (current.bulk !== undefined && current !== plan) deps.kick(plan.id)
  const counters = await deps.plans.counters(plan.id)
  if (current.bulk === undefined && (await over(current, counters, deps))) return finish(current, counters, deps)
  if (current.state === 'running' && gateClosed(current, counters)) {
    const reason = `more than ${current.settings.failureGatePercent} % of the attempts failed`
    return deps.save(current, { state: 'paused', reason }, 'planner', 'pause')
  }
  return current
}

/** What asking again cannot mend pauses the plan; anything else is tried again by the next round. */
async function stopped(plan: Plan, error: unknown, { save, plans }: RoundDeps): Promise<Plan> {
  const permanent = error instanceof AppError && (error.code === 'notFound' || error.code === 'invalid')
  if (!permanent || plan.state !== 'running') throw error
  const present = await plans.getPlan(plan.id)
  if (present?.state !== 'running') return plan
  return save(present, { state: 'paused', reason: error.message }, 'planner', 'pause')
}

/** Every member has ended. Counters may be wrong where there are no transactions, so that the members have the last word. */
async function over(plan: Plan, counters: PlanCounters, { plans }: RoundDeps): Promise<boolean> {
  if (hasOpen(counters)) return false
  const { items } = await plans.listMembers(plan.id, { states: OPEN, limit: 1 })
  return items.length === 0
}

async function finish(plan: Plan, { states }: PlanCounters, { save, clock, plans }: RoundDeps): Promise<Plan> {
  const changes: Partial<Plan> = {
    state: plan.state === 'aborting' ? 'aborted' : 'finished',
    finishedAt: clock.now(),
    ...(Object.keys(states).length === 0 ? { reason: 'the group had no device' } : {}),
  }
  const done = await save(plan, changes, 'planner', 'finish')
  await plans.recount(plan.id)
  return done
}

/** A deleted plan goes when none of its devices can or must be brought back any more. */
async function forget(plan: Plan, { plans }: RoundDeps): Promise<Plan | undefined> {
  const deleted = await plans.deleteReleasedMembers(plan.id, DELETE_PER_ROUND)
  // Only whole rounds are not counted.
  if (deleted > 0 && deleted < DELETE_PER_ROUND) await plans.recount(plan.id)
  if (deleted > 0) return plan
  const { items } = await plans.listMembers(plan.id, { states: HOLDING, limit: 1 })
  if (items.length > 0) return plan
  await plans.deletePlan(plan.id)
  return undefined
}
