import {
  type DeviceId,
  MEMBER_STATES,
  type MemberCommit,
  type MemberState,
  type Page,
  type Plan,
  type PlanMember,
  type PlanStore,
} from '../device/index.ts'
import { type ChangeWriter, deviceWrites, parameterWrites } from './changes.ts'
import { fromDocument, toDocument } from './convert.ts'
import type { GroupCommit } from './group-commit.ts'
import { createGroupRead, type GroupRead } from './group-read.ts'
import type { Collection, Connection, Document_ } from './mongoose.ts'
import { page } from './paging.ts'
import { putRevised } from './revised.ts'
import type { Write } from './write-set.ts'

const ENDED: MemberState[] = ['INELIGIBLE', 'MIGRATED', 'ROLLED_BACK', 'FAILED', 'QUARANTINED', 'STRANDED', 'CANCELLED']
const toMember = (document: Document_) => fromDocument<PlanMember>(document, ['active'])

/** `active` keeps the search for a device's plan on one small index. */
function memberDocument(member: PlanMember): Document_ {
  return { ...toDocument(member), active: !ENDED.includes(member.state) }
}

/** Plans and their members in MongoDB. */
export class PlanRepository implements PlanStore {
  readonly #plans: Collection
  readonly #members: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #memberById: GroupRead
  readonly #now: () => number

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter, now: () => number) {
    this.#plans = connection.collection<Document_>('plans')
    this.#members = connection.collection<Document_>('planMembers')
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

  listPlans(limit: number, cursor?: string): Promise<Page<Plan>> {
    return page(this.#plans, {}, { field: '_id', descending: true }, { limit, cursor }, (document) =>
      fromDocument<Plan>(document),
    )
  }

  async addMembers(members: PlanMember[]): Promise<number> {
    if (members.length === 0) return 0
    const { upsertedCount } = await this.#members.bulkWrite(
      members.map((member) => {
        const { _id, ...fields } = memberDocument(member)
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
    query: { states?: MemberState[]; limit: number; cursor?: string },
  ): Promise<Page<PlanMember>> {
    const filter = { planId, ...(query.states === undefined ? {} : { state: { $in: query.states } }) }
    return page(this.#members, filter, { field: '_id', descending: false }, query, toMember)
  }

  async activeMemberOf(deviceId: DeviceId): Promise<PlanMember | undefined> {
    const document = await this.#members.findOne({ deviceId, active: true })
    return document === null ? undefined : toMember(document)
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
          $or: [{ lease: { $exists: false } }, { 'lease.until': { $lt: now } }],
        },
        { projection: { _id: 1 } },
      )
      .sort({ nextAt: 1 })
      .limit(limit)
      .toArray()
    const claimed = await Promise.all(due.map((document) => this.claim(document._id, by, now, leaseMs)))
    return claimed.filter((member) => member !== undefined)
  }

  async wakeMember(id: string, now: number): Promise<void> {
    await this.#members.updateOne({ _id: id, nextAt: { $gt: now } }, { $set: { nextAt: now } })
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

  async freeLeases(alive: string[]): Promise<void> {
    await this.#members.updateMany({ 'lease.by': { $exists: true, $nin: alive } }, { $unset: { lease: '' } })
  }

  commitMember({ member, expectedRevision, events, device }: MemberCommit): Promise<void> {
    const writes: Write[] = [
      {
        collection: 'planMembers',
        operation: {
          replaceOne: {
            filter: { _id: member.id, revision: expectedRevision },
            replacement: withoutId(memberDocument(member)),
          },
        },
        mustMatch: 'the plan member has changed meanwhile',
      },
    ]
    const all = [...events]
    if (device !== undefined) {
      writes.push(...deviceWrites(device, this.#now()))
      if (device.parameters !== undefined) writes.push(...parameterWrites(device.deviceId, device.parameters))
      all.push(...(device.events ?? []))
    }
    return this.#commit.commit(this.#writer.withEvents(writes, all))
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
    return this.#members.countDocuments({ planId, state: { $in: states }, endedAt: { $gte: since } })
  }
}

function withoutId({ _id, ...rest }: Document_): Omit<Document_, '_id'> {
  return rest
}
