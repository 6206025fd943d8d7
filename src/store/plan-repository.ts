import { isConflict } from '../base/index.ts'
import {
  type DeviceId,
  type DeviceSnapshot,
  HOLDING,
  MEMBER_STATES,
  type MemberCommit,
  type MemberQuery,
  type MemberState,
  type Pacing,
  type Page,
  type Plan,
  type PlanCounters,
  type PlanMember,
  type PlanState,
  type PlanStore,
  type WaitingReason,
} from '../device/index.ts'
import type { ChangeWriter } from './changes.ts'
import { fromDocument, toDocument } from './convert.ts'
import { translate } from './failure.ts'
import type { GroupCommit } from './group-commit.ts'
import { createGroupRead, type GroupRead } from './group-read.ts'
import {
  type Collection,
  type Connection,
  type Document_,
  type FindCursor,
  MongoServerError,
  type UpdateFilter,
} from './mongoose.ts'
import { page } from './paging.ts'
import { countersOf, counterWrite, dropOldMinutes, recount } from './plan-counters.ts'
import { putRevised } from './revised.ts'
import type { Write } from './write-set.ts'

const toMember = (document: Document_) => fromDocument<PlanMember>(document)
const byId = (a: PlanMember, b: PlanMember) => (a.id < b.id ? -1 : 1)
type Lease = NonNullable<PlanMember['lease']>
/** Nobody holds it, or its holder is late. `now` is service time. */
const isFree = ({ lease }: Pick<PlanMember, 'lease'> | Document_, now: number) =>
  lease === undefined || (lease as Lease).until < now
/** One value is asked for by itself: SecantusDB finds no index for a list beside other conditions. */
const anyOf = <T>(values: readonly T[]) => (values.length === 1 ? values[0] : { $in: [...values] })
const roundOf = (planId: string) => `plan|${planId}`
/** Everything but deleted plans. */
const SHOWN: PlanState[] = ['draft', 'running', 'paused', 'aborting', 'aborted', 'finished']
const MAX_MEMBERS_OF_DEVICE = 1000
const RELEASED = MEMBER_STATES.filter((state) => !HOLDING.includes(state))
const MAX_TRIES = 3
const CHANGED = 'the plan member has changed meanwhile'

