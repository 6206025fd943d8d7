import type { Row, Table, TableChange } from '../basis/table.ts'
import type { StoreView } from '../basis/view.ts'

/** The first number of dynamic rows. */
const DYNAMIC_FROM = 0x80_0000

/** All tables of one router. Changes go out to listeners in the order in which they are made. */
export class RouterStore implements StoreView {
  #tables = new Map<string, Table>()
  readonly #listeners = new Set<(change: TableChange) => void>()
  #nextDynamic = DYNAMIC_FROM

  table(name: string): readonly Row[] {
    return this.#tables.get(name)?.rows ?? []
  }

  find(table: string, property: string, value: string): Row | undefined {
    return this.table(table).find(({ values }) => values[property] === value)
  }

  /** Names of all tables. */
  names(): string[] {
    return [...this.#tables.keys()]
  }

  /** Adds a row at the end, or before another one. Dynamic rows get numbers that a reboot changes. */
  add(table: string, values: Record<string, string>, before?: Row): Row {
    const { rows } = this.#of(table)
    const isDynamic = values.dynamic === 'true'
    const row = { id: isDynamic ? this.#nextDynamic++ : this.#of(table).next++, values }
    const at = before === undefined ? -1 : rows.indexOf(before)
    if (at === -1) rows.push(row)
    else rows.splice(at, 0, row)
    this.#tell({ table, kind: 'added', row })
    return row
  }

  /** Sets values of a row; undefined takes one away. */
  set(table: string, row: Row, values: Readonly<Record<string, string | undefined>>): void {
    let isChanged = false
    for (const [name, value] of Object.entries(values)) {
      if (row.values[name] === value) continue
      isChanged = true
      if (value === undefined) delete row.values[name]
      else row.values[name] = value
    }
    if (isChanged) this.#tell({ table, kind: 'set', row })
  }

  /** A value of the row that follows from others has changed. */
  touch(table: string, row: Row): void {
    this.#tell({ table, kind: 'set', row })
  }

  remove(table: string, row: Row): void {
    const { rows } = this.#of(table)
    const at = rows.indexOf(row)
    if (at === -1) return
    rows.splice(at, 1)
    this.#tell({ table, kind: 'removed', row })
  }

  /** Puts rows before another one; at the end without it. */
  move(table: string, moved: readonly Row[], before: Row | undefined): void {
    const all = this.#of(table)
    const rest = all.rows.filter((row) => !moved.includes(row))
    const at = before === undefined ? -1 : rest.indexOf(before)
    rest.splice(at === -1 ? rest.length : at, 0, ...moved)
    all.rows = rest
    for (const row of moved) this.#tell({ table, kind: 'set', row })
  }

  /** Calls back for every change from now on; the returned function ends that. */
  onChange(listener: (change: TableChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Gives dynamic rows other numbers, as a boot does. */
  renumber(): void {
    this.#nextDynamic += 0x100
    for (const { rows } of this.#tables.values())
      for (const row of rows) if (row.values.dynamic === 'true') row.id = this.#nextDynamic++
  }

  /** Gives tables whose names begin with a path another path, as an upgrade does. */
  rename(from: string, to: string): void {
    for (const [name, table] of [...this.#tables])
      if (name.startsWith(`${from}/`)) {
        this.#tables.delete(name)
        this.#tables.set(`${to}${name.slice(from.length)}`, table)
      }
  }

  /** Returns a copy of all tables, or of those that are named. */
  save(names: Iterable<string> = this.#tables.keys()): Map<string, Table> {
    return new Map(
      [...names].map((name) => {
        const { rows, next } = this.#of(name)
        return [name, { rows: rows.map(({ id, values }) => ({ id, values: { ...values } })), next }]
      }),
    )
  }

  /** Replaces all tables, without a word to listeners. */
  load(tables: Map<string, Table>): void {
    this.#tables = tables
  }

  #of(name: string): Table {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = { rows: [], next: 1 }
      this.#tables.set(name, table)
    }
    return table
  }

  #tell(change: TableChange): void {
    for (const listener of [...this.#listeners]) listener(change)
  }
}
