/**
 * The form of the mapping between TR-181 and the menus of RouterOS. One file per subtree declares objects in this form;
 * the readings and the writes of the bridge go by it.
 */

/** Value of a property; undefined when the row does not have it, as RouterOS leaves out what is not set. */
export type Text = string | undefined

/** A row of a menu by the names of its properties, or a row that a declaration made of several. */
export type SourceRow = Readonly<Record<string, string>>

/** Rows that a router can be asked for: those of a menu, or what `monitor` shows of each of them. */
export interface MenuReading {
  /** Path with slashes, e.g. `/ip/address`. */
  readonly menu: string
  /** Query words of the print, in order. */
  readonly query?: readonly string[]
  /**
   * Reads rows with `monitor`, once: those that the test holds for. The property `.id` of an answer is that of its row.
   */
  readonly monitor?: RowTest
}

/** Rows that complete a row of an object: the first whose property `theirs` equals the property `own`. */
export interface Join extends MenuReading {
  /** Absent: the first row of the menu. */
  readonly match?: { readonly own: string; readonly theirs: string }
}

export interface ReadContext {
  /** Time of the bridge, in milliseconds since 1970. */
  readonly now: number
}

/** A conversion of one text: `read` to TR-181, `write` back to RouterOS. Both return undefined when there is none. */
export interface Conversion {
  read(text: Text, context: ReadContext): Text
  write?(value: string): Text
}

/** The reading half of a parameter and, where the bridge may write it, the writing half. */
export interface ParameterMapping {
  /**
   * Properties that the value comes from; `join:property` is one of a joined row. None: the value is a constant.
   */
  readonly from: readonly string[]
  /** Returns the value of TR-181 from the properties in the order of `from`; undefined when the row has none. */
  read(texts: readonly Text[], context: ReadContext): Text
  /**
   * Tables, by schema path, in one of which a row is called what `read` returns: the value is the path of that row
   * without its last dot, or empty.
   */
  readonly refers?: readonly string[]
  /**
   * Seconds by which a date may differ from that of the reading before and still be the same: the router tells the time
   * since or until it, in whole seconds, and the answer is on its way for a while.
   */
  readonly steadyS?: number
  readonly write?: ParameterWrite
}

/** The writing half of a parameter. */
export interface ParameterWrite {
  /** Join whose row has the properties; the row of the object when absent. */
  readonly join?: string
  /**
   * Returns the properties to set for a value that TR-181 allows; undefined when the router cannot have that value.
   * For a parameter that refers to a row, the value is what that row is called, or empty.
   */
  properties(value: string): Readonly<Record<string, string>> | undefined
}

/** A text that a row yields, and the properties that it is made of. */
export interface RowText {
  readonly from: readonly string[]
  of(row: SourceRow): Text
}

/** Rows of an object that are not the rows of one menu. */
export interface DerivedRows {
  /** Readings with the properties wanted of each, by a name of the declaration. Those that a router lacks are empty. */
  readonly readings: Readonly<Record<string, MenuReading & { readonly properties: readonly string[] }>>
  /** A row that is one row of the router has the path of its menu as the property `.menu`, and its `.id`. */
  rows(by: Readonly<Record<string, readonly SourceRow[]>>): readonly SourceRow[]
  /** Properties that tell a row apart in its menu, by the path of the menu. */
  readonly stays?: Readonly<Record<string, readonly string[]>>
}

/** The part of a declaration that makes an object a table. */
interface TableRows {
  /** Natural key: stays with a row whatever its place and `.id`. A row without one is not shown. */
  readonly key: RowText
  /** Name by which other objects refer to a row. */
  readonly called?: RowText
  /** The row of the table above, by what it is called: for tables below a table. A row without one is not shown. */
  readonly parent?: RowText
  /** Returns false for rows of the menu that are no rows of the table. */
  readonly where?: RowTest
  /** Returns false for rows that the bridge does not change, as the router has made them itself. */
  readonly mayChange?: RowTest
  /** True when the bridge adds and deletes rows, as far as the model allows it. */
  readonly grows?: true
}

export interface RowTest {
  readonly from: readonly string[]
  holds(row: SourceRow): boolean
}

/** An object of TR-181 with what it is read from. */
export interface ObjectMapping {
  /** Schema path; tables end in `{i}.`. */
  readonly object: string
  /** Menus without which a router does not have the object. */
  readonly needs: readonly string[]
  /** Rows of a menu of which a router that has the object has one: they tell its hardware. */
  readonly hardware?: { readonly menu: string; readonly rows: RowTest }
  readonly source: MenuReading | DerivedRows
  /** Absent: the object is no table, and its values come from the first row of its source. */
  readonly table?: TableRows
  readonly joins?: Readonly<Record<string, Join>>
  /** By name; `Stats.BytesSent` is a parameter of the object `Stats.` below. */
  readonly parameters: Readonly<Record<string, ParameterMapping>>
}