/** Plans, their members with counters, and the snapshots of devices, in MongoDB. */
export class PlanRepository implements PlanStore {
  readonly #plans: Collection
  readonly #members: Collection
  readonly #counters: Collection
  readonly #locks: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #planById: GroupRead
  readonly #memberById: GroupRead
  readonly #countersById: GroupRead
  readonly #snapshotById: GroupRead
  readonly #now: () => number

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter, now: () => number) {
    this.#plans = connection.collection<Document_>('plans')
    this.#members = connection.collection<Document_>('planMembers')
    this.#counters = connection.collection<Document_>('planCounters')
    this.#locks = connection.collection<Document_>('locks')
    this.#commit = commit
    this.#writer = writer
    this.#now = now
    this.#planById = createGroupRead(this.#plans)
    this.#memberById = createGroupRead(this.#members)
    this.#countersById = createGroupRead(this.#counters)
    this.#snapshotById = createGroupRead(connection.collection<Document_>('snapshots'))
  }

  putPlan(plan: Plan, expectedRevision?: number): Promise<void> {
    return putRevised(this.#plans, plan, expectedRevision)
  }

  async getPlan(id: string): Promise<Plan | undefined> {
    const document = await this.#planById.get(id)
    return document === undefined ? undefined : fromDocument<Plan>(document)
  }

  listPlans(query: {
    states?: readonly PlanState[]
    groupId?: string
    limit: number
    cursor?: string
  }): Promise<Page<Plan>> {
    const filter = {
      state: { $in: [...(query.states ?? SHOWN)] },
      ...(query.groupId === undefined ? {} : { groupId: query.groupId }),
    }
    return page(this.#plans, filter, { field: '_id', descending: true }, query, (document) =>
      fromDocument<Plan>(document),
    )
  }

  async deleteReleasedMembers(planId: string, limit: number): Promise<number> {
    const found = await this.#members
      .find({ planId, state: { $in: [...RELEASED] } }, { projection: { revision: 1 } })
      .limit(limit)
      .toArray()
    let deleted = 0
    // By id and revision alone: for any other condition SecantusDB looks at each member for each of the ids.
    for (const revision of new Set(found.map((document) => document.revision))) {
      const ids = found.filter((document) => document.revision === revision).map((document) => document._id)
      deleted += (await this.#members.deleteMany({ _id: { $in: ids }, revision })).deletedCount
    }
    return deleted
  }

  async deletePlan(id: string): Promise<void> {
    await this.#counters.deleteOne({ _id: id })
    await this.#locks.deleteOne({ _id: roundOf(id) })
    await this.#plans.deleteOne({ _id: id })
  }

  async takeRound(planId: string, by: string, now: number, leaseMs: number): Promise<{ pacing?: Pacing } | undefined> {
    try {
      const lock = await this.#locks.findOneAndUpdate(
        { _id: roundOf(planId), $or: [{ until: { $lt: now } }, { by }, { by: { $exists: false } }] },
        { $set: { by, until: now + leaseMs } },
        { upsert: true, returnDocument: 'after' },
      )
      // Nothing comes back where two upserts met and this one lost.
      if (lock === null) return undefined
      return lock.pacing === undefined ? {} : { pacing: lock.pacing as Pacing }
    } catch (error) {
      // Another has it: the upsert met its document.
      if (error instanceof MongoServerError && error.code === 11000) return undefined
      throw error
    }
  }

  async keepPacing(planId: string, by: string, pacing: Pacing): Promise<void> {
    await this.#locks.updateOne({ _id: roundOf(planId), by }, { $set: { pacing } })
  }

  async leaveRound(planId: string, by: string): Promise<void> {
    await this.#locks.updateOne({ _id: roundOf(planId), by }, { $unset: { by: '', until: '' } })
  }

  async getMember(id: string): Promise<PlanMember | undefined> {
    const document = await this.#memberById.get(id)
    return document === undefined ? undefined : toMember(document)
  }

  async membersOf(deviceId: DeviceId): Promise<PlanMember[]> {
    return (await this.#members.find({ deviceId }).limit(MAX_MEMBERS_OF_DEVICE).toArray()).map(toMember)
  }

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
  ): Promise<Page<PlanMember>> {
    const filter = {
      planId,
      ...(query.states === undefined ? {} : { state: anyOf(query.states) }),
      ...(query.reason === undefined ? {} : { 'reason.code': query.reason }),
      ...(query.waiting === undefined ? {} : { waiting: query.waiting }),
      ...(query.silent === undefined ? {} : { silentAt: { $gt: 0 } }),
    }
    return page(this.#members, filter, { field: '_id', descending: false }, query, toMember)
  }

  async *awaitedDevices(planId: string, batchSize: number): AsyncIterable<DeviceId[]> {
    const found = this.#members.find(
      { planId, waiting: 'offline' },
      { projection: { deviceId: 1, dueMs: 1 }, batchSize },
    )
    try {
      let batch: DeviceId[] = []
      for await (const { deviceId, dueMs } of found) {
        if (dueMs === undefined) batch.push(deviceId as DeviceId)
        if (batch.length < batchSize) continue
        yield batch
        batch = []
      }
      if (batch.length > 0) yield batch
    } catch (error) {
      throw translate(error)
    } finally {
      await found.close()
    }
  }

  async plansWith(what: MemberState | 'silent'): Promise<string[]> {
    const count = what === 'silent' ? what : `states.${what}`
    const found = await this.#counters.find({ [count]: { $gt: 0 } }, { projection: { _id: 1 } }).toArray()
    return found.map(({ _id }) => _id)
  }

  async claimDue(planId: string, by: string, now: number, leaseMs: number, limit: number): Promise<PlanMember[]> {
    const due = this.#members
      .find(
        // Both bounds: with the upper one alone SecantusDB reads every member of the plan that has no due time.
        { planId, dueMs: { $gte: -Number.MAX_SAFE_INTEGER, $lte: now } },
        { projection: { lease: 1 }, batchSize: 1000 },
      )
      .sort({ dueMs: 1 })
    const found = await some(due, limit, (document) => isFree(document, now))
    const claimed = await Promise.all(found.map(({ _id }) => this.#lease(_id, by, now, leaseMs, now)))
    return claimed.filter((member) => member !== undefined).sort(byId)
  }

  async freeMembers(planId: string, query: MemberQuery, now: number, limit: number): Promise<PlanMember[]> {
    if (query.devices !== undefined) return this.#named(planId, query, query.devices, now, limit)
    const found = this.#members.find(
      {
        planId,
        ...(query.states === undefined ? {} : { state: anyOf(query.states) }),
        ...(query.waiting === undefined ? {} : { waiting: query.waiting }),
        ...(query.after === undefined ? {} : { _id: { $gt: `${planId}|${query.after}` } }),
      },
      { batchSize: Math.min(limit + 100, 1000) },
    )
    const ordered = query.after === undefined ? found : found.sort({ _id: 1 })
    return (await some(ordered, limit, (document) => isFree(document, now))).map(toMember).sort(byId)
  }

  /** Members of named devices are read by their ids, as other reads are. */
  async #named(
    planId: string,
    { states, waiting, after }: MemberQuery,
    devices: readonly DeviceId[],
    now: number,
    limit: number,
  ): Promise<PlanMember[]> {
    const read = await Promise.all([...new Set(devices)].map((deviceId) => this.getMember(`${planId}|${deviceId}`)))
    return read
      .filter((member) => member !== undefined)
      .filter((member) => states === undefined || states.includes(member.state))
      .filter((member) => waiting === undefined || member.waiting === waiting)
      .filter((member) => (after === undefined || member.deviceId > after) && isFree(member, now))
      .sort(byId)
      .slice(0, limit)
  }

  claim(id: string, by: string, now: number, leaseMs: number): Promise<PlanMember | undefined> {
    return this.#lease(id, by, now, leaseMs)
  }

  /**
   * Leases a member that is free, or that the same holder has, under the revision that was read: of two who ask at once one gets it.
   * `dueAt`: only a member that is due then and that nobody has.
   */
  async #lease(id: string, by: string, now: number, leaseMs: number, dueAt?: number): Promise<PlanMember | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const member = await this.getMember(id)
      if (member === undefined) return undefined
      if (!isFree(member, now) && (dueAt !== undefined || member.lease?.by !== by)) return undefined
      if (dueAt !== undefined && !((member.dueMs ?? Number.POSITIVE_INFINITY) <= dueAt)) return undefined
      const lease = { by, until: now + leaseMs }
      if (await this.#change(member, { $set: { lease } })) return { ...member, lease, revision: member.revision + 1 }
    }
    return undefined
  }

  async free(ids: string[], by: string, dueMs?: number): Promise<void> {
    const due = dueMs === undefined ? {} : { $set: { dueMs } }
    await Promise.all(
      ids.map(async (id) => {
        const member = await this.getMember(id)
        if (member?.lease?.by === by) await this.#change(member, { $unset: { lease: '' }, ...due })
      }),
    )
  }

  async freeLeases(alive: string[]): Promise<void> {
    // A bound, for the presence of a field is no condition that SecantusDB finds by an index.
    const held = this.#members.find({ 'lease.by': { $gt: '' } }, { projection: { lease: 1, revision: 1 } })
    const late = await some(held, Number.POSITIVE_INFINITY, ({ lease }) => !alive.includes((lease as Lease).by))
    await Promise.all(
      late.map((document) =>
        this.#change({ id: document._id, revision: Number(document.revision) }, { $unset: { lease: '' } }),
      ),
    )
    await this.#locks.updateMany(
      { _id: { $gte: roundOf(''), $lt: roundOf('\uffff') }, by: { $exists: true, $nin: alive } },
      { $unset: { by: '', until: '' } },
    )
  }

  /** Changes a member that has not changed since; false when it has. Changes that are asked for together share a write. */
  async #change({ id, revision }: Pick<PlanMember, 'id' | 'revision'>, update: UpdateFilter): Promise<boolean> {
    try {
      await this.#commit.commit({
        writes: [
          {
            collection: 'planMembers',
            operation: {
              updateOne: { filter: { _id: id, revision }, update: { ...update, $inc: { revision: 1 as never } } },
            },
            mustMatch: CHANGED,
          },
        ],
      })
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }

  commitMember(commit: MemberCommit): Promise<void> {
    const { before, member, events, device, snapshot } = commit
    const document = toDocument(member)
    const writes: Write[] = [
      before === undefined
        ? { collection: 'planMembers', operation: { insertOne: { document } } }
        : {
            collection: 'planMembers',
            operation: {
              replaceOne: {
                filter: { _id: member.id, revision: before.revision },
                replacement: withoutId(document),
              },
            },
            mustMatch: CHANGED,
          },
    ]
    const counted = counterWrite(commit)
    if (counted !== undefined) writes.push(counted)
    if (snapshot !== undefined) writes.push(snapshotWrite(member.deviceId, snapshot))
    const change = device === undefined ? undefined : this.#writer.deviceSet({ ...device, events: [] }, this.#now())
    const set = this.#writer.withEvents([...writes, ...(change?.writes ?? [])], [...events, ...(device?.events ?? [])])
    const onCommitted = () => {
      set.onCommitted?.()
      change?.onCommitted?.()
    }
    return this.#commit.commit({ ...set, onCommitted })
  }

  async counters(planId: string): Promise<PlanCounters> {
    return countersOf((await this.#countersById.get(planId)) ?? null)
  }

  async recount(planId: string): Promise<void> {
    await recount(this.#members, this.#counters, planId)
    await dropOldMinutes(this.#counters, planId, this.#now())
  }

  async snapshot(deviceId: DeviceId): Promise<DeviceSnapshot | undefined> {
    const document = await this.#snapshotById.get(deviceId)
    if (document === undefined) return undefined
    const { id, ...fields } = fromDocument<Omit<DeviceSnapshot, 'deviceId'> & { id: DeviceId }>(document)
    return { deviceId: id, ...fields }
  }
}

function snapshotWrite(deviceId: DeviceId, snapshot: DeviceSnapshot | 'delete'): Write {
  if (snapshot === 'delete') return { collection: 'snapshots', operation: { deleteOne: { filter: { _id: deviceId } } } }
  const { deviceId: _id, ...fields } = snapshot
  return {
    collection: 'snapshots',
    operation: { replaceOne: { filter: { _id: deviceId }, replacement: fields, upsert: true } },
  }
}

function withoutId({ _id, ...rest }: Document_): Omit<Document_, '_id'> {
  return rest
}

/** The first documents that meet a condition which no index knows; the rest is not read. */
async function some(
  found: FindCursor,
  limit: number,
  condition: (document: Document_) => boolean,
): Promise<Document_[]> {
  const documents: Document_[] = []
  if (limit <= 0) return documents
  for await (const document of found) {
    if (condition(document)) documents.push(document)
    if (documents.length >= limit) break
  }
  return documents
}
