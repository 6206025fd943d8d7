import { BoundedMap } from '../../base/index.ts'
import { parentOf, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import {
  type Join,
  needsJoined,
  needsOwn,
  type ObjectMapping,
  ownProperties,
  type ReadContext,
  type SourceRow,
  type Text,
} from '../mapping/index.ts'
import type { Place, SupportedObjects } from './supported-objects.ts'
import { type InstanceRow, rowSchemaOf, type TableRows } from './table-rows.ts'

/** Dates that a router keeps in mind. */
const MAX_DATES = 2048

/** A parameter that is asked for, with the row that it is read from. */
interface Wanted extends Place {
  readonly path: string
  readonly row: SourceRow
}

/** A row of an object, whether it is one of a table or the only one. */
type Found = Pick<InstanceRow, 'mapping' | 'row'>

/** Reads instances and values of the model of a router. */
export class RouterReading {
  readonly #supported: SupportedObjects
  readonly #tables: TableRows
  readonly #now: () => number
  /** Dates by path, as they were read last. */
  readonly #dates = new BoundedMap<string, string>(MAX_DATES)

  constructor(supported: SupportedObjects, tables: TableRows, now: () => number) {
    this.#supported = supported
    this.#tables = tables
    this.#now = now
  }

  /** Resolves with the full paths of the rows of a table; AgentError when the router does not answer. */
  async instances(table: string): Promise<readonly string[]> {
    return (await this.#tables.table(rowSchemaOf(table))).at(table).map(({ path }) => path)
  }

  /** Resolves with the values of those parameters that exist; AgentError when the router does not answer. */
  async get(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    const rows = await this.#rowsFor(paths)
    const wanted = new Map<ObjectMapping, Wanted[]>()
    const counts: { path: string; object: string; schema: string }[] = []
    for (const path of paths) {
      const origin = this.#supported.origin(path)
      const { object } = splitLeaf(path)
      if (origin === undefined) continue
      if ('countOf' in origin) {
        counts.push({ path, object, schema: origin.countOf })
        continue
      }
      for (const place of origin.places) {
        const row = rows.get(place.mapping)?.get(rowPathOf(place.mapping, object))
        if (row === undefined) continue
        const some = wanted.get(place.mapping) ?? []
        wanted.set(place.mapping, some)
        some.push({ ...place, path, row })
      }
    }
    await Promise.all([
      ...[...wanted].map(([mapping, some]) => this.#read(mapping, some, found)),
      ...counts.map((count) => this.#count(count, found)),
    ])
    return found
  }

  async #count({ path, object, schema }: { path: string; object: string; schema: string }, found: Map<string, string>) {
    if (!(await this.#isThere(object))) return
    const table = object + schema.slice(schemaPathOf(object).length).replace(/\{i\}\.$/, '')
    found.set(path, String((await this.#tables.table(schema)).at(table).length))
  }

  /** An object is there when the row is that it is, or is below. */
  async #isThere(object: string): Promise<boolean> {
    const row = /^.*\.\d+\./.exec(object)?.[0]
    if (row === undefined) return true
    return (await this.#tables.table(rowSchemaOf(parentOf(row)))).byPath.has(row)
  }

  /** The rows that the paths are about, by declaration and path. */
  async #rowsFor(paths: readonly string[]): Promise<ReadonlyMap<ObjectMapping, ReadonlyMap<string, SourceRow>>> {
    const tables = new Set<string>()
    const single = new Map<ObjectMapping, Set<string>>()
    for (const path of paths) {
      const origin = this.#supported.origin(path)
      if (origin === undefined || 'countOf' in origin) continue
      for (const { mapping, parameter } of origin.places) {
        if (mapping.table !== undefined) tables.add(mapping.object)
        else {
          const properties = single.get(mapping) ?? new Set(ownProperties(mapping))
          for (const name of needsOwn(parameter)) properties.add(name)
          single.set(mapping, properties)
        }
      }
    }
    const rows = await Promise.all([
      ...[...tables].map(async (schema) => this.#tables.rows(schema)),
      ...[...single].map(async ([mapping, properties]) => this.#single(mapping, [...properties])),
    ])
    const found = new Map<ObjectMapping, Map<string, SourceRow>>()
    for (const some of rows)
      for (const { mapping, path, row } of some) {
        const byPath = found.get(mapping) ?? new Map<string, SourceRow>()
        found.set(mapping, byPath)
        byPath.set(rowPathOf(mapping, path), row)
      }
    return found
  }

  async #single(mapping: ObjectMapping, properties: readonly string[]): Promise<(Found & { path: string })[]> {
    const rows = properties.length === 0 ? [] : await this.#tables.source(mapping, properties)
    return [{ mapping, path: mapping.object, row: rows[0] ?? {} }]
  }

  async #read(mapping: ObjectMapping, wanted: readonly Wanted[], found: Map<string, string>): Promise<void> {
    const [joined, named] = await Promise.all([this.#joined(mapping, wanted), this.#named(wanted)])
    const context: ReadContext = { now: this.#now() }
    for (const { path, row, parameter } of wanted) {
      const rowOf = new Map(joined.map(({ name, rowFor }) => [name, rowFor(row)]))
      const texts = parameter.from.map((name): Text => {
        const at = name.indexOf(':')
        return at < 0 ? row[name] : rowOf.get(name.slice(0, at))?.[name.slice(at + 1)]
      })
      const value = parameter.read(texts, context)
      const { refers, steadyS } = parameter
      if (value !== undefined && steadyS !== undefined) found.set(path, this.#steady(path, value, steadyS))
      else if (refers !== undefined) found.set(path, pathOf(named, refers, value ?? ''))
      else if (value !== undefined) found.set(path, value)
    }
  }

  /** The date of the reading before, where this one means the same. */
  #steady(path: string, date: string, steadyS: number): string {
    const before = this.#dates.get(path)
    if (before !== undefined && Math.abs(Date.parse(before) - Date.parse(date)) <= steadyS * 1000) return before
    this.#dates.set(path, date)
    return date
  }

  /** The rows of the joins that the parameters need, each by the row that it completes. */
  #joined(mapping: ObjectMapping, wanted: readonly Wanted[]) {
    const needed = new Map<string, { properties: Set<string>; rows: Set<SourceRow> }>()
    for (const { parameter, row } of wanted)
      for (const { join, property } of needsJoined(parameter)) {
        const need = needed.get(join) ?? { properties: new Set(), rows: new Set() }
        needed.set(join, need)
        need.properties.add(property)
        need.rows.add(row)
      }
    return Promise.all(
      [...needed].map(async ([name, { properties, rows }]) => {
        const join = mapping.joins?.[name]
        if (join === undefined) return { name, rowFor: () => undefined }
        const found = await this.#joinRows(join, [...rows], [...properties])
        const { match } = join
        if (match === undefined) return { name, rowFor: () => found[0] }
        const byText = new Map([...found].reverse().map((row) => [row[match.theirs], row]))
        const rowFor = ({ [match.own]: own }: SourceRow) => (own === undefined ? undefined : byText.get(own))
        return { name, rowFor }
      }),
    )
  }

  /** Of a menu that is monitored, only those rows are asked for that are wanted. */
  #joinRows(join: Join, rows: readonly SourceRow[], properties: readonly string[]): Promise<readonly SourceRow[]> {
    const { match, monitor, menu } = join
    if (match === undefined) return this.#tables.reading(join, properties)
    if (monitor === undefined) return this.#tables.reading(join, [...properties, match.theirs])
    const ids = rows.flatMap((row) => (monitor.holds(row) ? (row[match.own] ?? []) : []))
    return this.#tables.monitored(menu, [...new Set(ids)], properties)
  }

  /** Paths of rows by table and name, for the references of parameters. */
  async #named(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const schemas = new Set(wanted.flatMap(({ parameter }) => parameter.refers ?? []))
    const tables = await Promise.all(
      [...schemas].map(async (schema) => {
        const { byName } = await this.#tables.table(schema)
        return [schema, byName] as const
      }),
    )
    return new Map(tables)
  }
}

function pathOf(
  named: ReadonlyMap<string, ReadonlyMap<string, string>>,
  refers: readonly string[],
  name: string,
): string {
  for (const schema of refers) {
    const path = named.get(schema)?.get(name)
    if (path !== undefined) return path.slice(0, -1)
  }
  return ''
}

/** Names in the paths of rows, by their declarations. */
const DEPTHS = new WeakMap<ObjectMapping, number>()

/** The path of the row of a declaration that an object is, or is below. */
function rowPathOf(mapping: ObjectMapping, object: string): string {
  let depth = DEPTHS.get(mapping)
  if (depth === undefined) {
    depth = mapping.object.split('.').length - 1
    DEPTHS.set(mapping, depth)
  }
  let end = 0
  for (let name = 0; name < depth; name++) end = object.indexOf('.', end) + 1
  return object.slice(0, end)
}
