import { AppError } from '../base/index.ts'
import type {
  Conflict,
  ConflictStore,
  CredentialStore,
  CwmpCredential,
  CwmpLogin,
  DeviceChange,
  DeviceId,
  EndpointId,
  EventLog,
  FeedEvent,
  Group,
  GroupStore,
  InstanceStore,
  MembersChange,
  NewEvent,
  Page,
} from '../domain/index.ts'
import type { ApiKey, ApiKeyStore, SecretBox } from '../security/index.ts'
import { type ChangeWriter, deviceWrites } from './changes.ts'
import { fromDocument, toDocument } from './convert.ts'
import type { GroupCommit } from './group-commit.ts'
import { createGroupRead, type GroupRead } from './group-read.ts'
import type { Collection, Connection, Document_ } from './mongoose.ts'
import { newestById } from './newest.ts'
import { page } from './paging.ts'
import { putRevised } from './revised.ts'
import type { Write } from './write-set.ts'

/** Groups; static membership stands on the devices. */
export class GroupRepository implements GroupStore {
  readonly #groups: Collection
  readonly #devices: Collection

  constructor(connection: Connection) {
    this.#groups = connection.collection<Document_>('groups')
    this.#devices = connection.collection<Document_>('devices')
  }

  put(group: Group, expectedRevision?: number): Promise<void> {
    return putRevised(this.#groups, group, expectedRevision)
  }

  async get(id: string): Promise<Group | undefined> {
    const document = await this.#groups.findOne({ _id: id })
    return document === null ? undefined : fromDocument<Group>(document)
  }

  list(limit: number, cursor?: string): Promise<Page<Group>> {
    return page(this.#groups, {}, { field: '_id', descending: false }, { limit, cursor }, (document) =>
      fromDocument<Group>(document),
    )
  }

  async delete(id: string): Promise<boolean> {
    // Members first: cut off in between, the group is still there to be deleted again.
    await this.#devices.updateMany({ groups: id }, { $pull: { groups: id as never }, $inc: { revision: 1 as never } })
    const { deletedCount } = await this.#groups.deleteOne({ _id: id })
    return deletedCount > 0
  }

  async withSelector(limit: number): Promise<Group[]> {
    const found = this.#groups
      .find({ selector: { $exists: true } })
      .sort({ _id: 1 })
      .limit(limit)
    return (await found.toArray()).map((document) => fromDocument<Group>(document))
  }

  async changeMembers(groupId: string, add: DeviceId[], remove: DeviceId[]): Promise<MembersChange> {
    const named = [...new Set([...add, ...remove])]
    const known = new Set<string>()
    const found = this.#devices.find({ _id: { $in: named } }, { projection: { _id: 1 } })
    for await (const { _id } of found) known.add(_id)
    let changed = 0
    if (add.length > 0) {
      const { modifiedCount } = await this.#devices.updateMany(
        { _id: { $in: add }, groups: { $ne: groupId } },
        { $push: { groups: groupId as never }, $inc: { revision: 1 as never } },
      )
      changed += modifiedCount
    }
    if (remove.length > 0) {
      const { modifiedCount } = await this.#devices.updateMany(
        { _id: { $in: remove }, groups: groupId },
        { $pull: { groups: groupId as never }, $inc: { revision: 1 as never } },
      )
      changed += modifiedCount
    }
    return { changed, unknown: named.filter((id) => !known.has(id)) }
  }
}

/** The event feed, read side; what is appended goes through commits. */
export class EventRepository implements EventLog {
  readonly #events: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #listeners: Set<(events: FeedEvent[]) => void>
  readonly #now: () => number

  constructor(
    connection: Connection,
    commit: GroupCommit,
    writer: ChangeWriter,
    listeners: Set<(events: FeedEvent[]) => void>,
    now: () => number,
  ) {
    this.#now = now
    this.#events = connection.collection<Document_>('events')
    this.#commit = commit
    this.#writer = writer
    this.#listeners = listeners
  }

