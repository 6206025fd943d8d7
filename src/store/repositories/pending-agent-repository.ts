import { AppError, defined } from '../../base/index.ts'
import {
  type EndpointId,
  type NewEvent,
  notFound,
  type Page,
  type PendingAgent,
  type PendingAgentStore,
  type PendingSighting,
  pendingAgentId,
  REFUSAL_TEXTS,
  type RefusalCode,
} from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument } from '../mongo/convert.ts'
import { deleteEach } from '../mongo/each.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

/** Entries that are kept, and of them those that may be blocked. */
const MAX_PENDING = 10_000
const MAX_BLOCKED = 5000
/** So many notes pass between two looks at how many there are. */
const TRIM_EVERY = 200

/** Those that have the field. */
const BLOCKED = { blockedAt: { $gt: 0 } }

const toAgent = (document: Document_) => fromDocument<PendingAgent>(document)

/** Agents that were refused, by a hash of their Endpoint ID. */
export class PendingAgentRepository implements PendingAgentStore {
  readonly #pending: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  #notes = 0

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter) {
    this.#pending = connection.collection<Document_>('pendingAgents')
    this.#commit = commit
    this.#writer = writer
  }

  async note({ endpointId, count, at, ...seen }: PendingSighting, event?: NewEvent): Promise<void> {
    const update: Record<string, unknown> = {
      $set: { ...seen, lastSeenAt: at },
      $setOnInsert: { endpointId, firstSeenAt: at },
      $inc: { count },
    }
    const upsert: Write = {
      collection: 'pendingAgents',
      operation: { updateOne: { filter: { _id: pendingAgentId(endpointId) }, update, upsert: true } },
    }
    await this.#commit.commit(this.#writer.withEvents([upsert], event === undefined ? [] : [event]))
    if (this.#notes++ % TRIM_EVERY === 0) await this.#trim()
  }

  async get(id: string): Promise<PendingAgent | undefined> {
    const document = await this.#pending.findOne({ _id: id })
    return document === null ? undefined : toAgent(document)
  }

  list(query: { reason?: RefusalCode; limit: number; cursor?: string }): Promise<Page<PendingAgent>> {
    return page(
      this.#pending,
      defined({ reason: query.reason }),
      { field: 'firstSeenAt', descending: true },
      query,
      toAgent,
    )
  }

  async block(id: string, by: string, at: number): Promise<void> {
    const agent = await this.get(id)
    if (agent === undefined) throw notFound('pending Agent', id)
    if (agent.blockedAt !== undefined) return
    if ((await this.#pending.countDocuments(BLOCKED)) >= MAX_BLOCKED)
      throw new AppError('conflict', `${MAX_BLOCKED} Agents are blocked: delete one of them first`)
    const { endpointId } = agent
    const change: Write = {
      collection: 'pendingAgents',
      operation: {
        updateOne: {
          filter: { _id: id },
          update: { $set: { blockedAt: at, blockedBy: by, reason: 'blocked', text: REFUSAL_TEXTS.blocked } },
        },
      },
      mustMatch: 'the pending Agent is gone',
    }
    await this.#commit.commit(
      this.#writer.withEvents([change], [{ type: 'agent.blocked', at, protocol: 'usp', data: { endpointId, by } }]),
    )
  }

  async delete(id: string, by: string, at: number): Promise<boolean> {
    const agent = await this.get(id)
    if (agent === undefined) return false
    const { endpointId, blockedAt } = agent
    const remove: Write = { collection: 'pendingAgents', operation: { deleteOne: { filter: { _id: id } } } }
    const unblocked: NewEvent = { type: 'agent.unblocked', at, protocol: 'usp', data: { endpointId, by } }
    await this.#commit.commit(this.#writer.withEvents([remove], blockedAt === undefined ? [] : [unblocked]))
    return true
  }

  async endpointIds(which: 'all' | 'blocked'): Promise<EndpointId[]> {
    const found = await this.#pending.find(which === 'all' ? {} : BLOCKED, { projection: { endpointId: 1 } }).toArray()
    // Only Endpoint IDs are put there.
    return found.map(({ endpointId }) => String(endpointId) as EndpointId)
  }

  /** Deletes the entries that were not seen for longest when there are too many. */
  async #trim(): Promise<void> {
    const extra = (await this.#pending.countDocuments({})) - MAX_PENDING
    if (extra <= 0) return
    const oldest = await this.#pending
      .find({ blockedAt: null }, { projection: { _id: 1 } })
      .sort({ lastSeenAt: 1 })
      .limit(extra)
      .toArray()
    await deleteEach(this.#pending, { _id: { $in: oldest.map(({ _id }) => _id) } })
  }
}
