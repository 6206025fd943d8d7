import type { MemberState, PlanMember } from '../device/index.ts'

/** A value of the box, for writing it or writing it back. */
export interface PathValue {
  path: string
  value: string
}

/** Why an attempt failed, kept until its undoing is over. */
export interface Failure {
  code: string
  text: string
  retryable: boolean
  from: MemberState
}

/** What the box looked like before we touched it: enough to undo, and no more. */
export interface Snapshot {
  /** PeriodicInformInterval; undefined when the box does not tell. */
  informIntervalS?: string
  /** Rows of the Controller table. */
  controllers: string[]
  /** Rows of the Role table; undefined when the box has no roles. */
  roles?: string[]
  /** Rows of the Credential table. */
  credentials: string[]
  /** Rows of the Certificate table. */
  certificates: string[]
}

/** How the proof that subscriptions deliver stands. */
export interface Probe {
  path: string
  /** What the parameter held before, and holds again afterwards. */
  before: string
  value: string
  /** Which try this is, from 0. */
  round: number
  /** When the value was written, and until when its Notify is waited for. */
  writtenAt?: number
  until?: number
}

/** What earlier steps found out: everything a killed server needs to go on, or to undo. JSON-safe. */
export interface Cursor {
  /** Attempts since the plan, or a person, began; what maxAttempts is held against. */
  tries?: number
  /** How often the present step was asked again. */
  round?: number
  snapshot?: Snapshot
  /** Something may have been written to the box. */
  touched?: boolean
  /** Rows we made, in the order made. */
  created?: string[]
  /** Values we replaced on rows that were there before. */
  changed?: PathValue[]
  role?: string
  certificate?: string
  /** Our Controller row and its MTP row, over CWMP. */
  controller?: string
  mtp?: string
  /** The MTP's parameters could not be written together with its Protocol. */
  split?: boolean
  /** SendOnBoardRequest could not be written. */
  noOnBoard?: boolean
  /** Our Controller row as USP shows it. */
  ownRow?: string
  probe?: Probe
  /** Paths of the key list that one side does not have. */
  parityMissing?: string[]
  failure?: Failure
  /** Nothing is tried again after the undoing. */
  aborted?: boolean
  /** How CWMP ended: resting, or as it was. */
  cwmp?: 'dormant' | 'asBefore'
}

/** The cursor of a member, as its steps know it. */
export function cursorOf(member: Pick<PlanMember, 'cursor'>): Cursor {
  return member.cursor as Cursor
}

/** The cursor with fields put in place; undefined takes one away. */
export function withCursor(
  cursor: Record<string, unknown>,
  patch: { [K in keyof Cursor]?: Cursor[K] | undefined },
): Record<string, unknown> {
  const next: Record<string, unknown> = { ...cursor }
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) delete next[key]
    else next[key] = value
  }
  return next
}
