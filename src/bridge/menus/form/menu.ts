import { INTERFACE, optional, ROW_ID, ROW_IDS, textOf, type ValueKind } from './value-kinds.ts'

/**
 * Danger of a command: 0 reads, 1 changes something and can be undone, 2 interrupts service, 3 destroys. Each level
 * includes those below. Commands that are never sent have no level: they are not in the table.
 */
export type Level = 0 | 1 | 2 | 3

/** A property of a menu. */
export interface Property {
  readonly kind: ValueKind
  readonly writable: boolean
  /** True when it is never asked for, and is removed from replies. */
  readonly secret: boolean
}

/** A command of a menu, and the words that it may have. */
export interface Verb {
  readonly level: Level
  /** The attribute that names a row, and its need. */
  readonly row?: { readonly name: string; readonly required: boolean }
  /** Attributes of its own. */
  readonly args: Readonly<Record<string, ValueKind>>
  /** True when it takes writable properties as attributes. */
  readonly takesProperties: boolean
  /** True when it takes a list of wanted properties and a query. */
  readonly reads: boolean
  /** True when it goes on until it is cancelled. */
  readonly streams: boolean
}

/** A menu of RouterOS, as far as the bridge may name it. */
export interface Menu<P extends string = string, V extends string = string> {
  readonly properties: Readonly<Record<P, Property>>
  readonly verbs: Readonly<Record<V, Verb>>
}

const VERB: Verb = { level: 0, args: {}, takesProperties: false, reads: false, streams: false }
const NO_VALUE = textOf(0)
const ROW = { name: '.id', required: true } as const

/** Returns a command with other words than the usual ones. */
export function verb(level: Level, more: Partial<Omit<Verb, 'level'>> = {}): Verb {
  return { ...VERB, level, ...more }
}

/** Returns a command on one row. */
export function rowVerb(level: Level, args: Readonly<Record<string, ValueKind>> = {}): Verb {
  return { ...VERB, level, args, row: ROW }
}

const print = verb(0, { reads: true, args: { 'count-only': NO_VALUE } })
const listen = verb(0, { reads: true, streams: true })
const set = verb(1, { row: ROW, takesProperties: true })
const unset = rowVerb(1, { 'value-name': { ...textOf(64, 1), expects: 'the name of a property' } })

/** Commands of a menu that is read only. */
export const READ = { print, listen }
/** Commands of a menu that has one row without an `.id`. */
export const SINGLE = { print, listen, set: verb(1, { takesProperties: true }) }
/** Commands of a menu whose rows can be changed. */
export const CHANGE = { print, listen, set }
/** Commands of a menu whose rows can be changed and put back to the value of a profile. */
export const CHANGE_UNSET = { print, listen, set, unset }
/** Commands of a menu with rows of the operator. */
export const ROWS = {
  print,
  listen,
  set,
  add: verb(1, { takesProperties: true }),
  remove: rowVerb(1),
}
/** Commands of a menu whose rows have an order. */
export const ORDERED = {
  ...ROWS,
  add: verb(1, { takesProperties: true, args: { 'place-before': ROW_ID } }),
  move: verb(1, { args: { numbers: ROW_ID, destination: ROW_ID } }),
}
/** A reading of the present state of rows. */
export const MONITOR: Verb = { ...verb(0, { reads: true }), args: { once: NO_VALUE, '.id': ROW_IDS, numbers: ROW_IDS } }

/** Returns properties that are only read. */
export function reads<const N extends string>(...names: N[]): Readonly<Record<N, Property>> {
  const entries = names.map((name) => [name, { kind: textOf(255), writable: false, secret: false }] as const)
  return Object.fromEntries(entries) as Record<N, Property>
}

/** Returns a property that is only read, and may be searched for by a value of a kind. */
export function read(kind: ValueKind): Property {
  return { kind, writable: false, secret: false }
}

/** Returns a property that can be written. */
export function write(kind: ValueKind): Property {
  return { kind, writable: true, secret: false }
}

/** Returns a property that can be written and is never read. */
export function secret(kind: ValueKind): Property {
  return { kind, writable: true, secret: true }
}

/** Returns a menu. */
export function menu<P extends string, V extends string>(
  properties: Readonly<Record<P, Property>>,
  verbs: Readonly<Record<V, Verb>>,
): Menu<P | '.id', V> {
  const id: Record<'.id', Property> = { '.id': read(ROW_ID) }
  return { properties: { ...id, ...properties } as Record<P | '.id', Property>, verbs }
}

/** The comment of a row. */
export const COMMENT = textOf(255)
/** The name of an interface, or '' for none. */
export const NO_INTERFACE = optional(INTERFACE)
