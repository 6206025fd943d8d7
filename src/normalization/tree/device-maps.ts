import { isDeepStrictEqual } from 'node:util'
import { AppError, BoundedMap, type Clock, defined } from '../../base/index.ts'
import {
  type AddedRows,
  buildInstanceMap,
  DeviceMapping,
  type InstanceMap,
  type Mappings,
  type RawLookup,
  wlanLayout,
} from '../../datamodel/index.ts'
import type { DeviceId, InstanceMapStore, StoredInstanceMap } from '../../domain/index.ts'
import type { StoredTree } from './stored-tree.ts'

/** The mapping of one device as the store has it. */
export interface MappedDevice {
  readonly stored: StoredInstanceMap
  readonly mapping: DeviceMapping
}

/** Devices whose mapping stays in memory: some tens of kilobytes each. */
const MAX_DEVICES = 1_000
/** Milliseconds for which the version in memory is taken to be the newest; another instance may have given numbers. */
const TRUSTED_MS = 10_000
/** Tries to store a grown map while other instances do so, too. */
const MAX_TRIES = 4

/** Returns the rows that operators added for devices with these facts; undefined for none. */
type RowsOf = (facts: NonNullable<StoredInstanceMap['facts']>) => AddedRows | undefined

/**
 * The instance maps of devices, from the store. A number is stored before anything refers to it, under the version that
 * was read: two instances never give one number to two things.
 */
export class DeviceMaps {
  readonly #maps: InstanceMapStore
  readonly #mappings: Mappings
  readonly #clock: Clock
  readonly #known = new BoundedMap<DeviceId, { device: MappedDevice | undefined; at: number }>(MAX_DEVICES)

  readonly #rowsOf: RowsOf

  constructor(maps: InstanceMapStore, mappings: Mappings, rowsOf: RowsOf, clock: Clock) {
    this.#maps = maps
    this.#rowsOf = rowsOf
    this.#mappings = mappings
    this.#clock = clock
  }

