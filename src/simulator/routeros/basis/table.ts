/** A row as it is kept. Properties whose names begin with `~` are of the emulator and never printed. */
export interface Row {
  /** The number of `.id`. */
  id: number
  values: Record<string, string>
}

/** `.id` of a row on the wire. */
export function idText(row: Row): string {
  return `*${row.id.toString(16).toUpperCase()}`
}

/** Rows in their order, with numbers that are not used again. */
export interface Table {
  rows: Row[]
  next: number
}

/** One change of a table. */
export interface TableChange {
  table: string
  kind: 'added' | 'set' | 'removed'
  row: Row
}