  append(events: NewEvent[]): Promise<void> {
    return this.#commit.commit(this.#writer.withEvents([], events))
  }

  async since(id: string | undefined, limit: number): Promise<FeedEvent[]> {
    const toEvent = (document: Document_) => fromDocument<FeedEvent>(document)
    if (id === undefined) return (await newestById(this.#events, limit, this.#now())).map(toEvent).reverse()
    return (
      await this.#events
        .find({ _id: { $gt: id } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray()
    ).map(toEvent)
  }

  async ofDevice(deviceId: DeviceId, after: string | undefined, limit: number): Promise<FeedEvent[]> {
    const toEvent = (document: Document_) => fromDocument<FeedEvent>(document)
    if (after === undefined) {
      const newest = this.#events.find({ deviceId }).sort({ _id: -1 }).limit(limit)
      return (await newest.toArray()).map(toEvent).reverse()
    }
    const found = this.#events
      .find({ deviceId, _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
    return (await found.toArray()).map(toEvent)
  }

  onAppended(listener: (events: FeedEvent[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

const LOGINS = ['current', 'pending', 'connectionRequest'] as const
const LOGIN_LISTS = ['earlier', 'replaced'] as const

/** CWMP credentials, their secrets sealed under the server's key and bound to the device. */
export class CredentialRepository implements CredentialStore {
  readonly #credentials: Collection
  readonly #byId: GroupRead
  readonly #box: SecretBox

  constructor(connection: Connection, box: SecretBox) {
    this.#credentials = connection.collection<Document_>('credentials')
    // Boxes come once an hour: nearly every session reads the credential anew, so these reads are grouped like those of the records.
    this.#byId = createGroupRead(this.#credentials)
    this.#box = box
  }

  async get(deviceId: DeviceId): Promise<CwmpCredential | undefined> {
    const document = await this.#byId.get(deviceId)
    if (document === undefined) return undefined
    const opened = (login: CwmpLogin) => ({ ...login, password: this.#box.open(login.password, deviceId) })
    const credential: CwmpCredential = { deviceId, updatedAt: Number(document.updatedAt) }
    if (document.delivered === true) credential.delivered = true
    if (typeof document.unused === 'number') credential.unused = document.unused
    for (const part of LOGINS) {
      const login = document[part] as CwmpLogin | undefined
      if (login !== undefined) credential[part] = opened(login)
    }
    for (const part of LOGIN_LISTS) {
      const logins = document[part] as CwmpLogin[] | undefined
      if (logins !== undefined) credential[part] = logins.map(opened)
    }
    return credential
  }

  async put(credential: CwmpCredential): Promise<void> {
    const { deviceId } = credential
    const sealed = (login: CwmpLogin) => ({ ...login, password: this.#box.seal(login.password, deviceId) })
    const fields: Record<string, unknown> = { updatedAt: credential.updatedAt }
    if (credential.delivered === true) fields.delivered = true
    if (credential.unused !== undefined) fields.unused = credential.unused
    for (const part of LOGINS) {
      const login = credential[part]
      if (login !== undefined) fields[part] = sealed(login)
    }
    for (const part of LOGIN_LISTS) {
      const logins = credential[part]
      if (logins !== undefined) fields[part] = logins.map(sealed)
    }
    await this.#credentials.replaceOne({ _id: deviceId }, fields, { upsert: true })
  }

  async delete(deviceId: DeviceId): Promise<void> {
    await this.#credentials.deleteOne({ _id: deviceId })
  }
}

const toConflict = (document: Document_) => fromDocument<Conflict>(document, ['open', 'openEndpointId'])

/** Contradictions that wait for a person. The id is made of what contradicts, so the same one is not opened twice. */
export class ConflictRepository implements ConflictStore {
  readonly #conflicts: Collection
  readonly #byOpenEndpoint: GroupRead
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #now: () => number

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter, now: () => number) {
    this.#conflicts = connection.collection<Document_>('conflicts')
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

  /** Commits both together; the claim may name a device that was never seen, and the Conflict stands by itself then. */
  async #withDevice(writes: Write[], change: DeviceChange, event: NewEvent): Promise<void> {
    try {
      await this.#commit.commit(this.#writer.withEvents([...writes, ...deviceWrites(change, this.#now())], [event]))
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      await this.#commit.commit(this.#writer.withEvents(writes, [event]))
    }
  }

  async get(id: string): Promise<Conflict | undefined> {
    const document = await this.#conflicts.findOne({ _id: id })
    return document === null ? undefined : toConflict(document)
  }

  list(query: { open?: boolean; limit: number; cursor?: string }): Promise<Page<Conflict>> {
    const filter = query.open === undefined ? {} : { open: query.open }
    return page(this.#conflicts, filter, { field: '_id', descending: true }, query, toConflict)
  }

  async resolve(id: string, resolution: 'bound' | 'dismissed', by: string, at: number): Promise<boolean> {
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
      mustMatch: 'the conflict was decided already',
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
      if (error instanceof AppError && error.code === 'conflict') return false
      throw error
    }
  }
}

/** API keys by id; the hash is all that is kept of a secret. */
export class ApiKeyRepository implements ApiKeyStore {
  readonly #keys: Collection

  constructor(connection: Connection) {
    this.#keys = connection.collection<Document_>('apiKeys')
  }

  async put(key: ApiKey): Promise<void> {
    const { _id, ...rest } = toDocument(key)
    await this.#keys.replaceOne({ _id }, rest, { upsert: true })
  }

  async get(id: string): Promise<ApiKey | undefined> {
    const document = await this.#keys.findOne({ _id: id })
    return document === null ? undefined : fromDocument<ApiKey>(document)
  }

  list(query: { limit: number; cursor?: string }): Promise<Page<ApiKey>> {
    return page(this.#keys, {}, { field: '_id', descending: false }, query, (document) =>
      fromDocument<ApiKey>(document),
    )
  }

  async hasOtherWriter(id: string): Promise<boolean> {
    const found = await this.#keys.findOne({ scope: 'write', revokedAt: { $exists: false }, _id: { $ne: id } })
    return found !== null
  }

  count(): Promise<number> {
    return this.#keys.countDocuments({})
  }
}

/** Live server instances: each writes its heartbeat; who is late is gone. */
export class InstanceRepository implements InstanceStore {
  readonly #instances: Collection
  readonly #settings: Collection

  constructor(connection: Connection) {
    this.#instances = connection.collection<Document_>('instances')
    this.#settings = connection.collection<Document_>('settings')
  }

  async raise(ms: number, at: number): Promise<{ ms: number; at?: number }> {
    const before = await this.#settings.findOneAndUpdate(
      { _id: 'serviceTime' },
      { $max: { ms }, $set: { at } },
      { upsert: true, returnDocument: 'before' },
    )
    if (before === null) return { ms }
    return { ms: Math.max(ms, Number(before.ms ?? 0)), ...(typeof before.at === 'number' ? { at: before.at } : {}) }
  }

  async beat(instance: string, now: number, ttlMs: number): Promise<void> {
    await this.#instances.updateOne({ _id: instance }, { $set: { until: now + ttlMs } }, { upsert: true })
  }

  async alive(now: number): Promise<string[]> {
    await this.#instances.deleteMany({ until: { $lt: now - 86_400_000 } })
    return (await this.#instances.find({ until: { $gte: now } }).toArray()).map((document) => document._id)
  }

  async leave(instance: string): Promise<void> {
    await this.#instances.deleteOne({ _id: instance })
  }

  async alone(instance: string): Promise<void> {
    await this.#instances.deleteMany({ _id: { $ne: instance } })
  }
}
