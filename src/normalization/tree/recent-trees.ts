import { BoundedMap, type Clock } from '../../base/index.ts'
import { objectOf } from '../../datamodel/index.ts'
import type { DeviceChange, DeviceId, Parameter, ParameterStore } from '../../domain/index.ts'

/** Most objects of one device whose paths are read: as many as a tree may have parameters. */
const MAX_PATHS = 40_000
/** Objects of one tree that are kept, and trees. */
const MAX_OBJECTS = 1_000
const MAX_TREES = 64
/** Milliseconds for which a tree is kept: another instance may have written to it. */
const KEPT_MS = 10_000

/** The parameters of one object by their paths. */
export type Leaves = ReadonlyMap<string, Parameter>

/** The parts of the stored tree of one device that were read just now. */
export class RecentTree {
  readonly at: number
  readonly #deviceId: DeviceId
  readonly #parameters: Pick<ParameterStore, 'inObjects' | 'objects'>
  readonly #objects = new BoundedMap<string, Leaves>(MAX_OBJECTS)
  #paths: Set<string> | undefined
  /** Counts changes: what was read before one and arrives after it is not kept. */
  #changes = 0

  constructor(deviceId: DeviceId, parameters: Pick<ParameterStore, 'inObjects' | 'objects'>, at: number) {
    this.#deviceId = deviceId
    this.#parameters = parameters
    this.at = at
  }

  /** Returns the parameters of an object, empty where it has none; undefined when they were not read. */
  object(path: string): Leaves | undefined {
    return this.#objects.get(path)
  }

  /** Reads objects; each of them is in the result. */
  async read(objects: readonly string[]): Promise<Map<string, Leaves>> {
    const changes = this.#changes
    const read = new Map(objects.map((object) => [object, new Map<string, Parameter>()]))
    if (objects.length > 0)
      for (const parameter of await this.#parameters.inObjects(this.#deviceId, [...objects]))
        read.get(objectOf(parameter.path))?.set(parameter.path, parameter)
    if (changes === this.#changes) for (const [object, leaves] of read) this.#objects.set(object, leaves)
    return read
  }

  /** The paths of all objects; undefined when they were not read. */
  get known(): ReadonlySet<string> | undefined {
    return this.#paths
  }

  /** Returns the paths of all objects. */
  async paths(): Promise<Iterable<string>> {
    const changes = this.#changes
    if (this.#paths !== undefined) return this.#paths
    const paths = new Set(await this.#parameters.objects(this.#deviceId, '', MAX_PATHS))
    if (changes === this.#changes) this.#paths = paths
    return paths
  }

  /** Notes that parameters of some objects were written or dropped. */
  changed(paths: Iterable<string>): void {
    this.#changes++
    for (const path of paths) {
      const object = objectOf(path)
      this.#objects.delete(object)
      this.#paths?.add(object)
    }
  }
}

/**
 * The stored trees that requests and changes looked at within the last seconds. A request, and the change that brings its
 * answers into the record, look at the same objects: these are read once. A change takes what it wrote out.
 */
export class RecentTrees {
  readonly #parameters: Pick<ParameterStore, 'inObjects' | 'objects'>
  readonly #clock: Clock
  readonly #trees = new BoundedMap<DeviceId, RecentTree>(MAX_TREES)

  constructor(parameters: Pick<ParameterStore, 'inObjects' | 'objects'>, clock: Clock) {
    this.#parameters = parameters
    this.#clock = clock
  }

  of(deviceId: DeviceId): RecentTree {
    const now = this.#clock.now()
    const isOld = ({ at }: RecentTree) => Math.abs(now - at) >= KEPT_MS
    // Those set first are the oldest.
    for (const [id, tree] of this.#trees) {
      if (!isOld(tree)) break
      this.#trees.delete(id)
    }
    const known = this.#trees.get(deviceId)
    if (known !== undefined && !isOld(known)) return known
    const tree = new RecentTree(deviceId, this.#parameters, now)
    this.#trees.set(deviceId, tree)
    return tree
  }

  /** To be called after the write of a change, whether it was done or not. */
  changed({ deviceId, create, parameters = [], dropSubtrees = [], dropParameters = [] }: DeviceChange): void {
    const tree = this.#trees.get(deviceId)
    if (tree === undefined) return
    tree.changed(dropParameters)
    tree.changed(parameters.map(({ path }) => path))
    if (create !== undefined || dropSubtrees.length > 0) this.#trees.delete(deviceId)
  }
}
