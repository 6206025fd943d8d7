import type { CompiledRow, RawLookup } from '../../datamodel/index.ts'
import { isSearch, objectOf, objectsOfTable, objectsOn, parentOf, scanObject } from '../../datamodel/index.ts'
import type { OwnSide } from './own-side.ts'
import { searchBase } from './search-values.ts'

/** Sources of one parameter that are asked for although the record has none of them. */
const MAX_UNSEEN = 8
/** The table of the device that is not read as a whole for the sake of the tables in it: it has hosts, networks and keys. */
const LAN = 'InternetGatewayDevice.LANDevice.'
const ROW = '{i}.'

/** The tree of a device, the root of its own paths, and their mapping. */
type Known = Pick<OwnSide, 'mapping' | 'tree' | 'root'>

/**
 * Returns the own parameters to read for one parameter of TR-181: those that the record knows, else those that may have
 * come to an object that it knows.
 */
export function sourcesOf({ mapping, tree, root }: Known, path: string): string[] {
  const sources = mapping.sourcesOf(path, tree).filter((source) => source.startsWith(root))
  const known = sources.filter((source) => tree.value(source) !== undefined)
  if (known.length > 0) return known
  return sources.filter((source) => tree.children(objectOf(source)).length > 0).slice(0, MAX_UNSEEN)
}

/** Returns what to read for all that a path names: an object, or the one in which a search path looks for its rows. */
export function sourcesOfAll(own: OwnSide, path: string): string[] {
  const base = isSearch(path) ? searchBase(path) : path
  const sources = sourcesBelow(own, base)
  return own.showsSome(path) ? [base, ...sources.filter((source) => !source.startsWith(base))] : sources
}

/**
 * Returns the own parameters and objects to read for all that is at and below an object of TR-181. All of them are in
 * the record, for one unknown name fails a request. Parameters outside of tables are named one by one. A table is read
 * as a whole, with the tables around it that may have new rows, too; an empty one with the object that it is in.
 */
export function sourcesBelow(known: Known, object: string): string[] {
  const { tree } = known
  const places = placesBelow(known, object)
  const leaves = new Set<string>()
  const objects = new Set<string>()
  const further = new Set<string>()
  for (const leaf of places.leaves)
    if (tree.value(leaf) !== undefined) leaves.add(leaf)
    else further.add(shownAbove(tree, objectOf(leaf)))
  for (const [table, rows] of places.tables)
    for (const name of whole(tree, table, places.owners)) {
      const shown = shownAbove(tree, name)
      if (shown === name) objects.add(name)
      else if (rows.some((row) => isOfDevice(known, row))) (isRow(shown) ? further : objects).add(shown)
    }
  objects.delete('')
  further.delete('')
  const asked = leaves.size + objects.size > 0 ? objects : further
  return outermost([...leaves, ...asked])
}

/** Returns paths without those at and below another object of them. */
export function outermost(paths: Iterable<string>): string[] {
  const all = new Set(paths)
  return [...all].filter((path) => !objectsOn(path).some((object) => object !== path && all.has(object)))
}

/** Returns the own parameters behind all that is at and below an object of TR-181, as far as the record has them. */
export function parametersBelow(known: Known, object: string): string[] {
  const { mapping, tree } = known
  const places = placesBelow(known, object)
  const found = new Set(places.leaves)
  for (const [table, rows] of places.tables)
    for (const own of objectsOfTable(tree, table).filter(belongs(table, places.owners)))
      for (const { rest } of rows) found.add(own + rest)
  const { schema } = scanObject(object)
  const isBelow = (path: string) => {
    let is = false
    mapping.visitTargets(path, (_target, _row, to) => (is ||= to.startsWith(object)), schema)
    return is
  }
  return [...found].filter((path) => tree.value(path) !== undefined && isBelow(path))
}

/** The places in the tree of the device of all that is below an object of TR-181. */
interface Places {
  /** Parameters outside of tables, and those of the row that the object is. */
  leaves: Iterable<string>
  /** Tables of the device, as rows of the mapping name them, and these rows. */
  tables: ReadonlyMap<string, readonly CompiledRow[]>
  /** The objects of the device behind the row that the object of TR-181 is or lies in; undefined: any. */
  owners: readonly string[] | undefined
}

function placesBelow({ mapping, tree, root }: Known, object: string): Places {
  const { schema, cuts } = scanObject(object)
  const row = object.slice(0, cuts.at(-1) ?? 0)
  const rowTable = scanObject(row).schema
  const leaves = new Set<string>()
  const tables = new Map<string, CompiledRow[]>()
  for (const target of mapping.mapping.targets.values()) {
    if (!target.schema.startsWith(schema)) continue
    for (const compiled of target.rows) {
      if (!mapping.applies(compiled) || !compiled.row.from.startsWith(root)) continue
      const { table, rest, pair } = compiled
      if (table === '') leaves.add(rest)
      else if (row !== '' && target.table === rowTable)
        for (const own of pair.objects(row, mapping.links, tree)) leaves.add(own + rest)
      else tables.set(table, [...(tables.get(table) ?? []), compiled])
    }
  }
  return { leaves, tables, owners: row === '' ? undefined : ownersOf(mapping, row, tree) }
}

/** Returns the objects behind a row; undefined for one that stands for the whole device, such as its only router. */
function ownersOf(mapping: Known['mapping'], row: string, tree: RawLookup): Places['owners'] {
  const { schema } = scanObject(row)
  const pairs = mapping.mapping.tablePairs.get(schema) ?? []
  const isWhole = pairs.some(({ to, pair }) => to === schema && pair.objects(row, mapping.links, tree).includes(''))
  return isWhole ? undefined : mapping.objectsOf(row, tree)
}

/** Returns the test for objects of a table, or the table, that belong to the row that is asked for. */
function belongs(table: string, owners: Places['owners']): (name: string) => boolean {
  if (owners === undefined) return () => true
  const depth = (own: string) => (table.startsWith(scanObject(own).schema) ? own.length : 0)
  const deepest = Math.max(0, ...owners.map(depth))
  // A radio network lies in the LAN device, and both may stand behind one row: the nearer one counts.
  const nearest = deepest === 0 ? owners : owners.filter((own) => depth(own) === deepest)
  return (name) => nearest.some((own) => name.startsWith(own) || own.startsWith(name))
}

/**
 * Returns the tables to read for the rows of one table, with its numbers. For all rows that is the outermost one, where
 * any may be new; for those of one object the table in that.
 */
function whole(tree: RawLookup, table: string, owners: Places['owners']): string[] {
  const parts = table.split(ROW).slice(0, -1)
  const [first = ''] = parts
  const depth = owners !== undefined ? parts.length : first === LAN ? 2 : 1
  const outer = parts.slice(0, depth)
  const last = outer.pop() ?? ''
  return objectsOfTable(tree, outer.map((part) => part + ROW).join(''))
    .map((object) => object + last)
    .filter(belongs(table, owners))
}

/** Returns the nearest object at or above a path that the tree shows; '' where that is the root. */
function shownAbove(tree: RawLookup, object: string): string {
  let shown = object
  while (shown !== '' && tree.children(shown).length === 0) shown = parentOf(shown)
  return parentOf(shown) === '' ? '' : shown
}

function isRow(object: string): boolean {
  return scanObject(object).cuts.at(-1) === object.length
}

/** Returns true for a row of the standard, or of the family of the device. */
function isOfDevice({ mapping }: Known, { row }: CompiledRow): boolean {
  return !row.from.includes('.X_') || (row.family !== undefined && row.family === mapping.family)
}
