import { BoundedMap } from '../../base/index.ts'
import { splitLeaf } from '../../datamodel/index.ts'
import type { DeviceChange, DeviceId, NewEvent, ParameterWrite } from '../../domain/index.ts'
import { type Collection, type Connection, type Document_, decodedOnce } from '../mongo/mongoose.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'
import { byObject } from './parameter-writes.ts'

/** Parameters that are kept of a device, and of one object of it. */
export interface TreeLimits {
  perDevice: number
  perObject: number
}

/**
 * A discovery stores up to 20,000 parameters; Informs, Notifies and operations may bring as many again. Objects of the
 * standards have less than 200 parameters. An object with 2,000 that are as long as a document takes them is far
 * smaller than a document may be (16 MiB), and SecantusDB takes seconds for more.
 */
const LIMITS: TreeLimits = { perDevice: 40_000, perObject: 2000 }
/** Share of a limit that may be written before the first count. */
const UNCOUNTED = 0.1
/** A tree that was full is counted again after this time, and after something was dropped from it. */
const COUNT_AGAIN_MS = 3_600_000
/** Interval at which dropped parameters are noted in the record and in the events, in milliseconds. */
const REPORT_AGAIN_MS = 3_600_000
const MAX_DEVICES = 100_000
const MAX_OBJECTS = 50_000

/** Upper bound of the parameters of a device, and the time at which they were counted and found to be too many. */
interface Size {
  parameters: number
  fullAt?: number
}

/**
 * Keeps the tree of each device within its limits. Parameters that the record has are always written; new ones beyond
 * a limit are left out, and the record and an event say so. A tree or an object is counted only when so much was
 * written since the last count that it may have reached its limit.
 */
export class TreeBounds {
  readonly #limits: TreeLimits
  readonly #now: () => number
  readonly #parameters: Collection
  readonly #byId: GroupRead
  readonly #sizes = new BoundedMap<DeviceId, Size>(MAX_DEVICES)
  readonly #objects = new BoundedMap<string, number>(MAX_OBJECTS)
  readonly #reportedAt = new BoundedMap<DeviceId, number>(MAX_DEVICES)

  constructor(connection: Connection, now: () => number, limits: TreeLimits = LIMITS) {
    this.#limits = limits
    this.#now = now
    this.#parameters = connection.collection<Document_>('parameters')
    this.#byId = createGroupRead(this.#parameters)
  }

