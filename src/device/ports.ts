import type { ServiceTimeStore } from '../base/index.ts'
import type { Conflict, DeviceChange } from './change.ts'
import type { Device, Protocol, Timestamp } from './device.ts'
import type { FeedEvent, NewEvent } from './event.ts'
import type { Group } from './group.ts'
import type { DeviceId, EndpointId } from './id.ts'
import type { CloseReason } from './link.ts'
import type { MemberState } from './member-states.ts'
import type {
  Actor,
  Baseline,
  Completion,
  Operation,
  OperationRequest,
  OperationResult,
  OperationState,
  OutcomeError,
} from './operation.ts'
import type { Parameter, ParameterType } from './parameter.ts'
import type { DeviceSnapshot, Pacing, Plan, PlanCounters, PlanMember, PlanState, WaitingReason } from './plan.ts'
import type { Selector } from './selector.ts'
import type { WakeOutcome } from './wake.ts'

/** A page of a list; `next` is the cursor of the following page, absent on the last. */
export interface Page<T> {
  items: T[]
  next?: string
}

/** Fields by which device lists can be sorted; each has an index with the id as tie-breaker. */
export const DEVICE_SORT_FIELDS = [
  'id',
  'createdAt',
  'manufacturer',
  'model',
  'softwareVersion',
  'cwmp.lastInformAt',
  'usp.lastSeenAt',
] as const
export type DeviceSortField = (typeof DEVICE_SORT_FIELDS)[number]

/** One page of devices. `cursor` is what the previous page gave as `next`. */
export interface DeviceQuery {
  selector?: Selector
  sort?: { field: DeviceSortField; descending: boolean }
  limit: number
  cursor?: string
}

/**
 * The device records. Reads of single devices that are asked for together go out as one query, commits that are made together as one
 * journaled write (group commit); each caller waits for its own result.
 */
export interface DeviceStore {
  get(id: DeviceId): Promise<Device | undefined>
  findByEndpoint(endpointId: EndpointId): Promise<Device | undefined>
  /** Journaled when it resolves. AppError `conflict` when a guard or a unique field (binding.endpointId) refuses it, `notFound` when there is no such device. */
  commit(change: DeviceChange): Promise<void>
  list(query: DeviceQuery): Promise<Page<Device>>
  /** All ids that a selector matches, behind `after` in id order, streamed in batches; for plans, not for requests. */
  ids(selector: Selector | undefined, batchSize: number, after?: string): AsyncIterable<DeviceId[]>
  count(selector: Selector | undefined, limit: number): Promise<number>
  delete(id: DeviceId): Promise<boolean>
  /**
   * Marks as unlinked every USP link that `instance` held, which stops, or, when undefined, any instance not in `alive`; the reason noted is
   * goingAway or serverDied.
   */
  unlinkAll(instance: string | undefined, alive: string[], at: Timestamp): Promise<number>
  /** The devices whose records say that `instance` holds their USP link, in no order, streamed in batches. */
  linkedTo(instance: string, batchSize: number): AsyncIterable<LinkedDevice[]>
}

/** A device whose record says that it is linked, and since when. */
export interface LinkedDevice {
  id: DeviceId
  connectedAt: Timestamp
}

export interface ParameterStore {
  /** Values at exact parameter paths. */
  getMany(deviceId: DeviceId, paths: string[]): Promise<Parameter[]>
  /** Values at and below an object path (ends in a dot) in path order; '' = all. */
  list(deviceId: DeviceId, prefix: string, limit: number, cursor?: string): Promise<Page<Parameter>>
}

/** How an operation ends, in one commit. */
export interface Ending {
  state: OperationState
  result?: OperationResult
  at: Timestamp
  /** What the feed is told. */
  event?: NewEvent
  /** Stored in place of the request: without the secrets that nobody needs any more. */
  request?: OperationRequest
  /** Its end has to go into the audit log; `audited` says that it has. */
  owesAudit?: true
  /** How often a read was sent; of anything else `markSent` counts. */
  attempts?: number
  /** The protocol that a read was answered over; of anything else `markSent` tells. */
  sentVia?: Protocol
  /** What it changes in its device, in the same commit: where that is refused, the operation does not end either. */
  change?: DeviceChange
}

