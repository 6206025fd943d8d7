import type { Clock } from '../base/index.ts'
import type { MemberState, Plan, PlanStore } from '../device/index.ts'
import { FAILED_STATES } from './machine.ts'

/** A failed attempt counts as soon as the box is back where it was: waiting for all attempts would let a bad plan run on. */
const JUDGED_FAILED: readonly MemberState[] = [...FAILED_STATES, 'ROLLED_BACK']
/** Judging may take this share of the time at most. */
const COST_FACTOR = 20

/** Says whether so many devices failed that starts must stop. */
export interface Gate {
  closed(plan: Plan): Promise<boolean>
}

/** Judged are devices that were started and ended since the plan was last let go; those that were not reached are no failures. */
export function createGate(plans: PlanStore, clock: Clock): Gate {
  const notBefore = new Map<string, number>()
  return {
    async closed(plan) {
      const now = clock.now()
      if ((notBefore.get(plan.id) ?? 0) > now) return false
      const ended = await plans.endedSince(plan.id, plan.gateSince ?? plan.startedAt ?? 0)
      notBefore.set(plan.id, clock.now() + (clock.now() - now) * COST_FACTOR)
      const failed = ended
        .filter(({ state }) => JUDGED_FAILED.includes(state))
        .reduce((sum, { count, offline }) => sum + count - offline, 0)
      const sample = failed + (ended.find(({ state }) => state === 'MIGRATED')?.count ?? 0)
      if (sample < plan.settings.gateMinSample) return false
      return (failed * 100) / sample > plan.settings.failureGatePercent
    },
  }
}
