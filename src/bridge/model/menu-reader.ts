import type { Clock } from '../../base/index.ts'
import type { RouterOs, RouterRow } from '../../routeros/index.ts'
import { type MenuReading, readingId, type SourceRow } from '../mapping/index.ts'
import { readCommand, readRow } from './read-command.ts'

/** Milliseconds for which the rows of a menu are given again without asking the router: less than a second, at which tables are polled. */
const HOLD_MS = 700

/** Asks the router for rows with some properties. */
type Read = (properties: readonly string[]) => Promise<readonly SourceRow[]>

/** One reading of a menu: asked for with `properties`, in flight until `rows` has resolved. */
interface Taken {
  readonly properties: ReadonlySet<string>
  readonly rows: Promise<readonly SourceRow[]>
  /** Time at which the rows came; undefined while they are on their way. */
  at: number | undefined
}

/** A moment of reading. */
export interface Moment {
  readonly age: number
  readonly at: number
}

/** Demands for one menu that wait for the end of this turn of the event loop. */
interface Waiting {
  readonly properties: Set<string>
  readonly rows: Promise<readonly SourceRow[]>
}

/**
 * Reads menus of one router. Demands for a menu within one turn of the event loop become one command with the
 * properties of all; rows that were read shortly before are given again, when they have the properties that are wanted.
 */
export class MenuReader {
  readonly #router: RouterOs
  readonly #clock: Clock
  readonly #together: ReadonlyMap<string, ReadonlySet<string>>
  readonly #taken = new Map<string, Taken>()
  readonly #waiting = new Map<string, Waiting>()
  #cancelDrop: (() => void) | undefined
  #onDrop: (() => void) | undefined
  /** Counts calls of `forget`: rows that were asked for before one are not held after it. */
  #age = 0

  /**
   * `together` has the properties that are asked for with any others of a reading, by its id: several tables are made
   * of it.
   */
  constructor(router: RouterOs, clock: Clock, together: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#router = router
    this.#clock = clock
    this.#together = together
  }

  /** Resolves with the rows of a reading, with at least these properties; AgentError. */
  rows(reading: MenuReading, properties: readonly string[]): Promise<readonly SourceRow[]> {
    const id = readingId(reading)
    const all = [...properties, ...(this.#together.get(id) ?? [])]
    return this.#demand(id, all, (some) => this.#read(reading, some))
  }

  /** Resolves with what `monitor` shows of some rows of a menu, by their `.id`; AgentError. */
  async monitored(menu: string, ids: readonly string[], properties: readonly string[]): Promise<readonly SourceRow[]> {
    const rows = ids.map((id) => this.#demand(`${menu} ${id}`, properties, (all) => this.#monitor(menu, id, all)))
    return (await Promise.all(rows)).flat()
  }

  /** Calls back after old rows were dropped. */
  onDrop(listener: () => void): void {
    this.#onDrop = listener
  }

  /** Forgets all rows: something was changed. */
  forget(): void {
    this.#age++
    this.#taken.clear()
  }

  /** Returns the moment for `isSince`. */
  moment(): Moment {
    return { age: this.#age, at: this.#clock.now() }
  }

  /** Returns true when rows of this moment may be given again: it is short ago, and nothing was changed since. */
  isSince({ age, at }: Moment): boolean {
    return age === this.#age && this.#clock.now() - at <= HOLD_MS
  }

  /**
   * Rows that are not given again any more are not kept: a bridge has many routers, and each pass of the garbage collector
   * copies them.
   */
  #dropLater(): void {
    this.#cancelDrop ??= this.#clock.after(HOLD_MS + 1, () => {
      this.#cancelDrop = undefined
      for (const [id, taken] of this.#taken) if (!this.#isFresh(taken)) this.#taken.delete(id)
      if (this.#taken.size > 0) this.#dropLater()
      this.#onDrop?.()
    })
  }

  #isFresh({ at }: Taken): boolean {
    return at === undefined || this.#clock.now() - at <= HOLD_MS
  }

  #demand(id: string, properties: readonly string[], read: Read): Promise<readonly SourceRow[]> {
    const held = this.#taken.get(id)
    if (held !== undefined && this.#isFresh(held) && properties.every((name) => held.properties.has(name)))
      return held.rows
    const waiting = this.#waiting.get(id)
    if (waiting !== undefined) {
      for (const name of properties) waiting.properties.add(name)
      return waiting.rows
    }
    const wanted = new Set(properties)
    // A second reading of a menu has the properties of the first, too: it takes its place.
    if (held !== undefined && this.#isFresh(held)) for (const name of held.properties) wanted.add(name)
    const rows = nextTurn().then(() => this.#take(id, wanted, read))
    this.#waiting.set(id, { properties: wanted, rows })
    return rows
  }

  #take(id: string, properties: ReadonlySet<string>, read: Read): Promise<readonly SourceRow[]> {
    this.#waiting.delete(id)
    const age = this.#age
    const rows = read([...properties])
    const taken: Taken = { properties, rows, at: undefined }
    this.#taken.set(id, taken)
    rows.then(
      () => {
        taken.at = this.#clock.now()
        this.#dropLater()
        if (age !== this.#age && this.#taken.get(id) === taken) this.#taken.delete(id)
      },
      () => this.#taken.get(id) === taken && this.#taken.delete(id),
    )
    return rows
  }

  async #read(reading: MenuReading, properties: readonly string[]): Promise<readonly SourceRow[]> {
    const { menu, query, monitor } = reading
    if (monitor === undefined) return this.#print({ menu, ...(query && { query }) }, properties)
    const rows = await this.rows({ menu, ...(query && { query }) }, ['.id', ...monitor.from])
    return this.monitored(
      menu,
      rows.flatMap((row) => (row['.id'] !== undefined && monitor.holds(row) ? [row['.id']] : [])),
      properties,
    )
  }

  async #print({ menu, query }: MenuReading, properties: readonly string[]): Promise<readonly RouterRow[]> {
    const command = { path: `${menu}/print`, proplist: [...properties].sort(), ...(query && { query }) }
    return (await readCommand(this.#router, command)).rows
  }

  async #monitor(menu: string, id: string, properties: readonly string[]): Promise<readonly SourceRow[]> {
    const proplist = properties.filter((name) => name !== '.id').sort()
    const command = { path: `${menu}/monitor`, args: { '.id': id, once: '' }, proplist }
    const rows = await readRow(this.#router, command)
    return rows.slice(0, 1).map((row) => ({ ...row, '.id': id }))
  }
}

/** Resolves when the callbacks of this turn of the event loop are done. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
