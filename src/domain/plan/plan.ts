import type { MemberState } from '../device/member-states.ts'
import type { RouterPolicy } from '../device/router-os.ts'
import type { DeviceId } from '../id.ts'
import type { Actor } from '../principal.ts'
import type { Timestamp } from '../timestamp.ts'

/**
 * draft: not started. paused: nothing new starts, running devices go on. aborting: nothing new starts, and all that was
 * under way is cancelled or brought back. deleted: no list shows it; it goes when none of its devices has to be brought
 * back any more.
 */
export type PlanState = (typeof SHOWN_PLAN_STATES)[number] | 'deleted'
/** States of the plans that lists show. */
export const SHOWN_PLAN_STATES = ['draft', 'running', 'paused', 'aborting', 'aborted', 'finished'] as const
/** A plan in these states moves devices. */
export const MOVING_PLAN_STATES = ['running', 'paused', 'aborting'] as const satisfies readonly PlanState[]

/** Kinds of bulk work. survey: counts the devices that a rollback of the whole plan leaves out. */
export const BULK_KINDS = ['enrol', 'retry', 'abort', 'rollback', 'survey'] as const

/** Work over many members of a plan that goes on in pieces, round by round, in the order of the list. */
export interface BulkWork {
  kind: (typeof BULK_KINDS)[number]
  actor: Actor
  /** Done up to this device id. */
  after: string
  /** Of a rollback: only devices that this selector matches. */
  selector?: string
  /** Of a rollback: it keeps to `startsPerMinute` and `maxInFlight`. */
  paced?: true
  /** Of a rollback: a person has paused it; nothing of it begins until `resume`. */
  paused?: true
}

/** Ends of CWMP. dormant: it stays usable for a rollback, with a long inform interval. none: it stays as it was. */
export const RETIRE_MODES = ['dormant', 'none'] as const
/** Answers to a silent Agent. report: an event and a count. rollback: the device is brought back as well. */
export const SILENCE_ACTIONS = ['report', 'rollback'] as const
/**
 * write: the certificate and a credential row are written where the device lacks them. none: the device trusts the
 * Controller already.
 */
export const TRUST_MODES = ['write', 'none'] as const

/** Settings of a migration. All times are milliseconds unless the name says otherwise. */
export interface PlanSettings {
  /** Devices between PREPARING and DUAL at once. */
  maxInFlight: number
  /** Starts per minute; 0 = no limit. */
  startsPerMinute: number
  /** Percent of finished devices that may fail before starts stop (the plan pauses), judged from `gateMinSample` on. */
  failureGatePercent: number
  gateMinSample: number
  /** Time in which a device stays on both protocols before CWMP retires, in milliseconds. */
  soakMs: number
  awaitUspTimeoutMs: number
  verifyTimeoutMs: number
  /** Time for which a step waits for an offline device before the attempt fails, in milliseconds. */
  offlineTimeoutMs: number
  maxAttempts: number
  retryBackoffMs: number
  retire: (typeof RETIRE_MODES)[number]
  /** PeriodicInformInterval of a dormant CPE, in seconds. */
  dormantIntervalS: number
  /** A migrated device whose Agent has not been heard of for so long is reported as silent; 0: never. */
  silentAfterMs: number
  onSilent: (typeof SILENCE_ACTIONS)[number]
  /** Parameters whose values must agree on both protocols. */
  parityPaths: string[]
  /** The address of the USP Controller that the devices use. */
  controller: {
    endpointId: string
    /** `Protocol` of the MTP row that is written; absent: the first MTP of the table in usp/mtp. */
    mtp?: string
    host: string
    port: number
    path: string
    tls: boolean
    /**
     * PEM of the certificate that the Controller shows, or of who issued it: put on the devices with a credential row
     * when `tls` is on.
     */
    certificate?: string
    trust?: (typeof TRUST_MODES)[number]
    periodicNotifIntervalS: number
  }
  /** The bridge that speaks for routers of RouterOS; absent: each that reaches them, with policy L1. */
  bridge?: {
    /** Only this bridge. */
    id?: string
    /** Only rows of routers with this tag. */
    tag?: string
    /** The policy that the row of a router has at least; absent: L1. */
    policy?: RouterPolicy
  }
}

