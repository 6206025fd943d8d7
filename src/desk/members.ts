import { defined } from '../base/index.ts'
import type { MemberState, Page, PlanMember, PlanStore, WaitingReason } from '../domain/index.ts'
import { type Planner, placeMeans, type ShownWaiting } from '../planner/index.ts'

/** A filter of the members of a plan, and the page that is wanted. */
interface MembersQuery {
  states?: MemberState[] | undefined
  reason?: string | undefined
  /** The thing that they wait for, as people see it. */
  waiting?: ShownWaiting | undefined
  /** Only migrated devices whose Agent is silent. */
  silent?: true | undefined
  limit: number
  cursor?: string | undefined
}

interface MemberDeps {
  planner: Pick<Planner, 'get'>
  planStore: Pick<PlanStore, 'counters' | 'listMembers'>
}

/** Returns what members of a plan that wait for a place wait for now. AppError `notFound` without such a plan. */
export async function meaningOfPlace({ planner, planStore }: MemberDeps, planId: string): Promise<ShownWaiting> {
  const plan = await planner.get(planId)
  return placeMeans(plan, await planStore.counters(planId))
}

/**
 * Returns a page of the members of a plan, and what those that wait for a place wait for. AppError `notFound` without
 * such a plan.
 */
export async function listMembers(
  deps: MemberDeps,
  planId: string,
  { waiting, ...query }: MembersQuery,
): Promise<{ page: Page<PlanMember>; place: ShownWaiting }> {
  const place = await meaningOfPlace(deps, planId)
  const stored = storedWaiting(waiting, place)
  if (stored === 'none') return { page: { items: [] }, place }
  return { page: await deps.planStore.listMembers(planId, defined({ ...query, waiting: stored })), place }
}

/** The stored reason behind a shown one; `none` when no member of the plan waits for that now. */
function storedWaiting(shown: ShownWaiting | undefined, place: ShownWaiting): WaitingReason | 'none' | undefined {
  if (shown !== 'place' && shown !== 'rate' && shown !== 'paused') return shown
  return shown === place ? 'place' : 'none'
}
