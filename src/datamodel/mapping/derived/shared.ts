import { isTrue } from '../booleans.ts'
import type { Derived, DerivedContext } from './derived.ts'

/** Returns a derived parameter with the same value for every row. */
export function always(to: string, from: string, value: string): Derived {
  return { to, from, always: value, value: () => value }
}

/** Returns a derived parameter that refers to the row of the same object in another table. */
export function refers(to: string, from: string, table: string): Derived {
  return { to, from, value: ({ object, links }) => withoutDot(links.rowIn(object, table)) }
}

/** References in Device:2 are paths without the dot at their end (TR-106 3.2.4). */
export function withoutDot(row: string | undefined): string | undefined {
  return row === undefined ? undefined : row.slice(0, -1)
}

/** Returns `Enabled` or `Disabled` as the `Enable` of the same row is; undefined where that is not known. */
export function enabledLikeEnable({ row, evaluate }: DerivedContext): string | undefined {
  const enable = evaluate(`${row}Enable`)
  return enable === undefined ? undefined : isTrue(enable) ? 'Enabled' : 'Disabled'
}

/** Returns the object of the device that holds another, by the name of its table: the WANDevice of a connection. */
export function ownerOf(object: string, table: string): string {
  const at = object.indexOf(table)
  return at < 0 ? '' : object.slice(0, object.indexOf('.', at + table.length) + 1)
}