export interface Plan {
  id: string
  name: string
  groupId: string
  state: PlanState
  settings: PlanSettings
  /** The reason for which the plan paused by itself, e.g. a gate. */
  reason?: string
  revision: number
  createdAt: Timestamp
  startedAt?: Timestamp
  finishedAt?: Timestamp
  /** Waiting and running bulk work, first first. */
  bulk?: BulkWork[]
  /** Devices that the last rollback of the whole plan left out, by reason and by the plan that holds them. */
  leftOut?: LeftOut[]
  /**
   * Attempts up to the start, or up to the last time that a person let the plan go on: the gate judges those after
   * them.
   */
  gateBase?: { failed: number; moved: number }
}

/**
 * Reasons for which a rollback leaves devices out. otherPlan: another plan moves them or has moved them.
 * rollbackPending: another plan must bring them back first. alreadyThere: they were on USP before, and no plan has
 * moved them.
 */
export const LEFT_OUT_REASONS = ['otherPlan', 'rollbackPending', 'alreadyThere'] as const

/** Devices of a plan that its rollback leaves out. */
export interface LeftOut {
  why: (typeof LEFT_OUT_REASONS)[number]
  planId?: string
  count: number
  /** One of the devices. */
  example: DeviceId
}

/** The rest of the start rate of a plan: whole starts that may happen at once, and the time from which they grow. */
export interface Pacing {
  tokens: number
  at: Timestamp
}

/**
 * Reasons for which a member waits; waiting is no failure. `place`: a place of `maxInFlight`, the start rate, or a
 * paused plan. `offline`: a CWMP session of the CPE. `agent`: an answer or the link of the Agent. `operation`: the end
 * of an operation. `busy`: the operation of another party on the device. `soak`: the end of the soak. `backoff`: the
 * next attempt.
 */
export const WAITING_REASONS = ['place', 'offline', 'agent', 'operation', 'busy', 'soak', 'backoff'] as const
export type WaitingReason = (typeof WAITING_REASONS)[number]

export interface Transition {
  at: Timestamp
  from: MemberState
  to: MemberState
  event: string
  /** The machine-readable reason, e.g. `agentDidNotCome`; docs/migration.md lists them. */
  code?: string
  reason?: string
  /** Facts that the state found or changes that it made, so that a person can check them later. */
  evidence?: Record<string, string>
  /** The text of the actor. */
  actor: string
}

/** A parameter and its value. */
export interface PathValue {
  path: string
  value: string
}

/**
 * Facts that the steps of a member found out. They are durable before the next step begins, so that a restarted server
 * goes on with them. Times are milliseconds of service time.
 */
export interface MemberFacts {
  /** Endpoint ID of the Agent, as the CPE shows it over CWMP. */
  endpointId?: string
  /** Paths of our rows over CWMP, ending in a dot. */
  controllerRow?: string
  mtpRow?: string
  /** A bridge speaks for the device: its row there. */
  bridge?: { bridgeId: string; routerId: string }
  /** Endpoint of the router and the rights of its account, as the bridge reported them. */
  router?: string
  credential?: string
  /** References of trust rows over CWMP, without the last dot. */
  role?: string
  certificate?: string
  /** The role is one that we add. */
  ownRole?: true
  /** The trust tables are read-only, or the CPE refuses our certificate: the TLS handshake decides. */
  trustRefused?: string
  /** PeriodicInformInterval before the migration, in seconds. */
  interval?: string
  /** Results of the verification. */
  identity?: string
  versions?: string
  softwareVersion?: string
  parity?: string
  /** The parameter of our own row that a harmless value is written to, and its path. */
  probe?: string
  wrote?: string
  /** The outcome of the timer command, and when it was asked for. */
  timer?: 'ended' | 'none'
  timerMs?: number
  /** Time at which the value of a round was changed, and the event id after which its Notify must be. */
  watchedMs?: number
  watchedAfter?: string
  heard?: true
  notified?: string
  /** USP became the owner of the device with the end of the verification. */
  handedOver?: true
  /** The snapshot says since the end of the soak that the inform interval is about to be changed. */
  sleeps?: true
  /** Since when the Agent does not answer. */
  silentMs?: number | undefined
  /** Number of requests over CWMP in this state. */
  cwmpAsked?: number
  /** The operation that the member waits for, by its step, and when it was asked for. */
  asked?: { step: string; ms: number }
  /** Time at which a CPE was last found absent after a wait for it; wall-clock time. */
  missedAt?: Timestamp
  /**
   * The last bootstrap on record when the snapshot was taken; 0: none. A later one has undone the writes of the plan.
   */
  bootstrapAt?: Timestamp
  /** The last bootstrap on record when a rollback read the rows that it deletes; 0: none. */
  foundBootstrapAt?: Timestamp
  /** The device was on USP already: this plan has not moved it. */
  alreadyThere?: true
  /** Number of times that an unknown CPE was asked for its readiness. */
  assessed?: number
  /** Rows to take away, and values to write back, as the rollback found them. */
  ours?: string[]
  changed?: PathValue[]
  /** Enable parameters of our Controller and MTP rows. */
  switches?: string[]
  /** Until when a rollback waits for the link to end by itself. */
  linkUntilMs?: number
  /** Number of rows that a rollback deleted. */
  removed?: number
  /**
   * The next thing after the rollback: another attempt if it may help, the end, or another attempt at once that costs
   * none.
   */
  afterwards?: 'retry' | 'quarantine' | 'stop' | 'again'
}

