import type { BulkWork, DeviceId, Pacing, Page, PlanState, WaitingReason } from '../domain/index.ts'
import type { RolloutCounters, RolloutMember, RolloutPlan, Round } from './plan.ts'

/** Members that are looked for; all conditions that are given must hold. */
interface FreeQuery<State extends string> {
  states?: readonly State[]
  waiting?: WaitingReason
  /** Only these devices, at most 500. */
  devices?: DeviceId[]
  /** Only devices behind this one, in the order of their ids. */
  after?: DeviceId
}

/** The stored plans and members of a rollout. `PlanStore` of the domain keeps this port for migrations. */
export interface RolloutStore<P extends RolloutPlan, M extends RolloutMember> {
  /** AppError `conflict` when the stored plan has another revision than the expected one. */
  putPlan(plan: P, expectedRevision?: number): Promise<void>
  getPlan(id: string): Promise<P | undefined>
  listPlans(query: { states?: readonly PlanState[]; limit: number; cursor?: string }): Promise<Page<P>>
  /** Deletes the plan, its counters and its round. */
  deletePlan(id: string): Promise<void>
  /** Deletes members that hold no device, at most `limit`; answers how many. */
  deleteReleasedMembers(planId: string, limit: number): Promise<number>
  /** Takes the round of a plan. Undefined while another instance holds it. `now` is service time. */
  takeRound(planId: string, by: string, now: number, leaseMs: number): Promise<Round | undefined>
  keepPacing(planId: string, by: string, pacing: Pacing): Promise<void>
  leaveRound(planId: string, by: string): Promise<void>
  getMember(id: string): Promise<M | undefined>
  membersOf(deviceId: DeviceId): Promise<M[]>
  /** In the order of their ids. */
  listMembers(
    planId: string,
    query: { states?: readonly M['state'][]; limit: number; cursor?: string },
  ): Promise<Page<M>>
  /** Devices of members that only a contact brings on, in no order, streamed in batches. */
  awaitedDevices(planId: string, batchSize: number): AsyncIterable<DeviceId[]>
  /** Plans, deleted ones too, that have members in a state. */
  plansWith(state: M['state']): Promise<string[]>
  /** Leases up to `limit` members that are due at service time `now` and not leased, longest due first. */
  claimDue(planId: string, by: string, now: number, leaseMs: number, limit: number): Promise<M[]>
  /** Up to `limit` members that meet the query and are not leased at service time `now`, in the order of their ids. */
  freeMembers(planId: string, query: FreeQuery<M['state']>, now: number, limit: number): Promise<M[]>
  /** Leases one member if it is free, or again to its holder; undefined when another holds it. */
  claim(id: string, by: string, now: number, leaseMs: number): Promise<M | undefined>
  /** Gives members back; they are due again at `dueMs`, or as before when it is absent. */
  free(ids: string[], by: string, dueMs?: number): Promise<void>
  counters(planId: string): Promise<RolloutCounters>
  /** Counts the members again and stores the counts. */
  recount(planId: string): Promise<void>
}

/** The parts of bulk work that a rollout carries on by itself; a kind of rollout adds the others. */
export type MemberAction = Exclude<BulkWork['kind'], 'enrol' | 'survey'>
