import type { Device } from './device.ts'
import { MEMBER_STATES, type MemberState } from './plan.ts'

/**
 * Operations that may use the USP link of a device while CWMP is its owner. all: those that its owner and their own protocol allow.
 * planner: those of the planner that ask for USP. reads: reads, and what the planner asks for over USP. none: no operation.
 */
export type UspUse = 'all' | 'reads' | 'planner' | 'none'

/**
 * By the state of the device's migration. Where a migration has ended and CWMP is the owner, the link is a leftover: its Agent may keep the
 * socket and answer nothing, or answer for a row that is about to be deleted.
 */
const USE_OF_STATE: Readonly<Record<MemberState, UspUse>> = {
  UNASSESSED: 'reads',
  INELIGIBLE: 'reads',
  BLOCKED: 'reads',
  ELIGIBLE: 'reads',
  QUEUED: 'reads',
  PREPARING: 'all',
  AWAITING_USP: 'all',
  BINDING: 'all',
  VERIFYING: 'all',
  DUAL: 'all',
  RETIRING: 'all',
  MIGRATED: 'all',
  ROLLING_BACK: 'planner',
  ROLLED_BACK: 'none',
  FAILED: 'none',
  QUARANTINED: 'none',
  STRANDED: 'none',
  CONFLICT: 'none',
  REGRESSED: 'none',
  CANCELLED: 'none',
}

/** The use that operations may make of a device's USP link; a device that USP owns is used without limits. */
export function uspUse({ owner, migration }: Pick<Device, 'owner' | 'migration'>): UspUse {
  if (owner === 'usp') return 'all'
  if (migration === undefined) return 'reads'
  const state = MEMBER_STATES.find((known) => known === migration.state)
  return state === undefined ? 'none' : USE_OF_STATE[state]
}
