/** One row of a TR-181 table that stands for objects of the device's own tree. */
interface InstanceRow {
  /** Instance number in TR-181; never given to anything else while the row is kept. */
  n: number
  /** The thing that the number belongs to: an object of the device's own tree, a MAC address, an item of a list. */
  key: string
  /** Objects behind the row now; absent: the one named by `key`; empty: gone, the number stays reserved. */
  from?: string[]
}

/** The numbers of a device's rows in TR-181, as the store keeps them. Built anew only after a BOOTSTRAP. */
export interface InstanceMap {
  version: 1
  /** By table path with the numbers of its parents, e.g. `Device.WiFi.SSID.`. */
  tables: Record<string, InstanceRow[]>
}

/** Most rows of one table, and of all tables of one device. */
const MAX_TABLE_ROWS = 512
const MAX_MAP_ROWS = 2048
/** Most rows of one table that stay reserved for what is gone; the lowest numbers are given up first. */
const MAX_RESERVED = 128

/** Gives numbers: one that was given once stays with its key. */
export class Numbering {
  #tables = new Map<string, Map<string, InstanceRow>>()
  #taken = new Map<string, Set<number>>()
  #seen = new Set<InstanceRow>()

  constructor(previous: InstanceMap | undefined) {
    for (const [table, rows] of Object.entries(previous?.tables ?? {})) {
      const byKey = new Map<string, InstanceRow>()
      const taken = new Set<number>()
      for (const { n, key } of rows) {
        if (!Number.isSafeInteger(n) || n < 1 || taken.has(n) || byKey.has(key)) continue
        byKey.set(key, { n, key, from: [] })
        taken.add(n)
      }
      this.#tables.set(table, byKey)
      this.#taken.set(table, taken)
    }
  }

  /** Returns true when the key has a number in the table, from this or an earlier reading. */
  knows(table: string, key: string): boolean {
    return this.#tables.get(table)?.has(key) === true
  }

  /**
   * Returns the row of a key in a table, e.g. `Device.WiFi.SSID.3.`, and notes the objects behind it. A new key takes
   * `wanted` where that number is free, else the next one after the highest, at least `least`; with `lowest` the lowest
   * one that no row of this reading has, so ask for the known keys first. Undefined when the table or the map is full.
   */
  row(
    table: string,
    key: string,
    from: readonly string[],
    { wanted, least = 1, lowest = false }: { wanted?: number; least?: number; lowest?: boolean } = {},
  ): string | undefined {
    let rows = this.#tables.get(table)
    if (rows === undefined) {
      rows = new Map()
      this.#tables.set(table, rows)
      this.#taken.set(table, new Set())
    }
    const taken = this.#taken.get(table) ?? new Set()
    const row = rows.get(key) ?? {
      n: lowest ? this.#lowest(rows, taken) : next(taken, wanted, least),
      key,
    }
    if (!this.#seen.has(row)) {
      if (this.#seen.size >= MAX_MAP_ROWS || this.#liveIn(rows) >= MAX_TABLE_ROWS) return undefined
      this.#seen.add(row)
      row.from = []
    }
    rows.set(key, row)
    taken.add(row.n)
    for (const object of from) if (row.from?.includes(object) === false) row.from.push(object)
    return `${table}${row.n}.`
  }

  /** Frees the numbers of rows that this reading does not have, and returns the lowest free one. */
  #lowest(rows: Map<string, InstanceRow>, taken: Set<number>): number {
    for (const [key, row] of rows)
      if (!this.#seen.has(row)) {
        rows.delete(key)
        taken.delete(row.n)
      }
    let n = 1
    while (taken.has(n)) n++
    return n
  }

  #live = new Map<Map<string, InstanceRow>, number>()

  /** Counts the rows of a table asked for so far; each call that does not return undefined adds one. */
  #liveIn(rows: Map<string, InstanceRow>): number {
    const live = this.#live.get(rows) ?? 0
    if (live < MAX_TABLE_ROWS) this.#live.set(rows, live + 1)
    return live
  }

  /**
   * Returns the map. Rows that were not asked for keep their number as long as the limits allow; stations
   * (`AssociatedDevice`) give theirs up at once.
   */
  finish(): InstanceMap {
    const tables: [string, InstanceRow[]][] = []
    for (const [table, rows] of this.#tables) {
      const live: InstanceRow[] = []
      let gone: InstanceRow[] = []
      for (const row of rows.values()) (this.#seen.has(row) ? live : gone).push(row)
      if (table.endsWith('.AssociatedDevice.')) gone = []
      gone.sort((a, b) => a.n - b.n)
      const kept = [...live.map(shortRow), ...gone.slice(-MAX_RESERVED)].sort((a, b) => a.n - b.n)
      if (kept.length > 0) tables.push([table, kept])
    }
    return { version: 1, tables: Object.fromEntries(tables) }
  }
}

function next(taken: ReadonlySet<number>, wanted: number | undefined, least: number): number {
  if (wanted !== undefined && wanted <= 0xffff && !taken.has(wanted)) return wanted
  let highest = least - 1
  for (const n of taken) if (n > highest) highest = n
  return highest + 1
}

function shortRow({ n, key, from = [] }: InstanceRow): InstanceRow {
  return from.length === 1 && from[0] === key ? { n, key } : { n, key, from: [...from] }
}
