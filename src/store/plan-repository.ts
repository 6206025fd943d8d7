import { randomUUID } from 'node:crypto'
import {
  type DeviceId,
  type DeviceSnapshot,
  HOLDING,
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
import type { GroupCommit } from './group-commit.ts'
import { createGroupRead, type GroupRead } from './group-read.ts'
import { type Collection, type Connection, type Document_, MongoServerError } from './mongoose.ts'
import { page } from './paging.ts'
import { countersOf, counterWrite, dropOldMinutes, recount } from './plan-counters.ts'
import { putRevised } from './revised.ts'
import type { Write } from './write-set.ts'

const toMember = (document: Document_) => fromDocument<PlanMember>(document)
/** Nobody holds it, or its holder is late. `now` is service time. */
const freeAt = (now: number) => ({ $or: [{ lease: { $exists: false } }, { 'lease.until': { $lt: now } }] })
const roundOf = (planId: string) => `plan|${planId}`
/** Everything but deleted plans. */
const SHOWN: PlanState[] = ['draft', 'running', 'paused', 'aborting', 'aborted', 'finished']
const MAX_MEMBERS_OF_DEVICE = 1000

/** Plans, their members with counters, and the snapshots of devices, in MongoDB. */
export class PlanRepository implements PlanStore {
  readonly #plans: Collection
  readonly #members: Collection
  readonly #counters: Collection
  readonly #locks: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #memberById: GroupRead
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
    this.#memberById = createGroupRead(this.#members)
    this.#snapshotById = createGroupRead(connection.collection<Document_>('snapshots'))
  }

  putPlan(plan: Plan, expectedRevision?: number): Promise<void> {
    return putRevised(this.#plans, plan, expectedRevision)
  }

  async getPlan(id: string): Promise<Plan | undefined> {
    const document = await this.#plans.findOne({ _id: id })
    return document === null ? undefined : fromDocument<Plan>(document)
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
    const released = { planId, state: { $nin: [...HOLDING] } }
    const found = await this.#members
      .find(released, { projection: { _id: 1 } })
      .limit(limit)
      .toArray()
    if (found.length === 0) return 0
    const ids = found.map((document) => document._id)
    const { deletedCount } = await this.#members.deleteMany({ ...released, _id: { $in: ids } })
    return deletedCount
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
      ...(query.states === undefined ? {} : { state: { $in: [...query.states] } }),
      ...(query.reason === undefined ? {} : { 'reason.code': query.reason }),
      ...(query.waiting === undefined ? {} : { waiting: query.waiting }),
      ...(query.silent === undefined ? {} : { silentAt: { $gt: 0 } }),
    }
    return page(this.#members, filter, { field: '_id', descending: false }, query, toMember)
  }

  async claimDue(planId: string, by: string, now: number, leaseMs: number, limit: number): Promise<PlanMember[]> {
    const due = await this.#members
      .find({ planId, dueMs: { $lte: now }, ...freeAt(now) }, { projection: { _id: 1 } })
      .sort({ dueMs: 1 })
      .limit(limit)
      .toArray()
    return this.#lease(due, { dueMs: { $lte: now } }, by, now, leaseMs)
  }

  async claimSome(
    planId: string,
    query: MemberQuery,
    by: string,
    now: number,
    leaseMs: number,
    limit: number,
  ): Promise<PlanMember[]> {
    const state = query.states === undefined ? {} : { state: { $in: [...query.states] } }
    const waiting = query.waiting === undefined ? {} : { waiting: query.waiting }
    const ids =
      query.devices === undefined ? {} : { _id: { $in: query.devices.map((deviceId) => `${planId}|${deviceId}`) } }
    const after = query.after === undefined ? {} : { _id: { $gt: `${planId}|${query.after}`, $lt: `${planId}}` } }
    const cursor = this.#members.find(
      { planId, ...state, ...waiting, ...ids, ...after, ...freeAt(now) },
      { projection: { _id: 1 } },
    )
    const found = await (query.after === undefined ? cursor : cursor.sort({ _id: 1 })).limit(limit).toArray()
    return this.#lease(found, { ...state, ...waiting }, by, now, leaseMs)
  }

  /** One write leases all; the token tells which of them nobody else took in between. */
  async #lease(
    found: Document_[],
    still: Record<string, unknown>,
    by: string,
    now: number,
    leaseMs: number,
  ): Promise<PlanMember[]> {
    if (found.length === 0) return []
    const ids = { _id: { $in: found.map((document) => document._id) } }
    const token = randomUUID()
    await this.#members.updateMany(
      { ...ids, ...still, ...freeAt(now) },
      { $set: { lease: { by, until: now + leaseMs, token } } },
    )
    const leased = await this.#members.find({ ...ids, 'lease.token': token }).toArray()
    return leased.map(toMember).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async claim(id: string, by: string, now: number, leaseMs: number): Promise<PlanMember | undefined> {
    const free = { $or: [{ lease: { $exists: false } }, { 'lease.until': { $lt: now } }, { 'lease.by': by }] }
    const document = await this.#members.findOneAndUpdate(
      { _id: id, ...free },
      { $set: { lease: { by, until: now + leaseMs } } },
      { returnDocument: 'after' },
    )
    return document === null ? undefined : toMember(document)
  }

  async free(ids: string[], by: string, dueMs?: number): Promise<void> {
    if (ids.length === 0) return
    await this.#members.updateMany(
      { _id: { $in: ids }, 'lease.by': by },
      {
        $unset: { lease: '' },
        $inc: { revision: 1 as never },
        ...(dueMs === undefined ? {} : { $set: { dueMs } }),
      },
    )
  }

  async freeLeases(alive: string[]): Promise<void> {
    await this.#members.updateMany({ 'lease.by': { $exists: true, $nin: alive } }, { $unset: { lease: '' } })
    await this.#locks.updateMany(
      { _id: { $gte: roundOf(''), $lt: roundOf('\uffff') }, by: { $exists: true, $nin: alive } },
      { $unset: { by: '', until: '' } },
    )
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
            mustMatch: 'the plan member has changed meanwhile',
          },
    ]
    const counted = counterWrite(commit)
    if (counted !== undefined) writes.push(counted)
    if (snapshot !== undefined) writes.push(snapshotWrite(member.deviceId, snapshot))
    const change = device === undefined ? undefined : this.#writer.deviceSet({ ...device, events: [] }, this.#now())
    return this.#commit.commit(
      this.#writer.withEvents([...writes, ...(change?.writes ?? [])], [...events, ...(device?.events ?? [])]),
    )
  }

  async counters(planId: string): Promise<PlanCounters> {
    return countersOf(await this.#counters.findOne({ _id: planId }))
  }

  async recount(planId: string): Promise<void> {
    await recount(this.#members, this.#counters, planId)
    await dropOldMinutes(this.#counters, planId, this.#now())
  }

  async snapshot(deviceId: DeviceId): Promise<DeviceSnapshot | undefined> {
    const document = await this.#snapshotById.get(deviceId)
    if (document === undefined) return undefined
    const { _id, ...fields } = document
    return { ...fields, deviceId } as unknown as DeviceSnapshot
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
