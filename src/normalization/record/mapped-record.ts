import {
  BoundedMap,
  BoundedSet,
  type Clock,
  createKeyedQueue,
  defined,
  isConflict,
  type Log,
} from '../../base/index.ts'
import type { DeviceMapping } from '../../datamodel/index.ts'
import type {
  ChangeCompletion,
  CoverageNote,
  Device,
  DeviceChange,
  DeviceId,
  DeviceStore,
  MappingCoverage,
  NewEvent,
  ParameterStore,
  ParameterWrite,
} from '../../domain/index.ts'
import { bearsOnFact, PARAMETERS_PER_COMMIT } from '../../domain/index.ts'
import { confirmed, type DeviceMaps, type MappedDevice } from '../tree/device-maps.ts'
import { mayBeMapped, OWN_ROOT, TR181 } from '../tree/paths.ts'
import { mappedWrite, read, readingTime } from '../tree/readings.ts'
import type { RecentTrees } from '../tree/recent-trees.ts'
import { bearsOn } from '../tree/rows.ts'
import { StoredTree } from '../tree/stored-tree.ts'
import { movedObjects, targetsMoved } from './moved-rows.ts'
import { decides, isNative, isVendors, named, objectOfRow, targetsOf, touchesTree } from './tree-changes.ts'
import { mapWhole, type TreeChange } from './whole-tree.ts'

interface MappedRecordDeps {
  devices: Pick<DeviceStore, 'get' | 'commit'>
  parameters: ParameterStore
  mappingCoverage: Pick<MappingCoverage, 'note'>
  maps: DeviceMaps
  trees: RecentTrees
  clock: Clock
  log: Log
}

/** Devices of which is remembered that they have no mapping yet, or when their whole tree may be mapped again. */
const MAX_NOTED = 50_000
/** Devices of which the last mapping is remembered; it is mostly the one that is in memory anyhow. */
const MAX_MADE = 1_000
/** A device without a mapping is looked at again after this time. */
const LOOK_AGAIN_MS = 60_000
/** A whole tree is mapped again after so many times the milliseconds that the last time took. */
const REST = 20
const MIN_REST_MS = 1_000
/** Stored parameters below dropped objects that are looked at one by one; where there are more, the whole tree is. */
const MAX_DROPPED = 500
/** Parameters of one page of a tree. */
const PAGE = 2_000

/** The additions to a change. */
type Completed = Required<Pick<DeviceChange, 'parameters' | 'dropParameters'>> & {
  events?: NewEvent[]
  /** The mapping by which the whole tree was mapped. */
  whole?: MappedDevice
}

/**
 * Keeps the values of TR-181 beside those of a device's own tree: each change that brings own values also brings the
 * mapped ones, with the parameter and the text that they come from. Only what a changed parameter can change is
 * evaluated, and only what that needs is read.
 */
export class MappedRecord implements ChangeCompletion {
  readonly #deps: MappedRecordDeps
  /** Changes of one device are completed in their order. */
  readonly #order = createKeyedQueue()
  readonly #unmapped = new BoundedMap<DeviceId, number>(MAX_NOTED)
  readonly #restUntil = new BoundedMap<DeviceId, number>(MAX_NOTED)
  /** The mapping by which the stored values of a device were made last: a request may have given numbers since. */
  readonly #made = new BoundedMap<DeviceId, MappedDevice>(MAX_MADE)
  /** Devices whose tree is to be mapped again with a later change. */
  readonly #late = new BoundedSet<DeviceId>(MAX_NOTED)
  /** Devices whose discovery has found names that rows may know. */
  readonly #touched = new BoundedSet<DeviceId>(MAX_NOTED)

  constructor(deps: MappedRecordDeps) {
    this.#deps = deps
  }