/** Durable operations. All changes of state are conditional on the state before, so that two instances cannot both take one. */
export interface OperationStore {
  /** Inserts it, with its event, and marks the device as having work. With an idempotencyKey in use: the operation that has it. */
  create(operation: Operation, event?: NewEvent): Promise<{ operation: Operation; created: boolean }>
  get(id: string): Promise<Operation | undefined>
  /** The operation of a device that has this idempotency key. */
  byKey(deviceId: DeviceId, idempotencyKey: string): Promise<Operation | undefined>
  /** Oldest first: queued, sent and unknown operations of a device. */
  open(deviceId: DeviceId, limit: number): Promise<Operation[]>
  list(query: {
    deviceId?: DeviceId
    states?: OperationState[]
    limit: number
    cursor?: string
  }): Promise<Page<Operation>>
  /** queued -> sent, journaled, one more attempt; false when it was not queued any more. */
  markSent(id: string, sent: { at: Timestamp; via: Protocol; instance: string; baseline?: Baseline }): Promise<boolean>
  /** sent -> queued: it certainly did not leave. */
  requeue(id: string): Promise<boolean>
  /** sent -> unknown. */
  markUnknown(id: string): Promise<boolean>
  /** Any state in `from` -> a final one with its result; false when it was in none of them. */
  finish(id: string, from: OperationState[], ending: Ending): Promise<boolean>
  /** The audit log has its end. */
  audited(id: string): Promise<void>
  /** Final operations whose end is not in the audit log although they ended before `before`; oldest first. */
  owingAudit(before: Timestamp, limit: number): Promise<Operation[]>
  /** Stores what an accepted operation waits for without ending it (outcome `pending`). */
  notePending(id: string, result: OperationResult): Promise<void>
  /** sent operations held by instances not in `alive` become unknown; the devices get their work flag. Returns how many. */
  orphaned(alive: string[]): Promise<number>
  /** queued operations past their expiry, oldest first. */
  expired(now: Timestamp, limit: number): Promise<Operation[]>
  /** Flags again every device that has open operations but no work flag (a crash between the two writes). Returns how many. */
  repairWorkFlags(): Promise<number>
}

/** What came of a change of static members. */
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

/** One change of a plan member, with the counters of its plan, its device, its snapshot and its events in the same commit. */
export interface MemberCommit {
  /** The member as it was read; absent for a new one. AppError `conflict` when the stored one has another revision, or exists already. */
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
  /** AppError `conflict` when the stored plan has another revision than the expected one, or exists although none is expected. */
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
   * Takes the round of a plan: only its holder starts devices and carries on bulk work, so that limits hold over all instances. Undefined
   * while another instance holds it. `now` is service time. The rest of the start rate is kept with the round.
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
  /** Leases up to `limit` members that are due at service time `now` and that nobody holds: those that are due for longest. */
  claimDue(planId: string, by: string, now: number, leaseMs: number, limit: number): Promise<PlanMember[]>
  /**
   * Up to `limit` members that meet the query and that nobody has leased at service time `now`; with `after`, the first ones behind it. Nobody
   * is kept from them: what changes them under the revision that was read has them alone.
   */
  freeMembers(planId: string, query: MemberQuery, now: number, limit: number): Promise<PlanMember[]>
  /** Leases one member if it is free, or again to its holder; undefined when another holds it. A lease raises the revision. */
  claim(id: string, by: string, now: number, leaseMs: number): Promise<PlanMember | undefined>
  /** Gives members back after their work broke off; they are due again at `dueMs`, or as before when it is absent. */
  free(ids: string[], by: string, dueMs?: number): Promise<void>
  /** Frees what instances that are not `alive` hold: members and rounds. */
  freeLeases(alive: string[]): Promise<void>
  /** Journaled; releases the lease unless the member carries one. */
  commitMember(commit: MemberCommit): Promise<void>
  /** The counters of a plan; all zero when it has no members. */
  counters(planId: string): Promise<PlanCounters>
  /** Counts the members anew and stores the counts; attempts and minutes stay. For databases without transactions, and after an upgrade. */
  recount(planId: string): Promise<void>
  /** The snapshot of a device that a plan has changed. */
  snapshot(deviceId: DeviceId): Promise<DeviceSnapshot | undefined>
}

export interface ConflictStore {
  /** Stores it unless an open one of the same device, kind and endpoint exists; answers the open one. Sets `conflict` on the device. */
  open(conflict: Conflict, event: NewEvent): Promise<Conflict>
  /** Returns true while an open Conflict names this Endpoint ID. */
  isContested(endpointId: EndpointId): Promise<boolean>
  get(id: string): Promise<Conflict | undefined>
  list(query: { open?: boolean; limit: number; cursor?: string }): Promise<Page<Conflict>>
  resolve(id: string, resolution: 'bound' | 'dismissed', by: string, at: Timestamp): Promise<boolean>
}

