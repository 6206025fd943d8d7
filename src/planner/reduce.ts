import { transition } from '../base/index.ts'
import type { MemberState, PlanMember, PlanSettings, Protocol, Transition } from '../device/index.ts'
import { type Cursor, cursorOf, withCursor } from './cursor.ts'
import { ENDED, FAILED_STATES, MEMBER_TABLE, type MemberEventType } from './machine.ts'

/** Something that happened to a device of a plan. */
export interface MemberEvent {
  type: MemberEventType
  /** Why, for the history and the ranking of failures. */
  reason?: { code: string; text: string }
  /** Of a failure: whether another attempt can help. */
  retryable?: boolean
  /** Fields of the cursor to put in place (undefined: take away) before the new state begins. */
  cursor?: { [K in keyof Cursor]?: Cursor[K] | undefined }
}

/** What is known around a transition. */
export interface ReduceContext {
  now: number
  /** Who made it happen, for the history. */
  actor: string
  settings: PlanSettings
}

/** What the executor does beside storing the member. */
export type MemberEffect =
  /** The protocol that may write from now on; lands in the same commit. */
  | { kind: 'owner'; protocol: Protocol }
  /** What the left state still has in the device's queue is of no use any more. */
  | { kind: 'cancelOperations' }

const HISTORY = 60
const MAX_BACKOFF_MS = 86_400_000

/** The step each state begins with. */
export const FIRST_STEP: Partial<Record<MemberState, string>> = {
  UNASSESSED: 'assess',
  REGRESSED: 'assess',
  BLOCKED: 'assess',
  ELIGIBLE: 'queue',
  QUEUED: 'begin',
  PREPARING: 'snapshot',
  AWAITING_USP: 'await',
  BINDING: 'check',
  VERIFYING: 'compare',
  DUAL: 'soak',
  RETIRING: 'rest',
  ROLLING_BACK: 'look',
}

/** The one place where a member changes its state: pure, by the table. Throws IllegalTransition for what the table does not know. */
export function reduce(
  member: PlanMember,
  event: MemberEvent,
  context: ReduceContext,
): { member: PlanMember; effects: MemberEffect[] } {
  const { now, settings, actor } = context
  const from = member.state
  const to = transition('plan member', MEMBER_TABLE, from, event.type)
  const entry: Transition = { at: now, from, to, event: event.type, actor }
  if (event.reason !== undefined) entry.reason = `${event.reason.code}: ${event.reason.text}`.slice(0, 500)
  const next: PlanMember = {
    ...member,
    state: to,
    step: FIRST_STEP[to] ?? '',
    cursor: withCursor(member.cursor, { round: undefined, ...event.cursor }),
    nextAt: now,
    enteredAt: now,
    history: [...member.history, entry].slice(-HISTORY),
  }
  delete next.waiting
  delete next.deadlineAt
  delete next.lease
  note(next, event, to)
  enter(next, from, event, now, settings)
  return { member: next, effects: effectsOf(from, to, event) }
}

/** Keeps a reason while it explains something: it goes when the device goes on well. */
function note(next: PlanMember, event: MemberEvent, to: MemberState): void {
  if (event.reason !== undefined) next.reason = event.reason
  else if (!FAILED_STATES.includes(to) && to !== 'ROLLING_BACK') delete next.reason
}

function enter(next: PlanMember, from: MemberState, event: MemberEvent, now: number, settings: PlanSettings): void {
  const cursor = cursorOf(next)
  const tries = cursor.tries ?? 0
  switch (next.state) {
    case 'QUEUED':
      next.deadlineAt = now + settings.offlineTimeoutMs
      if (event.type === 'rollbackRetry') {
        next.waiting = 'backoff'
        next.nextAt = now + backoffMs(settings.retryBackoffMs, tries)
        next.deadlineAt = next.nextAt + settings.offlineTimeoutMs
        next.cursor = { tries }
      } else if (event.type === 'offline') {
        next.cursor = withCursor(next.cursor, { tries: Math.max(0, tries - 1) })
      }
      break
    case 'PREPARING':
      next.attempt = next.attempt + 1
      next.cursor = withCursor(next.cursor, { tries: tries + 1, failure: undefined, aborted: undefined })
      next.startedAt ??= now
      break
    case 'AWAITING_USP':
      next.deadlineAt = now + settings.awaitUspTimeoutMs
      break
    case 'VERIFYING':
      next.deadlineAt = now + settings.verifyTimeoutMs
      break
    case 'ROLLING_BACK':
      if (event.type === 'abort') next.cursor = withCursor(next.cursor, { aborted: true })
      next.cursor = withCursor(next.cursor, { failure: cursor.failure ?? failureOf(from, event) })
      break
    case 'UNASSESSED':
      // A person asked: the attempts begin anew, what lies on the box from earlier is still known.
      next.cursor = withCursor(next.cursor, { tries: undefined, failure: undefined, aborted: undefined })
      break
    case 'REGRESSED':
      // A reset box remembers nothing of us.
      next.cursor = {}
      break
    default:
      break
  }
  if (ENDED.includes(next.state)) next.endedAt = now
  else delete next.endedAt
}

function failureOf(from: MemberState, event: MemberEvent): Cursor['failure'] {
  const reason = event.reason ?? { code: event.type, text: event.type }
  return { ...reason, retryable: event.retryable ?? false, from }
}

/** Doubles with each try, at most a day. */
export function backoffMs(baseMs: number, tries: number): number {
  return Math.min(baseMs * 2 ** Math.max(0, Math.min(tries, 20) - 1), Math.max(baseMs, MAX_BACKOFF_MS))
}

function effectsOf(from: MemberState, to: MemberState, event: MemberEvent): MemberEffect[] {
  const effects: MemberEffect[] = []
  if (event.type === 'verified') effects.push({ kind: 'owner', protocol: 'usp' })
  if (to === 'ROLLING_BACK' || to === 'REGRESSED') effects.push({ kind: 'owner', protocol: 'cwmp' })
  const cut: MemberEventType[] = [
    'abort',
    'timeout',
    'conflict',
    'stepFailed',
    'bootstrapSeen',
    'linkLost',
    'verifyFailed',
  ]
  if (cut.includes(event.type) && from !== 'ROLLING_BACK') effects.push({ kind: 'cancelOperations' })
  return effects
}

/** What an undone attempt leads to: the end, another attempt, or quarantine for a box that used all of them up. */
export function afterRollback(member: PlanMember, settings: PlanSettings): MemberEvent {
  const { failure, aborted, tries = 1 } = cursorOf(member)
  const reason = failure === undefined ? {} : { reason: { code: failure.code, text: failure.text } }
  if (aborted === true || failure === undefined || !failure.retryable) return { type: 'rollbackDone', ...reason }
  if (tries >= settings.maxAttempts) return { type: 'rollbackExhausted', ...reason }
  return { type: 'rollbackRetry', ...reason }
}
