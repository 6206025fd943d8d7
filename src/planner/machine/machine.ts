import { type Table, transition } from '../../base/index.ts'
import {
  type Actor,
  actorText,
  MEMBER_STATES,
  type MemberFacts,
  type MemberState,
  memberStateRow,
  type PlanMember,
  type Timestamp,
  type Transition,
} from '../../domain/index.ts'

/** Events of the per-device machine. */
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
  | 'rollback'
  | 'rolledBack'
  | 'tryLater'
  | 'rollbackFailed'
  | 'stranded'
  | 'giveUp'
  | 'again'
  | 'abort'
  | 'retry'
  | 'came'
  | 'reassess'
  | 'regress'
  | 'reset'
  | 'left'
  | 'gone'

/**
 * The transitions that all states under way have: a failure or a person turns the device back; a deleted device is
 * cancelled.
 */
const GO_BACK = { fail: 'ROLLING_BACK', abort: 'ROLLING_BACK', rollback: 'ROLLING_BACK', gone: 'CANCELLED' } as const

/**
 * The per-device machine. Offline, busy and out of time are waiting reasons inside a state, not states. A state that
 * holds its device is left for one that does not only through ROLLING_BACK, or when the device itself was reset or
 * deleted.
 */
export const MEMBER_TABLE: Table<MemberState, MemberEvent> = {
  UNASSESSED: {
    ineligible: 'INELIGIBLE',
    blocked: 'BLOCKED',
    eligible: 'ELIGIBLE',
    alreadyThere: 'MIGRATED',
    abort: 'CANCELLED',
    gone: 'CANCELLED',
  },
  INELIGIBLE: { retry: 'UNASSESSED', gone: 'CANCELLED' },
  BLOCKED: { retry: 'UNASSESSED', abort: 'CANCELLED', gone: 'CANCELLED' },
  ELIGIBLE: { queue: 'QUEUED', abort: 'CANCELLED', gone: 'CANCELLED' },
  QUEUED: {
    start: 'PREPARING',
    blocked: 'BLOCKED',
    alreadyThere: 'MIGRATED',
    abort: 'CANCELLED',
    gone: 'CANCELLED',
  },
  PREPARING: { prepared: 'AWAITING_USP', conflict: 'CONFLICT', ...GO_BACK },
  AWAITING_USP: { agentHere: 'BINDING', conflict: 'CONFLICT', ...GO_BACK },
  BINDING: { bound: 'VERIFYING', conflict: 'CONFLICT', ...GO_BACK },
  VERIFYING: { verified: 'DUAL', conflict: 'CONFLICT', ...GO_BACK },
  DUAL: { soakOver: 'RETIRING', ...GO_BACK },
  RETIRING: { retired: 'MIGRATED', ...GO_BACK },
  MIGRATED: {
    rollback: 'ROLLING_BACK',
    regress: 'REGRESSED',
    reset: 'UNASSESSED',
    left: 'CANCELLED',
    gone: 'CANCELLED',
  },
  ROLLING_BACK: {
    rolledBack: 'ROLLED_BACK',
    tryLater: 'BACKOFF',
    again: 'QUEUED',
    giveUp: 'QUARANTINED',
    rollbackFailed: 'FAILED',
    stranded: 'STRANDED',
    gone: 'CANCELLED',
  },
  BACKOFF: { again: 'QUEUED', abort: 'ROLLED_BACK', gone: 'CANCELLED' },
  ROLLED_BACK: { retry: 'QUEUED', gone: 'CANCELLED' },
  FAILED: { retry: 'ROLLING_BACK', rollback: 'ROLLING_BACK', gone: 'CANCELLED' },
  QUARANTINED: { retry: 'QUEUED', gone: 'CANCELLED' },
  STRANDED: { retry: 'ROLLING_BACK', rollback: 'ROLLING_BACK', came: 'ROLLING_BACK', gone: 'CANCELLED' },
  CONFLICT: { retry: 'ROLLING_BACK', abort: 'ROLLING_BACK', rollback: 'ROLLING_BACK', gone: 'CANCELLED' },
  REGRESSED: { reassess: 'UNASSESSED', retry: 'UNASSESSED', abort: 'CANCELLED', gone: 'CANCELLED' },
  CANCELLED: { retry: 'UNASSESSED' },
}

/** States in which an event is known. */
export function statesThatTake(event: MemberEvent): MemberState[] {
  return MEMBER_STATES.filter((state) => MEMBER_TABLE[state][event] !== undefined)
}

