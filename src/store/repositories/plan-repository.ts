import { defined } from '../../base/index.ts'
import {
  type DeviceId,
  type DeviceSnapshot,
  HOLDING,
  MEMBER_STATES,
  type MemberCommit,
  type MemberState,
  type Pacing,
  type Page,
  type Plan,
  type PlanCounters,
  type PlanMember,
  type PlanState,
  type PlanStore,
  SHOWN_PLAN_STATES,
} from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import { updateEach } from '../mongo/each.ts'
import { type Collection, type Connection, type Document_, MongoServerError } from '../mongo/mongoose.ts'
import { inBatches } from '../reads/batches.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'
import { IdWindows } from '../reads/id-windows.ts'
import { page } from '../reads/paging.ts'
import { CHANGED, MemberLeases } from './member-leases.ts'
import { MemberList } from './member-list.ts'
import { countersOf, counterWrite, dropOldMinutes, recount } from './plan-counters.ts'
import { putRevised } from './revised.ts'

const toMember = (document: Document_) => fromDocument<PlanMember>(document)
const roundOf = (planId: string) => `plan|${planId}`
const MAX_MEMBERS_OF_DEVICE = 1000
const RELEASED = MEMBER_STATES.filter((state) => !HOLDING.includes(state))

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
  readonly #list: MemberList
  readonly #leases: MemberLeases
  readonly #now: () => number

  /** `reads`: `windows` for an engine that reads all documents that match, whatever the limit. */
  constructor(
    connection: Connection,
    commit: GroupCommit,
    writer: ChangeWriter,
    now: () => number,
    reads: 'pages' | 'windows',
  ) {
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
    const windows = reads === 'windows' ? new IdWindows(this.#members, 'planId', now) : undefined
    this.#leases = new MemberLeases(this.#members, commit, (id) => this.getMember(id))
    this.#list = new MemberList(this.#members, (planId) => this.counters(planId), windows)
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
    const filter = defined({ state: { $in: [...(query.states ?? SHOWN_PLAN_STATES)] }, groupId: query.groupId })
    return page(this.#plans, filter, { field: '_id', descending: true }, query, (document) =>
      fromDocument<Plan>(document),
    )
  }

  async deleteReleasedMembers(planId: string, limit: number): Promise<number> {
    const found = await this.#members
      .find({ planId, state: { $in: [...RELEASED] } }, { projection: { revision: 1 } })
      .limit(limit)
      .toArray()
    if (found.length === 0) return 0
    // By id and revision alone: for any other condition SecantusDB looks at each member for each of the ids.
    const statements = found.map(({ _id, revision }) => ({ deleteOne: { filter: { _id, revision } } }))
    return (await this.#members.bulkWrite(statements, { ordered: false })).deletedCount
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
      // Null where an upsert met another one, or met the end of a round: SecantusDB may have stored it all the same.
      const held = lock ?? (await this.#locks.findOne({ _id: roundOf(planId), by }))
      return held === null ? undefined : defined({ pacing: held.pacing as Pacing | undefined })
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

  listMembers(planId: string, query: Parameters<PlanStore['listMembers']>[1]): Promise<Page<PlanMember>> {
    return this.#list.page(planId, query)
  }

  awaitedDevices(planId: string, batchSize: number): AsyncIterable<DeviceId[]> {
    const found = this.#members.find(
      { planId, waiting: 'offline' },
      { projection: { deviceId: 1, dueMs: 1 }, batchSize },
    )
    return inBatches(found, batchSize, ({ deviceId, dueMs }) =>
      dueMs === undefined ? (deviceId as DeviceId) : undefined,
    )
  }

  async plansWith(what: MemberState | 'silent'): Promise<string[]> {
    const count = what === 'silent' ? what : `states.${what}`
    const found = await this.#counters.find({ [count]: { $gt: 0 } }, { projection: { _id: 1 } }).toArray()
    return found.map(({ _id }) => _id)
  }

  claimDue: PlanStore['claimDue'] = (...args) => this.#leases.claimDue(...args)
  claim: PlanStore['claim'] = (...args) => this.#leases.claim(...args)
  freeMembers: PlanStore['freeMembers'] = (...args) => this.#leases.freeMembers(...args)
  free: PlanStore['free'] = (...args) => this.#leases.free(...args)

  async freeLeases(alive: string[]): Promise<void> {
    await this.#leases.freeLeases(alive)
    await updateEach(
      this.#locks,
      { _id: { $gte: roundOf(''), $lt: roundOf('\uffff') }, by: { $exists: true, $nin: alive } },
      { $unset: { by: '', until: '' } },
      ['by'],
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
