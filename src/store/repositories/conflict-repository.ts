import { defined, isConflict } from '../../base/index.ts'
import type {
  Conflict,
  ConflictStore,
  DeviceChange,
  EndpointId,
  NewEvent,
  Page,
  Resolution,
} from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import { deviceWrites } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import type { GroupRead } from '../reads/group-read.ts'
import { createGroupRead } from '../reads/group-read.ts'
import { page } from '../reads/paging.ts'

const toConflict = (document: Document_) => fromDocument<Conflict>(document, ['open', 'openEndpointId'])

/** Contradictions that wait for a person. The id is made of what contradicts, so the same one is not opened twice. */
export class ConflictRepository implements ConflictStore {
  readonly #conflicts: Collection
  readonly #devices: Collection
  readonly #byOpenEndpoint: GroupRead
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #now: () => number

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter, now: () => number) {
    this.#conflicts = connection.collection<Document_>('conflicts')
    this.#devices = connection.collection<Document_>('devices')
    // Asked for each Agent that arrives without a proof.
    this.#byOpenEndpoint = createGroupRead(this.#conflicts, 'openEndpointId')
    this.#commit = commit
    this.#writer = writer
    this.#now = now
  }

  async open(conflict: Conflict, event: NewEvent): Promise<Conflict> {
    const { deviceId, kind, endpointId } = conflict
    const present = await this.#conflicts.findOne({ deviceId, kind, endpointId, open: true })
    if (present !== null) return toConflict(present)
    const insert: Write = {
      collection: 'conflicts',
      operation: { insertOne: { document: { ...toDocument(conflict), open: true, openEndpointId: endpointId } } },
    }
    await this.#withDevice([insert], { deviceId, set: { conflict: conflict.id }, newRevision: true }, event)
    return conflict
  }

  async isContested(endpointId: EndpointId): Promise<boolean> {
    return (await this.#byOpenEndpoint.get(endpointId)) !== undefined
  }

  /**
   * Commits both together. The claim may name a device without a record: the Conflict is committed alone then. The
   * record is looked for first, because without transactions a refused change of the device leaves the Conflict
   * written.
   */
  async #withDevice(writes: Write[], change: DeviceChange, event: NewEvent): Promise<void> {
    const isKnown = (await this.#devices.countDocuments({ _id: change.deviceId }, { limit: 1 })) > 0
    const both = isKnown ? [...writes, ...deviceWrites(change, this.#now())] : writes
    try {
      await this.#commit.commit(this.#writer.withEvents(both, [event]))
    } catch (error) {
      if (!isKnown || !isConflict(error)) throw error
      // The device was deleted meanwhile.
      await this.#commit.commit(this.#writer.withEvents(writes, [event]))
    }
  }

  async get(id: string): Promise<Conflict | undefined> {
    const document = await this.#conflicts.findOne({ _id: id })
    return document === null ? undefined : toConflict(document)
  }

  list(query: { open?: boolean; limit: number; cursor?: string }): Promise<Page<Conflict>> {
    return page(this.#conflicts, defined({ open: query.open }), { field: '_id', descending: true }, query, toConflict)
  }

  async resolve(id: string, resolution: Resolution, by: string, at: number): Promise<boolean> {
    const document = await this.#conflicts.findOne({ _id: id, open: true })
    if (document === null) return false
    const { deviceId } = toConflict(document)
    const other = await this.#conflicts.findOne({ deviceId, open: true, _id: { $ne: id } })
    const close: Write = {
      collection: 'conflicts',
      operation: {
        updateOne: {
          filter: { _id: id, open: true },
          update: {
            $set: { open: false, resolution, resolvedBy: by, resolvedAt: at },
            $unset: { openEndpointId: '' },
          },
        },
      },
      mustMatch: 'the conflict is resolved already',
    }
    const change: DeviceChange =
      other === null
        ? { deviceId, unset: ['conflict'], newRevision: true }
        : { deviceId, set: { conflict: other._id }, newRevision: true }
    const event: NewEvent = { type: 'device.conflictResolved', at, deviceId, data: { conflict: id, resolution, by } }
    try {
      await this.#withDevice([close], change, event)
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }
}
