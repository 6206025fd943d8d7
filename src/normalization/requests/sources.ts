import type { DeviceMapping, RawLookup } from '../../datamodel/index.ts'
import { isSearch, objectOf, objectsOfTable, outerTable, scanObject } from '../../datamodel/index.ts'
import type { OwnSide } from './own-side.ts'
import { searchBase } from './search-values.ts'

/** Sources of one parameter that are asked for although the record has none of them. */
const MAX_UNSEEN = 8

/** Returns the own parameters to read for one parameter of TR-181: those that the record knows, else all. */
export function sourcesOf(mapping: DeviceMapping, path: string, tree: RawLookup): string[] {
  const sources = mapping.sourcesOf(path, tree)
  const known = sources.filter((source) => tree.value(source) !== undefined)
  return known.length > 0 ? known : sources.slice(0, MAX_UNSEEN)
}

/** Returns what to read for all that a path names: an object, or the one in which a search path looks for its rows. */
export function sourcesOfAll(own: OwnSide, path: string): string[] {
  const base = isSearch(path) ? searchBase(path) : path
  const sources = sourcesBelow(own.mapping, base, own.tree)
  return own.showsSome(path) ? [base, ...sources.filter((source) => !source.startsWith(base))] : sources
}

/**
 * Returns the own parameters and objects to read for all that is at and below an object of TR-181. Parameters outside
 * of tables are named one by one, as far as the record knows them; a table is read as a whole, as rows may be new.
 */
export function sourcesBelow(mapping: DeviceMapping, object: string, tree: RawLookup): string[] {
  const { schema, cuts } = scanObject(object)
  const row = object.slice(0, cuts.at(-1) ?? 0)
  const rowTable = scanObject(row).schema
  const owners = row === '' ? undefined : mapping.objectsOf(row, tree)
  const leaves = new Set<string>()
  const unseen = new Set<string>()
  const tables = new Set<string>()
  const leaf = (path: string) => {
    if (tree.value(path) !== undefined) leaves.add(path)
    else unseen.add(objectOf(path))
  }
  for (const target of mapping.mapping.targets.values()) {
    if (!target.schema.startsWith(schema)) continue
    for (const compiled of target.rows) {
      if (!mapping.applies(compiled)) continue
      const { table, rest, pair } = compiled
      if (table === '') leaf(rest)
      else if (row !== '' && target.table === rowTable)
        for (const own of pair.objects(row, mapping.links, tree)) leaf(own + rest)
      else
        for (const outer of objectsOfTable(tree, outerTable(table))) {
          const name = outer + table.slice(outerTable(table).length, -ROW.length)
          if (owners === undefined || owners.some((own) => name.startsWith(own) || own.startsWith(name)))
            tables.add(name)
        }
    }
  }
  const objects = leaves.size + tables.size > 0 ? tables : unseen
  return [...leaves, ...objects].filter(
    (path) => ![...objects].some((other) => other !== path && path.startsWith(other)),
  )
}

const ROW = '{i}.'
