import { randomUUID } from 'node:crypto'
import {
  type DeviceId,
  type Ended,
  MEMBER_STATES,
  type MemberCommit,
  type MemberState,
  type Pacing,
  type Page,
  type Plan,
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
import { putRevised } from './revised.ts'
import type { Write } from './write-set.ts'

const toMember = (document: Document_) => fromDocument<PlanMember>(document)
/** Nobody holds it, or who held it is late. */
const freeAt = (now: number) => ({ $or: [{ lease: { $exists: false } }, { 'lease.until': { $lt: now } }] })
const roundOf = (planId: string) => `plan|${planId}`

/** Plans and their members in MongoDB. */
export class PlanRepository implements PlanStore {
  readonly #plans: Collection
  readonly #members: Collection
  readonly #locks: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #memberById: GroupRead
  readonly #now: () => number

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter, now: () => number) {
    this.#plans = connection.collection<Document_>('plans')
    this.#members = connection.collection<Document_>('planMembers')
    this.#locks = connection.collection<Document_>('locks')
    this.#commit = commit
    this.#writer = writer
    this.#now = now
    this.#memberById = createGroupRead(this.#members)
  }

  putPlan(plan: Plan, expectedRevision?: number): Promise<void> {
    return putRevised(this.#plans, plan, expectedRevision)
  }

  async getPlan(id: string): Promise<Plan | undefined> {
    const document = await this.#plans.findOne({ _id: id })
    return document === null ? undefined : fromDocument<Plan>(document)
  }

  listPlans(query: { states?: PlanState[]; groupId?: string; limit: number; cursor?: string }): Promise<Page<Plan>> {
    const filter = {
      ...(query.states === undefined ? {} : { state: { $in: query.states } }),
      ...(query.groupId === undefined ? {} : { groupId: query.groupId }),
    }
    return page(this.#plans, filter, { field: '_id', descending: true }, query, (document) =>
      fromDocument<Plan>(document),
    )
  }

  async deletePlan(id: string): Promise<boolean> {
    await this.#members.deleteMany({ planId: id })
    await this.#locks.deleteOne({ _id: roundOf(id) })
    const { deletedCount } = await this.#plans.deleteOne({ _id: id })
    return deletedCount > 0
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

  async addMembers(members: PlanMember[]): Promise<number> {
    if (members.length === 0) return 0
    const { upsertedCount } = await this.#members.bulkWrite(
      members.map((member) => {
        const { _id, ...fields } = toDocument(member)
        return { updateOne: { filter: { _id }, update: { $setOnInsert: fields }, upsert: true } }
      }),
      { ordered: false },
    )
    return upsertedCount
  }

  async getMember(id: string): Promise<PlanMember | undefined> {
    const document = await this.#memberById.get(id)
    return document === undefined ? undefined : toMember(document)
  }

  listMembers(
    planId: string,
    query: { states?: MemberState[]; reason?: string; waiting?: WaitingReason; limit: number; cursor?: string },
  ): Promise<Page<PlanMember>> {
    const filter = {
      planId,
      ...(query.states === undefined ? {} : { state: { $in: query.states } }),
      ...(query.reason === undefined ? {} : { 'reason.code': query.reason }),
      ...(query.waiting === undefined ? {} : { waiting: query.waiting }),
    }
    return page(this.#members, filter, { field: '_id', descending: false }, query, toMember)
  }

  async claimDue(
    planId: string,
    states: MemberState[],
    by: string,
    now: number,
    leaseMs: number,
    limit: number,
  ): Promise<PlanMember[]> {
    const due = await this.#members
      .find(
        {
          planId,
          state: { $in: states },
          nextAt: { $lte: now },
          ...freeAt(now),
        },
        { projection: { _id: 1 } },
      )
      .sort({ nextAt: 1 })
      .limit(limit)
      .toArray()
    if (due.length === 0) return []
    // One write for all; the token tells which of them nobody else took in between.
    const ids = { _id: { $in: due.map((document) => document._id) } }
    const token = randomUUID()
    await this.#members.updateMany(
      { ...ids, state: { $in: states }, ...freeAt(now) },
      { $set: { lease: { by, until: now + leaseMs, token } } },
    )
    return (await this.#members.find({ ...ids, 'lease.token': token }).toArray()).map(toMember)
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

  async free(id: string, by: string, nextAt: number): Promise<void> {
    await this.#members.updateOne(
      { _id: id, 'lease.by': by },
      { $unset: { lease: '' }, $set: { nextAt }, $inc: { revision: 1 as never } },
    )
  }

  async freeLeases(alive: string[]): Promise<void> {
    await this.#members.updateMany({ 'lease.by': { $exists: true, $nin: alive } }, { $unset: { lease: '' } })
    await this.#locks.updateMany(
      { _id: { $gte: roundOf(''), $lt: roundOf('\uffff') }, by: { $exists: true, $nin: alive } },
      { $unset: { by: '', until: '' } },
    )
  }

  commitMember({ member, expectedRevision, events, device }: MemberCommit): Promise<void> {
    const write: Write = {
      collection: 'planMembers',
      operation: {
        replaceOne: {
          filter: { _id: member.id, revision: expectedRevision },
          replacement: withoutId(toDocument(member)),
        },
      },
      mustMatch: 'the plan member has changed meanwhile',
    }
    const set =
      device === undefined
        ? this.#writer.withEvents([], events)
        : this.#writer.deviceSet({ ...device, events: [...events, ...(device.events ?? [])] }, this.#now())
    return this.#commit.commit({ ...set, writes: [write, ...set.writes] })
  }

  async countByState(planId: string): Promise<Partial<Record<MemberState, number>>> {
    const counts: Partial<Record<MemberState, number>> = {}
    const rows = await this.#members
      .aggregate([{ $match: { planId } }, { $group: { _id: '$state', count: { $sum: 1 } } }])
      .toArray()
    for (const row of rows) {
      const state = MEMBER_STATES.find((name) => name === row._id)
      if (state !== undefined) counts[state] = Number(row.count)
    }
    return counts
  }

  async countWaiting(planId: string): Promise<Partial<Record<WaitingReason, number>>> {
    const rows = await this.#members
      .aggregate([
        { $match: { planId, waiting: { $exists: true } } },
        { $group: { _id: '$waiting', count: { $sum: 1 } } },
      ])
      .toArray()
    return Object.fromEntries(rows.map((row) => [String(row._id), Number(row.count)]))
  }

  countIn(planId: string, states: MemberState[], limit: number, present = false): Promise<number> {
    return this.#members.countDocuments(
      {
        planId,
        ...(states.length === 0 ? {} : { state: { $in: states } }),
        ...(present ? { waiting: { $ne: 'offline' } } : {}),
      },
      limit === 0 ? {} : { limit },
    )
  }

  async endedSince(planId: string, since: number): Promise<Ended[]> {
    const offline = { $cond: [{ $eq: ['$reason.code', 'offline'] }, 1, 0] }
    const rows = await this.#members
      .aggregate([
        { $match: { planId, endedAt: { $gte: since }, startedAt: { $exists: true } } },
        { $group: { _id: '$state', count: { $sum: 1 }, offline: { $sum: offline } } },
      ])
      .toArray()
    return rows.map((row) => ({
      state: String(row._id) as MemberState,
      count: Number(row.count),
      offline: Number(row.offline),
    }))
  }

  async rankReasons(
    planId: string,
    limit: number,
  ): Promise<{ code: string; text: string; state: MemberState; count: number; example: DeviceId }[]> {
    const rows = await this.#members
      .aggregate([
        { $match: { planId, 'reason.code': { $exists: true } } },
        {
          $group: {
            _id: { code: '$reason.code', state: '$state' },
            text: { $first: '$reason.text' },
            count: { $sum: 1 },
            example: { $first: '$deviceId' },
          },
        },
        { $sort: { count: -1 } },
        { $limit: limit },
      ])
      .toArray()
    return rows.map((row) => {
      const key = row._id as { code: string; state: MemberState }
      return {
        code: key.code,
        state: key.state,
        text: String(row.text),
        count: Number(row.count),
        example: row.example as DeviceId,
      }
    })
  }

  countEnded(planId: string, states: MemberState[], since: number): Promise<number> {
    return this.#members.countDocuments({ planId, endedAt: { $gte: since }, state: { $in: states } })
  }
}

function withoutId({ _id, ...rest }: Document_): Omit<Document_, '_id'> {
  return rest
}
