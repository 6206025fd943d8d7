import type { ServiceTime } from '../../base/index.ts'
import type { PlanMember } from '../../domain/index.ts'
import type { ShownWaiting } from '../../planner/index.ts'
import { FoundSchema } from '../schemas/plan.ts'
import { iso, withTimes } from './views.ts'

/** The plan of a member, as far as its view needs it. */
interface MemberContext {
  time: ServiceTime
  /** The reason that is shown for members that wait for a place. */
  placeMeans: ShownWaiting
}

/** A member of a plan with its history: its state, the reason, what it waits for and until when. */
export function memberView(
  {
    lease: _lease,
    facts: _facts,
    done: _done,
    visit: _visit,
    dueMs,
    deadlineMs,
    enteredMs: _entered,
    waiting,
    ...member
  }: PlanMember,
  { time, placeMeans }: MemberContext,
): Record<string, unknown> {
  const view: Record<string, unknown> = { ...withTimes(member), history: member.history.map(withTimes) }
  if (waiting !== undefined) view.waiting = waiting === 'place' ? placeMeans : waiting
  if (dueMs !== undefined) view.nextLookAt = iso(time.wallTime(dueMs))
  if (deadlineMs !== undefined) view.deadlineAt = iso(time.wallTime(deadlineMs))
  return view
}

/** A member as lists show it. */
export function memberRow(member: PlanMember, context: MemberContext): Record<string, unknown> {
  const { history: _history, ...row } = memberView(member, context)
  return row
}

/** A member with its history and the facts that its steps found. */
export function memberDetails(member: PlanMember, context: MemberContext): Record<string, unknown> {
  return { ...memberView(member, context), found: foundBy(member) }
}

/** Names of the facts that are shown: those that help a person, not the marks and times by which scripts go on. */
const SHOWN = Object.keys(FoundSchema.shape)

function foundBy({ facts, done }: PlanMember): Record<string, unknown> {
  const all: Record<string, unknown> = { ...facts, done }
  return Object.fromEntries(SHOWN.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])))
}
