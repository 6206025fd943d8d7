import type { Draft } from './draft.ts'
import type { RouterInstance } from './instances.ts'
import type { Values } from './write-step.ts'

/** A row of TR-181 that is changed. */
export interface ChangedRow {
  /** Full path with its last dot. */
  readonly path: string
  readonly instance: RouterInstance
  /** Values that are given, by the name of the parameter below the row. */
  readonly given: Values
  /** Values as they are after the change: given ones over those that the router shows now. */
  readonly values: Values
}

/** A row of TR-181 that is added. */
export interface AddedRow {
  /** Full path of the table with its last dot. */
  readonly table: string
  /** The row of the table above; undefined for tables that are below none. */
  readonly above: RouterInstance | undefined
  readonly values: Values
  /** Index of the row in its request. */
  readonly row: number
}

/**
 * The writing half of an object of which parameters are not each a property: several become one, or they stand in
 * several menus. Methods add steps to a draft; they reject with DraftRefusal.
 */
export interface ObjectWriter {
  /** Schema path of the object. */
  readonly object: string
  /** Parameters that `set` writes; others are written as the mapping says. */
  readonly parameters: readonly string[]
  /** True when `set` itself looks at who has made a row; others refuse those that are not of the bridge. */
  readonly checksRow?: true
  /** Resolves with the natural key after the change when it is another one. */
  set?(row: ChangedRow, draft: Draft): Promise<string | undefined>
  /** Resolves with the natural key of the new row. */
  add?(row: AddedRow, draft: Draft): Promise<string>
  remove?(row: Pick<ChangedRow, 'path' | 'instance'>, draft: Draft): Promise<void>
}

/** Returns paths of parameters by the properties that they became. */
export function pathsOf(row: string, names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([property, name]) => [property, row + name]))
}

/** Returns `yes` for a value of `Enable` that is false. */
export function disabledOf(enable: string | undefined): string {
  return enable === 'true' || enable === '1' ? 'no' : 'yes'
}
