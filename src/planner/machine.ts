import { type Table, transition } from '../base/index.ts'
import { MEMBER_STATES, type MemberState, type PlanMember, type Timestamp, type Transition } from '../device/index.ts'

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
  | 'gone'

/** Whatever goes wrong with a box under way leads back, or ends when the device was deleted. */
const WAY_BACK = { fail: 'ROLLING_BACK', abort: 'ROLLING_BACK', gone: 'CANCELLED' } as const

/** The per-device machine. Offline, busy and out of time are waiting reasons inside a state, not states. */
export const MEMBER_TABLE: Table<MemberState, MemberEvent> = {
  UNASSESSED: {
    ineligible: 'INELIGIBLE',
    blocked: 'BLOCKED',
    eligible: 'ELIGIBLE',
    alreadyThere: 'MIGRATED',
    abort: 'CANCELLED',
    gone: 'CANCELLED',
  },
  INELIGIBLE: { retry: 'UNASSESSED' },
  BLOCKED: { retry: 'UNASSESSED', abort: 'CANCELLED' },
  ELIGIBLE: { queue: 'QUEUED', abort: 'CANCELLED', gone: 'CANCELLED' },
  QUEUED: { start: 'PREPARING', blocked: 'BLOCKED', abort: 'CANCELLED', gone: 'CANCELLED' },
  PREPARING: { prepared: 'AWAITING_USP', conflict: 'CONFLICT', ...WAY_BACK },
  AWAITING_USP: { agentHere: 'BINDING', conflict: 'CONFLICT', ...WAY_BACK },
  BINDING: { bound: 'VERIFYING', conflict: 'CONFLICT', ...WAY_BACK },
  VERIFYING: { verified: 'DUAL', conflict: 'CONFLICT', ...WAY_BACK },
  DUAL: { soakOver: 'RETIRING', ...WAY_BACK },
  RETIRING: { retired: 'MIGRATED', ...WAY_BACK },
  MIGRATED: { regress: 'REGRESSED' },
  ROLLING_BACK: { rolledBack: 'ROLLED_BACK', rollbackFailed: 'FAILED', stranded: 'STRANDED', gone: 'CANCELLED' },
  ROLLED_BACK: { again: 'QUEUED', retry: 'QUEUED', giveUp: 'QUARANTINED' },
  FAILED: { retry: 'ROLLING_BACK' },
  QUARANTINED: { retry: 'QUEUED' },
  STRANDED: { retry: 'ROLLING_BACK' },
  CONFLICT: { retry: 'QUEUED', abort: 'ROLLING_BACK' },
  REGRESSED: { reassess: 'UNASSESSED', retry: 'UNASSESSED', abort: 'CANCELLED' },
  CANCELLED: { retry: 'UNASSESSED' },
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
/** Ended without being where they should. */
export const FAILED_STATES: readonly MemberState[] = ['FAILED', 'QUARANTINED', 'STRANDED', 'CONFLICT']
/** What an operator may take up again. */
export const RETRIABLE: readonly MemberState[] = statesWith('retry')
/** What an abort cancels or brings back. */
export const ABORTABLE: readonly MemberState[] = statesWith('abort')

const MAX_HISTORY = 100

/** Why a state was left. */
export interface Reason {
  code: string
  text: string
}

/** What goes into a member's history beside the states. */
export interface Why {
  reason?: Reason
  evidence?: Record<string, string>
}

/** The member after an event: a pure step of the machine. IllegalTransition when the table does not know it. */
export function reduce(
  member: PlanMember,
  event: MemberEvent,
  at: Timestamp,
  actor: string,
  why: Why = {},
): PlanMember {
  const { reason, evidence } = why
  const to = transition('plan member', MEMBER_TABLE, member.state, event)
  const entry: Transition = {
    at,
    from: member.state,
    to,
    event,
    actor,
    ...(reason === undefined ? {} : { code: reason.code, reason: reason.text }),
    ...(evidence === undefined || Object.keys(evidence).length === 0 ? {} : { evidence }),
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
  const told = ['MIGRATED', 'QUEUED', 'UNASSESSED'].includes(to) ? undefined : (reason ?? earlier)
  if (told !== undefined) next.reason = told
  if (event === 'start') next.startedAt = at
  // A box that was reset has nothing left of what earlier attempts knew.
  if (member.state === 'REGRESSED' && to === 'UNASSESSED') return { ...next, attempt: member.attempt + 1, cursor: {} }
  if (event === 'again' || event === 'retry') {
    const anew = to === 'QUEUED' || to === 'UNASSESSED'
    return { ...next, attempt: member.attempt + 1, cursor: anew ? kept(member.cursor) : backAgain(member.cursor) }
  }
  if (ENDED.includes(to)) next.endedAt = at
  return next
}

/** A new attempt starts from nothing but what was on the box before the first one. */
function kept({ preexisting, before }: PlanMember['cursor']): PlanMember['cursor'] {
  return { ...(preexisting === undefined ? {} : { preexisting }), ...(before === undefined ? {} : { before }) }
}

/** The way back looks at the box anew, with all that it has to undo. */
function backAgain(cursor: PlanMember['cursor']): PlanMember['cursor'] {
  return Object.fromEntries(Object.entries(cursor).filter(([name]) => !name.startsWith('ROLLING_BACK.')))
}

function statesWith(event: MemberEvent): MemberState[] {
  return MEMBER_STATES.filter((state) => MEMBER_TABLE[state][event] !== undefined)
}