  around<T>(change: DeviceChange, write: (completed: DeviceChange) => Promise<T>): Promise<T> {
    const ends = change.set?.['cwmp.discovery'] !== undefined || change.set?.root === TR181
    const touches = touchesTree(change) || change.dropSubtrees?.some((row) => row.startsWith(TR181)) === true
    if (touches && change.more === true) this.#touched.add(change.deviceId)
    const { deviceId } = change
    const noted = (completed: DeviceChange) => this.#noted(completed, write)
    // Parts of a change that is under way have no place of their own.
    if (change.more === true) return noted(change)
    if (ends || touches || change.mapAgain === true)
      return this.#order.run(deviceId, () => this.#around(change, ends, noted))
    return this.#order.has(deviceId) ? this.#order.run(deviceId, () => noted(change)) : noted(change)
  }

  /** Writes a change; what was read before of what it changes does not count any more. */
  #noted<T>(change: DeviceChange, write: (change: DeviceChange) => Promise<T>): Promise<T> {
    return write(change).finally(() => this.#deps.trees.changed(change))
  }

  async #around<T>(change: DeviceChange, ends: boolean, write: (completed: DeviceChange) => Promise<T>): Promise<T> {
    const whole = await this.#withOwnDrops(change)
    const completed = await this.#complete(whole, ends)
    if (completed === undefined) return write(whole)
    const last = await this.#ahead(whole, completed)
    return completed.whole?.stored.pending === true ? this.#withMap(last, completed.whole, write) : write(last)
  }

  /** Writes a change together with the mapping by which its values were made. */
  async #withMap<T>(
    change: DeviceChange,
    device: MappedDevice,
    write: (change: DeviceChange) => Promise<T>,
  ): Promise<T> {
    const { maps } = this.#deps
    const { deviceId } = change
    const stored = confirmed(device)
    try {
      const written = await write({ ...change, instanceMap: stored.stored })
      maps.wasStored(deviceId, stored)
      return written
    } catch (error) {
      // A first mapping is in the store with its values, or not at all; another one is there and pending.
      if (device.stored.version === 0 || !isConflict(error)) throw error
    }
    const written = await write(change)
    await this.#confirm(deviceId, device)
    return written
  }

  /** The change is stored: where this fails the tree is mapped once more. */
  async #confirm(deviceId: DeviceId, device: MappedDevice): Promise<void> {
    await this.#deps.maps.confirm(deviceId, device).catch((err: unknown) => {
      this.#deps.log.info({ deviceId, err }, 'the tree of a device is mapped once more with its next change')
    })
  }

  /** Maps the stored tree of a device as a whole, in its place among the changes of the device. */
  adopt(deviceId: DeviceId): Promise<void> {
    return this.#deps.devices.commit({ deviceId, mapAgain: true, facts: 'all' })
  }

  /**
   * Writes all but the last of many values before the change, so that no commit is larger than others are. The values that
   * facts depend on are among the last, as far as they fit: then only these facts are derived.
   */
  async #ahead(change: DeviceChange, completed: Completed): Promise<DeviceChange> {
    const { deviceId } = change
    const { first, last, areFactsIn } = inCommits(completed.parameters)
    for (const parameters of first)
      await this.#deps.devices.commit({ deviceId, more: true, facts: 'later', parameters })
    const { tree, ...rest } = change
    return {
      ...rest,
      ...defined({
        events: completed.events ?? change.events,
        parameters: join(change.parameters, last),
        dropParameters: join(change.dropParameters, completed.dropParameters),
        facts: areFactsIn ? change.facts : 'all',
        tree: areFactsIn ? tree : undefined,
      }),
    }
  }

  async #complete(change: DeviceChange, ends: boolean): Promise<Completed | undefined> {
    const { maps, devices, clock } = this.#deps
    const { deviceId } = change
    if (change.create !== undefined) return undefined
    if (change.mapAgain === true) {
      const record = await devices.get(deviceId)
      return record === undefined ? undefined : this.#whole(record, change)
    }
    if (change.tree !== undefined) return this.#first(change, change.tree.record)
    const device = await maps.of(deviceId)
    if (device !== undefined && !ends) return this.#increment(change, device)
    const at = this.#unmapped.get(deviceId)
    if (!ends && at !== undefined && Math.abs(clock.now() - at) < LOOK_AGAIN_MS) return undefined
    const record = await devices.get(deviceId)
    // A tree of TR-181 without a name of a vendor has nothing to be mapped.
    const hasOwn =
      device !== undefined || record?.root === OWN_ROOT || touchesTree(change) || this.#touched.has(deviceId)
    if (record === undefined || !hasOwn || !(ends || isDiscovered(record))) {
      this.#unmapped.set(deviceId, clock.now())
      return undefined
    }
    this.#unmapped.delete(deviceId)
    this.#touched.delete(deviceId)
    if (change.set?.root === TR181) return { parameters: [], dropParameters: await this.#mappedPaths(deviceId) }
    return this.#whole(record, change)
  }

  /** Maps a tree that was never mapped, where that has something to be mapped. */
  async #first(change: DeviceChange, record: Device): Promise<Completed | undefined> {
    const { deviceId } = change
    if (record.root !== OWN_ROOT && !touchesTree(change) && !this.#touched.has(deviceId)) {
      this.#unmapped.set(deviceId, this.#deps.clock.now())
      return undefined
    }
    this.#touched.delete(deviceId)
    const whole = await this.#whole(record, change)
    if (whole.parameters.length <= PARAMETERS_PER_COMMIT) return whole
    // The numbers are stored before the values that do not fit into one commit with them.
    return { ...whole, whole: await this.#deps.maps.begin(deviceId, whole.whole) }
  }

  async #whole(
    record: Device,
    change: TreeChange & Pick<DeviceChange, 'set' | 'events'>,
  ): Promise<Completed & { whole: MappedDevice }> {
    const { clock } = this.#deps
    const startedAt = performance.now()
    const { device, parameters, dropParameters, coverage } = await mapWhole(record, change, this.#deps)
    if (change.set?.['cwmp.discovery']?.outcome === 'complete' && record.root === OWN_ROOT)
      await this.#count(record, coverage)
    this.#late.delete(record.id)
    this.#made.set(record.id, device)
    this.#restUntil.set(record.id, clock.now() + (performance.now() - startedAt) * REST)
    return { parameters, dropParameters, whole: device, ...defined({ events: named(change.events, parameters) }) }
  }

  /** Counts a tree that was read as a whole for its model. */
  async #count(record: Device, coverage: CoverageNote): Promise<void> {
    const { mappingCoverage, log } = this.#deps
    await mappingCoverage.note(record, coverage).catch((err: unknown) => {
      log.warn({ deviceId: record.id, err }, 'the tree of the device was not counted for its model')
    })
  }

  async #increment(change: DeviceChange, known: MappedDevice): Promise<Completed | undefined> {
    const { devices, trees, clock, log } = this.#deps
    const { deviceId, dropSubtrees, dropParameters = [] } = change
    const fresh = (change.parameters ?? []).filter(({ path, from }) => from === undefined && mayBeMapped(path))
    const gone = await this.#goneBy(change)
    const tree = new StoredTree(trees.of(deviceId), { subtrees: dropSubtrees, parameters: dropParameters })
    const paths = [...fresh.map(({ path }) => path), ...gone.paths]
    const isLate = known.stored.pending === true || this.#late.has(deviceId)
    if (isLate) {
      const whole = await this.#overdue(change)
      if (whole !== undefined) return whole
    }
    if (!gone.isMany && !paths.some((path) => bearsOn(known.mapping, path))) return undefined
    let { mapping } = known
    let targets: Set<string>
    if (gone.isMany || (await decides(mapping, fresh, gone.paths, tree))) {
      const record = clock.now() >= (this.#restUntil.get(deviceId) ?? 0) ? await devices.get(deviceId) : undefined
      if (record !== undefined) return this.#whole(record, change)
      await this.#mapLater(deviceId)
      log.debug({ deviceId }, 'rows of a device change often; its tree is mapped again later')
      tree.add(fresh)
      const grown = await this.#grown(deviceId, known, tree)
      const made = this.#made.get(deviceId) ?? known
      const moved = movedObjects(made.stored.map, grown.stored.map)
      targets = await targetsMoved({ before: made.mapping, after: grown.mapping, moved, paths }, tree)
      this.#made.set(deviceId, grown)
      mapping = grown.mapping
    } else {
      targets = await targetsOf(mapping, paths)
      tree.add(fresh)
    }
    const at = clock.now()
    const { values, absent } = await this.#read(change, mapping, targets, tree, at)
    const times = new Map(fresh.map(({ path, collectedAt }) => [path, collectedAt]))
    const shown = new Set((change.parameters ?? []).flatMap(({ path, from }) => (from === undefined ? [path] : [])))
    const native = await tree.whenRead(
      () =>
        new Set(
          values.flatMap(({ path, source }) =>
            shown.has(path) || (isVendors(source) && isNative(tree, path)) ? [path] : [],
          ),
        ),
    )
    const writes = values.flatMap((value) =>
      native.has(value.path) ? [] : (mappedWrite(value, times.get(value.source ?? '') ?? at) ?? []),
    )
    const stale = await tree.whenRead(() =>
      absent.filter((path) => !shown.has(path) && tree.parameter(path)?.from !== undefined),
    )
    const events = named(change.events, writes)
    return { parameters: writes, dropParameters: stale, ...(events === undefined ? {} : { events }) }
  }

  /** Gives numbers to the rows of a change; without them where other servers give numbers meanwhile, until the tree is mapped. */
  async #grown(deviceId: DeviceId, known: MappedDevice, tree: StoredTree): Promise<MappedDevice> {
    const { maps, log } = this.#deps
    try {
      return await maps.grow(deviceId, (await maps.of(deviceId)) ?? known, tree)
    } catch (err) {
      log.info({ deviceId, err }, 'new rows of a device get their numbers with its tree')
      return known
    }
  }

  /** Reads parameters of TR-181; the record of the device is read where one of them depends on its last boot. */
  async #read(
    { deviceId, set }: DeviceChange,
    mapping: DeviceMapping,
    targets: Iterable<string>,
    tree: StoredTree,
    at: number,
  ) {
    let bootAt = set?.['cwmp.lastBootAt']
    let isAsked = false
    const boot = () => {
      isAsked = true
      return bootAt
    }
    const readings = await read(mapping, targets, tree, readingTime(tree, at, boot))
    if (!isAsked || bootAt !== undefined) return readings
    bootAt = (await this.#deps.devices.get(deviceId))?.cwmp?.lastBootAt
    return bootAt === undefined ? readings : read(mapping, targets, tree, readingTime(tree, at, boot))
  }

  /** Maps a whole tree with a change that has nothing to do with it: that is stored whatever comes of the tree. */
  async #overdue(change: DeviceChange): Promise<Completed | undefined> {
    const { devices, clock, log } = this.#deps
    const { deviceId } = change
    if (clock.now() < (this.#restUntil.get(deviceId) ?? 0)) return undefined
    try {
      const record = await devices.get(deviceId)
      return record === undefined ? undefined : await this.#whole(record, change)
    } catch (err) {
      this.#restUntil.set(deviceId, clock.now() + LOOK_AGAIN_MS)
      log.warn({ deviceId, err }, 'the tree of a device could not be mapped again; tried again in a minute')
      return undefined
    }
  }

  /** Maps a tree again when it may be, or with a change before that; after a crash with the next change. */
  async #mapLater(deviceId: DeviceId): Promise<void> {
    if (this.#late.has(deviceId)) return
    const { clock, log, maps } = this.#deps
    await maps.notePending(deviceId)
    this.#late.add(deviceId)
    const restMs = (this.#restUntil.get(deviceId) ?? 0) - clock.now()
    clock.after(Math.max(MIN_REST_MS, restMs), () => {
      if (!this.#late.has(deviceId)) return
      this.adopt(deviceId).catch((err: unknown) =>
        log.info({ err, deviceId }, 'the tree of a device was not mapped again'),
      )
    })
  }

  /** A dropped row of TR-181 takes the object of the device along that it is. */
  async #withOwnDrops(change: DeviceChange): Promise<DeviceChange> {
    const { deviceId, dropSubtrees = [] } = change
    const rows = dropSubtrees.filter((row) => row.startsWith(TR181) && !mayBeMapped(row))
    const device = rows.length === 0 ? undefined : await this.#deps.maps.of(deviceId)
    if (device === undefined) return change
    const tree = new StoredTree(this.#deps.trees.of(deviceId))
    const mapped = await this.#rowsThatAreMapped(deviceId, rows)
    const own = await tree.whenRead(() => mapped.flatMap((row) => objectOfRow(device.mapping, row, tree) ?? []))
    return own.length === 0 ? change : { ...change, dropSubtrees: [...dropSubtrees, ...own] }
  }

  /** Those of the rows that the device does not show itself, over USP: such a row has nothing to do with the mapping. */
  async #rowsThatAreMapped(deviceId: DeviceId, rows: readonly string[]): Promise<string[]> {
    const mapped: string[] = []
    for (const row of rows) {
      const { items } = await this.#deps.parameters.list(deviceId, row, 1)
      if (items[0] === undefined || items[0].from !== undefined) mapped.push(row)
    }
    return mapped
  }

  /** All mapped parameters of a device: firmware that shows TR-181 itself takes them away before it shows its own. */
  async #mappedPaths(deviceId: DeviceId): Promise<string[]> {
    const paths: string[] = []
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await this.#deps.parameters.list(deviceId, TR181, PAGE, cursor)
      for (const { path, from } of page.items) if (from !== undefined) paths.push(path)
      cursor = page.next
    }
    return paths
  }

  /** The stored parameters that a change drops. */
  async #goneBy({ deviceId, dropSubtrees = [], dropParameters = [] }: DeviceChange) {
    const paths = dropParameters.filter(mayBeMapped)
    for (const subtree of dropSubtrees) {
      const { items, next } = await this.#deps.parameters.list(deviceId, subtree, MAX_DROPPED)
      paths.push(...items.flatMap(({ path, from }) => (from === undefined ? [path] : [])))
      if (next !== undefined || paths.length > MAX_DROPPED) return { paths: [], isMany: true }
    }
    return { paths, isMany: false }
  }
}

