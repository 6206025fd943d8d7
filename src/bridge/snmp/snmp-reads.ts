import { BoundedMap } from '../../base/index.ts'
import type { SupportedModel } from '../../usp/index.ts'
import type { RouterReads } from '../model/bridged-model.ts'
import type { SnmpReadings } from './snmp-readings.ts'
import { isTableOfSnmp, placeOfPath, routerValues, rowOfKey, type SnmpPlace } from './snmp-values.ts'

/** The readings that values are taken from. */
type Readings = Pick<SnmpReadings, 'isPreferred' | 'read'>

/** The value of a key is asked for again after this time. */
const KEY_MS = 60_000
const MAX_KEYS = 4096
const MAX_TABLES = 100

/**
 * The readable model of a router of which SNMP shows some values, under the same paths. `prefer`: these come from SNMP
 * while it answers. `auto`: where the connection does not read them, because a right is missing or the connection is
 * gone. Rows, their numbers and their names are always those of the connection; the last ones are kept.
 */
export class SnmpReads implements RouterReads {
  readonly #inside: RouterReads
  readonly #snmp: Readings
  readonly #now: () => number
  /** Keys of rows, e.g. the name of a port, by the path of the row. */
  readonly #keys = new BoundedMap<string, { key: string; at: number }>(MAX_KEYS)
  readonly #rows = new BoundedMap<string, readonly string[]>(MAX_TABLES)

  constructor(inside: RouterReads, snmp: Readings, now: () => number) {
    this.#inside = inside
    this.#snmp = snmp
    this.#now = now
  }

  supported(): Promise<SupportedModel> {
    return this.#inside.supported()
  }

  async instances(table: string): Promise<readonly string[]> {
    if (!isTableOfSnmp(table)) return this.#inside.instances(table)
    try {
      const rows = await this.#inside.instances(table)
      this.#rows.set(table, rows)
      return rows
    } catch (error) {
      const known = this.#rows.get(table)
      if (known === undefined || (await this.#snmp.read()) === undefined) throw error
      return known
    }
  }

  /** As the port has it; `viaSnmp` gets the paths whose values came over SNMP. */
  async get(paths: readonly string[], viaSnmp?: Set<string>): Promise<ReadonlyMap<string, string>> {
    const places = new Map(paths.flatMap((path) => [[path, placeOfPath(path)] as const]).filter(isPlaced))
    if (places.size === 0) return this.#inside.get(paths)
    return this.#snmp.isPreferred ? this.#before(paths, places, viaSnmp) : this.#after(paths, places, viaSnmp)
  }

  async #before(
    paths: readonly string[],
    places: ReadonlyMap<string, SnmpPlace>,
    viaSnmp: Set<string> | undefined,
  ): Promise<ReadonlyMap<string, string>> {
    const wanted = new Map([...places].filter(([, place]) => place.kind === 'row' || !place.isFallback))
    const found = await this.#overSnmp(wanted)
    const rest = paths.filter((path) => !found.has(path))
    const others = rest.length === 0 ? new Map<string, string>() : await this.#after(rest, places, viaSnmp)
    for (const path of found.keys()) viaSnmp?.add(path)
    return new Map([...others, ...found])
  }

  async #after(
    paths: readonly string[],
    places: ReadonlyMap<string, SnmpPlace>,
    viaSnmp: Set<string> | undefined,
  ): Promise<ReadonlyMap<string, string>> {
    let values: Map<string, string>
    let failure: unknown
    try {
      values = new Map(await this.#inside.get(paths))
      this.#keep(values)
    } catch (error) {
      failure = error
      // The keys of rows are asked for together with their values.
      values = new Map(paths.flatMap((path) => entryOf(path, this.#keys.get(rowOfKey(path) ?? '')?.key)))
    }
    const asked = new Set(paths)
    const missing = new Map([...places].filter(([path]) => asked.has(path) && !values.has(path)))
    const found = missing.size === 0 ? new Map<string, string>() : await this.#overSnmp(missing)
    const isAnswer = found.size > 0 && paths.every((path) => values.has(path) || places.has(path))
    if (failure !== undefined && !isAnswer) throw failure
    for (const [path, value] of found) {
      values.set(path, value)
      viaSnmp?.add(path)
    }
    return values
  }

  /** Resolves with those values that SNMP has. */
  async #overSnmp(places: ReadonlyMap<string, SnmpPlace>): Promise<ReadonlyMap<string, string>> {
    const reading = await this.#snmp.read()
    const found = new Map<string, string>()
    if (reading === undefined) return found
    const own = routerValues(reading)
    await this.#readKeys([...places.values()])
    for (const [path, place] of places) {
      const value =
        place.kind === 'router'
          ? own[place.parameter]
          : place.table.rows(reading).get(this.#keys.get(place.row)?.key ?? '')?.[place.parameter]
      if (value !== undefined) found.set(path, value)
    }
    return found
  }

  /** Reads the keys of rows that are not known, or were read long ago. While the router is away the last ones stay. */
  async #readKeys(places: readonly SnmpPlace[]): Promise<void> {
    const now = this.#now()
    const paths = new Set(
      places.flatMap((place) => {
        if (place.kind === 'router') return []
        const known = this.#keys.get(place.row)
        return known !== undefined && now - known.at < KEY_MS && now >= known.at ? [] : [place.row + place.table.key]
      }),
    )
    if (paths.size === 0) return
    try {
      this.#keep(await this.#inside.get([...paths]))
    } catch {
      // The connection is gone.
    }
  }

  #keep(values: ReadonlyMap<string, string>): void {
    const at = this.#now()
    for (const [path, key] of values) {
      const row = rowOfKey(path)
      if (row !== undefined) this.#keys.set(row, { key, at })
    }
  }
}

function entryOf(path: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[path, value]]
}

function isPlaced(entry: readonly [string, SnmpPlace | undefined]): entry is readonly [string, SnmpPlace] {
  return entry[1] !== undefined
}
