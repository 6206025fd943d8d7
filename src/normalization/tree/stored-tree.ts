import { byNumber, objectOf, type RawLookup } from '../../datamodel/index.ts'
import type { Parameter } from '../../domain/index.ts'
import { pacedEach } from './pace.ts'
import type { Leaves, RecentTree } from './recent-trees.ts'

/** Rounds of reading after which what is still missing counts as absent; rules look ten levels deep at most. */
const MAX_ROUNDS = 24

/** A value that is newer than the record. */
export interface FreshValue {
  path: string
  value: string
  /** Time at which it was read; absent: now. */
  collectedAt?: number
}

/** The parts of a tree that a change takes away. */
interface Gone {
  subtrees?: readonly string[] | undefined
  parameters?: readonly string[] | undefined
}

/**
 * The stored tree of one device as the mapping looks at it: the objects that the mapping asks for are read from the
 * store, and nothing else. Values that are on their way to the store lie above it. Lives as long as one change or
 * request.
 */
export class StoredTree implements RawLookup {
  readonly #recent: RecentTree
  readonly #objects = new Map<string, Leaves>()
  readonly #missing = new Set<string>()
  readonly #fresh = new Map<string, FreshValue>()
  readonly #subtrees: readonly string[]
  /** Objects of which the device has shown all anew; values that were mapped are not its own. */
  readonly #renewed: string[] = []
  readonly #gone: ReadonlySet<string>
  /** Names below each object, '' for values of its own; undefined: not read yet. */
  #below: Map<string, Set<string>> | undefined
  #sorted = new Map<string, readonly string[]>()
  #wantsPaths = false
  /** Counts looks at what was not read yet. */
  #misses = 0
  readonly #made = new Map<string, unknown>()

  constructor(recent: RecentTree, gone: Gone = {}) {
    this.#recent = recent
    this.#subtrees = [...(gone.subtrees ?? [])]
    this.#gone = new Set(gone.parameters)
  }

  /** Lays newer values above the stored ones. */
  add(values: Iterable<FreshValue>): void {
    this.#made.clear()
    for (const fresh of values) {
      const { path } = fresh
      this.#fresh.set(path, fresh)
      if (this.#below !== undefined) this.#index(this.#below, path)
    }
  }

  /** Takes stored objects (each ends in a dot) away: the device has shown that it has them no more, or all of them anew. */
  drop(objects: readonly string[]): void {
    if (objects.length === 0) return
    this.#made.clear()
    this.#renewed.push(...objects)
    this.#below = undefined
    this.#sorted = new Map()
  }

  value(path: string): string | undefined {
    const fresh = this.#fresh.get(path)
    if (fresh !== undefined) return fresh.value
    const stored = this.parameter(path)
    return stored === undefined || stored.from !== undefined ? undefined : stored.value
  }

  /** Returns the time at which a value was read; undefined for one that is read now, or that is not known. */
  readAt(path: string): number | undefined {
    const fresh = this.#fresh.get(path)
    return fresh === undefined ? this.parameter(path)?.collectedAt : fresh.collectedAt
  }

  /** Returns a stored parameter as it was before the newer values, mapped ones too. */
  parameter(path: string): Parameter | undefined {
    const object = objectOf(path)
    const leaves = this.#leavesOf(object)
    if (leaves !== undefined) {
      const found = leaves.get(path)
      if (this.#fresh.has(path)) return found
      return this.#isDropped(path) || (found?.from === undefined && this.#isRenewed(path)) ? undefined : found
    }
    this.#misses++
    this.#missing.add(object)
    return undefined
  }

  children(object: string): readonly string[] {
    if (this.#below === undefined && this.#recent.known !== undefined) this.#indexAll(this.#recent.known)
    if (this.#below === undefined) {
      this.#misses++
      this.#wantsPaths = true
      return NONE
    }
    const known = this.#sorted.get(object)
    if (known !== undefined) return known
    const names = new Set(this.#below.get(object))
    if (names.delete('')) {
      const leaves = this.#leavesOf(object)
      if (leaves === undefined) {
        this.#misses++
        this.#missing.add(object)
      }
      for (const [path, { from }] of leaves ?? [])
        if (from === undefined && !this.#isGone(path)) names.add(path.slice(object.length))
    }
    const sorted = [...names].sort(byNumber)
    if (!this.#missing.has(object)) this.#sorted.set(object, sorted)
    return sorted
  }

  once<T>(key: string, make: () => T): T {
    if (this.#made.has(key)) return this.#made.get(key) as T
    const before = this.#misses
    const made = make()
    // Made without what is not read yet it is wrong.
    if (this.#misses === before) this.#made.set(key, made)
    return made
  }

  /** Runs `work` again until all that it looked at was read; resolves with its last result. */
  async whenRead<T>(work: () => T): Promise<T> {
    for (let round = 0; ; round++) {
      const result = work()
      if ((this.#missing.size === 0 && !this.#wantsPaths) || round === MAX_ROUNDS) return result
      await this.#load()
    }
  }

  /** The same for many items: only those that looked at something missing are worked on again. */
  async whenReadEach<I, R>(items: Iterable<I>, work: (item: I) => R): Promise<R[]> {
    const all = [...items]
    const results = new Array<R>(all.length)
    let open = all.map((_, i) => i)
    for (let round = 0; open.length > 0; round++) {
      const again: number[] = []
      await pacedEach(open, (i) => {
        const before = this.#misses
        results[i] = work(all[i] as I)
        if (this.#misses !== before) again.push(i)
      })
      if (again.length === 0 || round === MAX_ROUNDS) break
      open = again
      await this.#load()
    }
    return results
  }

  /** The stored parameters of an object; undefined when they were not read yet. */
  #leavesOf(object: string): Leaves | undefined {
    const known = this.#objects.get(object)
    if (known !== undefined) return known
    const recent = this.#recent.object(object)
    if (recent !== undefined) this.#objects.set(object, recent)
    return recent
  }

  async #load(): Promise<void> {
    const objects = [...this.#missing]
    this.#missing.clear()
    const paths = this.#wantsPaths ? this.#recent.paths() : undefined
    this.#wantsPaths = false
    const [loaded, all] = await Promise.all([this.#recent.read(objects), paths])
    for (const [object, leaves] of loaded) this.#objects.set(object, leaves)
    if (all !== undefined) this.#indexAll(all)
  }

  #indexAll(objects: Iterable<string>): void {
    const below = new Map<string, Set<string>>()
    for (const object of objects) if (!this.#isGone(object)) this.#index(below, object)
    for (const path of this.#fresh.keys()) this.#index(below, path)
    this.#below = below
    this.#sorted = new Map()
  }

  #isGone(path: string): boolean {
    return this.#isDropped(path) || this.#isRenewed(path)
  }

  #isDropped(path: string): boolean {
    return this.#gone.has(path) || this.#subtrees.some((subtree) => path.startsWith(subtree))
  }

  #isRenewed(path: string): boolean {
    return this.#renewed.some((object) => path.startsWith(object))
  }

  /** Enters a path below each of its objects. */
  #index(below: Map<string, Set<string>>, path: string): void {
    for (
      let dot = path.lastIndexOf('.'), end = path.length;
      dot >= 0;
      end = dot, dot = path.lastIndexOf('.', dot - 1)
    ) {
      const object = path.slice(0, dot + 1)
      const name = path.slice(dot + 1, end)
      this.#sorted.delete(object)
      const names = below.get(object)
      if (names === undefined) below.set(object, new Set([name]))
      else if (names.has(name)) return
      else names.add(name)
      if (dot === 0) return
    }
  }
}

const NONE: readonly string[] = []
