import type { Clock } from '../base/index.ts'
import {
  ENDED,
  FAILED_STATES,
  IN_FLIGHT,
  type MemberState,
  OPEN,
  type Plan,
  type PlanCounters,
  type WaitingReason,
} from '../domain/index.ts'
import { leftOutText } from './left-out.ts'
import { MIGRATION_STATES } from './machine/states.ts'
import { type RollbackStatus, rollbackStatus } from './rollback-left.ts'

/** The waits that a person sees: `place` is shown apart from the start rate and a paused plan. */
export const SHOWN_WAITING = [
  'place',
  'rate',
  'paused',
  'offline',
  'agent',
  'operation',
  'busy',
  'soak',
  'backoff',
] as const
export type ShownWaiting = (typeof SHOWN_WAITING)[number]

/** The state of a plan, for a person. */
export interface PlanStatus {
  planId: string
  name: string
  groupId: string
  state: Plan['state']
  /** The reason for which it paused by itself. */
  reason?: string
  total: number
  states: Partial<Record<MemberState, number>>
  /** Devices that do not go on right now, by what they wait for; none of it is a failure. */
  waiting: Partial<Record<ShownWaiting, number>>
  inFlight: number
  ended: number
  /** Devices that this plan has moved. */
  migrated: number
  /** Devices that were on USP before they became members: MIGRATED too, and in no rate. */
  alreadyThere: number
  /** Migrated devices whose Agent has been silent for longer than `silentAfterMs`. */
  silent: number
  failed: number
  /** Devices that were moved, per minute. */
  rate: { lastMinute: number; lastFiveMinutes: number }
  /** Milliseconds until the devices that can go on are moved, at the rate of the last five minutes. */
  etaMs?: number
  /** Devices that the ETA does not contain, by a reason whose end is not known. */
  etaLeavesOut?: Partial<Record<ShownWaiting, number>>
  failures: PlanCounters['reasons']
  /** Devices that the last rollback of the whole plan left out. */
  leftOut?: Plan['leftOut']
  /** Present while devices are being brought back. */
  rollback?: RollbackStatus
  next: string
}

/** The next action of a draft without a group. */
export const GROUP_GONE = 'the group of this plan was deleted: delete this plan, and make a new plan for another group'
const FAILURES = 10
/** Waits whose end is not known. */
const UNKNOWN_END: readonly ShownWaiting[] = ['offline', 'paused', 'busy']

/**
 * The status of a plan from its counters; costs the same for ten members and for a million. `isGroupGone`: its group
 * was deleted. `matching`: migrated devices that the selectors of its rollbacks match.
 */
export function planStatus(
  plan: Plan,
  counters: PlanCounters,
  clock: Clock,
  { isGroupGone = false, matching = 0 }: { isGroupGone?: boolean; matching?: number } = {},
): PlanStatus {
  const { states } = counters
  const sum = (names: readonly MemberState[]) => names.reduce((total, name) => total + (states[name] ?? 0), 0)
  const total = Object.values(states).reduce((all, count) => all + count, 0)
  const waiting = shownWaits(plan, counters)
  const rollback = rollbackStatus(plan, counters, matching)
  const rate = rateOf(counters, clock.now(), plan.startedAt)
  const status: PlanStatus = {
    planId: plan.id,
    name: plan.name,
    groupId: plan.groupId,
    state: plan.state,
    total,
    states,
    waiting,
    inFlight: sum(IN_FLIGHT),
    ended: sum(ENDED),
    migrated: Math.max(0, (states.MIGRATED ?? 0) - counters.alreadyThere),
    alreadyThere: counters.alreadyThere,
    silent: counters.silent,
    failed: sum(FAILED_STATES),
    rate: shownRate(rate),
    failures: [...counters.reasons].sort(failedFirst).slice(0, FAILURES),
    next:
      plan.state === 'draft' && isGroupGone
        ? GROUP_GONE
        : nextAction(plan, counters, waiting, { open: sum(OPEN), rollback }),
    ...etaOf(plan, counters, waiting, rate.lastFiveMinutes),
  }
  if (plan.reason !== undefined) status.reason = plan.reason
  if (plan.leftOut !== undefined) status.leftOut = plan.leftOut
  if (rollback !== undefined) status.rollback = rollback
  return status
}

/** Orders reasons: devices that cannot be moved did not fail, so their reasons are last. */
function failedFirst(a: { state: MemberState }, b: { state: MemberState }): number {
  return Number(a.state === 'INELIGIBLE') - Number(b.state === 'INELIGIBLE')
}

/** The thing that members which wait for a place wait for in this plan now. */
export function placeMeans(plan: Plan, counters: PlanCounters): 'place' | 'rate' | 'paused' {
  if (plan.state !== 'running') return 'paused'
  const { maxInFlight, startsPerMinute } = plan.settings
  return startsPerMinute > 0 && MIGRATION_STATES.placesTaken(counters) < maxInFlight ? 'rate' : 'place'
}

function shownWaits(plan: Plan, counters: PlanCounters): PlanStatus['waiting'] {
  const waiting: PlanStatus['waiting'] = {}
  for (const [key, count] of Object.entries(counters.waits)) {
    const reason = key.slice(key.indexOf('|') + 1) as WaitingReason
    const shown = reason === 'place' ? placeMeans(plan, counters) : reason
    waiting[shown] = (waiting[shown] ?? 0) + count
  }
  return waiting
}

/**
 * Moves in the last whole minute and in the last five, or since the start of a younger plan. A minute that has just
 * begun is completed from the one before.
 */
