import type { Timestamp } from './device.ts'
import type { DeviceId, EndpointId } from './id.ts'

/** draft: not started. paused: nothing new starts, running devices go on. aborted: what had not reached DUAL was rolled back or cancelled. */
export type PlanState = 'draft' | 'running' | 'paused' | 'aborting' | 'aborted' | 'finished'

/** Settings of a migration. All times are milliseconds unless the name says otherwise. */
export interface PlanSettings {
  /** Devices between PREPARING and DUAL at once. */
  maxInFlight: number
  /** Starts per minute; 0 = no limit. */
  startsPerMinute: number
  /** Percent of finished devices that may fail before starts stop (the plan pauses), judged from `gateMinSample` on. */
  failureGatePercent: number
  gateMinSample: number
  /** How long a device stays on both protocols before CWMP retires. */
  soakMs: number
  awaitUspTimeoutMs: number
  verifyTimeoutMs: number
  /** How long a step waits for an offline device before the attempt fails. */
  offlineTimeoutMs: number
  maxAttempts: number
  retryBackoffMs: number
  /** dormant: CWMP stays as the way back with a long inform interval. none: CWMP stays as it was. */
  retire: 'dormant' | 'none'
  /** Seconds; PeriodicInformInterval of a dormant box. */
  dormantIntervalS: number
  /** Parameters whose values must agree on both protocols. */
  parityPaths: string[]
  /** The USP Controller as the boxes shall reach it. */
  controller: {
    endpointId: string
    host: string
    port: number
    path: string
    tls: boolean
    /** PEM of the certificate that the Controller shows, or of who issued it: put on the boxes with a credential row when `tls` is on. */
    certificate?: string
    periodicNotifIntervalS: number
  }
}

export interface Plan {
  id: string
  name: string
  groupId: string
  state: PlanState
  settings: PlanSettings
  /** Why it paused by itself, e.g. a gate. */
  reason?: string
  revision: number
  createdAt: Timestamp
  startedAt?: Timestamp
  finishedAt?: Timestamp
  /** Work over all its members that is carried on round by round: enrolling them, or retrying what failed. `after`: done up to here. */
  sweep?: { kind: 'enrol' | 'retry'; actor: string; after: string }
  /** Who aborted it. */
  abortedBy?: string
  /** The gate judges what ended since: the start, or the last time a person let it go on. */
  gateSince?: Timestamp
}

/** What is left of a plan's start rate: whole starts that may happen at once, and since when they grow. */
export interface Pacing {
  tokens: number
  at: Timestamp
}

/** How many members that were started ended in a state, and how many of them only because they were not reached. */
export interface Ended {
  state: MemberState
  count: number
  offline: number
}

export const MEMBER_STATES = [
  'UNASSESSED',
  'INELIGIBLE',
  'BLOCKED',
  'ELIGIBLE',
  'QUEUED',
  'PREPARING',
  'AWAITING_USP',
  'BINDING',
  'VERIFYING',
  'DUAL',
  'RETIRING',
  'MIGRATED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'FAILED',
  'QUARANTINED',
  'STRANDED',
  'CONFLICT',
  'REGRESSED',
  'CANCELLED',
] as const

/** Where one device of a plan stands (design of the per-device machine in planner/). */
export type MemberState = (typeof MEMBER_STATES)[number]

/** Why a device does not go on right now; waiting is not failing. */
export const WAITING_REASONS = ['offline', 'busy', 'backoff', 'operation', 'soak', 'agent'] as const
export type WaitingReason = (typeof WAITING_REASONS)[number]

export interface Transition {
  at: Timestamp
  from: MemberState
  to: MemberState
  event: string
  /** The machine-readable reason, e.g. `agentDidNotCome`; docs/migration.md lists them. */
  code?: string
  reason?: string
  /** What the state found out or did, so that a person can check it later. */
  evidence?: Record<string, string>
  actor: string
}

/** One device in one plan. `step` and `cursor` are what a killed server resumes from. */
export interface PlanMember {
  /** `planId|deviceId`. */
  id: string
  planId: string
  deviceId: DeviceId
  state: MemberState
  /** The step inside the state, e.g. `addController`; empty when the state has none. */
  step: string
  /** What earlier steps found out: row paths, snapshot values, operation ids. JSON-safe. */
  cursor: Record<string, unknown>
  attempt: number
  waiting?: WaitingReason
  /** Not looked at before this time. */
  nextAt: Timestamp
  /** When the current state times out; time in which the device is waited for does not count. Undefined: never. */
  deadlineAt?: Timestamp
  /** `token`: the claim that took it, among others. */
  lease?: { by: string; until: Timestamp; token?: string }
  reason?: { code: string; text: string }
  endpointId?: EndpointId
  history: Transition[]
  enteredAt: Timestamp
  startedAt?: Timestamp
  endedAt?: Timestamp
  revision: number
}
