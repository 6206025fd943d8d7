import type { Clock } from '../base/index.ts'
import type { DeviceStore, Group, Plan, PlanStore, Selector, Timestamp } from '../device/index.ts'
import { type PlanStatus, planStatus } from './status.ts'

/** The state of a group: its devices per protocol, and its plans. */
export interface GroupStatus {
  groupId: string
  name: string
  devices: number
  protocols: { cwmp: number; usp: number; uspLinked: number }
  /** When the devices were counted. */
  countedAt: Timestamp
  /** The plan that runs, or that was started last. */
  plan?: PlanStatus
  /** Drafts and all other plans of the group, newest first. */
  plans: { id: string; name: string; state: Plan['state'] }[]
}

const MAX_COUNT = 1_000_000
const MAX_PLANS = 100

/** The status of a group. Counts of devices are at most as old as `countedAt` says. */
export async function groupStatus(
  group: Group,
  selector: Selector,
  devices: DeviceStore,
  plans: PlanStore,
  clock: Clock,
): Promise<GroupStatus> {
  const owned = (protocol: string): Selector => ({
    and: [selector, { field: 'owner', operator: '==', values: [protocol] }],
  })
  const linked: Selector = { and: [selector, { field: 'usp.linked', operator: '==', values: [true] }] }
  const countedAt = clock.now()
  const [cwmp, usp, uspLinked, listed] = await Promise.all([
    devices.count(owned('cwmp'), MAX_COUNT),
    devices.count(owned('usp'), MAX_COUNT),
    devices.count(linked, MAX_COUNT),
    plans.listPlans({ groupId: group.id, limit: MAX_PLANS }),
  ])
  const status: GroupStatus = {
    groupId: group.id,
    name: group.name,
    devices: cwmp + usp,
    protocols: { cwmp, usp, uspLinked },
    countedAt,
    plans: listed.items.map(({ id, name, state }) => ({ id, name, state })),
  }
  const main = mainPlan(listed.items)
  if (main !== undefined) status.plan = planStatus(main, await plans.counters(main.id), clock)
  return status
}

/** The plan that moves devices; else the one that was started last; else the newest draft. */
export function mainPlan(plans: Plan[]): Plan | undefined {
  const started = [...plans].sort((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0))
  return (
    started.find(({ state }) => state === 'running' || state === 'paused' || state === 'aborting') ??
    started.find(({ startedAt }) => startedAt !== undefined) ??
    plans[0]
  )
}
