import { defined } from '../../base/index.ts'
import {
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceQuery,
  type DeviceSortField,
  type DeviceStore,
  type DisconnectReason,
  type EndpointId,
  fulfils,
  type LinkedDevice,
  type Page,
  type Selector,
  type Timestamp,
  withWholeCwmp,
} from '../../domain/index.ts'
import { type ChangeWriter, FACTS_MOVED, factMark } from '../commit/changes.ts'
import type { CompletedChanges } from '../commit/completed-changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import { fromDocument } from '../mongo/convert.ts'
import { deleteEach, updateEach } from '../mongo/each.ts'
import { isTransient, isUnreachable } from '../mongo/failure.ts'
import { both, filterOf } from '../mongo/filter.ts'
import { updateAndReadLean } from '../mongo/lean-commands.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { inBatches } from '../reads/batches.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'
import { type Explained, explainPage, MOVED_AT, type Order, page } from '../reads/paging.ts'

/** Contacts that are stored one by one at once: where more come together, they share their commands. */
const FEW_CONTACTS = 2
const SORT_FIELDS: Record<string, string> = { id: '_id', softwareVersion: 'softwareVersionKey' }
/** Orders whose fields do not move, or only forward in time; a device that was deleted and connects again is a new one. */
const MOVES: Partial<Readonly<Record<DeviceSortField, Order['moves']>>> = {
  id: undefined,
  createdAt: 'forward',
  'cwmp.lastInformAt': 'forward',
  'usp.lastSeenAt': 'forward',
}
const toDevice = (document: Document_) => withWholeCwmp(fromDocument<Device>(document, [MOVED_AT, FACTS_MOVED]))

function orderOf({ sort = { field: 'id', descending: false } }: DeviceQuery): Order {
  const { field, descending } = sort
  const moves = Object.hasOwn(MOVES, field) ? MOVES[field] : 'anywhere'
  return defined({ field: SORT_FIELDS[field] ?? field, descending, moves, movedAt: factMark(field) })
}

/** The device records in MongoDB. */
export class DeviceRepository implements DeviceStore {
  readonly #devices: Collection
  readonly #parameters: Collection
  readonly #largeValues: Collection
  readonly #instanceMaps: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #changes: CompletedChanges
  readonly #byId: GroupRead
  readonly #byEndpoint: GroupRead
  readonly #now: () => number
  readonly #wide: boolean
  /** Contacts that are stored one by one at this moment. */
  #contacts = 0

  constructor(
    connection: Connection,
    commit: GroupCommit,
    writer: ChangeWriter,
    { changes, now, wide }: { changes: CompletedChanges; now: () => number; wide: boolean },
  ) {
    this.#devices = connection.collection<Document_>('devices')
    this.#parameters = connection.collection<Document_>('parameters')
    this.#largeValues = connection.collection<Document_>('largeValues')
    this.#instanceMaps = connection.collection<Document_>('instanceMaps')
    this.#commit = commit
    this.#writer = writer
    this.#changes = changes
    this.#now = now
    this.#wide = wide
    this.#byId = createGroupRead(this.#devices)
    this.#byEndpoint = createGroupRead(this.#devices, 'binding.endpointId')
  }

  async get(id: DeviceId, { canWait = false } = {}): Promise<Device | undefined> {
    const document = await this.#byId.get(id, canWait)
    return document === undefined ? undefined : toDevice(document)
  }

  async findByEndpoint(endpointId: EndpointId): Promise<Device | undefined> {
    const document = await this.#byEndpoint.get(endpointId)
    return document === undefined ? undefined : toDevice(document)
  }

  commit(change: DeviceChange): Promise<void> {
    return this.#changes.around(change, (kept) => this.#commit.commit(this.#writer.deviceSet(kept, this.#now())))
  }

