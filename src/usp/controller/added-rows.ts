import { isSearch } from '../../datamodel/index.ts'
import type { RowToAdd } from '../../domain/index.ts'
import type { AddResp } from '../wire/index.ts'
import { objectPath } from './outcome.ts'

type Created = AddResp['created_obj_results'][number]

/** The results of an Add beside the rows that they are about. */
interface AddedRows {
  /** In the order of the request; `row` is undefined where the answer does not show which row was meant. */
  results: { result: Created; row?: RowToAdd }[]
  /** Rows without a result. */
  silent: RowToAdd[]
}

/**
 * Pairs the results of an Add with the rows of the request by their requested path (TR-369 7.5.3). Results may come in
 * any order, and a search path gives a result for each table that it finds. Several rows of one table are told apart by
 * the unique keys, otherwise by their order.
 */
export function pairAdded(rows: readonly RowToAdd[], created: readonly Created[]): AddedRows {
  const asked = grouped(rows, ({ object }) => object)
  const answered = grouped(created, (result) => pathOf(result, asked))
  const paired = new Map<Created, RowToAdd>()
  const silent: RowToAdd[] = []
  for (const [path, its] of asked) {
    const results = answered.get(path) ?? []
    for (const [result, row] of isSearch(path) ? pairFound(its, results) : pairRows(its, results))
      paired.set(result, row)
    silent.push(...its.slice(results.length))
  }
  // Some Agents write a path in another form: then the order is all that is left.
  const strange = answered.get(undefined) ?? []
  if (strange.length === silent.length) {
    for (const result of strange) {
      const row = silent.shift()
      if (row !== undefined) paired.set(result, row)
    }
  }
  const results = created.map((result) => ({ result, row: paired.get(result) }))
  const placeOf = (row: RowToAdd | undefined) => (row === undefined ? rows.length : rows.indexOf(row))
  results.sort((a, b) => placeOf(a.row) - placeOf(b.row))
  return { results: results.map(({ result, row }) => (row === undefined ? { result } : { result, row })), silent }
}

function grouped<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/** Returns the path of the request that a result is about: the one that it names, or the table of its new row. */
function pathOf(result: Created, asked: ReadonlyMap<string, unknown>): string | undefined {
  const named = objectPath(result.requested_path)
  return [named, tableOf(result)].find((path) => path !== undefined && asked.has(path))
}

/** Returns the table of the new row; undefined when none was made. */
function tableOf({ oper_status }: Created): string | undefined {
  const path = objectPath(oper_status.oper_success?.instantiated_path ?? '')
  return path === '' ? undefined : path.replace(/[^.]*\.$/, '')
}

/** Pairs results of one table. Where some are missing, only their keys tell which rows were made. */
function pairRows(rows: readonly RowToAdd[], results: readonly Created[]): [Created, RowToAdd][] {
  const isWhole = rows.length === results.length
  const pairs: [Created, RowToAdd][] = []
  const left = new Set(rows)
  const take = (result: Created, fits: (row: RowToAdd) => boolean) => {
    const row = [...left].find(fits)
    if (row === undefined) return false
    left.delete(row)
    pairs.push([result, row])
    return true
  }
  const byOrder = results.filter((result) => !take(result, (row) => comparedKeys(result, row) === 'same'))
  if (!isWhole) return pairs
  const others = byOrder.filter((result) => !take(result, (row) => comparedKeys(result, row) === 'open'))
  for (const result of others) take(result, () => true)
  return pairs
}

/** Compares the unique keys of a new row with the values that were asked for; open: the request names none of them. */
function comparedKeys({ oper_status }: Created, { values }: RowToAdd): 'same' | 'other' | 'open' {
  const keys = Object.entries(oper_status.oper_success?.unique_keys ?? {}).filter(([name]) => name in values)
  if (keys.length === 0) return 'open'
  return keys.every(([name, value]) => values[name] === value) ? 'same' : 'other'
}

/** Pairs results of a search path: each of its rows was added to each table that it found. */
function pairFound(rows: readonly RowToAdd[], results: readonly Created[]): [Created, RowToAdd][] {
  const [only] = rows
  if (only !== undefined && rows.length === 1) return results.map((result) => [result, only])
  return [...grouped(results, tableOf)].flatMap(([table, its]) => (table === undefined ? [] : pairRows(rows, its)))
}