/** The feed. Events are appended by commits; here they are read. */
export interface EventLog {
  append(events: NewEvent[]): Promise<void>
  /** Events after an id, oldest first; undefined: the newest `limit`. */
  since(id: string | undefined, limit: number): Promise<FeedEvent[]>
  /** Events of one device after an id, oldest first; undefined: its newest `limit`. */
  ofDevice(deviceId: DeviceId, after: string | undefined, limit: number): Promise<FeedEvent[]>
  /** Called after each commit of this process with what it appended; the returned function unsubscribes. */
  onAppended(listener: (events: FeedEvent[]) => void): () => void
}

/** A user name with its password. */
export interface CwmpLogin {
  username: string
  password: string
  /** The address of the CPE that it was sent to. */
  sentTo?: string
}

/** CWMP credentials of one device. Secrets are sealed by the store; here they are plain. */
export interface CwmpCredential {
  deviceId: DeviceId
  /** The login that the CPE authenticates with; undefined until the CPE has used one that we sent. */
  current?: CwmpLogin
  /** The newest login that was sent to the CPE and not yet seen in use. It is accepted, so that no crash locks a CPE out. */
  pending?: CwmpLogin
  /** The CPE has answered that it took `pending`; from then on it is asked to show it. */
  delivered?: true
  /** Logins from before `pending` that are accepted as well, oldest first, until the CPE answers for `pending` or uses one of them. */
  earlier?: CwmpLogin[]
  /** Logins that are accepted no more, oldest first; whoever shows one has lost the identity to another, or has taken it. */
  replaced?: CwmpLogin[]
  /** Logins in a row that the CPE took and did not use. */
  unused?: number
  /** What we authenticate with in connection requests. */
  connectionRequest?: CwmpLogin
  updatedAt: Timestamp
}

export interface CredentialStore {
  get(deviceId: DeviceId): Promise<CwmpCredential | undefined>
  put(credential: CwmpCredential): Promise<void>
  delete(deviceId: DeviceId): Promise<void>
}

/**
 * What a link says about the secret of its device. right: it shows the one that the device's Agent uses. unused: it shows one that was not used
 * before. required: the Agent has used a secret before, or a plan demands it, and this link shows none of the device. notRequired: the device has no
 * secret, or one that was neither used nor demanded yet.
 */
export type LinkSecretProof = 'right' | 'unused' | 'required' | 'notRequired'

/**
 * The secret of a device in the path of its WebSocket: `<usp-path>/<secret>`, 22 characters of base64url. It proves a link without a client
 * certificate. A device may have two at a time, one that its Agent uses and a newer one that it has not used yet; both are right until then.
 */
export interface LinkSecrets {
  /** The secret to write on the device: the newest one, made when there is none. Durable when it resolves; repeating it changes nothing. */
  ensure(deviceId: DeviceId): Promise<string>
  /**
   * The secret to write on the device, as `ensure`; from now on only links that show it are admitted, although it was not used yet. For a device
   * whose Agent is about to dial for the first time: until then anybody could come in its place.
   */
  demand(deviceId: DeviceId): Promise<string>
  /** A new secret to write on the device, or the one that was made before and is not used yet. Durable when it resolves. */
  renew(deviceId: DeviceId): Promise<string>
  /** Compares the secret that a link shows, in constant time. */
  prove(deviceId: DeviceId, secret: string | undefined): Promise<LinkSecretProof>
  /** The device that a secret belongs to. */
  ownerOf(secret: string): Promise<DeviceId | undefined>
  /** The Agent has used this secret: it is required from now on, and an older one is wrong. */
  used(deviceId: DeviceId, secret: string): Promise<void>
  /** The device is about to lose its settings: its newest secret stays right, and none is required until one is used. */
  release(deviceId: DeviceId): Promise<void>
  delete(deviceId: DeviceId): Promise<void>
}

/** The live server instances, by heartbeat, and the service time of all of them. */
export interface InstanceStore extends ServiceTimeStore {
  beat(instance: string, now: Timestamp, ttlMs: number): Promise<void>
  alive(now: Timestamp): Promise<string[]>
  leave(instance: string): Promise<void>
  /** Forgets all others: the database belongs to this instance alone. */
  alone(instance: string): Promise<void>
}

/** Recurring work, once over all instances. A handler that throws is logged and runs again at its next time. */
export interface JobQueue {
  every(name: string, intervalMs: number, handler: () => Promise<void>): void
  start(): Promise<void>
  stop(): Promise<void>
}

// ---- southbound: what a protocol room offers to operations, and what it tells upward ----

/** What the engine gives a driver for one execution. */
export interface ExecuteHooks {
  /**
   * To be awaited right before the first bytes with an effect leave: persists `sent`. Rejects when the operation was cancelled or taken
   * meanwhile; then nothing may be sent. Not needed for pure reads.
   */
  beforeSend(baseline?: Baseline): Promise<void>
  /** Aborts when the operation is given up; the driver stops waiting. */
  signal: AbortSignal
  timeoutMs: number
  /** The type the box itself reported for a parameter, where it did. */
  typeOf?(path: string): ParameterType | undefined
}

