import { type Clock, TransportError } from '../../base/index.ts'
import {
  type DeviceMapping,
  MappingRefusal,
  objectOf,
  type ReadingTime,
  type WriteQuirks,
  writeQuirks,
} from '../../datamodel/index.ts'
import type {
  Contact,
  ExecuteHooks,
  Operation,
  OperationRequest,
  OperationResult,
  ParameterType,
  PathOutcome,
} from '../../domain/index.ts'
import type { DeviceMaps, MappedDevice } from '../tree/device-maps.ts'
import { ABSENT, OWN_ROOT, TR181 } from '../tree/paths.ts'
import { readingTime } from '../tree/readings.ts'
import type { RecentTrees } from '../tree/recent-trees.ts'
import { bringRows } from '../tree/rows.ts'
import { StoredTree } from '../tree/stored-tree.ts'
import type { AddedPaths } from './added-paths.ts'

interface OwnSideOptions {
  contact: Contact
  operation: Operation
  hooks: ExecuteHooks
  device: MappedDevice
  /** For a device whose own tree is TR-181; absent: all paths of TR-181 are mapped. */
  added?: AddedPaths | undefined
  trees: RecentTrees
  maps: DeviceMaps
  clock: Clock
}

/**
 * The device's own tree during one request: what the record has of it, and above that what the device has answered.
 * Everything that was asked and answered is kept for the record.
 */
export class OwnSide {
  readonly tree: StoredTree
  readonly #options: OwnSideOptions
  readonly #results = new Map<string, PathOutcome>()
  readonly #asked: string[] = []
  #time: ReadingTime
  #device: MappedDevice
  #hasWritten = false

  constructor(options: OwnSideOptions) {
    this.#options = options
    this.#device = options.device
    this.tree = new StoredTree(options.trees.of(options.contact.deviceId))
    this.#time = readingTime(this.tree, options.clock.now())
  }

  /** The time of the readings: that of the last answer. */
  get time(): ReadingTime {
    return this.#time
  }

  get mapping(): DeviceMapping {
    return this.#device.mapping
  }

  /** The root of the device's own tree. */
  get root(): string {
    return this.#options.added === undefined ? OWN_ROOT : TR181
  }

  get hooks(): ExecuteHooks {
    return this.#options.hooks
  }

  /** The rules of the device's family and model for writes. */
  get quirks(): WriteQuirks {
    const { family, models } = this.#device.stored
    return writeQuirks({ family, models })
  }

  /** The answers so far, by own path; a later one replaces an earlier one. */
  get results(): ReadonlyMap<string, PathOutcome> {
    return this.#results
  }

  /** Returns true for a path that is not one of the device's own. */
  isMapped(path: string): boolean {
    const { added } = this.#options
    return added === undefined ? path.startsWith(TR181) : added.mapped.has(path)
  }

  /** Returns true for an object or search path with parameters of both kinds below it, or with mapped ones alone. */
  isMixed(path: string): boolean {
    return this.#options.added?.mixed.has(path) === true
  }

  /** Returns true for such a path below which the device shows something itself. */
  showsSome(path: string): boolean {
    return this.#options.added?.mixed.get(path) === true
  }

  /** Returns true for a parameter of a tree of TR-181 that the device shows itself. */
  shows(path: string): boolean {
    return this.#options.added !== undefined && this.tree.value(path) !== undefined
  }

  /** Notes that the device does not show a parameter itself. */
  takeAsMapped(path: string): void {
    this.#options.added?.mapped.add(path)
  }

  /** Runs a pure function of the tree; a refusal counts when all that it looked at was read. */
  async plan<T>(work: () => T): Promise<T> {
    const planned = await this.attempt(work)
    if (planned instanceof MappingRefusal) throw planned
    return planned
  }

  /** The same, with a refusal as its result. */
  attempt<T>(work: () => T): Promise<T | MappingRefusal> {
    return this.tree.whenRead(() => {
      try {
        return work()
      } catch (error) {
        if (error instanceof MappingRefusal) return error
        throw error
      }
    })
  }

