import { type GivenNumber, type InstanceNumbers, type NumberedRow, TableNumbers } from './instance-numbers.ts'
import { Journal } from './journal.ts'

/** An entry of the file: a number that was given, the highest number of a table, or keys that are forgotten. */
type Entry =
  | GivenNumber
  | { readonly table: string; readonly last: number }
  | { readonly table: string; readonly gone: readonly string[] }

/** Instance numbers of one router in a file of their own. */
export class NumberFile implements InstanceNumbers {
  readonly #tables: Map<string, TableNumbers>
  readonly #journal: Journal<Entry>
  /** Numbers that are on their way to the disk, by table and key. */
  readonly #coming = new Map<string, Promise<void>>()

  private constructor(tables: Map<string, TableNumbers>, journal: Journal<Entry>) {
    this.#tables = tables
    this.#journal = journal
  }

  /** Opens the file at a path, which need not be there. AppError when it cannot be read. */
  static async open(path: string): Promise<NumberFile> {
    const tables = new Map<string, TableNumbers>()
    const journal = await Journal.open<Entry>(
      path,
      (entry) => take(tables, entry),
      () => entriesOf(tables),
    )
    return new NumberFile(tables, journal)
  }

  async numbersOf(rows: readonly NumberedRow[]): Promise<readonly number[]> {
    const given: GivenNumber[] = []
    const awaited = new Set<Promise<void>>()
    const numbers = rows.map(({ table, key }) => {
      const numbers = tableOf(this.#tables, table)
      const known = numbers.use(key)
      if (known !== undefined) {
        const coming = this.#coming.get(idOf(table, key))
        if (coming !== undefined) awaited.add(coming)
        return known
      }
      const number = numbers.give(key)
      given.push({ table, key, number })
      return number
    })
    if (given.length > 0) awaited.add(this.#store(given, this.#surplus(rows)))
    await Promise.all(awaited)
    return numbers
  }

  /** The keys that are forgotten, as entries. */
  #surplus(rows: readonly NumberedRow[]): readonly Entry[] {
    const inUse = new Map<string, number>()
    for (const { table } of rows) inUse.set(table, (inUse.get(table) ?? 0) + 1)
    return [...inUse].flatMap(([table, count]) => {
      const gone = tableOf(this.#tables, table).surplus(count)
      return gone.length === 0 ? [] : [{ table, gone }]
    })
  }

  async rename({ table, key }: NumberedRow, to: string): Promise<void> {
    const numbers = tableOf(this.#tables, table)
    const number = numbers.use(key)
    if (number === undefined || key === to) return
    await this.#coming.get(idOf(table, key))
    await this.#journal.append({ table, key: to, number })
    numbers.drop(key)
    numbers.put(to, number)
  }

  /** Length of the file in bytes. */
  get bytes(): number {
    return this.#journal.bytes
  }

  /** Resolves when the file is closed. */
  close(): Promise<void> {
    return this.#journal.close()
  }

  /** A number that cannot be stored is not given to its key, and to no other. */
  #store(given: readonly GivenNumber[], surplus: readonly Entry[]): Promise<void> {
    const ids = given.map(({ table, key }) => idOf(table, key))
    const stored = this.#journal.append(...given, ...surplus).then(
      () => {
        for (const entry of surplus) take(this.#tables, entry)
        this.#settle(ids)
      },
      (error: unknown) => {
        for (const { table, key } of given) tableOf(this.#tables, table).drop(key)
        this.#settle(ids)
        throw error
      },
    )
    for (const id of ids) this.#coming.set(id, stored)
    return stored
  }

  #settle(ids: readonly string[]): void {
    for (const id of ids) this.#coming.delete(id)
  }
}

function take(tables: Map<string, TableNumbers>, entry: Entry): void {
  const table = tableOf(tables, entry.table)
  if ('last' in entry) table.skip(entry.last)
  else if ('key' in entry) table.put(entry.key, entry.number)
  else forget(tables, entry)
}

/** Tables below a row that is forgotten are forgotten with it: no other row gets its number. */
function forget(tables: Map<string, TableNumbers>, { table, gone }: { table: string; gone: readonly string[] }): void {
  const numbers = tableOf(tables, table)
  const below = new Set(gone.map((key) => `${table}${numbers.drop(key)}.`))
  for (const path of tables.keys())
    if (path.startsWith(table) && below.has(path.slice(0, path.indexOf('.', table.length) + 1))) tables.delete(path)
}

function tableOf(tables: Map<string, TableNumbers>, path: string): TableNumbers {
  const known = tables.get(path)
  if (known !== undefined) return known
  const table = new TableNumbers()
  tables.set(path, table)
  return table
}

function* entriesOf(tables: ReadonlyMap<string, TableNumbers>): Iterable<Entry> {
  for (const [table, numbers] of tables) {
    yield { table, last: numbers.last }
    for (const [key, number] of numbers.entries()) yield { table, key, number }
  }
}

function idOf(table: string, key: string): string {
  return `${table} ${key}`
}