/** A device that can be talked to now: a CWMP session in its ACS turn, or a USP link. */
export interface Contact {
  readonly deviceId: DeviceId
  readonly protocol: Protocol
  /** False: a CWMP session, which ends when the handler returns. True: a USP link, which stays until `signal` aborts. */
  readonly lasting: boolean
  /** Aborts when the session or link is gone. */
  readonly signal: AbortSignal
  /** Whether the device's record said, at the start of this contact, that operations may be waiting. */
  readonly workKnown: boolean
  /**
   * Runs one operation. Resolves with the device's answer, faults included; rejects with TransportError when the way failed
   * (`sent` tells whether bytes may have left) and with ProtocolError when the answer made no sense.
   */
  execute(operation: Operation, hooks: ExecuteHooks): Promise<OperationResult>
}

/** One protocol's way down. `wake` asks an absent device to come (CWMP connection request); a USP Agent that is not linked cannot be asked. */
export interface Driver {
  readonly protocol: Protocol
  wake(device: Device): Promise<WakeOutcome>
}

/** The USP links that this server instance holds. */
export interface UspLinks {
  /**
   * Ends the USP link of a device. Resolves when the link is gone, or at once when this instance holds none; an Agent that does not answer the
   * close is cut off after 2 seconds.
   */
  close(deviceId: DeviceId, reason: CloseReason): Promise<void>
  /**
   * Sends a Get to the Agent of a device and resolves with whether it answered within some seconds; an error of the Agent is an answer.
   * `elsewhere`: this instance holds no link of the device. Never rejects.
   */
  ask(deviceId: DeviceId): Promise<'answered' | 'silent' | 'elsewhere'>
}

/** What the protocol rooms call when something comes up from a device. Implemented by operations. */
export interface Upward {
  /**
   * A device is here. Resolves when there is nothing (more) to do: a CWMP session then ends. A lasting contact's promise resolves when its
   * signal aborts. Never rejects.
   */
  contact(contact: Contact): Promise<void>
  /** True when this process has learnt of new work for the device since the record was read: no database involved. */
  hasNews(deviceId: DeviceId): boolean
  /** Durable when it resolves: only then may the CPE or Agent be acknowledged. Repeating it does no harm. */
  completed(completion: Completion): Promise<void>
}

/** Publishes to listeners in this process; a listener that throws is logged and harms nobody. */
export interface EventBus {
  publish(events: FeedEvent[]): void
  subscribe(listener: (event: FeedEvent) => void): () => void
}

// ---- northbound of operations: what planner and API use ----

export interface NewOperation {
  deviceId: DeviceId
  request: Operation['request']
  actor: Actor
  via?: Protocol
  idempotencyKey?: string
  /** How long it may wait for the device; default 1 hour. */
  expiresInMs?: number
  /** Whoever asks asks for more as soon as it has ended: a session of the CPE is held for a moment then. */
  more?: true
}

/** The one engine for protocol-neutral verbs. */
export interface Operations {
  /** Validates, audits and persists; resolves once it is durable. AppError `invalid`, `notFound`, `forbidden`, `conflict`. */
  submit(operation: NewOperation): Promise<Operation>
  get(id: string): Promise<Operation | undefined>
  /** Resolves with the operation once it is final, or as it stands after `timeoutMs`. */
  wait(id: string, timeoutMs: number, stopping?: AbortSignal): Promise<Operation | undefined>
  /** Only what has not been sent can be cancelled; AppError `conflict` otherwise. */
  cancel(id: string, actor: Actor): Promise<Operation>
  /**
   * Ends the waiting for an operation that was sent and is unknown or accepted: failed, with the error `givenUp`; what it held up goes on.
   * AppError `conflict` for any other.
   */
  giveUp(id: string, actor: Actor): Promise<Operation>
  /**
   * Ends all that is open of a device whose record is about to be deleted; answers how many. AppError `conflict` while it is being migrated.
   */
  forget(device: Pick<Device, 'id' | 'migration'>, actor: Actor): Promise<number>
  /** What a device still has to do, oldest first; at most 1000. */
  open(deviceId: DeviceId): Promise<Operation[]>
  /** What each operation that has not ended waits for, by its id. */
  waitingFor(operations: readonly Operation[]): Promise<ReadonlyMap<string, string>>
  /** Called with each operation that becomes final in this process. */
  onFinished(listener: (operation: Operation) => void): () => void
}

/** A refusal in the words of operations. */
export function outcomeError(code: string | number, text: string, retryable = false): OutcomeError {
  return { code: String(code), text, retryable }
}
