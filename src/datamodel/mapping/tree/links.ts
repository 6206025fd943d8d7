import type { InstanceMap } from './instance-map.ts'
import { lastNumber, objectOf } from './schema.ts'

/** Tables whose rows have the numbers of another table. */
const MIRRORS: readonly [ending: string, mirrors: readonly string[]][] = [
  ['Device.WiFi.SSID.', ['Device.WiFi.AccessPoint.']],
  ['Device.DSL.Line.', ['Device.DSL.Channel.']],
  ['Device.Optical.Interface.', ['Device.XPON.ONU.']],
  ['.SIP.Client.', ['.CallControl.Line.', '.CallControl.CallingFeatures.Set.']],
]

/**
 * Tables in the order in which they answer when an object stands behind several rows and none is asked for by name: a
 * connection is its IP interface, a radio network its SSID.
 */
const FIRST = [
  'Device.Ethernet.Interface.',
  'Device.DSL.Line.',
  'Device.USB.Interface.',
  'Device.WiFi.SSID.',
  'Device.IP.Interface.',
  'Device.ATM.Link.',
  'Device.PTM.Link.',
  'Device.Ethernet.Link.',
  'Device.PPP.Interface.',
  'Device.Bridging.Bridge.',
  'Device.Hosts.Host.',
]

/** The links between the objects of a device's own tree and the rows of TR-181, looked up from both ends. */
export class Links {
  #bySource = new Map<string, string[]>()
  #byTarget = new Map<string, string[]>()
  #byTable = new Map<string, string[]>()
  #positions = new Map<string, number>()
  #keys = new Map<string, string>()

  constructor(map: InstanceMap) {
    const order = (table: string) => (FIRST.indexOf(table) + FIRST.length + 1) % (FIRST.length + 1)
    const tables = Object.entries(map.tables).sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1))
    for (const [table, rows] of tables)
      for (const { n, key, from = [key] } of rows) {
        if (from.length === 0) continue
        this.#keys.set(`${table}${n}.`, key)
        for (const name of [table, ...mirrorsOf(table)]) this.#add(name, `${name}${n}.`, from)
        const item = key.lastIndexOf('#')
        if (item >= 0) this.#positions.set(`${table}${n}.`, Number(key.slice(item + 1)) || 0)
      }
  }

  #add(table: string, row: string, from: readonly string[]): void {
    push(this.#byTable, table, row)
    this.#byTarget.set(row, [...from])
    for (const object of from) push(this.#bySource, object, row)
  }

  /** Returns the TR-181 rows behind an object of the device's own tree. */
  rowsOf(object: string): readonly string[] {
    return this.#bySource.get(object) ?? NONE
  }

  /** Returns the objects of the device's own tree behind a TR-181 row. */
  objectsOf(row: string): readonly string[] {
    return this.#byTarget.get(row) ?? NONE
  }

  /** Returns the rows of a TR-181 table (numbers of its parents, a dot at the end) in the order of their numbers. */
  rowsIn(table: string): readonly string[] {
    return this.#byTable.get(table) ?? NONE
  }

  /** Returns all objects of the device's own tree that stand behind a row. */
  objects(): Iterable<string> {
    return this.#bySource.keys()
  }

  /** Returns the row of an object in one table; undefined where it has none. */
  rowIn(object: string, table: string): string | undefined {
    for (const row of this.rowsOf(object)) {
      if (row.startsWith(table) && row.indexOf('.', table.length) === row.length - 1) return row
    }
    return undefined
  }

  /** Returns the key that the number of a row belongs to: an object, a MAC address, a band. */
  keyOf(row: string): string | undefined {
    return this.#keys.get(row)
  }

  /** Returns the position of a row among those of the same object, from 0. */
  positionOf(row: string): number {
    return this.#positions.get(row) ?? 0
  }
}

const NONE: readonly string[] = []

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

function mirrorsOf(table: string): string[] {
  for (const [ending, mirrors] of MIRRORS)
    if (table.endsWith(ending)) return mirrors.map((mirror) => table.slice(0, -ending.length) + mirror)
  return []
}

/** Returns the number of a row in its table. */
export function numberOf(row: string): number {
  return Number(lastNumber(row))
}

/** Returns the table of a row: `Device.WiFi.SSID.3.` -> `Device.WiFi.SSID.`. */
export function tableOfRow(row: string): string {
  return objectOf(row.slice(0, -1))
}
