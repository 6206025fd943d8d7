import type { Clock } from '../base/index.ts'
import type { Group, Plan, PlanStore, PresenceCounts, Timestamp } from '../domain/index.ts'
import type { Counted } from '../groups/index.ts'
import { type PlanStatus, planStatus } from './status.ts'

/** The state of a group: its devices per protocol, and its plans. */
export interface GroupStatus {
  groupId: string
  name: string
  devices: number
  protocols: PresenceCounts
  /** When the devices were counted: at most ten seconds ago. */
  countedAt: Timestamp
  /** The plan that runs, or that was started last. */
  plan?: PlanStatus
  /** Drafts and all other plans of the group, newest first. */
  plans: { id: string; name: string; state: Plan['state'] }[]
}

const MAX_PLANS = 100
/** A plan in these states moves devices. */
const MOVING: readonly Plan['state'][] = ['running', 'paused', 'aborting']

/** The status of a group by the presence counts of its devices. */
export async function groupStatus(
  group: Group,
  { value: protocols, countedAt }: Counted<PresenceCounts>,
  plans: PlanStore,
  clock: Clock,
): Promise<GroupStatus> {
  const [listed, live] = await Promise.all([
    plans.listPlans({ groupId: group.id, limit: MAX_PLANS }),
    plans.listPlans({ groupId: group.id, states: MOVING, limit: MAX_PLANS }),
  ])
  const status: GroupStatus = {
    groupId: group.id,
    name: group.name,
    devices: protocols.cwmp + protocols.usp,
    protocols,
    countedAt,
    plans: listed.items.map(({ id, name, state }) => ({ id, name, state })),
  }
  // However many newer ones there are, the plan that runs is shown.
  const main = mainPlan([...live.items, ...listed.items])
  if (main !== undefined) status.plan = planStatus(main, await plans.counters(main.id), clock)
  return status
}

/** The plan that moves devices; else the one that was started last; else the newest draft. */
function mainPlan(plans: Plan[]): Plan | undefined {
  const started = [...plans].sort((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0))
  return (
    started.find(({ state }) => MOVING.includes(state)) ??
    started.find(({ startedAt }) => startedAt !== undefined) ??
    plans[0]
  )
}
