import { AppError, type Batcher, createBatcher, defined, isConflict } from '../../base/index.ts'
import {
  type Baseline,
  type DeviceId,
  type Ending,
  FINAL_STATES,
  type NewEvent,
  notFound,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type OperationState,
  type OperationStore,
  type Page,
  type Protocol,
  type Verb,
  withoutSecrets,
} from '../../domain/index.ts'
import type { SecretBox } from '../../security/index.ts'
import { type ChangeWriter, deviceWrites } from '../commit/changes.ts'
import type { CompletedChanges } from '../commit/completed-changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write, WriteSet } from '../commit/write-set.ts'
import { fromDocument } from '../mongo/convert.ts'
import { updateEach } from '../mongo/each.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { createGroupListRead, createGroupRead, type GroupRead } from '../reads/group-read.ts'
import { page } from '../reads/paging.ts'

/** Sent operations that one look goes through, those that were accepted included. */
const MAX_SENT = 10_000
/** Nothing waits for the mark of an audited end to go: many go in one write. */
const AUDITED_LINGER_MS = 100

/** A request that carries secrets, as it waits: only its verb can be read. */
interface SealedRequest {
  verb: Verb
  sealed: string
}

function isSealed(request: object): request is SealedRequest {
  return 'sealed' in request
}

function onceKey(deviceId: DeviceId, idempotencyKey: string): string {
  return `${deviceId}|${idempotencyKey}`
}

/** The operations in MongoDB. Every change of state names the state before; all go through the group commit. */
export class OperationRepository implements OperationStore {
  readonly #operations: Collection
  readonly #devices: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #changes: CompletedChanges
  readonly #box: SecretBox
  readonly #now: () => number
  readonly #byId: GroupRead
  readonly #byOnceKey: GroupRead
  readonly #audited: Batcher<string, void>
  readonly #byOpen: { list(deviceId: string): Promise<Document_[]> }