  async contacted(id: DeviceId, at: Timestamp): Promise<Device | undefined> {
    if (this.#contacts >= FEW_CONTACTS || this.#byId.isBusy || this.#commit.isBusy) return undefined
    const { writes, onCommitted } = this.#writer.deviceSet(
      { deviceId: id, set: { 'cwmp.lastInformAt': at } },
      this.#now(),
    )
    const [write] = writes
    if (write === undefined) return undefined
    this.#contacts++
    try {
      const document = await updateAndReadLean(this.#devices, write.operation)
      if (document === undefined || document === null) return undefined
      onCommitted?.()
      return toDevice(document)
    } catch (error) {
      // The commit that follows stores the time once more, and perseveres.
      if (isTransient(error) && !isUnreachable(error)) return undefined
      throw error
    } finally {
      this.#contacts--
    }
  }

  async list(query: DeviceQuery): Promise<Page<Device>> {
    const { selector } = query
    const filter = filterOf(selector, this.#wide)
    const found = await page(this.#devices, filter, orderOf(query), { ...query, now: this.#now() }, toDevice)
    if (!this.#wide || selector === undefined) return found
    return { ...found, items: found.items.filter((device) => fulfils(device, selector)) }
  }

  /** Returns the plan by which the database answers that list, for benchmarks. */
  explain(query: DeviceQuery): Promise<Explained> {
    return explainPage(this.#devices, filterOf(query.selector, this.#wide), orderOf(query), query)
  }

  ids(selector: Selector | undefined, batchSize: number, from = ''): AsyncIterable<DeviceId[]> {
    const filter = from === '' ? filterOf(selector) : both(filterOf(selector), { _id: { $gt: from } })
    const found = this.#devices.find(filter, { projection: { _id: 1 }, batchSize }).sort({ _id: 1 })
    // Ids in the collection were made by deviceIdOf.
    return inBatches(found, batchSize, ({ _id }) => _id as DeviceId)
  }

  count(selector: Selector | undefined, limit: number): Promise<number> {
    // Counting them all one by one takes seconds where they are many.
    if (selector === undefined) return this.#devices.estimatedDocumentCount().then((count) => Math.min(count, limit))
    return this.#devices.countDocuments(filterOf(selector), { limit })
  }

  /**
   * Deletes the tree, the record, and the tree again. The record is deleted after the tree, so that a deletion that was
   * cut short can be repeated; the second pass deletes what was written during the first.
   */
  async delete(id: DeviceId): Promise<boolean> {
    await this.#deleteTree(id)
    const { deletedCount } = await this.#devices.deleteOne({ _id: id })
    await this.#deleteTree(id)
    return deletedCount > 0
  }

  async #deleteTree(deviceId: DeviceId): Promise<void> {
    await deleteEach(this.#parameters, { deviceId })
    await deleteEach(this.#largeValues, { deviceId })
    await this.#instanceMaps.deleteOne({ _id: deviceId })
  }

  async unlinkAll(instance: string | undefined, alive: string[], at: number): Promise<number> {
    const holder = instance === undefined ? { $nin: alive } : instance
    const reason: DisconnectReason = instance === undefined ? 'serverDied' : 'goingAway'
    const $set = {
      'usp.linked': false,
      'usp.answering': false,
      'usp.disconnectedAt': at,
      'usp.lastDisconnect': { at, reason },
      updatedAt: at,
    }
    // An Agent that has connected anew meanwhile keeps its link.
    return updateEach(this.#devices, { 'usp.linked': true, 'usp.instance': holder }, { $set }, ['usp.connectedAt'])
  }

  async withOpenWork(ids: DeviceId[]): Promise<DeviceId[]> {
    if (ids.length === 0) return []
    // The flag is no part of the filter: SecantusDB has no index for both.
    const found = this.#devices.find(
      { _id: { $in: ids } },
      { projection: { 'work.open': 1 }, batchSize: ids.length + 1 },
    )
    const documents = await found.toArray()
    return documents.flatMap((document) => (toDevice(document).work?.open === true ? (document._id as DeviceId) : []))
  }

  linkedTo(instance: string, batchSize: number): AsyncIterable<LinkedDevice[]> {
    const filter = { 'usp.linked': true, 'usp.instance': instance }
    const found = this.#devices.find(filter, { projection: { 'usp.connectedAt': 1 }, batchSize })
    return inBatches(found, batchSize, (document) => {
      const { connectedAt = 0 } = toDevice(document).usp ?? {}
      return { id: document._id as DeviceId, connectedAt }
    })
  }
}
