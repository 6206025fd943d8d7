import type { Clock } from '../base/index.ts'
import type {
  DeviceId,
  DeviceStore,
  Group,
  MemberState,
  Plan,
  PlanStore,
  Selector,
  WaitingReason,
} from '../device/index.ts'
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
  /** Devices that do not go on right now, by what they wait for; none of it is a failure. */
  waiting: Partial<Record<WaitingReason, number>>
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
  const [states, waiting, failures, lastMinute, lastFive] = await Promise.all([
    plans.countByState(plan.id),
    plans.countWaiting(plan.id),
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
    waiting,
    inFlight: sum(IN_FLIGHT),
    ended,
    migrated: states.MIGRATED ?? 0,
    failed: sum(FAILED_STATES),
    rate: { lastMinute, lastFiveMinutes: lastFive / 5 },
    failures,
    next: nextAction(plan, states, waiting, total - ended),
  }
  if (plan.reason !== undefined) status.reason = plan.reason
  if (lastMinute > 0 && plan.state === 'running') status.etaMs = Math.round(((total - ended) / lastMinute) * 60_000)
  return status
}

function nextAction(
  plan: Plan,
  states: Partial<Record<MemberState, number>>,
  waiting: Partial<Record<WaitingReason, number>>,
  left: number,
): string {
  const count = (state: MemberState) => states[state] ?? 0
  if (plan.state === 'draft') return 'start the plan'
  if (plan.state === 'paused')
    return plan.reason === undefined
      ? 'resume or abort the plan'
      : `look at the failures, then resume or abort: ${plan.reason}`
  if (plan.state === 'aborting') return `${left} devices are being cancelled or rolled back${absent(waiting)}`
  if (plan.sweep?.kind === 'enrol') return 'the devices of the group are being enrolled'
  if (plan.state === 'running' && left > 0) return `${left} devices to go${absent(waiting)}`
  const todo = [
    count('CONFLICT') > 0 ? `resolve ${count('CONFLICT')} conflicts, then retry those devices` : '',
    count('QUARANTINED') + count('FAILED') > 0
      ? `look at ${count('QUARANTINED') + count('FAILED')} failed devices and retry them`
      : '',
    count('STRANDED') > 0
      ? `${count('STRANDED')} devices could not be reached for their way back: it goes on when they come`
      : '',
    count('REGRESSED') > 0
      ? `${count('REGRESSED')} devices were reset to factory settings: retry moves them again`
      : '',
    count('INELIGIBLE') > 0 ? `${count('INELIGIBLE')} devices cannot be moved as they are` : '',
    count('BLOCKED') > 0 ? `${count('BLOCKED')} devices belong to another plan: retry them when it is finished` : '',
  ].filter((line) => line !== '')
  if (todo.length > 0 && plan.state !== 'aborted') return todo.join('; ')
  return plan.state === 'running' ? 'the plan is about to finish' : 'nothing'
}

function absent(waiting: Partial<Record<WaitingReason, number>>): string {
  const offline = waiting.offline ?? 0
  return offline === 0 ? '' : `; ${offline} of them are offline and go on when they come`
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
  const linked: Selector = { and: [selector, { field: 'usp.linked', operator: '==', values: [true] }] }
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
