import { BRIDGE, FORWARDING, IGD, isLinked, isNumbered, ROUTE_181, WLAN } from './linked.ts'
import type { Links } from './links.ts'
import type { RawLookup } from './raw-tree.ts'
import { instancesOf } from './raw-tree.ts'
import { depthOf, lastNumber, outerTable, scanObject, tableOf } from './schema.ts'

/** The way from the objects of one table of the device's own tree to the rows of one TR-181 table, and back. */
export interface Pair {
  /** Returns the objects behind a TR-181 row. */
  objects(row: string, links: Links, tree: RawLookup): readonly string[]
  /** Returns the TR-181 rows of an object. */
  rows(object: string, links: Links): readonly string[]
}

/** Outside any table there is one object and one row: its path is '' on both sides, or the rows numbered 1. */
function fixed(row: string): Pair {
  const rows = [row]
  return { objects: (asked) => (asked === row ? ROOT : NONE), rows: () => rows }
}

/** The instance map holds the numbers. */
function linked(from: string, to: string): Pair {
  return {
    objects: (row, links) => pick(links.objectsOf(row), from),
    rows: (object, links) => pick(links.rowsOf(object), to),
  }
}

/** Returns the objects of one table, without a copy where all or none are. */
function pick(list: readonly string[], table: string): readonly string[] {
  if (list.length === 1) return isOf(list[0] ?? '', table) ? list : NONE
  return list.length === 0 ? list : list.filter((object) => isOf(object, table))
}

function isOf(object: string, table: string): boolean {
  return scanObject(object).schema === table
}

/** The same number on both sides, below an outer pair. */
function below(outer: Pair, fromName: string, toName: string): Pair {
  return {
    objects(row, links, tree) {
      const n = lastNumber(row)
      const outerRow = row.slice(0, row.length - n.length - 1 - toName.length)
      return outer.objects(outerRow, links, tree).map((object) => `${object}${fromName}${n}.`)
    },
    rows(object, links) {
      const n = lastNumber(object)
      const outerObject = object.slice(0, object.length - n.length - 1 - fromName.length)
      return outer.rows(outerObject, links).map((row) => `${row}${toName}${n}.`)
    },
  }
}

/** One row with a known number below the row of the same object. */
function one(outer: Pair, ending: string): Pair {
  return {
    objects: (row, links, tree) =>
      row.endsWith(ending) ? outer.objects(row.slice(0, -ending.length), links, tree) : NONE,
    rows: (object, links) => outer.rows(object, links).map((row) => row + ending),
  }
}

/** Many objects, or a chosen one, behind one row. */
function gather(outer: Pair, fromName: string, choose: Choice | undefined): Pair {
  return {
    objects(row, links, tree) {
      const found: string[] = []
      for (const object of outer.objects(row, links, tree)) {
        if (choose === undefined) found.push(...instancesOf(tree, object + fromName))
        else found.push(`${object}${fromName}${choose(object, tree)}.`)
      }
      return found
    },
    rows(object, links) {
      const n = lastNumber(object)
      return outer.rows(object.slice(0, object.length - n.length - 1 - fromName.length), links)
    },
  }
}

type Choice = (object: string, tree: RawLookup) => string

/** Tables of which one row is the value of the object above: the first key, and the WEP key in use. */
const CHOSEN: ReadonlyMap<string, Choice> = new Map<string, Choice>([
  [`${WLAN}PreSharedKey.{i}.`, () => '1'],
  [`${WLAN}WEPKey.{i}.`, (object, tree) => digits(tree.value(`${object}WEPKeyIndex`)) ?? '1'],
])

function digits(text: string | undefined): string | undefined {
  return text !== undefined && text.length === 1 && text >= '1' && text <= '9' ? text : undefined
}

/** Tables with numbers of the instance map of which some rows have the device's own numbers. */
const ALSO_SAME = new Set([`${FORWARDING}>${ROUTE_181}`, `${BRIDGE}VLAN.{i}.>Device.Bridging.Bridge.{i}.VLAN.{i}.`])

const ROOT: readonly string[] = ['']
const NONE: readonly string[] = []
const pairs = new Map<string, Pair | undefined>()

/**
 * Returns the way between a table of the device's own tree and one of TR-181 (schema paths that end in `{i}.`, '' for
 * no table); `slot` is the number of the own row where one object gives several. Undefined where no rule knows the two.
 */
export function pairOf(from: string, to: string, slot = 1): Pair | undefined {
  const key = `${from}>${to}>${slot}`
  const known = pairs.get(key)
  if (known !== undefined || pairs.has(key)) return known
  const pair = makePair(from, to, slot)
  if (pairs.size < MAX_PAIRS) pairs.set(key, pair)
  return pair
}

/** The standard rows use some 110 pairs; operators' rows add a few. */
const MAX_PAIRS = 2_000

function makePair(from: string, to: string, slot: number): Pair | undefined {
  if (isLinked(from, to)) return linked(from, to)
  if (from === '') return fixed(to.replaceAll('{i}', '1'))
  const outerFrom = outerTable(from)
  const fromName = from.slice(outerFrom.length, -4)
  if (to === '') return wrap(pairOf(outerFrom, ''), (outer) => gather(outer, fromName, undefined))
  const outerTo = outerTable(to)
  const toName = to.slice(outerTo.length, -4)
  const sameNumber = () => wrap(pairOf(outerFrom, outerTo), (outer) => below(outer, fromName, toName))
  if (ALSO_SAME.has(`${from}>${to}`)) return sameNumber()
  if (isLinked(from, outerTo)) return wrap(pairOf(from, outerTo), (outer) => one(outer, `${toName}${slot}.`))
  if (from.startsWith(IGD) && isNumbered(to))
    return CHOSEN.has(from)
      ? wrap(pairOf(outerFrom, to), (outer) => gather(outer, fromName, CHOSEN.get(from)))
      : undefined
  if (isLinked(outerFrom, outerTo)) return sameNumber()
  const deeper = depthOf(to) - depthOf(from)
  if (deeper > 0) return wrap(pairOf(from, outerTo), (outer) => one(outer, `${toName}${slot}.`))
  if (deeper < 0) return wrap(pairOf(outerFrom, to), (outer) => gather(outer, fromName, CHOSEN.get(from)))
  return sameNumber()
}

function wrap(outer: Pair | undefined, make: (outer: Pair) => Pair): Pair | undefined {
  return outer === undefined ? undefined : make(outer)
}

/** Returns the table part of a schema path on the device's side, and what follows it. */
export function splitTable(schema: string): { table: string; rest: string } {
  const table = tableOf(schema)
  return { table, rest: schema.slice(table.length) }
}