/**
 * Returns values in the commits that they are written by; `areFactsIn` when the last one has all of them that facts depend
 * on.
 */
function inCommits(values: ParameterWrite[]): {
  first: ParameterWrite[][]
  last: ParameterWrite[]
  areFactsIn: boolean
} {
  if (values.length <= PARAMETERS_PER_COMMIT) return { first: [], last: values, areFactsIn: true }
  const bearing = values.filter(({ path }) => bearsOnFact(path))
  const others = values.filter(({ path }) => !bearsOnFact(path))
  const end = values.length - PARAMETERS_PER_COMMIT
  const ordered = [...others, ...bearing]
  const first: ParameterWrite[][] = []
  for (let from = 0; from < end; from += PARAMETERS_PER_COMMIT)
    first.push(ordered.slice(from, Math.min(end, from + PARAMETERS_PER_COMMIT)))
  return { first, last: ordered.slice(end), areFactsIn: bearing.length <= PARAMETERS_PER_COMMIT }
}

/** True when the tree was read under the firmware that the device has. */
export function isDiscovered({ cwmp, softwareVersion }: Device): boolean {
  return cwmp?.discoveredFor === (softwareVersion ?? '?')
}

function join<T>(before: T[] | undefined, more: T[]): T[] | undefined {
  return more.length === 0 ? before : [...(before ?? []), ...more]
}