  constructor(
    connection: Connection,
    commit: GroupCommit,
    writer: ChangeWriter,
    { box, changes, now }: { box: SecretBox; changes: CompletedChanges; now: () => number },
  ) {
    this.#operations = connection.collection<Document_>('operations')
    this.#devices = connection.collection<Document_>('devices')
    this.#commit = commit
    this.#writer = writer
    this.#changes = changes
    this.#box = box
    this.#now = now
    this.#byId = createGroupRead(this.#operations)
    this.#byOnceKey = createGroupRead(this.#operations, 'onceKey')
    this.#byOpen = createGroupListRead(this.#operations, 'openOf')
    this.#audited = createBatcher<string, void>({
      maxItems: 1000,
      lingerMs: AUDITED_LINGER_MS,
      concurrency: 1,
      maxWaiting: 50_000,
      maxWaitMs: 15_000,
      flush: async (ids) => {
        const update = { $unset: { owesAudit: '' } } as const
        const statements = ids.map((_id) => ({ updateOne: { filter: { _id }, update } }))
        await this.#operations.bulkWrite(statements, { ordered: false })
        return ids.map(() => ({ ok: true, value: undefined }))
      },
    })
  }

  /**
   * An operation as a document: `openOf` is its device until it has ended, `onceKey` is its device and idempotency key
   * (indexed only where there is one), `owesAudit` there as long as its end is not in the audit log; a request with
   * secrets is sealed until the operation has ended.
   */
  #document({ id, idempotencyKey, request, ...rest }: Operation): Document_ {
    const { verb } = request
    const sealed = () => ({ verb, sealed: this.#box.seal(JSON.stringify(request), id) })
    return defined({
      _id: id,
      ...rest,
      openOf: FINAL_STATES.includes(rest.state) ? undefined : rest.deviceId,
      request: withoutSecrets(request) === request ? request : sealed(),
      onceKey: idempotencyKey === undefined ? undefined : onceKey(rest.deviceId, idempotencyKey),
    })
  }

  #operation(document: Document_): Operation {
    const { onceKey: key, ...rest } = document
    const operation = fromDocument<Operation>(rest as Document_, ['owesAudit', 'openOf'])
    const { request, id } = operation
    if (isSealed(request)) operation.request = JSON.parse(this.#box.open(request.sealed, id)) as OperationRequest
    return key === undefined
      ? operation
      : { ...operation, idempotencyKey: String(key).slice(operation.deviceId.length + 1) }
  }

  async create(operation: Operation, event?: NewEvent): Promise<{ operation: Operation; created: boolean }> {
    const work = { deviceId: operation.deviceId, set: { 'work.open': true }, countWork: true as const }
    const insert: Write = {
      collection: 'operations',
      operation: { insertOne: { document: this.#document(operation) } },
    }
    try {
      const writes = [insert, ...deviceWrites(work, this.#now())]
      await this.#commit.commit(this.#writer.withEvents(writes, event === undefined ? [] : [event]))
      return { operation, created: true }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      const earlier = await this.#earlier(operation)
      if (earlier !== undefined) return { operation: earlier, created: false }
      throw notFound('device', operation.deviceId, error)
    }
  }

  /** The operation that has the key already, or this one when its commit had landed and only the answer was lost. */
  async #earlier(operation: Operation): Promise<Operation | undefined> {
    const same = await this.#operations.findOne({ _id: operation.id })
    if (same !== null) return this.#operation(same)
    return operation.idempotencyKey === undefined ? undefined : this.byKey(operation.deviceId, operation.idempotencyKey)
  }

  async byKey(deviceId: DeviceId, idempotencyKey: string): Promise<Operation | undefined> {
    const found = await this.#byOnceKey.get(onceKey(deviceId, idempotencyKey))
    return found === undefined ? undefined : this.#operation(found)
  }

  async get(id: string): Promise<Operation | undefined> {
    const document = await this.#byId.get(id)
    return document === undefined ? undefined : this.#operation(document)
  }

  async open(deviceId: DeviceId, limit: number): Promise<Operation[]> {
    const place = (document: Document_) => Number(document.place ?? 0)
    const documents = (await this.#byOpen.list(deviceId)).sort((a, b) => place(a) - place(b))
    return documents.slice(0, limit).map((document) => this.#operation(document))
  }

  list(query: {
    deviceId?: DeviceId
    states?: OperationState[]
    limit: number
    cursor?: string
  }): Promise<Page<Operation>> {
    const { deviceId, states } = query
    const filter = defined({ deviceId, state: states === undefined ? undefined : { $in: states } })
    return page(this.#operations, filter, { field: '_id', descending: true }, query, (document) =>
      this.#operation(document),
    )
  }

  markSent(id: string, sent: { at: number; via: Protocol; instance: string; baseline?: Baseline }): Promise<boolean> {
    const { at, via, instance, baseline } = sent
    const $set = defined({ state: 'sent', sentAt: at, sentVia: via, instance, baseline })
    return this.#move(id, ['queued'], { $set, $inc: { attempts: 1 } })
  }

  requeue(id: string): Promise<boolean> {
    return this.#move(id, ['sent'], {
      $set: { state: 'queued' },
      $unset: { sentAt: '', sentVia: '', instance: '', baseline: '' },
    })
  }

  markUnknown(id: string): Promise<boolean> {
    return this.#move(id, ['sent'], { $set: { state: 'unknown' } })
  }

  async finish(id: string, from: OperationState[], ending: Ending): Promise<boolean> {
    const { at, event, change, ...fields } = ending
    const update = { $set: { ...fields, finishedAt: at }, $unset: { openOf: '' } }
    const events = event === undefined ? [] : [event]
    if (change === undefined) return this.#move(id, from, update, this.#writer.withEvents([], events))
    return this.#changes.around(change, (kept) => {
      const set = this.#writer.deviceSet({ ...kept, events: [...(kept.events ?? []), ...events] }, this.#now())
      return this.#move(id, from, update, set)
    })
  }

  audited(id: string): Promise<void> {
    return this.#audited.add(id)
  }

  async owingAudit(before: number, limit: number): Promise<Operation[]> {
    const found = await this.#operations
      .find({ owesAudit: true, finishedAt: { $lt: before } })
      .sort({ finishedAt: 1 })
      .limit(limit)
      .toArray()
    return found.map((document) => this.#operation(document))
  }

  async notePending(id: string, result: OperationResult): Promise<void> {
    await this.#move(id, ['sent', 'unknown'], { $set: { result } })
  }

  async #move(
    id: string,
    from: OperationState[],
    update: Record<string, unknown>,
    more: WriteSet = { writes: [] },
  ): Promise<boolean> {
    const state = from.length === 1 ? from[0] : { $in: from }
    const write: Write = {
      collection: 'operations',
      operation: { updateOne: { filter: { _id: id, state }, update } },
      mustMatch: 'the operation is in another state',
    }
    try {
      await this.#commit.commit({ ...more, writes: [write, ...more.writes] })
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }

  async unanswered(instance: string): Promise<{ id: string; deviceId: DeviceId }[]> {
    // The filter is one index; what is accepted and waits for its end is left out here.
    const found = await this.#operations
      .find({ instance, state: 'sent' }, { projection: { deviceId: 1, 'result.outcome': 1 } })
      .limit(MAX_SENT)
      .toArray()
    return found
      .filter(({ result }) => (result as { outcome?: unknown } | undefined)?.outcome !== 'pending')
      .slice(0, 1000)
      .map(({ _id, deviceId }) => ({ id: _id, deviceId: deviceId as DeviceId }))
  }

  async orphaned(alive: string[]): Promise<number> {
    const orphans = await this.#operations
      .find({ state: 'sent', instance: { $nin: alive } })
      .limit(1000)
      .toArray()
    for (const orphan of orphans) {
      const deviceId = orphan.deviceId as DeviceId
      await this.#move(orphan._id, ['sent'], { $set: { state: 'unknown' } })
      await this.#flag([deviceId])
    }
    return orphans.length
  }

  async expired(now: number, limit: number): Promise<Operation[]> {
    const documents = await this.#operations
      .find({ state: 'queued', expiresAt: { $lt: now } })
      .sort({ expiresAt: 1 })
      .limit(limit)
      .toArray()
    return documents.map((document) => this.#operation(document))
  }

  async repairWorkFlags(): Promise<number> {
    const deviceIds = (await this.#operations.distinct('deviceId', {
      state: { $in: ['queued', 'unknown'] },
    })) as DeviceId[]
    return this.#flag(deviceIds)
  }

  async #flag(deviceIds: DeviceId[]): Promise<number> {
    if (deviceIds.length === 0) return 0
    return updateEach(
      this.#devices,
      { _id: { $in: deviceIds }, 'work.open': false },
      { $set: { 'work.open': true }, $inc: { 'work.seq': 1 as never } },
      ['work.seq'],
    )
  }
}
