import type { DeviceChange } from '../device/change.ts'
import type { MemberState } from '../device/member-states.ts'
import type { NewEvent } from '../feed/event.ts'
import type { DeviceId } from '../id.ts'
import type { Page } from '../page.ts'
import type { Group } from './group.ts'
import type { DeviceSnapshot, Pacing, Plan, PlanCounters, PlanMember, PlanState, WaitingReason } from './plan.ts'

/** The result of a change of static members. */
export interface MembersChange {
  changed: number
  /** Named, but no device; the others were changed all the same. */
  unknown: DeviceId[]
}

export interface GroupStore {
  put(group: Group, expectedRevision?: number): Promise<void>
  get(id: string): Promise<Group | undefined>
  list(limit: number, cursor?: string): Promise<Page<Group>>
  delete(id: string): Promise<boolean>
  /** Groups that have a selector, in order of their ids, up to `limit`. */
  withSelector(limit: number): Promise<Group[]>
  /** Adds and removes static members. Returns how many records changed, and which devices there are not. */
  changeMembers(groupId: string, add: DeviceId[], remove: DeviceId[]): Promise<MembersChange>
}

/**
 * One change of a plan member, with the counters of its plan, its device, its snapshot and its events in the same
 * commit.
 */
export interface MemberCommit {
  /**
   * The member as it was read; absent for a new one. AppError `conflict` when the stored one has another revision, or
   * exists already.
   */
  before?: PlanMember
  member: PlanMember
  events: NewEvent[]
  /** A change of the device that lands with it, whole: record, events, parameters. */
  device?: DeviceChange
  /** The snapshot to store, or `delete` when the device is back. */
  snapshot?: DeviceSnapshot | 'delete'
  /** Attempts to count: one that failed, or a device that was moved in a minute since the Unix epoch. */
  count?: { failed: true } | { movedInMinute: number }
}

/** Members that are looked for; all conditions that are given must hold. */
export interface MemberQuery {
  states?: readonly MemberState[]
  waiting?: WaitingReason
  /** Only these devices, at most 500. */
  devices?: DeviceId[]
  /** Only devices behind this one, in the order of their ids. */
  after?: DeviceId
}

export interface PlanStore {
  /**
   * AppError `conflict` when the stored plan has another revision than the expected one, or exists although none is
   * expected.
   */
  putPlan(plan: Plan, expectedRevision?: number): Promise<void>
  getPlan(id: string): Promise<Plan | undefined>
  /** Newest first; without deleted ones unless `states` names them. */
  listPlans(query: {
    states?: readonly PlanState[]
    groupId?: string
    limit: number
    cursor?: string
  }): Promise<Page<Plan>>
  /** Deletes members that hold no device, at most `limit`; answers how many. */
  deleteReleasedMembers(planId: string, limit: number): Promise<number>
  /** Deletes the plan, its counters and its round. */
  deletePlan(id: string): Promise<void>
  /**
   * Takes the round of a plan: only its holder starts devices and carries on bulk work, so that limits hold over all
   * instances. Undefined while another instance holds it. `now` is service time. The rest of the start rate is kept
   * with the round.
   */
  takeRound(planId: string, by: string, now: number, leaseMs: number): Promise<{ pacing?: Pacing } | undefined>
  keepPacing(planId: string, by: string, pacing: Pacing): Promise<void>
  leaveRound(planId: string, by: string): Promise<void>
  getMember(id: string): Promise<PlanMember | undefined>
  /** Members of a device in all plans; at most 1000. */
  membersOf(deviceId: DeviceId): Promise<PlanMember[]>
  /** In the order of their ids; `reason` is a reason code. */
  listMembers(
    planId: string,
    query: {
      states?: readonly MemberState[]
      reason?: string
      waiting?: WaitingReason
      silent?: true
      limit: number
      cursor?: string
    },
  ): Promise<Page<PlanMember>>
  /** Devices of members that only a contact brings on, in no order, streamed in batches. */
  awaitedDevices(planId: string, batchSize: number): AsyncIterable<DeviceId[]>
  /** Plans, deleted ones too, that have members in a state, or migrated devices that are silent. */
  plansWith(what: MemberState | 'silent'): Promise<string[]>
  /** Leases up to `limit` members that are due at service time `now` and not leased, longest due first. */
  claimDue(planId: string, by: string, now: number, leaseMs: number, limit: number): Promise<PlanMember[]>
  /**
   * Returns up to `limit` members that meet the query and are not leased at service time `now`; with `after`, the first
   * ones behind it. They are not leased by this: a change must name the revision that was read.
   */
  freeMembers(planId: string, query: MemberQuery, now: number, limit: number): Promise<PlanMember[]>
  /**
   * Leases one member if it is free, or again to its holder; undefined when another holds it. A lease raises the
   * revision.
   */
  claim(id: string, by: string, now: number, leaseMs: number): Promise<PlanMember | undefined>
  /** Gives members back after their work broke off; they are due again at `dueMs`, or as before when it is absent. */
  free(ids: string[], by: string, dueMs?: number): Promise<void>
  /** Frees what instances that are not `alive` hold: members and rounds. */
  freeLeases(alive: string[]): Promise<void>
  /** Journaled; releases the lease unless the member carries one. */
  commitMember(commit: MemberCommit): Promise<void>
  /** The counters of a plan; all zero when it has no members. */
  counters(planId: string): Promise<PlanCounters>
  /**
   * Counts the members anew and stores the counts; attempts and minutes stay. For databases without transactions, and
   * after an upgrade.
   */
  recount(planId: string): Promise<void>
  /** The snapshot of a device that a plan has changed. */
  snapshot(deviceId: DeviceId): Promise<DeviceSnapshot | undefined>
}
