import { defined, isConflict } from '../../base/index.ts'
import type { DeviceId, MemberQuery, PlanMember } from '../../domain/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import { fromDocument } from '../mongo/convert.ts'
import type { Collection, Document_, FindCursor, UpdateFilter } from '../mongo/mongoose.ts'
import { anyOf } from './member-list.ts'

const toMember = (document: Document_) => fromDocument<PlanMember>(document)
const byId = (a: PlanMember, b: PlanMember) => (a.id < b.id ? -1 : 1)
type Lease = NonNullable<PlanMember['lease']>
/** Returns true when a member has no holder, or its holder is late. `now` is service time. */
const isFree = ({ lease }: Pick<PlanMember, 'lease'> | Document_, now: number) =>
  lease === undefined || (lease as Lease).until < now
const MAX_TRIES = 3

/** The reason for which a change of a member is refused that was made of an older revision. */
export const CHANGED = 'the plan member has changed meanwhile'

/**
 * Leases of plan members. Members are found by indexes that know nothing of leases, and taken under the revision
 * that was read: a condition on a lease would make SecantusDB look at every member.
 */
export class MemberLeases {
  readonly #members: Collection
  readonly #commit: GroupCommit
  readonly #read: (id: string) => Promise<PlanMember | undefined>

  /** `read` reads one member, together with other reads. */
  constructor(members: Collection, commit: GroupCommit, read: (id: string) => Promise<PlanMember | undefined>) {
    this.#members = members
    this.#commit = commit
    this.#read = read
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
    const { states, waiting, after } = query
    const filter = defined({
      planId,
      state: states === undefined ? undefined : anyOf(states),
      waiting,
      _id: after === undefined ? undefined : { $gt: `${planId}|${after}` },
    })
    const found = this.#members.find(filter, { batchSize: Math.min(limit + 100, 1000) })
    const ordered = after === undefined ? found : found.sort({ _id: 1 })
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
    const read = await Promise.all([...new Set(devices)].map((deviceId) => this.#read(`${planId}|${deviceId}`)))
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
   * Leases a member that is free, or that the same holder has, under the revision that was read: of two calls at once
   * one gets it. `dueAt`: leases only a free member that is due at that time.
   */
  async #lease(id: string, by: string, now: number, leaseMs: number, dueAt?: number): Promise<PlanMember | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const member = await this.#read(id)
      if (member === undefined) return undefined
      if (!isFree(member, now) && (dueAt !== undefined || member.lease?.by !== by)) return undefined
      if (dueAt !== undefined && !((member.dueMs ?? Number.POSITIVE_INFINITY) <= dueAt)) return undefined
      const lease = { by, until: now + leaseMs }
      if (await this.#change(member, { $set: { lease } })) return { ...member, lease, revision: member.revision + 1 }
    }
    return undefined
  }

  async free(ids: string[], by: string, dueMs?: number): Promise<void> {
    const $set = dueMs === undefined ? undefined : { dueMs }
    await Promise.all(
      ids.map(async (id) => {
        const member = await this.#read(id)
        if (member?.lease?.by === by) await this.#change(member, defined({ $unset: { lease: '' }, $set }))
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
  }

  /**
   * Changes a member that has not changed since; false when it has. Changes that are asked for together share a write.
   */
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
