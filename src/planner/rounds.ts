import { MEMBER_STATES, type Plan, type PlanStore } from '../device/index.ts'
import type { Executor, ExecutorDeps } from './executor.ts'
import type { Gate } from './gate.ts'
import { ENDED } from './machine.ts'
import { startSome } from './starting.ts'
import { isConflict, type Sweeps } from './sweeps.ts'
import { ROUND_LEASE_MS } from './turns.ts'

/** Plan states in which something is done by itself. */
export const LIVE: Plan['state'][] = ['running', 'paused', 'aborting']
const OPEN = MEMBER_STATES.filter((state) => !ENDED.includes(state))

/** What ends a device whatever comes; ROLLED_BACK does only when no further attempt is due. */
const SETTLED = ENDED.filter((state) => state !== 'ROLLED_BACK')
const PENDING_LOOK = 500

export interface RoundDeps extends ExecutorDeps {
  executor: Executor
  sweeps: Sweeps
  gate: Gate
  /** A change of the plan's state, with event and audit entry. */
  save(plan: Plan, changes: Partial<Plan>, actor: string, action: string): Promise<Plan>
  /** Another round soon. */
  kick(planId: string): void
}

/**
 * One round over a plan. Sweeps, gate, end and starts belong to whoever has the round: one instance at a time, so that limits hold; members
 * that are under way are worked on by any instance.
 */
export async function goRound(plan: Plan, deps: RoundDeps): Promise<void> {
  const { plans, instance, clock, executor } = deps
  const round = await plans.takeRound(plan.id, instance, clock.now(), ROUND_LEASE_MS)
  let current = plan
  if (round !== undefined) {
    try {
      current = await steer(plan, deps)
      if (current.state === 'running') await startSome(current, round.pacing, deps, executor)
    } catch (error) {
      // Somebody changed the plan meanwhile: the next round sees it.
      if (!isConflict(error)) throw error
    } finally {
      await plans.leaveRound(plan.id, instance)
    }
  }
  if (LIVE.includes(current.state)) await executor.tick(current)
}

async function steer(plan: Plan, deps: RoundDeps): Promise<Plan> {
  const { sweeps, gate, save, kick } = deps
  const current = await sweeps.goOn(plan)
  if (current.sweep !== undefined) kick(plan.id)
  else if (await over(current, deps.plans)) return finish(current, deps)
  if (current.state === 'running' && (await gate.closed(current))) {
    const reason = `more than ${current.settings.failureGatePercent} % of the devices failed`
    return save(current, { state: 'paused', reason }, 'planner', 'pause')
  }
  if (current.state === 'aborting') {
    await sweeps.abortSome(current)
    kick(plan.id)
  }
  return current
}

/** Every member has ended; ROLLED_BACK ends a device only when no further attempt is due. */
async function over(plan: Plan, plans: PlanStore): Promise<boolean> {
  if ((await plans.countIn(plan.id, OPEN, 1)) > 0) return false
  if (plan.state === 'aborting') return (await plans.countIn(plan.id, ['BLOCKED', 'CONFLICT'], 1)) === 0
  const { items } = await plans.listMembers(plan.id, { states: ['ROLLED_BACK'], limit: PENDING_LOOK })
  if (items.some((member) => member.cursor.aborted !== true)) return false
  // A device may have moved from what was looked at later to what was looked at before; what has ended does not move.
  const all = await plans.countIn(plan.id, [], 0)
  const ended = await plans.countIn(plan.id, SETTLED, 0)
  const back = items.length < PENDING_LOOK ? items.length : await plans.countIn(plan.id, ['ROLLED_BACK'], 0)
  return ended + back === all
}

async function finish(plan: Plan, { plans, save, clock }: RoundDeps): Promise<Plan> {
  const empty = (await plans.countIn(plan.id, [...ENDED], 1)) === 0
  const changes: Partial<Plan> = {
    state: plan.state === 'aborting' ? 'aborted' : 'finished',
    finishedAt: clock.now(),
    ...(empty ? { reason: 'the group had no device' } : {}),
  }
  return save(plan, changes, 'planner', 'finish')
}
