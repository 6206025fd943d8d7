import { PLANNER, type Plan, type PlanMember, type PlanStore } from '../domain/index.ts'
import { batches } from '../rollout/index.ts'
import type { MemberStep } from './machine/transition.ts'
import type { MigrationRunner } from './member-notes.ts'

const PAGE = 500
const PLAN_DELETED: MemberStep = {
  event: 'left',
  reason: { code: 'planDeleted', text: 'the plan was deleted, and it had not moved the device' },
}

/**
 * Cancels the members of a deleted plan whose devices were on USP before it: the plan has nothing to bring back there.
 * Their devices stay as they are.
 */
export async function releaseAlreadyThere(
  plan: Plan,
  { plans }: { plans: Pick<PlanStore, 'counters' | 'listMembers'> },
  runner: Pick<MigrationRunner, 'applyTo'>,
): Promise<void> {
  if ((await plans.counters(plan.id)).alreadyThere === 0) return
  const read = (cursor: { cursor?: string }) =>
    plans.listMembers(plan.id, { states: ['MIGRATED'], limit: PAGE, ...cursor })
  for await (const members of batches(read))
    await runner.applyTo(plan, members.filter(isAlreadyThere), () => PLAN_DELETED, PLANNER)
}

function isAlreadyThere({ facts }: PlanMember): boolean {
  return facts.alreadyThere === true
}
