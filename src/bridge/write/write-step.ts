import type { MenuPath } from '../menus/table.ts'

/**
 * A row of a menu by properties that stay with it. Its `.id` tells rows apart that are alike. Empty: the one row of a
 * menu that has no rows.
 */
export interface RowMatch {
  readonly properties: Readonly<Record<string, string>>
  readonly id?: string
}

/** Subjects for the report of a refusal of a step. */
interface Subject {
  /** Path of TR-181 that the step as a whole is about. */
  readonly path: string
  /** Paths of the parameters by the properties that they became. */
  readonly paths?: Readonly<Record<string, string>>
  /** The row, by its index among those to add. */
  readonly row?: number
}

export type Values = Readonly<Record<string, string>>

/** Changes a row. */
export interface SetStep extends Subject {
  readonly kind: 'set'
  readonly menu: MenuPath
  readonly match: RowMatch
  readonly values: Values
  /** Properties that are put back to what they are without a setting. */
  readonly unset?: readonly string[]
}

/** Adds a row, before another where the menu has an order. */
export interface AddStep extends Subject {
  readonly kind: 'add'
  readonly menu: MenuPath
  readonly values: Values
  readonly before?: RowMatch
}

/** Removes a row. One that is not there any more counts as removed. */
export interface RemoveStep extends Subject {
  readonly kind: 'remove'
  readonly menu: MenuPath
  readonly match: RowMatch
}

/** One write at a router. Steps of a request are done in order. */
export type WriteStep = SetStep | AddStep | RemoveStep