/** States that an operator may take up again. */
export const RETRIABLE: readonly MemberState[] = statesThatTake('retry')
/** States that an abort cancels or brings back. */
export const ABORTABLE: readonly MemberState[] = statesThatTake('abort')
/** States that a rollback brings back to CWMP. */
export const RETURNABLE: readonly MemberState[] = statesThatTake('rollback')

const MAX_HISTORY = 100
/**
 * In these states the reason of an earlier failure is not shown any more; CANCELLED shows only one of its own. QUEUED shows
 * that of an attempt that failed, until the next one begins.
 */
const WITHOUT_REASON: readonly MemberState[] = ['MIGRATED', 'QUEUED', 'UNASSESSED']
/** Events that begin another attempt. A device that was absent has used none up. */
const NEW_ATTEMPT: readonly MemberEvent[] = ['retry', 'reassess', 'reset']

/** The reason for which a state was left. */
export interface Reason {
  code: string
  text: string
}

/** Parts of a member's history beside the states. */
export interface Why {
  reason?: Reason
  evidence?: Record<string, string>
  /** Facts that the event brings. */
  facts?: Partial<MemberFacts>
}

/** The two times of an event: wall-clock time for people, service time for what is measured. */
interface EventTime {
  at: Timestamp
  serviceMs: number
}

/**
 * The member after an event: a pure step of the machine. Throws IllegalTransition when the table does not know the
 * event in the member's state. The next state begins with no finished steps; it is due at once unless it has ended,
 * waits for a place, or waits for its back-off.
 */
export function reduce(
  member: PlanMember,
  event: MemberEvent,
  { at, serviceMs }: EventTime,
  actor: Actor,
  why: Why = {},
): PlanMember {
  const { reason, evidence } = why
  const to = transition('plan member', MEMBER_TABLE, member.state, event)
  const entry: Transition = {
    at,
    from: member.state,
    to,
    event,
    actor: actorText(actor),
    ...(reason === undefined ? {} : { code: reason.code, reason: reason.text }),
    ...(evidence === undefined || Object.keys(evidence).length === 0 ? {} : { evidence }),
  }
  const {
    waiting: _waiting,
    dueMs: _due,
    deadlineMs: _deadline,
    endedAt: _ended,
    silentAt: _silent,
    reason: earlier,
    ...rest
  } = member
  const next: PlanMember = {
    ...rest,
    state: to,
    step: '',
    done: [],
    visit: member.visit + 1,
    facts: { ...factsFor(to, member.facts), ...why.facts },
    attempt: member.attempt + attemptsOf(event, member),
    enteredAt: at,
    enteredMs: serviceMs,
    history: [...member.history, entry].slice(-MAX_HISTORY),
  }
  const shown = event === 'start' || to === 'CANCELLED' ? reason : shownIn(to, member.state, reason ?? earlier)
  if (shown !== undefined) next.reason = shown
  if (event === 'start') next.startedAt = at
  if (to === 'QUEUED') next.waiting = 'place'
  else if (memberStateRow(to).phase === 'ended') next.endedAt = at
  else next.dueMs = serviceMs
  return next
}

function shownIn(to: MemberState, from: MemberState, reason: Reason | undefined): Reason | undefined {
  const isTriedAgain = from === 'BACKOFF' && to === 'QUEUED'
  return WITHOUT_REASON.includes(to) && !isTriedAgain ? undefined : reason
}

/**
 * Returns the facts of the next state. Those of an attempt end with it, except when the CPE was last waited for without
 * success.
 */
function factsFor(to: MemberState, facts: MemberFacts): MemberFacts {
  if (memberStateRow(to).phase === 'before') return facts.missedAt === undefined ? {} : { missedAt: facts.missedAt }
  const { silentMs: _silent, cwmpAsked: _times, asked: _asked, ours: _ours, changed: _changed, ...rest } = facts
  const { linkUntilMs: _until, removed: _removed, switches: _switches, foundBootstrapAt: _found, ...kept } = rest
  return kept
}

/** A failed attempt is over when the next one begins; what a person takes up again counts as another. */
function attemptsOf(event: MemberEvent, { state }: PlanMember): number {
  if (event === 'again') return state === 'BACKOFF' ? 1 : 0
  // A rollback that is tried again belongs to the attempt that it ends.
  if (event === 'retry' && state === 'CONFLICT') return 1
  if (event === 'retry' && (state === 'FAILED' || state === 'STRANDED')) return 0
  return NEW_ATTEMPT.includes(event) ? 1 : 0
}