  /** Returns the mapping of a device; undefined for one that has none yet. */
  async of(deviceId: DeviceId): Promise<MappedDevice | undefined> {
    const known = this.#known.get(deviceId)
    if (known !== undefined && Math.abs(this.#clock.now() - known.at) < TRUSTED_MS) return known.device
    const stored = await this.#maps.get(deviceId)
    const device = stored === undefined ? undefined : this.#same(known?.device, stored)
    this.#keep(deviceId, device)
    return device
  }

  /**
   * Gives numbers to what the tree has and the map does not, stores them, and resolves with the mapping as it is then:
   * the same one when nothing was new.
   */
  async grow(deviceId: DeviceId, device: MappedDevice, tree: StoredTree): Promise<MappedDevice> {
    let present = device
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { mapping, stored } = present
      const map = await tree.whenRead(() => buildInstanceMap(mapping.mapping, tree, traitsOf(stored), stored.map))
      if (isDeepStrictEqual(map, stored.map)) return present
      const grown = { ...stored, version: stored.version + 1, map }
      if (await this.#maps.put(deviceId, grown)) return this.#keep(deviceId, this.#deviceOf(grown))
      this.forget(deviceId)
      const newer = await this.of(deviceId)
      if (newer === undefined) break
      present = newer
    }
    throw contested(deviceId)
  }

  /**
   * Stores the mapping of a device by its whole tree. Its numbers, as far as it has some, stay; after a BOOTSTRAP that is
   * newer than they are, all are given anew. One that is new is pending until `confirm`: what was cut off between the
   * two is done again.
   */
  async build(deviceId: DeviceId, tree: RawLookup, kind: Kind): Promise<MappedDevice> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await this.#maps.get(deviceId)
      const previous = before?.bootstrapAt === kind.bootstrapAt ? before.map : undefined
      const built = { ...this.#built(tree, kind, previous), version: (before?.version ?? 0) + 1 }
      if (
        before !== undefined &&
        isDeepStrictEqual({ ...built, version: before.version }, { ...before, pending: true })
      )
        return this.#keep(deviceId, this.#same(this.#known.get(deviceId)?.device, before))
      if (await this.#maps.put(deviceId, built)) return this.#keep(deviceId, this.#deviceOf(built))
    }
    throw contested(deviceId)
  }

  /** Returns the mapping of a device by its whole tree, to be stored; for a device that has none. */
  first(tree: RawLookup, kind: Kind): MappedDevice {
    return this.#deviceOf({ ...this.#built(tree, kind), version: 0 })
  }

  /** Stores a first mapping, pending, before values that refer to it. AppError `conflict` when there is one meanwhile. */
  async begin(deviceId: DeviceId, { stored, mapping }: MappedDevice): Promise<MappedDevice> {
    const begun = { ...stored, version: stored.version + 1 }
    if (!(await this.#maps.put(deviceId, begun)))
      throw new AppError('conflict', 'the tree of the device was mapped by another server', { context: { deviceId } })
    return this.#keep(deviceId, { stored: begun, mapping })
  }

  /** Notes that a mapping was stored with the values that refer to it. */
  wasStored(deviceId: DeviceId, device: MappedDevice): void {
    this.#keep(deviceId, device)
  }

  /** Notes that the record has the values of a mapping. Where another instance has built one meanwhile, that stays pending. */
  async confirm(deviceId: DeviceId, { stored }: MappedDevice): Promise<void> {
    const isOurs = (other: StoredInstanceMap) => other.rows === stored.rows && other.bootstrapAt === stored.bootstrapAt
    await this.#note(deviceId, stored, (other) => {
      const { pending, ...confirmed } = other
      return pending === true && isOurs(other) ? confirmed : undefined
    })
  }

  /** Notes that the tree of a device is to be mapped again, whatever happens to this process. */
  async notePending(deviceId: DeviceId): Promise<void> {
    const stored = await this.#maps.get(deviceId)
    if (stored === undefined) return
    await this.#note(deviceId, stored, (other) => (other.pending === true ? undefined : { ...other, pending: true }))
  }

  async #note(
    deviceId: DeviceId,
    stored: StoredInstanceMap,
    change: (stored: StoredInstanceMap) => StoredInstanceMap | undefined,
  ): Promise<void> {
    let present: StoredInstanceMap | undefined = stored
    for (let tries = 0; tries < MAX_TRIES && present !== undefined; tries++) {
      const changed = change(present)
      if (changed === undefined) return
      const next = { ...changed, version: present.version + 1 }
      if (await this.#maps.put(deviceId, next)) {
        const known = this.#known.get(deviceId)?.device
        const isSame = known?.stored.version === present.version
        this.#keep(deviceId, isSame ? { stored: next, mapping: known.mapping } : this.#deviceOf(next))
        return
      }
      present = await this.#maps.get(deviceId)
    }
  }

  /** The next request reads the store. */
  forget(deviceId: DeviceId): void {
    this.#known.delete(deviceId)
  }

  /** The same for all devices: rows have changed. */
  forgetAll(): void {
    this.#known.clear()
  }

  #built(tree: RawLookup, kind: Kind, previous?: InstanceMap): Omit<StoredInstanceMap, 'version'> {
    const added = this.#rowsOf(kind.facts ?? {})
    const map = buildInstanceMap(this.#mappings.of(kindOf(kind), added), tree, traitsOf(kind), previous)
    return { ...kind, ...defined({ rows: added?.version }), map, pending: true }
  }

  #keep<T extends MappedDevice | undefined>(deviceId: DeviceId, device: T): T {
    this.#known.set(deviceId, { device, at: this.#clock.now() })
    return device
  }

  #same(known: MappedDevice | undefined, stored: StoredInstanceMap): MappedDevice {
    return known?.stored.version === stored.version ? known : this.#deviceOf(stored)
  }

  #deviceOf(stored: StoredInstanceMap): MappedDevice {
    const mapping = this.#mappings.of(kindOf(stored), this.#rowsOf(stored.facts ?? {}))
    return { stored, mapping: new DeviceMapping(mapping, stored.map, stored.family) }
  }
}

/** The facts of a device by which its mapping is chosen. */
type Kind = Pick<StoredInstanceMap, 'family' | 'models' | 'bootstrapAt' | 'facts'>

/** The mapping of a device whose record has the values of it, to be stored with the last of them. */
export function confirmed({ stored, mapping }: MappedDevice): MappedDevice {
  const { pending: _pending, ...rest } = stored
  return { stored: { ...rest, version: stored.version + 1 }, mapping }
}

type Model = Pick<StoredInstanceMap, 'family' | 'models'>

function kindOf({ family, models }: Model): { family: string | undefined; models: string[] } {
  return { family, models }
}

function traitsOf(kind: Model) {
  return { family: kind.family, layout: wlanLayout(kindOf(kind)) }
}

function contested(deviceId: DeviceId): AppError {
  return new AppError('unavailable', 'the instance map of the device is written by several servers at once', {
    context: { deviceId },
  })
}
