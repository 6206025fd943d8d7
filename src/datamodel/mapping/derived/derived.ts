import type { Links } from '../tree/links.ts'
import type { RawLookup } from '../tree/raw-tree.ts'

/** The facts that a derived parameter may use. */
export interface DerivedContext {
  /** The row of TR-181 that has the parameter, and the object of the device's own tree behind it. */
  readonly row: string
  readonly object: string
  readonly links: Links
  readonly tree: RawLookup
  /** Returns the value of another TR-181 parameter of the same device. */
  evaluate(path: string): string | undefined
}

/** A parameter of TR-181 without a source of its own: a reference, a kind, a state that follows from others. */
export interface Derived {
  /** Schema path in TR-181. */
  to: string
  /** Table of the device's own tree whose objects give the rows, as a schema path; '' for none. */
  from: string
  /** Number of the own row where one object gives several. */
  slot?: number
  /**
   * Parameters whose change is a change of the value, relative to that object, with `{i}` for all rows of a table below
   * it; a full schema path for one of an object around it.
   */
  needs?: readonly string[]
  /** The value, where it is the same for all rows and whatever the device shows. */
  always?: string
  /** The way to do it instead of a write, where that is not plain: `delete the row and ...`. */
  instead?: string
  /** Returns the value; undefined when the parameter is absent. */
  value(context: DerivedContext): string | undefined
}
