import { MAX_UPTIME_S } from '../../datamodel/index.ts'
import type { FactTree, Reading } from './fact-tree.ts'
import type { FactSources } from './live-facts.ts'

/** Fields of one group of facts; one that is undefined goes away. */
export type FactFields = Record<string, string | number | string[] | FactSources | undefined>

/** A group of facts: the parameters that it is derived from, and the ways to derive it. */
export interface FactDerivation {
  /** Objects that are read to derive all of it: whole tables (ending in a dot), and single objects. */
  tables: readonly string[]
  objects: readonly string[]
  /** Returns true when a fact can depend on this parameter. */
  bears(path: string): boolean
  /** Returns all facts that the parameters show, with `sources`. */
  derive(tree: FactTree, before: FactFields): FactFields
  /**
   * Returns the fields that a new value of the source of a fact sets, `before` being all present ones; undefined when
   * the other parameters decide.
   */
  take(fact: string, reading: Reading, before: FactFields): FactFields | undefined
  /** Returns false when a parameter that is no source of a fact cannot change one, as the facts are now. */
  matters(path: string, reading: Reading, before: FactFields): boolean
}

/** Times that are worked out from an uptime differ by the way of the message; below this they are one. */
const SAME_TIME_MS = 10_000

/** Returns the time before which something began that has lasted `seconds`, kept as it was where it is the same. */
export function beganAt(seconds: number | undefined, at: number, before: unknown): number | undefined {
  if (seconds === undefined || seconds > MAX_UPTIME_S) return undefined
  const began = at - seconds * 1000
  return typeof before === 'number' && Math.abs(began - before) < SAME_TIME_MS ? before : began
}

/** Returns fields without those that are undefined. */
export function present(fields: FactFields): FactFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