  /** Returns the change without the parameters that the record has no room for; at once where none can be too many. */
  within(change: DeviceChange): DeviceChange | Promise<DeviceChange> {
    const { deviceId, parameters = [] } = change
    const drops = (change.dropSubtrees ?? []).length + (change.dropParameters ?? []).length > 0
    if (drops) delete this.#sizes.get(deviceId)?.fullAt
    if (parameters.length === 0) return change
    const objects = byObject(parameters)
    const { perDevice, perObject } = this.#limits
    const full = [...objects].filter(([object, leaves]) => this.#leavesOf(deviceId, object) + leaves.length > perObject)
    if (this.#sizeOf(deviceId).parameters + parameters.length > perDevice || full.length > 0)
      return this.#cut(change, objects, new Set(full.map(([object]) => object)))
    this.#wrote(deviceId, objects)
    return change
  }

  async #cut(
    change: DeviceChange,
    objects: Map<string, ParameterWrite[]>,
    full: ReadonlySet<string>,
  ): Promise<DeviceChange> {
    const { deviceId, parameters = [] } = change
    const { perDevice, perObject } = this.#limits
    const size = await this.#counted(deviceId, parameters.length)
    const isFull = size.parameters + parameters.length > perDevice
    const looked = isFull ? [...objects.keys()] : [...full]
    const known = new Map(
      await Promise.all(looked.map(async (object) => [object, await this.#namesOf(change, object)] as const)),
    )
    let room = isFull ? Math.max(0, perDevice - size.parameters) : parameters.length
    const kept: ParameterWrite[] = []
    const left = new Map<string, number>()
    for (const write of parameters) {
      const { object, leaf } = splitLeaf(write.path)
      const names = known.get(object)
      const isNew = names?.has(leaf) === false
      if (isNew && (room === 0 || names.size >= perObject)) {
        left.set(object, (left.get(object) ?? 0) + 1)
        continue
      }
      if (isNew) {
        names.add(leaf)
        room--
      }
      kept.push(write)
    }
    const now = this.#now()
    const added = isFull ? Math.max(0, perDevice - size.parameters) - room : kept.length
    const after: Size = { parameters: size.parameters + added }
    if (isFull) after.fullAt = size.fullAt ?? now
    this.#sizes.set(deviceId, after)
    for (const [object, leaves] of objects)
      this.#objects.set(
        keyOf(deviceId, object),
        known.get(object)?.size ?? this.#leavesOf(deviceId, object) + leaves.length,
      )
    return this.#withNote({ ...change, parameters: kept }, objects, left, now)
  }

  /** Adds to the record and the events that parameters were left out, once an hour. */
  #withNote(
    change: DeviceChange,
    objects: Map<string, ParameterWrite[]>,
    left: Map<string, number>,
    now: number,
  ): DeviceChange {
    const [object, missing = 0] = [...left].sort(([, a], [, b]) => b - a)[0] ?? []
    if (object === undefined) return change
    const { deviceId, create } = change
    if (now - (this.#reportedAt.get(deviceId) ?? Number.NEGATIVE_INFINITY) < REPORT_AGAIN_MS) return change
    this.#reportedAt.set(deviceId, now)
    const reported = objects.get(object)?.length ?? missing
    const data = { object, parameters: reported, kept: reported - missing }
    const event: NewEvent = { type: 'device.objectCut', at: now, deviceId, data }
    const parametersCut = { at: now, ...data }
    return {
      ...change,
      ...(create === undefined ? { set: { ...change.set, parametersCut } } : { create: { ...create, parametersCut } }),
      events: [...(change.events ?? []), event],
    }
  }

  /** Counts the tree of a device where it may be full and was not counted lately. */
  async #counted(deviceId: DeviceId, more: number): Promise<Size> {
    const size = this.#sizeOf(deviceId)
    const isRecent = size.fullAt !== undefined && this.#now() - size.fullAt < COUNT_AGAIN_MS
    if (isRecent || size.parameters + more <= this.#limits.perDevice) return size
    let parameters = 0
    for await (const document of decodedOnce(this.#parameters, { deviceId })) parameters += namesIn(document).length
    return { parameters }
  }

  /** Returns the names of the parameters that an object keeps when the drops of the change are done. */
  async #namesOf({ deviceId, dropSubtrees = [] }: DeviceChange, object: string): Promise<Set<string>> {
    if (dropSubtrees.some((prefix) => object.startsWith(prefix))) return new Set()
    const document = await this.#byId.get(keyOf(deviceId, object))
    return new Set(document === undefined ? [] : namesIn(document))
  }

  #sizeOf(deviceId: DeviceId): Size {
    return this.#sizes.get(deviceId) ?? { parameters: this.#limits.perDevice * (1 - UNCOUNTED) }
  }

  #leavesOf(deviceId: DeviceId, object: string): number {
    return this.#objects.get(keyOf(deviceId, object)) ?? this.#limits.perObject * (1 - UNCOUNTED)
  }

  #wrote(deviceId: DeviceId, objects: Map<string, ParameterWrite[]>): void {
    const size = this.#sizeOf(deviceId)
    let written = 0
    for (const [object, leaves] of objects) {
      written += leaves.length
      this.#objects.set(keyOf(deviceId, object), this.#leavesOf(deviceId, object) + leaves.length)
    }
    this.#sizes.set(deviceId, { ...size, parameters: size.parameters + written })
  }
}

/** The `_id` of the document of an object. */
function keyOf(deviceId: DeviceId, object: string): string {
  return `${deviceId}|${object}`
}

function namesIn(document: Document_): string[] {
  return Object.keys((document.leaves ?? {}) as Record<string, unknown>)
}
