import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import type { Property } from './kinds.ts'

/** Returns the value of a property at this moment; undefined: it is absent. */
export type Live = (row: Row, router: RouterView) => string | undefined

/** A menu of RouterOS: a view of a table, with the properties that it prints and takes. */
export interface Menu {
  /** With slashes, such as `/ip/address`. */
  path: string
  /** The table of its rows; by itself the path. */
  table: string
  /** Of the table only rows with this value are in the menu; new ones get it. */
  where?: readonly [property: string, value: string]
  /** One row without an `.id`. */
  isSingle: boolean
  properties: Readonly<Record<string, Property>>
  live: Readonly<Record<string, Live>>
  /** Further properties of a row, for those that it inherits. */
  derive?: (row: Row, router: RouterView) => Readonly<Record<string, string>>
  /** A property by which rows are addressed like by their `.id`. */
  key?: string
  required: readonly string[]
  /** Properties that no two rows may have alike, with the text of the refusal. */
  unique?: { by: readonly string[]; text: string }
  /** Rows come and go with the hardware: neither add nor remove. */
  isFixed: boolean
  /** Rows have an order that `move` and `place-before` change. */
  isOrdered: boolean
  /** Rows are neither added nor set; they may be removed. */
  isReading: boolean
  /** Policy that changes need beside `write`. */
  policy?: string
  /** Changes need this feature of the device mode. */
  feature?: string
  /** Fills what follows from the values of a row that is added or set. */
  complete?: (values: Record<string, string>, router: RouterView) => void
  /** Returns the rows of a monitor at this moment, for a row of the menu. */
  monitor?: (row: Row, router: RouterView) => Record<string, string>
}

type MenuParts = Partial<Omit<Menu, 'path' | 'properties'>>

/** Returns a list of rows. */
export function list(path: string, properties: Menu['properties'], parts: MenuParts = {}): Menu {
  return {
    path,
    table: path,
    properties,
    isSingle: false,
    isFixed: false,
    isOrdered: false,
    isReading: false,
    live: {},
    required: [],
    ...parts,
  }
}

/** Returns a menu of one row. */
export function single(path: string, properties: Menu['properties'], parts: MenuParts = {}): Menu {
  return list(path, properties, { isSingle: true, isFixed: true, ...parts })
}
