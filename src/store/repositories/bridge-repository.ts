import { defined, retryOnConflict } from '../../base/index.ts'
import type {
  Bridge,
  BridgeRouter,
  BridgeStore,
  NewEvent,
  Page,
  RouterChanges,
  RouterQuery,
  RouterState,
} from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import { deleteEach } from '../mongo/each.ts'
import type { Collection, Connection, Document_, Filter, UpdateFilter } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

const BY_ID = { field: '_id', descending: false }
const MOVED_ON = 'the object has changed since it was read; read it again'
/** Attempts to store a report beside deletions of routers. */
const REPORT_ATTEMPTS = 5
/** Routers with one serial number that are read. */
const MAX_SAME_SERIAL = 20

const toBridge = (document: Document_) => fromDocument<Bridge>(document)
const toRouter = (document: Document_) => fromDocument<BridgeRouter>(document)

/** Bridges and their routers. */
export class BridgeRepository implements BridgeStore {
  readonly #bridges: Collection
  readonly #routers: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter
  readonly #listeners = new Set<(serials: readonly string[]) => void>()

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter) {
    this.#bridges = connection.collection<Document_>('bridges')
    this.#routers = connection.collection<Document_>('bridgeRouters')
    this.#commit = commit
    this.#writer = writer
  }

  async put(bridge: Bridge, events: readonly NewEvent[], expectedRevision?: number): Promise<void> {
    const write: Write =
      expectedRevision === undefined
        ? { collection: 'bridges', operation: { insertOne: { document: toDocument(bridge) } } }
        : {
            collection: 'bridges',
            operation: {
              updateOne: { filter: { _id: bridge.id, revision: expectedRevision }, update: decidedParts(bridge) },
            },
            mustMatch: MOVED_ON,
          }
    await this.#commit.commit(this.#writer.withEvents([write], [...events]))
  }

  async get(id: string): Promise<Bridge | undefined> {
    const document = await this.#bridges.findOne({ _id: id })
    return document === null ? undefined : toBridge(document)
  }

  list(query: { limit: number; cursor?: string }): Promise<Page<Bridge>> {
    return page(this.#bridges, {}, BY_ID, query, toBridge)
  }

  count(limit: number): Promise<number> {
    return this.#bridges.countDocuments({}, { limit })
  }

  async seen(id: string, seen: Parameters<BridgeStore['seen']>[1]): Promise<void> {
    await this.#bridges.updateOne({ _id: id }, { $set: defined({ ...seen }) })
  }

  async delete(id: string, events: readonly NewEvent[]): Promise<boolean> {
    // Routers first: cut off in between, the bridge is still there to be deleted again.
    const serials = await this.#serials({ bridgeId: id })
    await deleteEach(this.#routers, { bridgeId: id })
    this.#changed(serials)
    if ((await this.get(id)) === undefined) return false
    const remove: Write = { collection: 'bridges', operation: { deleteOne: { filter: { _id: id } } } }
    await this.#commit.commit(this.#writer.withEvents([remove], [...events]))
    return true
  }

  async router(bridgeId: string, id: string): Promise<BridgeRouter | undefined> {
    const document = await this.#routers.findOne({ _id: id })
    return document === null || document.bridgeId !== bridgeId ? undefined : toRouter(document)
  }

  async routersAt(bridgeId: string, places: readonly string[]): Promise<BridgeRouter[]> {
    return (await this.#routers.find({ bridgeId, place: { $in: [...places] } }).toArray()).map(toRouter)
  }

  routers({ bridgeId, reachable, tag, ...query }: RouterQuery): Promise<Page<BridgeRouter>> {
    const filter = defined({ bridgeId, 'state.reachable': reachable, tags: tag }) as Filter
    return page(this.#routers, filter, BY_ID, query, toRouter)
  }

  async routersAfter(bridgeId: string, limit: number, after = ''): Promise<{ items: BridgeRouter[]; next: boolean }> {
    const found = await this.#routers
      .find({ bridgeId, _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit + 1)
      .toArray()
    return { items: found.slice(0, limit).map(toRouter), next: found.length > limit }
  }

  countRouters(bridgeId: string, limit: number): Promise<number> {
    return this.#routers.countDocuments({ bridgeId }, { limit })
  }

  async routersOfEndpoints(endpointIds: readonly string[]): Promise<BridgeRouter[]> {
    const found = this.#routers.find({ 'state.identity.endpointId': { $in: [...endpointIds] } })
    return (await found.toArray()).map(toRouter)
  }

  async routersOfSerial(serial: string): Promise<BridgeRouter[]> {
    const found = this.#routers.find({ 'state.identity.serial': serial }).sort({ _id: 1 }).limit(MAX_SAME_SERIAL)
    return (await found.toArray()).map(toRouter)
  }

  onRouters(listener: (serials: readonly string[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #changed(serials: readonly string[]): void {
    if (serials.length > 0) for (const listener of this.#listeners) listener(serials)
  }

  async #serials(filter: Filter): Promise<string[]> {
    const known = { ...filter, 'state.identity.serial': { $exists: true } } as Filter
    const found = await this.#routers.find(known, { projection: { 'state.identity.serial': 1 } }).toArray()
    return found.map((document) => (document as unknown as BridgeRouter).state?.identity?.serial ?? '')
  }

  async changeRouters(bridgeId: string, { add, replace, remove }: RouterChanges): Promise<void> {
    const writes: Write[] = [
      ...remove.map(
        (id): Write => ({ collection: 'bridgeRouters', operation: { deleteOne: { filter: { _id: id } } } }),
      ),
      ...replace.map((router): Write => {
        const filter = { _id: router.id, bridgeId, revision: router.revision - 1 }
        const operation = { updateOne: { filter, update: decidedRow(router) } }
        return { collection: 'bridgeRouters', operation, mustMatch: MOVED_ON }
      }),
      ...add.map(
        (router): Write => ({
          collection: 'bridgeRouters',
          operation: { insertOne: { document: toDocument(router) } },
        }),
      ),
    ]
    if (writes.length === 0) return
    const serials = remove.length === 0 ? [] : await this.#serials({ bridgeId, _id: { $in: [...remove] } })
    const counted = { filter: { _id: bridgeId }, update: { $inc: { routersVersion: 1 as never } } }
    writes.push({ collection: 'bridges', operation: { updateOne: counted }, mustMatch: `bridge ${bridgeId} is gone` })
    await this.#commit.commit({ writes })
    this.#changed([...serials, ...replace.flatMap(({ state }) => state?.identity?.serial ?? [])])
  }

  report(bridgeId: string, states: ReadonlyMap<string, RouterState>, events: readonly NewEvent[]): Promise<void> {
    // A router that is deleted between the read and the write makes the whole set fail: then it is left out.
    return retryOnConflict(() => this.#report(bridgeId, states, events), { attempts: REPORT_ATTEMPTS })
  }

  async #report(
    bridgeId: string,
    states: ReadonlyMap<string, RouterState>,
    events: readonly NewEvent[],
  ): Promise<void> {
    const found = this.#routers.find({ _id: { $in: [...states.keys()] } }, { projection: { bridgeId: 1 } })
    const known = (await found.toArray()).filter((document) => document.bridgeId === bridgeId)
    const writes = known.map(({ _id }): Write => {
      const update = { $set: { state: states.get(_id) as never } }
      const mustMatch = `router ${_id} is gone`
      return { collection: 'bridgeRouters', operation: { updateOne: { filter: { _id }, update } }, mustMatch }
    })
    if (writes.length === 0) return
    const about = new Set(known.map(({ _id }) => _id))
    const kept = events.filter(({ data }) => about.has(String(data.routerId)))
    await this.#commit.commit(this.#writer.withEvents(writes, kept))
    this.#changed(known.flatMap(({ _id }) => states.get(_id)?.identity?.serial ?? []))
  }
}

/** The parts of a bridge that are decided; those that are noted or counted stay as they are stored. */
function decidedParts({ name, description, revision, updatedAt, enrolment, keys }: Bridge): UpdateFilter {
  return setOrUnset({ name, revision, updatedAt }, { description, enrolment, keys })
}

function decidedRow(router: BridgeRouter): UpdateFilter {
  const { id: _id, bridgeId: _bridge, createdAt: _created, state: _state, ...decided } = router
  const { port, fingerprint, snmpPort, ...rest } = decided
  return setOrUnset(rest, { port, fingerprint, snmpPort })
}

function setOrUnset(set: Record<string, unknown>, optional: Record<string, unknown>): UpdateFilter {
  const absent = Object.keys(optional).filter((name) => optional[name] === undefined)
  const $set = { ...set, ...defined(optional) }
  const update = absent.length === 0 ? { $set } : { $set, $unset: Object.fromEntries(absent.map((name) => [name, ''])) }
  return update as UpdateFilter
}
