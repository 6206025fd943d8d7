import type { Table } from '../base/index.ts'
import type { MemberState } from '../device/index.ts'

/** What can happen to one device of a plan. */
export type MemberEventType =
  | 'assessedEligible'
  | 'assessedIneligible'
  | 'assessedBlocked'
  /** Already managed over USP: nothing to move. */
  | 'assessedDone'
  | 'queue'
  | 'start'
  | 'prepared'
  /** Absent before anything was touched: back to the queue, no attempt lost. */
  | 'offline'
  | 'agentArrived'
  | 'bound'
  | 'verified'
  | 'verifyFailed'
  | 'soakOver'
  | 'linkLost'
  /** The proof of identity is too weak to let CWMP rest. */
  | 'held'
  | 'retired'
  /** CWMP could not be put to rest; it stays as it was. */
  | 'retireRefused'
  | 'stepFailed'
  | 'timeout'
  | 'conflict'
  | 'bootstrapSeen'
  | 'rollbackDone'
  /** Undone, and there is another attempt. */
  | 'rollbackRetry'
  /** Undone, and there is none. */
  | 'rollbackExhausted'
  | 'rollbackFailed'
  /** Neither protocol answers any more. */
  | 'stranded'
  | 'abort'
  | 'retry'
  | 'deviceGone'

/**
 * The per-device machine. A failed attempt always passes ROLLING_BACK, so that a box is never left half way: what it led to is decided after
 * the undoing. Offline, busy and back-off are waiting reasons inside a state.
 */
export const MEMBER_TABLE: Table<MemberState, MemberEventType> = {
  UNASSESSED: {
    assessedEligible: 'ELIGIBLE',
    assessedIneligible: 'INELIGIBLE',
    assessedBlocked: 'BLOCKED',
    assessedDone: 'MIGRATED',
    abort: 'CANCELLED',
    deviceGone: 'CANCELLED',
  },
  INELIGIBLE: { retry: 'UNASSESSED' },
  BLOCKED: {
    assessedEligible: 'ELIGIBLE',
    assessedIneligible: 'INELIGIBLE',
    assessedDone: 'MIGRATED',
    retry: 'UNASSESSED',
    abort: 'CANCELLED',
    deviceGone: 'CANCELLED',
  },
  ELIGIBLE: { queue: 'QUEUED', abort: 'CANCELLED', deviceGone: 'CANCELLED' },
  QUEUED: {
    start: 'PREPARING',
    assessedBlocked: 'BLOCKED',
    assessedDone: 'MIGRATED',
    timeout: 'CANCELLED',
    abort: 'CANCELLED',
    deviceGone: 'CANCELLED',
  },
  PREPARING: {
    prepared: 'AWAITING_USP',
    offline: 'QUEUED',
    stepFailed: 'ROLLING_BACK',
    timeout: 'ROLLING_BACK',
    conflict: 'CONFLICT',
    bootstrapSeen: 'ROLLING_BACK',
    abort: 'ROLLING_BACK',
    deviceGone: 'CANCELLED',
  },
  AWAITING_USP: {
    agentArrived: 'BINDING',
    stepFailed: 'ROLLING_BACK',
    timeout: 'ROLLING_BACK',
    conflict: 'CONFLICT',
    bootstrapSeen: 'ROLLING_BACK',
    abort: 'ROLLING_BACK',
    deviceGone: 'CANCELLED',
  },
  BINDING: {
    bound: 'VERIFYING',
    stepFailed: 'ROLLING_BACK',
    timeout: 'ROLLING_BACK',
    conflict: 'CONFLICT',
    bootstrapSeen: 'ROLLING_BACK',
    abort: 'ROLLING_BACK',
    deviceGone: 'CANCELLED',
  },
  VERIFYING: {
    verified: 'DUAL',
    verifyFailed: 'ROLLING_BACK',
    stepFailed: 'ROLLING_BACK',
    timeout: 'ROLLING_BACK',
    conflict: 'CONFLICT',
    bootstrapSeen: 'ROLLING_BACK',
    abort: 'ROLLING_BACK',
    deviceGone: 'CANCELLED',
  },
  DUAL: {
    soakOver: 'RETIRING',
    linkLost: 'ROLLING_BACK',
    stepFailed: 'ROLLING_BACK',
    bootstrapSeen: 'ROLLING_BACK',
    abort: 'MIGRATED',
    deviceGone: 'CANCELLED',
  },
  RETIRING: {
    retired: 'MIGRATED',
    retireRefused: 'MIGRATED',
    held: 'DUAL',
    linkLost: 'ROLLING_BACK',
    stepFailed: 'ROLLING_BACK',
    bootstrapSeen: 'ROLLING_BACK',
    deviceGone: 'CANCELLED',
  },
  MIGRATED: { bootstrapSeen: 'REGRESSED' },
  ROLLING_BACK: {
    rollbackDone: 'ROLLED_BACK',
    rollbackRetry: 'QUEUED',
    rollbackExhausted: 'QUARANTINED',
    rollbackFailed: 'FAILED',
    stranded: 'STRANDED',
    abort: 'ROLLING_BACK',
    deviceGone: 'CANCELLED',
  },
  ROLLED_BACK: { retry: 'UNASSESSED' },
  FAILED: { retry: 'UNASSESSED' },
  QUARANTINED: { retry: 'UNASSESSED' },
  STRANDED: { retry: 'UNASSESSED' },
  CONFLICT: { retry: 'UNASSESSED', abort: 'ROLLING_BACK', deviceGone: 'CANCELLED' },
  REGRESSED: {
    assessedEligible: 'ELIGIBLE',
    assessedIneligible: 'INELIGIBLE',
    assessedBlocked: 'BLOCKED',
    assessedDone: 'MIGRATED',
    abort: 'CANCELLED',
    deviceGone: 'CANCELLED',
  },
  CANCELLED: { retry: 'UNASSESSED' },
}

/** States in which a device takes one of the plan's places. */
export const IN_FLIGHT: readonly MemberState[] = ['PREPARING', 'AWAITING_USP', 'BINDING', 'VERIFYING', 'ROLLING_BACK']

/** States in which the executor has something to do. */
export const WORKING: readonly MemberState[] = [...IN_FLIGHT, 'DUAL', 'RETIRING']

/** States that are looked at before a device may start. */
export const ASSESSING: readonly MemberState[] = ['UNASSESSED', 'REGRESSED', 'ELIGIBLE', 'BLOCKED']

/** States in which nothing happens by itself any more: a plan with only these is over. */
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

/** Ends that count against the failure gate. */
export const FAILED_STATES: readonly MemberState[] = ['ROLLED_BACK', 'FAILED', 'QUARANTINED', 'STRANDED', 'CONFLICT']

/** States an operator may ask to try again. */
export const RETRYABLE: readonly MemberState[] = [
  'FAILED',
  'ROLLED_BACK',
  'QUARANTINED',
  'CONFLICT',
  'STRANDED',
  'CANCELLED',
  'INELIGIBLE',
  'BLOCKED',
]

/** Whether a device in this state is being changed by its plan, so that no other plan may have it. */
export function isTaken(state: string): boolean {
  return state === 'QUEUED' || state === 'CONFLICT' || WORKING.some((working) => working === state)
}
