import { createKeyedQueue } from '../../base/index.ts'
import { objectOf } from '../../datamodel/index.ts'
import {
  bearsOnDerived,
  type Device,
  type DeviceChange,
  type DeviceId,
  type FactGroup,
  factsOfChange,
  factsOfTree,
  objectsTouched,
  type ParameterWrite,
  placesOf,
  type Reading,
  withDerivedFields,
  withWholeCwmp,
} from '../../domain/index.ts'
import { fromDocument } from '../mongo/convert.ts'
import { type Collection, type Connection, type Document_, decodedOnce } from '../mongo/mongoose.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'
import { isLarge, subtreeFilter } from './parameter-writes.ts'

/** Objects of one table that are read for its facts. */
const MAX_OBJECTS = 1000
/** Objects of one device whose paths are read: as many as a tree may have parameters. */
const MAX_NAMES = 40_000
/** The root of all parameters that facts are derived from. */
const ROOT = 'Device.'
/** Objects of a change that are looked at before its facts are derived; a larger one is a reading of its own. */
const MAX_TOUCHED = 100

/**
 * Adds to changes the fields of the record that follow from their parameters and other fields. A change that bears on
 * none costs nothing; a report of the source of a fact needs the record, and only one that may change which parameters
 * count reads parameters. Such changes of one device are made one after the other in this process.
 */
export class DerivedFields {
  readonly #devices: GroupRead
  readonly #parameters: Collection
  readonly #objects: GroupRead
  readonly #now: () => number
  readonly #queue = createKeyedQueue()

  constructor(connection: Connection, now: () => number) {
    this.#devices = createGroupRead(connection.collection<Document_>('devices'))
    this.#parameters = connection.collection<Document_>('parameters')
    this.#objects = createGroupRead(this.#parameters)
    this.#now = now
  }

  /** Commits a change with what follows from it. */
  commit<T>(change: DeviceChange, commit: (change: DeviceChange) => Promise<T>): Promise<T> {
    // One that bears on nothing keeps its place behind those that do.
    if (!bearsOnDerived(change))
      return this.#queue.has(change.deviceId) ? this.#queue.run(change.deviceId, () => commit(change)) : commit(change)
    return this.#queue.run(change.deviceId, async () => commit(await this.#withDerived(change)))
  }

  async #withDerived(change: DeviceChange): Promise<DeviceChange> {
    const { deviceId, create } = change
    const device = create ?? (await this.#read(deviceId))
    // The commit is refused, or its parameters belong to a record that was deleted meanwhile.
    if (device === undefined) return change
    const { groups, ...own } = await this.#factsOf(device, change)
    if (groups.length === 0) return withDerivedFields(device, change, own, this.#now())
    const known = create === undefined ? change.tree?.parameters : []
    const stored = known === undefined ? await this.#stored(deviceId, groups) : readingsIn(known, groups)
    const derived = factsOfTree(device, change, groups, stored)
    const facts = { set: { ...own.set, ...derived.set }, unset: [...own.unset, ...derived.unset] }
    return withDerivedFields(device, change, facts, this.#now())
  }

  /** Parameters that a change brings as they are stored are found by one look at their objects. */
  async #factsOf(device: Device, change: DeviceChange): Promise<ReturnType<typeof factsOfChange>> {
    const facts = factsOfChange(device, change)
    const isOfPart = change.create === undefined && change.facts !== 'all'
    const objects = isOfPart ? objectsTouched(change, facts.groups) : []
    if (objects.length === 0 || objects.length > MAX_TOUCHED) return facts
    const stored = new Map<string, Reading>()
    await Promise.all(objects.map((object) => this.#readObject(device.id, object, stored)))
    return factsOfChange(device, change, stored)
  }

  async #read(id: DeviceId): Promise<Device | undefined> {
    const document = await this.#devices.get(id)
    return document === undefined ? undefined : withWholeCwmp(fromDocument<Device>(document))
  }

  /**
   * The stored parameters that some groups are derived from. Of many tables a device has some only: the names of its
   * objects are read first, and then the objects that count, in one read.
   */
  async #stored(deviceId: DeviceId, groups: readonly FactGroup[]): Promise<Map<string, Reading>> {
    const places = groups.map(placesOf)
    const tables = places.flatMap(({ tables }) => tables)
    const objects = places.flatMap(({ objects }) => objects)
    const readings = new Map<string, Reading>()
    const isFew = tables.length <= 2
    const rows = isFew ? [] : await this.#objectsIn(deviceId, tables)
    await Promise.all([
      ...(isFew ? tables : []).map((table) => this.#readTable(deviceId, table, readings)),
      ...[...new Set([...objects, ...rows])].map((object) => this.#readObject(deviceId, object, readings)),
    ])
    return readings
  }

  /** The paths of the stored objects of tables, as many of each as count. */
  async #objectsIn(deviceId: DeviceId, tables: readonly string[]): Promise<string[]> {
    const found = this.#parameters.find(subtreeFilter(deviceId, ROOT), { projection: { object: 1 }, batchSize: 5000 })
    const names = (await found.sort({ object: 1 }).limit(MAX_NAMES).toArray()).map(({ object }) => String(object))
    return tables.flatMap((table) => names.filter((name) => name.startsWith(table)).slice(0, MAX_OBJECTS))
  }

  async #readObject(deviceId: DeviceId, object: string, readings: Map<string, Reading>): Promise<void> {
    const document = await this.#objects.get(`${deviceId}|${object}`)
    if (document !== undefined) addReadings(document, readings)
  }

  async #readTable(deviceId: DeviceId, table: string, readings: Map<string, Reading>): Promise<void> {
    let objects = 0
    for await (const document of decodedOnce(this.#parameters, subtreeFilter(deviceId, table))) {
      addReadings(document, readings)
      if (++objects >= MAX_OBJECTS) break
    }
  }
}

/** Returns the parameters among these that some groups are derived from, as `#stored` reads them. */
function readingsIn(parameters: readonly ParameterWrite[], groups: readonly FactGroup[]): Map<string, Reading> {
  const places = groups.map(placesOf)
  const tables = places.flatMap(({ tables }) => tables)
  const objects = new Set(places.flatMap(({ objects }) => objects))
  const readings = new Map<string, Reading>()
  let object = ''
  let counts = false
  for (const { path, value, collectedAt } of parameters) {
    // Those of one object mostly come together.
    if (path.lastIndexOf('.') + 1 !== object.length || !path.startsWith(object)) {
      object = objectOf(path)
      counts = objects.has(object) || tables.some((table) => object.startsWith(table))
    }
    if (!counts) continue
    if (isLarge(value)) readings.delete(path)
    else readings.set(path, { value, at: collectedAt })
  }
  return readings
}

/** Adds the leaves of an object; one with a long value, which is a document of its own, holds no fact. */
function addReadings({ object, leaves }: Document_, readings: Map<string, Reading>): void {
  for (const [name, leaf] of Object.entries(
    (leaves ?? {}) as Record<string, { value?: unknown; collectedAt?: unknown }>,
  ))
    if (typeof leaf.value === 'string')
      readings.set(`${String(object)}${name}`, { value: leaf.value, at: Number(leaf.collectedAt) })
}
