import { type Table, transition } from '../base/index.ts'
import type { MemberState, PlanMember, Timestamp, Transition } from '../device/index.ts'

/** What can happen to a device in a plan. */
export type MemberEvent =
  | 'ineligible'
  | 'blocked'
  | 'eligible'
  | 'alreadyThere'
  | 'queue'
  | 'start'
  | 'prepared'
  | 'agentHere'
  | 'bound'
  | 'conflict'
  | 'verified'
  | 'soakOver'
  | 'retired'
  | 'fail'
  | 'rolledBack'
  | 'rollbackFailed'
  | 'stranded'
  | 'giveUp'
  | 'again'
  | 'abort'
  | 'retry'
  | 'reassess'
  | 'regress'

/** The per-device machine. Offline, busy and out of time are waiting reasons inside a state, not states. */
export const MEMBER_TABLE: Table<MemberState, MemberEvent> = {
  UNASSESSED: {
    ineligible: 'INELIGIBLE',
    blocked: 'BLOCKED',
    eligible: 'ELIGIBLE',
    alreadyThere: 'MIGRATED',
    abort: 'CANCELLED',
  },
  INELIGIBLE: { reassess: 'UNASSESSED', retry: 'UNASSESSED' },
  BLOCKED: { reassess: 'UNASSESSED', retry: 'UNASSESSED', abort: 'CANCELLED' },
  ELIGIBLE: { queue: 'QUEUED', abort: 'CANCELLED' },
  QUEUED: { start: 'PREPARING', abort: 'CANCELLED' },
  PREPARING: { prepared: 'AWAITING_USP', conflict: 'CONFLICT', fail: 'ROLLING_BACK', abort: 'ROLLING_BACK' },
  AWAITING_USP: { agentHere: 'BINDING', conflict: 'CONFLICT', fail: 'ROLLING_BACK', abort: 'ROLLING_BACK' },
  BINDING: { bound: 'VERIFYING', conflict: 'CONFLICT', fail: 'ROLLING_BACK', abort: 'ROLLING_BACK' },
  VERIFYING: { verified: 'DUAL', conflict: 'CONFLICT', fail: 'ROLLING_BACK', abort: 'ROLLING_BACK' },
  DUAL: { soakOver: 'RETIRING', fail: 'ROLLING_BACK', abort: 'ROLLING_BACK' },
  RETIRING: { retired: 'MIGRATED', fail: 'ROLLING_BACK', abort: 'ROLLING_BACK' },
  MIGRATED: { regress: 'REGRESSED' },
  ROLLING_BACK: { rolledBack: 'ROLLED_BACK', rollbackFailed: 'FAILED', stranded: 'STRANDED' },
  ROLLED_BACK: { again: 'QUEUED', retry: 'QUEUED', giveUp: 'QUARANTINED' },
  FAILED: { retry: 'ROLLING_BACK' },
  QUARANTINED: { retry: 'QUEUED' },
  STRANDED: { retry: 'ROLLING_BACK' },
  CONFLICT: { retry: 'QUEUED', abort: 'ROLLING_BACK' },
  REGRESSED: { reassess: 'UNASSESSED' },
  CANCELLED: { retry: 'QUEUED' },
}

/** Nothing more happens here by itself. */
export const ENDED: readonly MemberState[] = [
  'INELIGIBLE',
  'BLOCKED',
  'MIGRATED',
  'ROLLED_BACK',
  'FAILED',
  'QUARANTINED',
  'STRANDED',
  'CONFLICT',
  'CANCELLED',
]
/** Between start and end: these count against the limit of devices in flight. */
export const IN_FLIGHT: readonly MemberState[] = [
  'PREPARING',
  'AWAITING_USP',
  'BINDING',
  'VERIFYING',
  'DUAL',
  'RETIRING',
  'ROLLING_BACK',
]
/** Ended without being where they should: these count against the gate. */
export const FAILED_STATES: readonly MemberState[] = ['FAILED', 'QUARANTINED', 'STRANDED', 'CONFLICT']

const MAX_HISTORY = 100

/** Why a state was left. */
export interface Reason {
  code: string
  text: string
}

/** The member after an event: a pure step of the machine. IllegalTransition when the table does not know it. */
export function reduce(
  member: PlanMember,
  event: MemberEvent,
  at: Timestamp,
  actor: string,
  reason?: Reason,
): PlanMember {
  const to = transition('plan member', MEMBER_TABLE, member.state, event)
  const entry: Transition = {
    at,
    from: member.state,
    to,
    event,
    actor,
    ...(reason === undefined ? {} : { reason: reason.text }),
  }
  const { waiting: _waiting, deadlineAt: _deadline, endedAt: _ended, reason: earlier, ...rest } = member
  const next: PlanMember = {
    ...rest,
    state: to,
    step: '',
    nextAt: at,
    enteredAt: at,
    history: [...member.history, entry].slice(-MAX_HISTORY),
  }
  // The reason of a failure stays visible until the next attempt; success has none.
  const told = to === 'MIGRATED' || to === 'QUEUED' ? undefined : (reason ?? earlier)
  if (told !== undefined) next.reason = told
  if (event === 'start') next.startedAt = at
  if (event === 'again' || event === 'retry')
    return { ...next, attempt: member.attempt + 1, cursor: to === 'QUEUED' ? kept(member.cursor) : member.cursor }
  if (ENDED.includes(to)) next.endedAt = at
  return next
}

/** A new attempt starts from nothing but what was on the box before the first one. */
function kept({ preexisting, before }: PlanMember['cursor']): PlanMember['cursor'] {
  return { ...(preexisting === undefined ? {} : { preexisting }), ...(before === undefined ? {} : { before }) }
}
