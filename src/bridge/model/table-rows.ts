import { parentOf, schemaPathOf } from '../../datamodel/index.ts'
import { isDerived, type MenuReading, type ObjectMapping, ownProperties, type SourceRow } from '../mapping/index.ts'
import type { InstanceNumbers, NumberedRow } from './instance-numbers.ts'
import type { MenuReader, Moment } from './menu-reader.ts'
import type { RouterFacts } from './router-facts.ts'
import type { SupportedObjects } from './supported-objects.ts'

/** A row of a table of TR-181, with the row of the router that it is. */
export interface InstanceRow {
  /** Full path with its last dot. */
  readonly path: string
  /** Natural key in its table. */
  readonly key: string
  /** Name by which others refer to it; undefined when none does. */
  readonly called: string | undefined
  readonly mapping: ObjectMapping
  readonly row: SourceRow
}

/** The rows of all tables with one schema path. */
interface TableView {
  readonly all: readonly InstanceRow[]
  /** Returns the rows of one table, by instance number. */
  at(table: string): readonly InstanceRow[]
  readonly byPath: ReadonlyMap<string, InstanceRow>
  /** Paths of the rows that others refer to, by name. */
  readonly byName: ReadonlyMap<string, string>
}

/** A row before it has its number. */
type Unnumbered = Omit<InstanceRow, 'path'> & { readonly table: string }

/** Reads the rows of tables, and gives each its instance number. */
export class TableRows {
  readonly #menus: MenuReader
  readonly #facts: RouterFacts
  readonly #supported: SupportedObjects
  readonly #numbers: InstanceNumbers
  /** By schema path. Tables are asked for once for each row above them. */
  readonly #views = new Map<string, { readonly moment: Moment; readonly view: Promise<TableView> }>()

  constructor(menus: MenuReader, facts: RouterFacts, supported: SupportedObjects, numbers: InstanceNumbers) {
    this.#menus = menus
    this.#facts = facts
    this.#supported = supported
    this.#numbers = numbers
    menus.onDrop(() => {
      for (const [schema, { moment }] of this.#views) if (!menus.isSince(moment)) this.#views.delete(schema)
    })
  }

  /** Resolves with the rows of a table, by its schema path, below all rows of the tables above. */
  async rows(schema: string): Promise<readonly InstanceRow[]> {
    return (await this.table(schema)).all
  }

  /** The same rows by their places. */
  table(schema: string): Promise<TableView> {
    const held = this.#views.get(schema)
    if (held !== undefined && this.#menus.isSince(held.moment)) return held.view
    const view = this.#read(schema).then(viewOf)
    const made = { moment: this.#menus.moment(), view }
    this.#views.set(schema, made)
    view.catch(() => this.#views.get(schema) === made && this.#views.delete(schema))
    return view
  }

  async #read(schema: string): Promise<readonly InstanceRow[]> {
    const found = await Promise.all(this.#supported.tablesAt(schema).map((mapping) => this.#rowsOf(schema, mapping)))
    const rows = unique(found.flat())
    const numbers = await this.#numbers.numbersOf(rows)
    return rows.map(({ table, ...row }, i) => ({ ...row, path: `${table}${numbers[i]}.` }))
  }

  /** Resolves with the rows of a declaration, without those that a router does not show; [] for a menu it lacks. */
  async source(mapping: ObjectMapping, properties: readonly string[]): Promise<readonly SourceRow[]> {
    const { source } = mapping
    if (!isDerived(source)) return this.reading(source, properties)
    const named = await Promise.all(
      Object.entries(source.readings).map(
        async ([name, reading]) => [name, await this.reading(reading, reading.properties)] as const,
      ),
    )
    return source.rows(Object.fromEntries(named))
  }

  /** Resolves with the rows of a reading; [] when the router does not have the menu. */
  async reading(reading: MenuReading, properties: readonly string[]): Promise<readonly SourceRow[]> {
    return this.#facts.menus.has(reading.menu) ? this.#menus.rows(reading, properties) : []
  }

  /** Resolves with what `monitor` shows of rows of a menu; [] when the router does not have it. */
  async monitored(menu: string, ids: readonly string[], properties: readonly string[]): Promise<readonly SourceRow[]> {
    return this.#facts.menus.has(menu) ? this.#menus.monitored(menu, ids, properties) : []
  }

  async #rowsOf(schema: string, mapping: ObjectMapping): Promise<Unnumbered[]> {
    const { table } = mapping
    if (table === undefined) return []
    const properties = [...ownProperties(mapping), ...this.#supported.propertiesOf(mapping)]
    const [rows, above] = await Promise.all([this.source(mapping, properties), this.#above(schema)])
    return rows.flatMap((row) => {
      const key = table.key.of(row)
      const parent = table.parent === undefined ? above.only : above.byName.get(table.parent.of(row) ?? '')
      if (key === undefined || parent === undefined || table.where?.holds(row) === false) return []
      const called = table.called?.of(row)
      return [{ table: parent + above.rest, key, called, mapping, row }]
    })
  }

  /** The rows that a table is below, by name, and the rest of its path below each; `only` where it is below none. */
  async #above(schema: string): Promise<{ byName: ReadonlyMap<string, string>; only?: string; rest: string }> {
    const table = schema.slice(0, -'{i}.'.length)
    const at = table.lastIndexOf('{i}.')
    if (at < 0) return { byName: new Map(), only: '', rest: table }
    const { byName } = await this.table(table.slice(0, at + '{i}.'.length))
    return { byName, rest: table.slice(at + '{i}.'.length) }
  }
}

/** Sorts rows out by their places. */
function viewOf(all: readonly InstanceRow[]): TableView {
  const byTable = new Map<string, InstanceRow[]>()
  for (const row of all) {
    const table = parentOf(row.path)
    const rows = byTable.get(table) ?? []
    byTable.set(table, rows)
    rows.push(row)
  }
  for (const [table, rows] of byTable) {
    const number = ({ path }: InstanceRow) => Number.parseInt(path.slice(table.length), 10)
    rows.sort((a, b) => number(a) - number(b))
  }
  const byName = new Map<string, string>()
  // Of rows with the same name the first counts.
  for (const { called, path } of all) if (called !== undefined && !byName.has(called)) byName.set(called, path)
  return {
    all,
    at: (table) => byTable.get(table) ?? [],
    byPath: new Map(all.map((row) => [row.path, row])),
    byName,
  }
}

/** Returns the schema path of the rows of a table. */
export function rowSchemaOf(table: string): string {
  return `${schemaPathOf(table)}{i}.`
}

/** Rows with the same key are told apart by their order. */
function unique(rows: readonly Unnumbered[]): Unnumbered[] {
  const seen = new Map<string, number>()
  return rows.map((row) => {
    const id = idOf(row)
    const count = (seen.get(id) ?? 0) + 1
    seen.set(id, count)
    return count === 1 ? row : { ...row, key: `${row.key}#${count}` }
  })
}

function idOf({ table, key }: NumberedRow): string {
  return `${table} ${key}`
}
