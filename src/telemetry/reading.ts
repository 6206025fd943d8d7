/** A row of a table of TR-181 that a message speaks of. */
export interface NamedRow {
  /** Object paths with `*` in the place of instance numbers, e.g. `Device.Ethernet.Interface.*.`. */
  readonly tables: readonly string[]
  /** The parameter that tells rows apart, and its value in this row. Absent: the path alone does. */
  readonly key?: { readonly parameter: string; readonly value: string }
  /** The row by the numbering of the bridge. */
  readonly path?: string
  /** True when the row may be new to the record. */
  readonly mayBeNew: boolean
}

/** One value of a message. */
export interface TelemetryReading {
  /** The object of the parameter: its path, or the row that it is found by. */
  readonly at: string | NamedRow
  /** The rest of the path, e.g. `Stats.BytesSent`. */
  readonly parameter: string
  readonly value: string
  /** Milliseconds at which it was measured. */
  readonly time: number
}

/** Returns true for a row of one of some tables. */
export function isRowOf(tables: readonly string[], path: string): boolean {
  return tables.some((table) => patternOf(table).test(path))
}

/** Returns the part of a table before its first instance number. */
export function stemOf(table: string): string {
  return table.slice(0, table.indexOf('*'))
}

const patterns = new Map<string, RegExp>()

function patternOf(table: string): RegExp {
  const known = patterns.get(table) ?? new RegExp(`^${table.replaceAll('.', '\\.').replaceAll('*', '[1-9]\\d{0,8}')}$`)
  patterns.set(table, known)
  return known
}
