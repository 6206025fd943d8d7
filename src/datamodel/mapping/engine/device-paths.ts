import { rootOf } from '../../path.ts'
import type { InstanceMap } from '../tree/instance-map.ts'
import { Links } from '../tree/links.ts'
import { objectsOfTable, type RawLookup } from '../tree/raw-tree.ts'
import { objectOf, type Scan, scanObject } from '../tree/schema.ts'
import type { CompiledRow, CompiledTarget, Dependent, Mapping } from './compile.ts'
import { besideOf, neededPaths } from './conditions.ts'
import { isRowIn } from './context.ts'

/** The paths of one device in both trees: which parameters and objects of one belong to which of the other. */
export class DevicePaths {
  readonly mapping: Mapping
  readonly links: Links
  readonly family: string | undefined

  constructor(mapping: Mapping, map: InstanceMap, family: string | undefined) {
    this.mapping = mapping
    this.links = new Links(map)
    this.family = family
  }

  /** Returns the target that a path names and its row, '' outside any table. */
  find(targetPath: string): { target: CompiledTarget | undefined; row: string } {
    const dot = targetPath.lastIndexOf('.') + 1
    const { schema, cuts } = scanObject(targetPath.slice(0, dot))
    return {
      target: this.mapping.targetsAt.get(schema)?.get(targetPath.slice(dot)),
      row: targetPath.slice(0, cuts[cuts.length - 1] ?? 0),
    }
  }

  /**
   * Returns the TR-181 parameters whose value may change with a parameter of the device's own tree: its targets, and
   * those that look at it. Empty for one that no row knows.
   */
  targetsOf(rawPath: string): string[] {
    const found: string[] = []
    this.visitTargets(rawPath, (_target, _row, path) => {
      if (!found.includes(path)) found.push(path)
    })
    return found
  }

  /**
   * Calls `visit` for each of them, some perhaps twice, as far as their schema paths begin with `below`; returns true when
   * a row maps the parameter itself.
   */
  visitTargets(
    rawPath: string,
    visit: (target: CompiledTarget, row: string, path: string) => void,
    below = '',
  ): boolean {
    const { dependents, scan } = this.#dependentsOf(rawPath)
    let mapped = false
    for (const { pair, depth, table, target, family, row: own } of dependents) {
      if (family !== undefined && family !== this.family) continue
      mapped ||= own !== undefined
      if (!target.schema.startsWith(below)) continue
      for (const object of this.#objectsAt(rawPath, scan, depth, table))
        for (const row of pair.rows(object, this.links)) visit(target, row, row + target.rest)
    }
    return mapped
  }

  #dependentsOf(rawPath: string): { dependents: readonly Dependent[]; scan: Scan } {
    const dot = rawPath.lastIndexOf('.') + 1
    const scan = scanObject(rawPath.slice(0, dot))
    return { scan, dependents: this.mapping.dependents.get(scan.schema)?.get(rawPath.slice(dot)) ?? NONE }
  }

