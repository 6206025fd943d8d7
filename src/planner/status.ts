import type { Clock } from '../base/index.ts'
import type { DeviceId, DeviceStore, Group, MemberState, Plan, PlanStore, Selector } from '../device/index.ts'
import { ENDED, FAILED_STATES, IN_FLIGHT } from './machine.ts'

/** Where a plan stands, for a person. */
export interface PlanStatus {
  planId: string
  groupId: string
  state: Plan['state']
  /** Why it paused by itself. */
  reason?: string
  total: number
  states: Partial<Record<MemberState, number>>
  inFlight: number
  ended: number
  migrated: number
  failed: number
  /** Devices that ended per minute. */
  rate: { lastMinute: number; lastFiveMinutes: number }
  /** Milliseconds until the rest is done at the present rate. */
  etaMs?: number
  failures: { code: string; text: string; state: MemberState; count: number; example: DeviceId }[]
  next: string
}

/** Where a group stands: its devices per protocol, and the plan that moves it. */
export interface GroupStatus {
  groupId: string
  name: string
  devices: number
  protocols: { cwmp: number; usp: number; uspLinked: number }
  plan?: PlanStatus
}

const MAX_COUNT = 1_000_000

export async function planStatus(plan: Plan, plans: PlanStore, clock: Clock): Promise<PlanStatus> {
  const now = clock.now()
  const [states, failures, lastMinute, lastFive] = await Promise.all([
    plans.countByState(plan.id),
    plans.rankReasons(plan.id, 10),
    plans.countEnded(plan.id, [...ENDED], now - 60_000),
    plans.countEnded(plan.id, [...ENDED], now - 300_000),
  ])
  const sum = (names: readonly MemberState[]) => names.reduce((total, name) => total + (states[name] ?? 0), 0)
  const total = Object.values(states).reduce((all, count) => all + count, 0)
  const ended = sum(ENDED)
  const status: PlanStatus = {
    planId: plan.id,
    groupId: plan.groupId,
    state: plan.state,
    total,
    states,
    inFlight: sum(IN_FLIGHT),
    ended,
    migrated: states.MIGRATED ?? 0,
    failed: sum(FAILED_STATES),
    rate: { lastMinute, lastFiveMinutes: lastFive / 5 },
    failures,
    next: nextAction(plan, states, total - ended),
  }
  if (plan.reason !== undefined) status.reason = plan.reason
  if (lastMinute > 0 && plan.state === 'running') status.etaMs = Math.round(((total - ended) / lastMinute) * 60_000)
  return status
}

function nextAction(plan: Plan, states: Partial<Record<MemberState, number>>, left: number): string {
  if (plan.state === 'draft') return 'start the plan'
  if (plan.state === 'paused')
    return plan.reason === undefined
      ? 'resume or abort the plan'
      : `look at the failures, then resume or abort: ${plan.reason}`
  if ((states.CONFLICT ?? 0) > 0 && left === 0) return `resolve ${states.CONFLICT} conflicts, then retry those devices`
  if (plan.state === 'finished')
    return (states.QUARANTINED ?? 0) > 0
      ? `look at ${states.QUARANTINED} quarantined devices and retry them`
      : 'nothing'
  if (plan.state === 'aborting') return `${left} devices are being rolled back`
  if (plan.state === 'aborted') return 'nothing'
  return `${left} devices to go`
}

export async function groupStatus(
  group: Group,
  selector: Selector,
  devices: DeviceStore,
  latest: Plan | undefined,
  plans: PlanStore,
  clock: Clock,
): Promise<GroupStatus> {
  const owned = (protocol: string): Selector => ({
    and: [selector, { field: 'owner', operator: '==', values: [protocol] }],
  })
  const linked: Selector = { and: [selector, { field: 'linked', operator: '==', values: [true] }] }
  const [cwmp, usp, uspLinked] = await Promise.all([
    devices.count(owned('cwmp'), MAX_COUNT),
    devices.count(owned('usp'), MAX_COUNT),
    devices.count(linked, MAX_COUNT),
  ])
  const status: GroupStatus = {
    groupId: group.id,
    name: group.name,
    devices: cwmp + usp,
    protocols: { cwmp, usp, uspLinked },
  }
  if (latest !== undefined) status.plan = await planStatus(latest, plans, clock)
  return status
}
