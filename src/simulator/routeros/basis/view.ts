import type { Row } from './table.ts'

/** The router as values that live, and rows that follow from others, see it. */
export interface RouterView {
  /** Milliseconds since 1970 by the router's clock. */
  readonly now: number
  /** Seconds since the boot. */
  readonly upS: number
  /** RouterOS version, such as `7.18.2`. */
  readonly version: string
  readonly store: StoreView
}

/** The tables of a router. */
export interface StoreView {
  /** Rows of a table in order. */
  table(name: string): readonly Row[]
  find(table: string, property: string, value: string): Row | undefined
}
