import type { RawValue } from '../transform.ts'

/** Most parameters of one tree that are mapped; what lies beyond is left alone. The largest real trees have 12,000. */
export const MAX_RAW_PARAMETERS = 40_000
/** Most levels of a path; models have 12 at most. */
const MAX_LEVELS = 24
const MAX_PATH_LENGTH = 512

/** Values of a device's own tree, as the mapping asks for them. */
export interface RawLookup {
  /** Returns the value of a parameter; undefined where it is not known. */
  value(path: string): string | undefined
  /** Returns the names one level below an object (ends in a dot), instance numbers in order; empty where it has none. */
  children(object: string): readonly string[]
  /** Returns what was made of the tree under a key; makes it where the tree has changed since. Absent: nothing is kept. */
  once?<T>(key: string, make: () => T): T
}

/** A device's own tree held in memory: parameters by path, and the names below each object. */
export class RawTree implements RawLookup {
  readonly #values = new Map<string, string>()
  #below = new Map<string, Set<string>>()
  #sorted = new Map<string, readonly string[]>()
  readonly #made = new Map<string, unknown>()

  constructor(values: Iterable<RawValue>) {
    for (const { path, value } of values) this.put(path, value)
  }

  /** The parameters that were taken, in the order given. */
  get values(): ReadonlyMap<string, string> {
    return this.#values
  }

  /**
   * Enters or changes a parameter; a path that ends in a dot enters an object without parameters. Does nothing for a new
   * path beyond the limits of size and depth.
   */
  put(path: string, value: string): void {
    this.#made.clear()
    if (this.#values.has(path)) this.#values.set(path, value)
    else if (this.#values.size < MAX_RAW_PARAMETERS && path.length <= MAX_PATH_LENGTH && this.#index(path))
      if (!path.endsWith('.')) this.#values.set(path, value)
  }

  value(path: string): string | undefined {
    return this.#values.get(path)
  }

  children(object: string): readonly string[] {
    const known = this.#sorted.get(object)
    if (known !== undefined) return known
    const names = this.#below.get(object)
    if (names === undefined) return []
    const sorted = [...names].sort(byNumber)
    this.#sorted.set(object, sorted)
    return sorted
  }

  once<T>(key: string, make: () => T): T {
    if (!this.#made.has(key)) this.#made.set(key, make())
    return this.#made.get(key) as T
  }

  /** Enters a path below each of its objects; false where it has too many levels. */
  #index(path: string): boolean {
    let levels = 0
    for (let at = path.indexOf('.'); at >= 0; at = path.indexOf('.', at + 1)) if (++levels > MAX_LEVELS) return false
    let end = path.length
    for (let dot = path.lastIndexOf('.', end - 1); dot >= 0; dot = path.lastIndexOf('.', end - 1)) {
      const object = path.slice(0, dot + 1)
      const names = this.#below.get(object)
      const name = path.slice(dot + 1, end)
      if (names !== undefined) {
        if (name === '' || names.has(name)) return true
        names.add(name)
        this.#sorted.delete(object)
        return true
      }
      if (name !== '') this.#below.set(object, new Set([name]))
      end = dot
    }
    return true
  }
}

/** The order of names below an object: instance numbers by their size, other names behind them. */
export function byNumber(a: string, b: string): number {
  const left = Number(a)
  const right = Number(b)
  if (Number.isNaN(left)) return Number.isNaN(right) ? (a < b ? -1 : 1) : 1
  return Number.isNaN(right) ? -1 : left - right
}

/** Most rows of one table of the device that are looked at; a table of 10,000 rows is an error of the device. */
const MAX_INSTANCES = 512

/** Returns the objects of a table of the device's own tree, in the order of their numbers. */
export function instancesOf(tree: RawLookup, table: string): string[] {
  const found: string[] = []
  for (const name of tree.children(table)) {
    if (found.length === MAX_INSTANCES) break
    const code = name.charCodeAt(0)
    if (code > 48 && code <= 57 && name.length <= 10 && !Number.isNaN(Number(name))) found.push(`${table}${name}.`)
  }
  return found
}

/** Most objects of a table in tables that are looked at. */
const MAX_OBJECTS = 4096

/** Returns the objects of a table (schema path that ends in `{i}.`), whatever tables it lies in; [''] for no table. */
export function objectsOfTable(tree: RawLookup, table: string): string[] {
  return objectsBelow(tree, '', table)
}

/** Returns the same below one object, `table` relative to it: the object itself for no table. */
export function objectsBelow(tree: RawLookup, object: string, table: string): string[] {
  let found = [object]
  for (const part of table.split('{i}.').slice(0, -1))
    found = found.flatMap((outer) => instancesOf(tree, outer + part)).slice(0, MAX_OBJECTS)
  return found
}

/** Returns the items of a comma separated list without blanks, empty ones left out. */
export function itemsOf(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
