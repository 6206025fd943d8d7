import type { Clock } from '../../base/index.ts'
import type { RouterOs, RouterRow } from '../../routeros/index.ts'
import type { MenuReading, SourceRow } from '../mapping/index.ts'
import { readCommand } from './read-command.ts'

/** Milliseconds for which the rows of a menu are given again without asking the router. */
const HOLD_MS = 1000

/** One reading of a menu: asked for with `properties`, in flight until `rows` has resolved. */
interface Taken {
  readonly properties: ReadonlySet<string>
  readonly rows: Promise<readonly SourceRow[]>
  /** Time at which the rows came; undefined while they are on their way. */
  at: number | undefined
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
  readonly #taken = new Map<string, Taken>()
  readonly #waiting = new Map<string, Waiting>()
  /** Counts calls of `forget`: rows that were asked for before one are not held after it. */
  #age = 0

  constructor(router: RouterOs, clock: Clock) {
    this.#router = router
    this.#clock = clock
  }

  /** Resolves with the rows of a reading, with at least these properties; RouterOsError. */
  rows(reading: MenuReading, properties: readonly string[]): Promise<readonly SourceRow[]> {
    const id = idOf(reading)
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
    const rows = nextTurn().then(() => this.#take(id, reading, wanted))
    this.#waiting.set(id, { properties: wanted, rows })
    return rows
  }

  /** Forgets all rows: something was changed. */
  forget(): void {
    this.#age++
    this.#taken.clear()
  }

  #isFresh({ at }: Taken): boolean {
    return at === undefined || this.#clock.now() - at <= HOLD_MS
  }

  #take(id: string, reading: MenuReading, properties: ReadonlySet<string>): Promise<readonly SourceRow[]> {
    this.#waiting.delete(id)
    const age = this.#age
    const rows = this.#read(reading, [...properties])
    const taken: Taken = { properties, rows, at: undefined }
    this.#taken.set(id, taken)
    rows.then(
      () => {
        taken.at = this.#clock.now()
        if (age !== this.#age && this.#taken.get(id) === taken) this.#taken.delete(id)
      },
      () => this.#taken.get(id) === taken && this.#taken.delete(id),
    )
    return rows
  }

  async #read(reading: MenuReading, properties: readonly string[]): Promise<readonly SourceRow[]> {
    if (reading.monitor === undefined) return this.#print(reading, properties)
    const rows = await this.rows({ menu: reading.menu, ...(reading.query && { query: reading.query }) }, ['.id'])
    const ids = rows.flatMap((row) => row['.id'] ?? [])
    const answers = await Promise.all(ids.map((id) => this.#monitor(reading.menu, id, properties)))
    return answers.flatMap(([answer], i) => (answer === undefined ? [] : [{ ...answer, '.id': ids[i] ?? '' }]))
  }

  async #print({ menu, query }: MenuReading, properties: readonly string[]): Promise<readonly RouterRow[]> {
    const command = { path: `${menu}/print`, proplist: [...properties].sort(), ...(query && { query }) }
    return (await readCommand(this.#router, command)).rows
  }

  async #monitor(menu: string, id: string, properties: readonly string[]): Promise<readonly RouterRow[]> {
    const proplist = properties.filter((name) => name !== '.id').sort()
    const command = { path: `${menu}/monitor`, args: { '.id': id, once: '' }, proplist }
    return (await readCommand(this.#router, command)).rows
  }
}

function idOf({ menu, query, monitor }: MenuReading): string {
  return JSON.stringify([menu, monitor === true, query ?? []])
}

/** Resolves when the callbacks of this turn of the event loop are done. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
