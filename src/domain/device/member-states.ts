/**
 * One row per state of a plan member. Every list of states in the program is derived from this table, so that a new
 * state is one row.
 *
 * `phase`: `before` the start, on the way `forward` to USP, on the way `back` to CWMP, or `ended`: nothing happens by
 * itself any more. `holds`: the claim that the state has on its device. `moving`: its plan writes on the device.
 * `owed`: its plan must still bring the device back. `moved`: its plan moved the device and keeps the snapshot for a
 * rollback. `none`: the device is as it was before the plan. `failed`: the member ended and is not where the plan wants
 * it.
 */
interface MemberStateRow {
  phase: 'before' | 'forward' | 'back' | 'ended'
  holds: 'none' | 'moving' | 'owed' | 'moved'
  /** Operations that may use the USP link while CWMP owns the device. */
  usp: UspUse
  failed?: true
}

/**
 * Operations that may use the USP link of a device while CWMP is its owner. all: those that its owner and their own
 * protocol allow. planner: those of the planner that ask for USP. reads: reads, and what the planner asks for over USP.
 * none: no operation. Where a migration has ended and CWMP is the owner, the link is a leftover: its Agent may keep the
 * socket and answer nothing.
 */
export type UspUse = 'all' | 'reads' | 'planner' | 'none'

const before: MemberStateRow = { phase: 'before', holds: 'none', usp: 'reads' }
const forward: MemberStateRow = { phase: 'forward', holds: 'moving', usp: 'all' }
const ended: MemberStateRow = { phase: 'ended', holds: 'none', usp: 'none' }
const owed: MemberStateRow = { phase: 'ended', holds: 'owed', usp: 'none', failed: true }

/** Every state with what is true in it. The order is the order of lists and tables for people. */
const MEMBER_STATE_ROWS = {
  UNASSESSED: before,
  INELIGIBLE: { ...ended, usp: 'reads' },
  BLOCKED: { ...ended, usp: 'reads' },
  ELIGIBLE: before,
  QUEUED: before,
  PREPARING: forward,
  AWAITING_USP: forward,
  BINDING: forward,
  VERIFYING: forward,
  DUAL: forward,
  RETIRING: forward,
  MIGRATED: { phase: 'ended', holds: 'moved', usp: 'all' },
  ROLLING_BACK: { phase: 'back', holds: 'moving', usp: 'planner' },
  BACKOFF: { ...before, usp: 'none' },
  ROLLED_BACK: ended,
  FAILED: owed,
  QUARANTINED: { ...ended, failed: true },
  STRANDED: owed,
  CONFLICT: owed,
  REGRESSED: ended,
  CANCELLED: ended,
} as const satisfies Record<string, MemberStateRow>

/** The place of one device in a migration plan. */
export type MemberState = keyof typeof MEMBER_STATE_ROWS

/** All states, in the order of the table. */
export const MEMBER_STATES = Object.keys(MEMBER_STATE_ROWS) as [MemberState, ...MemberState[]]

/** The states whose row meets a condition, in the order of the table. */
function memberStatesWith(condition: (row: MemberStateRow) => boolean): readonly MemberState[] {
  return MEMBER_STATES.filter((state) => condition(MEMBER_STATE_ROWS[state]))
}

/** The row of a state. */
export function memberStateRow(state: MemberState): MemberStateRow {
  return MEMBER_STATE_ROWS[state]
}

/** Nothing happens here by itself. */
export const ENDED = memberStatesWith(({ phase }) => phase === 'ended')
/** Something happens, or is waited for. */
export const OPEN = memberStatesWith(({ phase }) => phase !== 'ended')
/** Between start and end. */
export const IN_FLIGHT = memberStatesWith(({ phase }) => phase === 'forward' || phase === 'back')
/** Ended, and not where the plan wants the device. */
export const FAILED_STATES = memberStatesWith(({ failed }) => failed === true)
/** The plan of such a member has a claim on the device: no other plan may begin with it. */
export const HOLDING = memberStatesWith(({ holds }) => holds !== 'none')
/** The device still has what the plan wrote, and must be brought back. */
export const ROLLBACK_PENDING = memberStatesWith(({ holds }) => holds === 'owed')
