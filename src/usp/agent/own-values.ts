import type { Setting } from '../wire/index.ts'
import { SUBSCRIPTIONS, THRESHOLDS } from './owned-tables.ts'

/** Values that the Agent itself gives to a new row of a table, when the Controller of the row `by` adds it. */
export type OwnValues = (table: string, by: string) => Readonly<Record<string, string>>

/** A row of a table with the values of its unique keys; its path is '' when it is still to be added. */
export interface TableRow {
  row: string
  values: Readonly<Record<string, string>>
}

/**
 * Returns the values that the Agent gives to a new row. A permission without an Order gets one above all others of its
 * role (R-ADD.5): the default 0 is taken by the first one.
 */
export function withOwnValues(
  own: Readonly<Record<string, string>>,
  table: string,
  settings: readonly Setting[],
  rows: readonly TableRow[],
): Readonly<Record<string, string>> {
  if (!/ControllerTrust\.Role\.\d+\.Permission\.$/.test(table)) return own
  if (settings.some(({ param }) => param === 'Order')) return own
  const highest = rows.reduce((max, { values }) => Math.max(max, Number(values.Order) || 0), 0)
  return { ...own, Order: String(highest + 1) }
}

/** Returns the values of a new row that name its Controller and its time: they are the Agent's to fill. */
export function ownRowValues(table: string, by: string, now: number): Readonly<Record<string, string>> {
  const controller = by.replace(/\.$/, '')
  if (table === THRESHOLDS) return { Controller: controller }
  if (table !== SUBSCRIPTIONS) return {}
  return { Recipient: controller, CreationDate: new Date(now).toISOString().replace(/\.\d+/, '') }
}
