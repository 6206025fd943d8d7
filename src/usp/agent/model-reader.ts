import { parentOf, schemaPathOf } from '../../datamodel/index.ts'
import { type Access, FULL_ACCESS } from './access/access.ts'
import { AgentError } from './agent-error.ts'
import type { AgentModel, SupportedModel } from './agent-model.ts'
import { OWNERS } from './owned-tables.ts'
import { AGENT, type Requester } from './requester.ts'

/** Parameters that are read for one request; more are refused with 7005 (resources exceeded). */
const MAX_VALUES = 200_000
/** Objects and parameters that all paths of one request mean together: the same one counts as often as it is meant. */
const MAX_MEANT = 200_000
/** Paths of a request that are worked on side by side: those behind them are not begun when they mean too much. */
const PATHS_AT_ONCE = 64

/**
 * Reads the instantiated model for one request: each table is asked for its rows once. A row at and below which the
 * Controller that asks has no right is not there for it.
 */
export class ModelReader {
  readonly supported: SupportedModel
  /** The rights of the Controller for which the model is read. */
  readonly access: Access
  readonly #by: string
  readonly #model: AgentModel
  readonly #rows = new Map<string, Promise<readonly string[]>>()
  readonly #visible = new Map<string, Promise<readonly string[]>>()
  #meant = 0

  private constructor(model: AgentModel, supported: SupportedModel, { by, access }: Requester) {
    this.#model = model
    this.supported = supported
    this.access = access
    this.#by = by.replace(/\.$/, '')
  }

  /** Resolves with a reader of the model as it is from now on. */
  static async of(model: AgentModel, requester = AGENT): Promise<ModelReader> {
    return new ModelReader(model, await model.supported(), requester)
  }

  /** Resolves with the values of those parameters that exist, whatever the rights are. AgentError 7005: too many. */
  async values(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (paths.length === 0) return new Map()
    if (paths.length > MAX_VALUES) throw new AgentError(7005, `more than ${MAX_VALUES} parameters at once`)
    return this.#model.get(paths)
  }

  /** Counts what a path of the request means, before it is listed. AgentError 7005: all paths mean too much. */
  count(meant: number): void {
    this.#meant += meant
    if (this.#meant > MAX_MEANT)
      throw new AgentError(7005, `the paths mean more than ${MAX_MEANT} objects and parameters`)
  }

  /** Resolves with the results of some work on each path of a request, in order. */
  async each<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result> | Result): Promise<Result[]> {
    const results: Result[] = []
    for (let i = 0; i < items.length; i += PATHS_AT_ONCE)
      results.push(...(await Promise.all(items.slice(i, i + PATHS_AT_ONCE).map(work))))
    return results
  }

