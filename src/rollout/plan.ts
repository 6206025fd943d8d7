import type { DeviceId, Pacing, Plan, PlanSettings, Timestamp, WaitingReason } from '../domain/index.ts'

/** Settings by which a rollout starts and stops members; a kind of rollout adds its own. */
export type RolloutSettings = Pick<
  PlanSettings,
  'maxInFlight' | 'startsPerMinute' | 'failureGatePercent' | 'gateMinSample' | 'offlineTimeoutMs'
>

/** A plan as a rollout sees it. */
export interface RolloutPlan extends Omit<Plan, 'settings'> {
  settings: RolloutSettings
}

/** Facts of a member that a rollout itself reads and writes. */
export interface RolloutFacts {
  /** The operation that the member waits for, by its step, and the service time at which it was asked for. */
  asked?: { step: string; ms: number }
  /** Time at which a CPE was last found absent after a wait for it; wall-clock time. */
  missedAt?: Timestamp
}

/** One device in one plan, as a rollout sees it. `step`, `done` and `facts` are what a killed server resumes from. */
export interface RolloutMember {
  /** `planId|deviceId`. */
  id: string
  planId: string
  deviceId: DeviceId
  state: string
  step: string
  done: string[]
  facts: RolloutFacts
  visit: number
  waiting?: WaitingReason
  /** Service time before which nothing is to be done. Absent: only an event continues it. */
  dueMs?: number
  /** Service time at which the state times out. */
  deadlineMs?: number
  lease?: { by: string; until: number }
  enteredAt: Timestamp
  enteredMs: number
  endedAt?: Timestamp
  revision: number
}

/** An event for a member, with its reason. */
export interface RolloutStep {
  event: string
  reason?: { code: string; text: string }
}

/** Counts over the members of a plan that a rollout decides by. `waits` has keys like `QUEUED|offline`. */
export interface RolloutCounters {
  states: Readonly<Record<string, number | undefined>>
  waits: Readonly<Record<string, number | undefined>>
  attempts: { failed: number; moved: number }
}

/** The round of a plan as its holder has it: the rest of the start rate is kept with it. */
export interface Round {
  pacing?: Pacing
}

/** Plan states in which something happens by itself. */
export const LIVE: Plan['state'][] = ['running', 'paused', 'aborting', 'deleted']

/** True while what is under way in a plan is to be cancelled or brought back: nothing starts. */
export function isAborting({ state, bulk = [] }: Pick<Plan, 'state' | 'bulk'>): boolean {
  return state === 'aborting' || bulk.some(({ kind }) => kind === 'abort')
}
