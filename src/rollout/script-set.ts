import type { Actor, Device, NewEvent, Selector, WaitingReason } from '../domain/index.ts'
import type { RolloutMember, RolloutPlan, RolloutStep } from './plan.ts'
import type { StateTable } from './state-table.ts'

/** The end of a run of a state: an event, or waiting for something until a time. */
export type Outcome<M extends RolloutMember, S extends RolloutStep> = EventOutcome<S> | Wait<M>

/** The outcome that is an event. */
export type EventOutcome<S extends RolloutStep> = { kind: 'event' } & S

/** `afterMs`: look again after so long. Absent: an event from outside ends the wait. A fact that is undefined goes. */
export interface Wait<M extends RolloutMember> {
  kind: 'wait'
  waiting: WaitingReason
  afterMs?: number
  facts?: Partial<M['facts']>
}

/** Stores a member with what changes together with it, and resolves with the stored one. */
export type Persist<M extends RolloutMember, X extends object> = (before: M, after: M, more: X) => Promise<M>

/** The decision about a member that waits for a place. `device`: its record as the decision has read it. */
export type StartDecision<M extends RolloutMember, S extends RolloutStep> =
  | { starts: true; device: Device }
  | { starts: false; outcome: Outcome<M, S>; device?: Device }

/** The party for which an event is stored. `lease`: the instance that goes on with the member at once. */
export interface ApplyOptions {
  actor?: Actor
  lease?: NonNullable<RolloutMember['lease']>
  /** The record of the device, where it was just read. */
  device?: Device
}

/**
 * One kind of rollout: the states of its members, the work of each state, and the way in which a change is stored.
 * `X` is what a step may store together with its member.
 */
export interface ScriptSet<P extends RolloutPlan, M extends RolloutMember, S extends RolloutStep, X extends object> {
  states: StateTable<M['state']>
  /** The state in which members wait for a place, and the event by which they leave it. */
  start: { from: M['state']; step: S }
  /** The event of a plan that is being aborted, for members that take it. */
  abort: S
  /** The state in which an ended member waits for a contact of its device, to go on. Absent: no state does. */
  awaiting?: M['state']
  /** True when the machine knows the event in the state. */
  takes(state: M['state'], event: S['event']): boolean
  /** Decides about a member that waits for a place. */
  mayStart(plan: P, member: M): Promise<StartDecision<M, S>>
  /**
   * The work of a member's state. `isNew`: this instance has just brought the member into it. Undefined: nothing is to
   * be done in it.
   */
  work(
    plan: P,
    member: M,
    persist: Persist<M, X>,
    isNew: boolean,
  ): Promise<{ member: M; outcome: Outcome<M, S> } | undefined>
  /** The limit of the states that have a deadline, in milliseconds, and the outcome of a member that is beyond it. */
  limit?: { ms(plan: P): number; exceeded(plan: P, member: M): Outcome<M, S> }
  /**
   * Stores the member after an event. AppError `conflict` when the member or its device has changed since it was read,
   * IllegalTransition when the machine does not know the event.
   */
  apply(plan: P, member: M, step: S, options: ApplyOptions): Promise<M>
  /** Stores a member whose state stays. AppError `conflict` when it has changed since it was read. */
  commit(before: M, member: M, events: NewEvent[], more?: X): Promise<void>
  /** The devices of a plan that bulk work by a selector may name. */
  devicesOf(plan: P): Selector
}