  /** Resolves with the value of a parameter; undefined when it does not exist. */
  async value(path: string): Promise<string | undefined> {
    return (await this.#model.get([path])).get(path)
  }

  /** Resolves with the values of some parameters of an object, by name; '' for those that do not exist. */
  async texts<N extends string>(object: string, names: readonly N[]): Promise<Record<N, string>> {
    const [texts] = await this.textsOf([object], names)
    return texts ?? textsFrom(new Map(), object, names)
  }

  /** Resolves with the values of the same parameters of each object, read at once and in order. */
  async textsOf<N extends string>(objects: readonly string[], names: readonly N[]): Promise<Record<N, string>[]> {
    const values = await this.values(objects.flatMap((object) => names.map((name) => object + name)))
    return objects.map((object) => textsFrom(values, object, names))
  }

  /** Resolves with the rows of a table that are there for the Controller, by instance number. */
  rows(table: string): Promise<readonly string[]> {
    if (this.access === FULL_ACCESS) return this.allRows(table)
    const known = this.#visible.get(table)
    if (known !== undefined) return known
    const rows = this.allRows(table).then((all) => this.#visibleOf(table, all))
    this.#visible.set(table, rows)
    return rows
  }

  /** Resolves with all rows of a table, by instance number. */
  allRows(table: string): Promise<readonly string[]> {
    const known = this.#rows.get(table)
    if (known !== undefined) return known
    const rows = this.#model.instances(table)
    this.#rows.set(table, rows)
    return rows
  }

  /** Returns true when the Controller has no right to know of rows of a table that another one has made. */
  isOwnOnly(table: string): boolean {
    return OWNERS.has(table) && !this.#mayKnow(table, `${table}{i}.`)
  }

  async #visibleOf(table: string, all: readonly string[]): Promise<readonly string[]> {
    const seen = all.filter((row) => this.access.sees(row))
    const owner = OWNERS.get(table)
    if (owner === undefined || seen.every((row) => this.#mayKnow(table, row))) return seen
    const owners = await this.textsOf(seen, [owner])
    return seen.filter((row, i) => owners[i]?.[owner] === this.#by || this.#mayKnow(table, row))
  }

  #mayKnow(table: string, row: string): boolean {
    return this.access.has('InstantiatedObj', 'r', row) || this.access.mayRead(row + (OWNERS.get(table) ?? ''))
  }

  /** Returns true when the supported model has the object or table, whether it is instantiated or not. */
  isSupported(path: string): boolean {
    const schema = schemaPathOf(path)
    return this.supported.object(schema) !== undefined || this.supported.object(`${schema}{i}.`) !== undefined
  }

  /** Resolves with true when an object or table is there: it is supported, and so is every row on its path. */
  async exists(path: string): Promise<boolean> {
    if (!this.isSupported(path)) return false
    let row = ''
    for (const part of path.split('.').slice(0, -1)) {
      row += `${part}.`
      if (part === '*' || part === '{i}') return false
      if (/^\d+$/.test(part) && !(await this.rows(parentOf(row))).includes(row)) return false
    }
    return true
  }

  /** Resolves with true when a path without its instance names a table that is there. */
  async isTable(path: string): Promise<boolean> {
    return this.supported.object(`${schemaPathOf(path)}{i}.`)?.table === true && (await this.exists(path))
  }

  /** Resolves with the instantiated objects below an object or table, sorted. */
  async objectsBelow(object: string): Promise<string[]> {
    this.count(1)
    const schema = schemaPathOf(object)
    const below = [...this.supported.objects()].filter((path) => path.startsWith(schema) && path !== schema)
    const found = await Promise.all(below.map((path) => this.#expand(object, path.slice(schema.length))))
    return found.flat().sort()
  }

  async #expand(from: string, rest: string): Promise<string[]> {
    const at = rest.indexOf('{i}.')
    if (at < 0) {
      this.count(1)
      return [from + rest]
    }
    const rows = await this.rows(from + rest.slice(0, at))
    this.count(rows.length)
    const found = await Promise.all(rows.map((row) => this.#expand(row, rest.slice(at + 4))))
    return found.flat()
  }

  /**
   * Resolves with the unique keys of each row, in order, as far as they are there and may be read (R-GIN.1, R-ADD.6).
   */
  async uniqueKeys(rows: readonly string[]): Promise<Record<string, string>[]> {
    const namesOf = (row: string) => this.supported.object(schemaPathOf(row))?.keys.flat() ?? []
    const values = await this.values(rows.flatMap((row) => this.#readable(row, namesOf(row))))
    return rows.map((row) => {
      const keys: Record<string, string> = {}
      for (const name of namesOf(row)) {
        const value = values.get(row + name)
        if (value !== undefined) keys[name] = value
      }
      return keys
    })
  }

  #readable(object: string, names: readonly string[]): string[] {
    return names.map((name) => object + name).filter((path) => this.access.mayRead(path))
  }
}

function textsFrom<N extends string>(
  values: ReadonlyMap<string, string>,
  object: string,
  names: readonly N[],
): Record<N, string> {
  // Exactly the names are filled in.
  return Object.fromEntries(names.map((name) => [name, values.get(object + name) ?? ''])) as Record<N, string>
}
