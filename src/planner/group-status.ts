import type { Clock } from '../base/index.ts'
import {
  type Group,
  MOVING_PLAN_STATES,
  type Plan,
  type PlanState,
  type PlanStore,
  type PresenceCounts,
  type Timestamp,
} from '../domain/index.ts'
import type { Counted } from '../groups/index.ts'
import { type PlanStatus, planStatus } from './status.ts'

/** The state of a group: its devices per protocol, and its plans. */
export interface GroupStatus {
  groupId: string
  name: string
  devices: number
  protocols: PresenceCounts
  /** The time at which the devices were counted: at most ten seconds ago. */
  countedAt: Timestamp
  /** The plan that runs, or that was started last. */
  plan?: PlanStatus
  /** The newest plans of the group, drafts included, and all that move devices; newest first. */
  plans: { id: string; name: string; state: Plan['state'] }[]
  /** The group has older plans that are not among `plans`. */
  truncated?: true
}

const MAX_PLANS = 100

/**
 * A plan as the records of the devices show it: its `leftOut` has present rows alone. `matching`: migrated devices that
 * the selectors of its rollbacks match.
 */
export interface SeenPlan {
  plan: Plan
  matching: number
}

/** The status of a group by the presence counts of its devices. */
export async function groupStatus(
  group: Group,
  { value: protocols, countedAt }: Counted<PresenceCounts>,
  plans: PlanStore,
  clock: Clock,
  seen: (plan: Plan) => Promise<SeenPlan>,
): Promise<GroupStatus> {
  const [listed, live] = await Promise.all([
    plans.listPlans({ groupId: group.id, limit: MAX_PLANS }),
    plans.listPlans({ groupId: group.id, states: MOVING_PLAN_STATES, limit: MAX_PLANS }),
  ])
  // A plan that moves devices is shown however many newer ones there are.
  const newest = new Set(listed.items.map(({ id }) => id))
  const shown = [...listed.items, ...live.items.filter(({ id }) => !newest.has(id))]
  const status: GroupStatus = {
    groupId: group.id,
    name: group.name,
    devices: protocols.cwmp + protocols.usp,
    protocols,
    countedAt,
    plans: shown.map(({ id, name, state }) => ({ id, name, state })),
    ...(listed.next === undefined ? {} : { truncated: true }),
  }
  const main = mainPlan(shown)
  if (main === undefined) return status
  const { plan, matching } = await seen(main)
  status.plan = planStatus(plan, await plans.counters(plan.id), clock, { matching })
  return status
}

/** The plan that moves devices; else the one that was started last; else the newest draft. */
function mainPlan(plans: Plan[]): Plan | undefined {
  const started = [...plans].sort((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0))
  return started.find(isMoving) ?? started.find(({ startedAt }) => startedAt !== undefined) ?? plans[0]
}

function isMoving({ state }: Plan): boolean {
  return (MOVING_PLAN_STATES as readonly PlanState[]).includes(state)
}