function rateOf({ movedPerMinute }: PlanCounters, now: number, startedAt = 0): PlanStatus['rate'] {
  const minute = Math.floor(now / 60_000)
  const moved = (back: number) => movedPerMinute[String(minute - back)] ?? 0
  const share = (now % 60_000) / 60_000
  const lastMinute = Math.round(moved(0) + moved(1) * (1 - share))
  let five = moved(5) * (1 - share)
  for (let back = 0; back < 5; back++) five += moved(back)
  const minutes = Math.min(5, Math.max(1, (now - startedAt) / 60_000))
  return { lastMinute, lastFiveMinutes: five / minutes }
}

/** A rate with two decimals at most. */
function shownRate({ lastMinute, lastFiveMinutes }: PlanStatus['rate']): PlanStatus['rate'] {
  return { lastMinute, lastFiveMinutes: Math.round(lastFiveMinutes * 100) / 100 }
}

/**
 * Only devices that were moved make a rate; devices that wait for something without a known end are named and left out.
 * Devices that are being brought back are not moved: no rate tells when that ends.
 */
function etaOf(
  plan: Plan,
  { states, waits }: PlanCounters,
  waiting: PlanStatus['waiting'],
  perMinute: number,
): Pick<PlanStatus, 'etaMs' | 'etaLeavesOut'> {
  const open = OPEN.reduce((total, state) => total + (states[state] ?? 0), 0)
  if (plan.state !== 'running' || open === 0) return {}
  const left: PlanStatus['waiting'] = {}
  let out = 0
  for (const reason of UNKNOWN_END) {
    const count = waiting[reason] ?? 0
    if (count === 0) continue
    left[reason] = count
    out += count
  }
  const leavesOut = out === 0 ? {} : { etaLeavesOut: left }
  const backOut = (waits['ROLLING_BACK|offline'] ?? 0) + (waits['ROLLING_BACK|busy'] ?? 0)
  const back = Math.max(0, (states.ROLLING_BACK ?? 0) - backOut)
  const toGo = Math.max(0, open - back - out)
  if (perMinute <= 0 || toGo === 0) return leavesOut
  return { etaMs: Math.round((toGo / perMinute) * 60_000), ...leavesOut }
}

function nextAction(
  plan: Plan,
  { states, silent }: PlanCounters,
  waiting: PlanStatus['waiting'],
  { open, rollback }: { open: number; rollback: RollbackStatus | undefined },
): string {
  const count = (...names: MemberState[]) => names.reduce((sum, name) => sum + (states[name] ?? 0), 0)
  const tail = absent(waiting)
  if (plan.state === 'draft') return 'start the plan'
  const back = rollback === undefined ? [] : [rollbackText(rollback)]
  if (plan.state === 'paused') {
    const todo =
      plan.reason === undefined
        ? 'resume or abort the plan'
        : `look at the failures, then resume or abort: ${plan.reason}`
    return [todo, ...back].join('; ')
  }
  if (plan.bulk?.[0]?.kind === 'enrol') return 'the devices of the group are being enrolled'
  const leftOut = (plan.leftOut ?? []).map((row) => leftOutText(row, devices))
  if (plan.state === 'aborting')
    return [`${devices(open)} to cancel or roll back${tail}`, ...back, ...leftOut].join('; ')
  const forward = open - count('ROLLING_BACK')
  if (plan.state === 'running' && (open > 0 || rollback !== undefined)) {
    const toGo = forward === 0 && back.length > 0 ? [] : [`${devices(forward)} to go`]
    const later = count('BACKOFF') === 0 ? [] : [`${devices(count('BACKOFF'))} failed and will be tried again`]
    return [...toGo, ...later, ...back].join('; ') + tail
  }
  const aborted = plan.state === 'aborted'
  const todo = [
    line(count('CONFLICT'), (n, them) => `resolve the conflicts of ${n}, then retry ${them}`),
    line(count('FAILED'), (n, them) => `the rollback of ${n} failed: look at ${them}, then retry`),
    line(count('STRANDED'), (n) => `the rollback of ${n} waits for the CPE and goes on at its next contact`),
    ...leftOut,
    line(
      silent,
      (n, them) => `no answer from the Agents of ${n}, after the migration: look at ${them}, or roll ${them} back`,
    ),
    ...(aborted
      ? []
      : [
          line(count('QUARANTINED'), (n, them) => `look at ${n} that failed, then retry ${them}`),
          line(count('REGRESSED'), (n, them) => `retry ${n} that returned to factory settings, to move ${them} again`),
          line(count('INELIGIBLE'), (n) => `${n} cannot be moved`),
          line(count('BLOCKED'), (n) => `retry ${n} of another plan when that one is finished`),
        ]),
  ].filter((text) => text !== '')
  if (todo.length > 0) return todo.join('; ')
  return plan.state === 'running' ? 'the plan is about to finish' : 'nothing'
}

function rollbackText({ left, paused }: RollbackStatus): string {
  return paused === true
    ? `a rollback is paused, ${devices(left)} left: resume goes on with it`
    : `a rollback is under way, ${devices(left)} left`
}

function line(count: number, text: (devices: string, them: 'it' | 'them') => string): string {
  return count === 0 ? '' : text(devices(count), count === 1 ? 'it' : 'them')
}

function devices(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`
}

function absent(waiting: PlanStatus['waiting']): string {
  const offline = waiting.offline ?? 0
  if (offline === 1) return '; 1 of them is offline and goes on when it connects'
  return offline === 0 ? '' : `; ${offline} of them are offline and go on when they connect`
}