  /** The object of a table that a path lies in; for a table below the path all objects of it that the map knows. */
  #objectsAt(path: string, { cuts }: Scan, depth: number, table: string): readonly string[] {
    if (depth === 0) return ROOT
    if (depth <= cuts.length) return [path.slice(0, cuts[depth - 1])]
    const shared = path.slice(0, cuts.at(-1) ?? 0)
    const found: string[] = []
    for (const object of this.links.objects())
      if (object.startsWith(shared) && scanObject(object).schema === table) found.push(object)
    return found
  }

  /** Returns the paths of the derived parameters of all rows that the device has, as far as their schema paths begin so. */
  *derivedPaths(tree: RawLookup, below = ''): Iterable<string> {
    const objects = new Map<string, readonly string[]>()
    for (const { spec, pair, target } of this.mapping.derived) {
      if (!target.schema.startsWith(below)) continue
      const known = objects.get(spec.from) ?? objectsOfTable(tree, spec.from)
      objects.set(spec.from, known)
      for (const object of known) for (const row of pair.rows(object, this.links)) yield row + target.rest
    }
  }

  /** Returns the paths of the derived parameters of the rows of one object of the device; '' for those outside of its tables. */
  *derivedOf(object: string): Iterable<string> {
    const { schema } = scanObject(object)
    for (const { spec, pair, target } of this.mapping.derived)
      if (spec.from === schema) for (const row of pair.rows(object, this.links)) yield row + target.rest
  }

  /**
   * Returns the parameters of the device's own tree that are needed to evaluate a TR-181 parameter, the sources first;
   * empty where it has none.
   */
  sourcesOf(targetPath: string, tree: RawLookup): string[] {
    const found = new Set<string>()
    const beside = new Set<string>()
    const { target, row } = this.find(targetPath)
    for (const compiled of target?.rows ?? []) {
      if (!this.applies(compiled)) continue
      for (const object of compiled.pair.objects(row, this.links, tree)) {
        found.add(object + compiled.rest)
        if (compiled.when !== undefined) beside.add(besideOf(object, compiled.when))
        if (compiled.row.agg === 'first') beside.add(`${object}Enable`)
        for (const name of compiled.transform?.reads ?? []) beside.add(object + objectOf(compiled.rest) + name)
      }
    }
    for (const { spec, pair } of target?.derived ?? [])
      for (const object of pair.objects(row, this.links, tree))
        for (const name of spec.needs ?? []) for (const path of neededPaths(object, name, tree)) beside.add(path)
    return [...found, ...[...beside].filter((path) => !found.has(path))]
  }

  /**
   * Returns the parameters of the device's own tree that say what readings of others mean, for parameters and objects that
   * are read: as far as the tree has them.
   */
  readWith(rawPaths: Iterable<string>, tree: RawLookup): string[] {
    const found = new Set<string>()
    const add = (path: string) => {
      if (tree.value(path) !== undefined) found.add(path)
    }
    for (const path of rawPaths) {
      if (!path.endsWith('.')) {
        const row = this.#dependentsOf(path).dependents.find((dependent) => dependent.row?.transform?.readsWith)?.row
        row?.transform?.readsWith?.(path).forEach(add)
        continue
      }
      const { schema } = scanObject(path)
      if (this.mapping.readWith.some((object) => object.startsWith(schema))) add(`${rootOf(path)}DeviceInfo.UpTime`)
    }
    return [...found]
  }

  rowOf(object: string, below: string | undefined): string | undefined {
    const rows = this.#rowsOf(object)
    if (below === undefined) return rows[0]
    const found = rows.find((row) => isRowIn(row, below))
    if (found !== undefined) return found
    const outer = object.slice(0, object.lastIndexOf('.', object.length - 2) + 1)
    return outer === '' || outer.indexOf('.') === outer.length - 1 ? undefined : this.rowOf(outer, below)
  }

  /** Rows of an object by the instance map, then those that follow from its own number. */
  #rowsOf(object: string): readonly string[] {
    const linked = this.links.rowsOf(object)
    if (linked.length > 0) return linked
    const { schema, cuts } = scanObject(object)
    if (cuts.at(-1) !== object.length) return linked
    const pairs = this.mapping.pairs.get(schema) ?? []
    return pairs.flatMap(({ pair, to }) => (to === '' ? [] : pair.rows(object, this.links)))
  }

  objectsOf(row: string, tree: RawLookup): readonly string[] {
    const linked = this.links.objectsOf(row)
    // '' stands for a parameter outside any table, which is no object to refer to.
    if (linked.length > 0) return linked.includes('') ? linked.filter((object) => object !== '') : linked
    const { schema } = scanObject(row)
    const found = new Set<string>()
    for (const { pair, to } of this.mapping.tablePairs.get(schema) ?? [])
      if (to === schema) for (const object of pair.objects(row, this.links, tree)) if (object !== '') found.add(object)
    return [...found]
  }

  targetOfParameter(path: string): string | undefined {
    const { dependents, scan } = this.#dependentsOf(path)
    let copy: string | undefined
    for (const { pair, depth, table, target, row } of dependents) {
      if (row === undefined || !this.applies(row)) continue
      for (const object of this.#objectsAt(path, scan, depth, table)) {
        const [first] = pair.rows(object, this.links)
        if (first === undefined) continue
        if (row.row.copy !== true) return first + target.rest
        copy ??= first + target.rest
      }
    }
    return copy
  }

  sourceOfParameter(path: string, tree: RawLookup): string | undefined {
    const { target, row } = this.find(path)
    for (const compiled of target?.rows ?? [])
      if (this.applies(compiled))
        for (const object of compiled.pair.objects(row, this.links, tree))
          if (tree.value(object + compiled.rest) !== undefined) return object + compiled.rest
    return undefined
  }

  /** Returns true when a row is for this device's family, or for all. */
  applies({ row }: CompiledRow): boolean {
    return row.family === undefined || row.family === this.family
  }
}

const ROOT: readonly string[] = ['']
const NONE: readonly Dependent[] = []