/** One device in one plan. `step`, `done` and `facts` are what a killed server resumes from. */
export interface PlanMember {
  /** `planId|deviceId`. */
  id: string
  planId: string
  deviceId: DeviceId
  state: MemberState
  /** The last finished step of the state, e.g. `controller`; empty when the state has none. */
  step: string
  /** Finished steps of this visit to the state. */
  done: string[]
  facts: MemberFacts
  attempt: number
  /**
   * Counts the states that were entered; part of the key of each operation, so that no visit meets the operations of
   * another.
   */
  visit: number
  waiting?: WaitingReason
  /** Service time before which nothing is to be done. Absent: only an event continues it. */
  dueMs?: number
  /**
   * Service time at which the state times out; time in which the device is waited for does not count. Absent: never.
   */
  deadlineMs?: number
  /** The instance that works on it, until a service time. */
  lease?: { by: string; until: number }
  reason?: { code: string; text: string }
  /** Since when the Agent of a migrated device has been silent for longer than `silentAfterMs`. */
  silentAt?: Timestamp
  history: Transition[]
  enteredAt: Timestamp
  /** Service time at which the state was entered. */
  enteredMs: number
  startedAt?: Timestamp
  endedAt?: Timestamp
  revision: number
}

/**
 * The state of a device before a plan changed it: one per device, for all plans. It is stored before the first write
 * and deleted in the commit that says that the device is rolled back. It outlives plans, groups and the record of the
 * device.
 */
export interface DeviceSnapshot {
  deviceId: DeviceId
  /** The plan that wrote last. */
  planId: string
  at: Timestamp
  /** Endpoint ID of our Controller as it was written, and its host: by these our rows are found. */
  controller: { endpointId: string; host: string }
  /** The last bootstrap on record when it was taken; 0: none. A later one has made the snapshot void. */
  bootstrapAt?: Timestamp
  /** PeriodicInformInterval in seconds, as text; absent when the CPE did not show it. */
  interval?: string
  /** The interval was changed, or is about to be. */
  slept: boolean
  /** The row of our Controller that was there before, its MTP rows, and the values that a migration changes. */
  preexisting?: { row: string; mtps: string[]; values: PathValue[] }
  /** A role of our name, and a credential for our certificate, were there before: they are not taken away. */
  trust: { role: boolean; credential: boolean }
  /** Reference of our certificate, without the last dot, by which its credential rows are found. */
  certificate?: string
  /** Rows that we added, in order. */
  created: string[]
  /** The device is a router that a bridge speaks for: its row there, with the policy that it had. */
  bridge?: { bridgeId: string; routerId: string; policy: RouterPolicy }
}

/** Counts over the members of a plan. They change in the commit that changes the member. */
export interface PlanCounters {
  states: Partial<Record<MemberState, number>>
  /** Members by state and what they wait for: `QUEUED|offline`. */
  waits: Partial<Record<`${MemberState}|${WaitingReason}`, number>>
  /** Members by reason and state, most frequent first. */
  reasons: { code: string; state: MemberState; count: number; text: string; example: DeviceId }[]
  /** Attempts that failed, not counting absence, and devices that were moved, since the plan was made. */
  attempts: { failed: number; moved: number }
  /** Migrated devices whose Agent is silent. */
  silent: number
  /** Members in MIGRATED that were on USP before the plan came to them. */
  alreadyThere: number
  /** Devices that were moved, by minute since the Unix epoch. */
  movedPerMinute: Record<string, number>
}
