import type { MenuPath } from '../menus/table.ts'
import type { RowMatch, Values } from './write-step.ts'

/** A step as it is needed to undo it. It holds no secret. */
export type IntendedStep =
  | {
      readonly kind: 'set'
      readonly menu: MenuPath
      readonly match: RowMatch
      readonly path: string
      /** Values before, by property; null where the row had none. */
      readonly before: Readonly<Record<string, string | null>>
      /** Values that are set; null where one is taken away. */
      readonly after: Readonly<Record<string, string | null>>
      /** True when a secret is set, too: its value before is not known, so that it cannot be put back. */
      readonly hasSecret: boolean
    }
  | {
      readonly kind: 'add'
      readonly menu: MenuPath
      readonly path: string
      readonly values: Values
      /** The `.id` of rows with these values that were there before. */
      readonly existing: readonly string[]
    }
  | {
      readonly kind: 'remove'
      readonly menu: MenuPath
      readonly match: RowMatch
      readonly path: string
      /** The values to add the row with again. */
      readonly before: Values
      /** The `.id` of the row after it, where the menu has an order. */
      readonly next?: string
    }

/** A request that changes a router: its steps, of which the first `begun` may have reached the router. */
export interface Intent {
  readonly steps: readonly IntendedStep[]
  readonly begun: number
}

/** The end that an entry outlives: of the process, or of the machine, too. */
export type Outlives = 'process' | 'machine'

/**
 * Keeps the request that is under way at one router, so that after a kill the bridge knows what it may have changed.
 * Entries outlive the machine when their promises resolve.
 */
export interface IntentStore {
  /** The request that was under way when the process ended, or has ended without being finished. */
  readonly open: Intent | undefined
  /** Begins a request; the entry outlives the process at least. */
  begin(intent: Intent, outlives: Outlives): Promise<void>
  /** Notes that steps up to this number may have reached the router, and none behind it. */
  reach(begun: number): Promise<void>
  /** Ends the request: router and record agree. */
  end(): Promise<void>
}