  /** Executes a request without an effect, with own paths, over the contact. */
  async ask(request: OperationRequest, hooks: Partial<ExecuteHooks> = {}): Promise<OperationResult> {
    const { contact, operation } = this.#options
    try {
      return await contact.execute({ ...operation, request }, { ...this.#options.hooks, ...hooks })
    } catch (error) {
      if (!this.#hasWritten || !(error instanceof TransportError) || error.sent) throw error
      throw new TransportError(error.code, error.message, { sent: true, cause: error, context: error.context })
    }
  }

  /**
   * Executes a write with own paths. Once one was answered the request has had an effect: no later error counts as
   * unsent.
   */
  async write(request: OperationRequest, hooks: Partial<ExecuteHooks> = {}): Promise<OperationResult> {
    const types = await this.#typesOf(request)
    const typeOf = (path: string) => types.get(path)
    const result = await this.ask(request, { typeOf, ...hooks })
    this.#hasWritten = true
    return result
  }

  /**
   * Reads own parameters and objects in one request. Rows that are new get their numbers. Resolves with the answers, and
   * with the error for each path when the read failed as a whole.
   */
  async read(paths: readonly string[]): Promise<readonly PathOutcome[]> {
    if (paths.length === 0) return []
    this.#asked.push(...paths)
    const { results, error } = await this.ask({ verb: 'get', paths: [...paths] })
    this.note(results)
    const fresh = results.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, value }]))
    const isNew = await bringRows(this.mapping, fresh, this.tree)
    const known = await this.tree.whenRead(() => paths.filter((path) => this.tree.value(path) !== undefined))
    this.tree.drop(renewed(paths, results, new Set(known)))
    this.tree.add(fresh)
    this.#time = readingTime(this.tree, this.#options.clock.now())
    if (isNew) this.#device = await this.#options.maps.grow(this.#options.contact.deviceId, this.#device, this.tree)
    return results.length === 0 && error !== undefined ? paths.map((path) => ({ path, error })) : results
  }

  /** Keeps answers for the record. */
  note(results: Iterable<PathOutcome>): void {
    for (const outcome of results) this.#results.set(outcome.path, outcome)
  }

  /** Takes the answers at and below an object out of what is kept: it was deleted again. */
  forget(object: string): void {
    for (const path of this.#results.keys()) if (path.startsWith(object)) this.#results.delete(path)
  }

  /** Returns all reads as one, for the record. */
  reads(): { request: OperationRequest; results: PathOutcome[] } {
    return { request: { verb: 'get', paths: this.#asked }, results: [...this.#results.values()] }
  }

  async #typesOf(request: OperationRequest): Promise<Map<string, ParameterType>> {
    if (request.verb !== 'set') return new Map()
    const types = new Map<string, ParameterType>()
    for (const { path } of request.values) {
      const type = this.#results.get(path)?.type ?? (await this.tree.whenRead(() => this.tree.parameter(path)))?.type
      if (type !== undefined && type !== 'unknown') types.set(path, type)
    }
    return types
  }
}

/**
 * Returns the objects of which nothing counts but the answers: read as a whole, or without one of the values asked for. A
 * name that the record does not know either says nothing about its object.
 */
function renewed(asked: readonly string[], results: readonly PathOutcome[], known: ReadonlySet<string>): string[] {
  const errors = new Map(
    results.flatMap(({ path, error }) => (error === undefined ? [] : [[path, error.code] as const])),
  )
  const objects = new Set<string>()
  const shown = new Set<string>()
  for (const path of asked) {
    const code = errors.get(path)
    const object = objectOf(path)
    if (code !== undefined && code !== ABSENT) shown.add(object)
    else if (path.endsWith('.') || (code === ABSENT && known.has(path))) objects.add(object)
    else if (code === undefined) shown.add(object)
  }
  return [...objects].filter((object) => !shown.has(object))
}
