import type { Model, ModelParameter } from '../../model.ts'
import { splitLeaf } from '../../path.ts'
import type { BaseType } from '../../types.ts'
import type { Derived } from '../derived/derived.ts'
import type { Condition, MappingRow } from '../row.ts'
import type { Transform } from '../transform.ts'
import { typedTransform, typeToCheck } from '../transforms/typed.ts'
import { IGD, OPTICAL, VLAN } from '../tree/linked.ts'
import { type Pair, pairOf, splitTable } from '../tree/pair.ts'
import { depthOf, objectOf } from '../tree/schema.ts'

/** A row ready for use: its transform or that of the target's type, and the way between its two tables. */
export interface CompiledRow {
  readonly row: MappingRow
  readonly transform: Transform | undefined
  readonly pair: Pair
  /** Table of the source, '' for none, and the rest of its path below a row of that table. */
  readonly table: string
  readonly rest: string
  readonly target: CompiledTarget
  readonly rank: number
  readonly when: CompiledCondition | undefined
  readonly writeWhen: CompiledCondition | undefined
}

/** A condition, with the parameter taken apart so that it can be asked beside a source. */
export interface CompiledCondition {
  readonly condition: Condition
  /** Instances that the parameter shares with the source, and the rest of its path. */
  readonly depth: number
  readonly rest: string
}

/** A parameter of TR-181 that has rows or is derived. */
export interface CompiledTarget {
  readonly schema: string
  readonly table: string
  readonly rest: string
  /** In the order in which they are asked: rank, then the family's before the standard's. */
  readonly rows: CompiledRow[]
  readonly derived: CompiledDerived[]
  readonly parameter: ModelParameter | undefined
  /** The type that each reading is checked for; undefined for texts and lists. */
  readonly type: BaseType | undefined
}

/** A derived parameter and the way to the objects that it is derived from. */
interface CompiledDerived {
  readonly spec: Derived
  readonly pair: Pair
  readonly target: CompiledTarget
}

/** The rows that depend on one parameter of the device's own tree (by schema path). */
export interface Dependent {
  readonly pair: Pair
  /** Instances in the path of the parameter up to the object that `pair` starts from; more than it has: all objects below. */
  readonly depth: number
  readonly table: string
  readonly target: CompiledTarget
  readonly family: string | undefined
  /** The row, where the parameter is its source; undefined where it decides a condition or is read beside the source. */
  readonly row: CompiledRow | undefined
}

/** All rows, found by either end. Made once for a set of rows; holds nothing of a device. */
export interface Mapping {
  readonly targets: ReadonlyMap<string, CompiledTarget>
  readonly dependents: LeafIndex<readonly Dependent[]>
  readonly targetsAt: LeafIndex<CompiledTarget>
  /** By table of the device's own tree: the ways to TR-181 that rows use. */
  readonly pairs: ReadonlyMap<string, readonly TablePair[]>
  /** The same, by table of TR-181. */
  readonly tablePairs: ReadonlyMap<string, readonly TablePair[]>
  readonly derived: readonly CompiledDerived[]
  /** Objects (schema paths) with sources whose readings need others beside them. */
  readonly readWith: readonly string[]
  /** Sources of VLANs and of received optical levels, which decide rows of their own. */
  readonly vlanRows: readonly CompiledRow[]
  readonly opticalRows: readonly CompiledRow[]
}

/** Parameters by their object (schema path), then by their last name: the object of many values is looked up once. */
type LeafIndex<T> = ReadonlyMap<string, ReadonlyMap<string, T>>

/** Two tables that a row joins. */
interface TablePair {
  readonly from: string
  readonly to: string
  readonly pair: Pair
}

/**
 * Compiles rows for lookup. A later row with the same source, target and family replaces an earlier one. A row whose
 * tables no rule joins, or whose transform is not known, is left out: `checkRow` says so beforehand. Rows of `ahead` go
 * before all others of their rank.
 */
export function compileMapping(
  rows: readonly MappingRow[],
  derived: readonly Derived[],
  transforms: ReadonlyMap<string, Transform>,
  model: Pick<Model, 'parameter'>,
  ahead: ReadonlySet<MappingRow> = new Set(),
): Mapping {
  const targets = new Map<string, CompiledTarget>()
  const dependents = new Map<string, Dependent[]>()
  const allDerived: CompiledDerived[] = []
  const pairs = new Map<string, TablePair[]>()
  const tablePairs = new Map<string, TablePair[]>()
  const readWith = new Set<string>()
  const targetOf = (schema: string): CompiledTarget => {
    const known = targets.get(schema)
    if (known !== undefined) return known
    const parameter = model.parameter(schema.replaceAll('{i}', '1'))
    const type = typeToCheck(parameter)
    const made: CompiledTarget = { schema, ...splitTable(schema), rows: [], derived: [], parameter, type }
    targets.set(schema, made)
    return made
  }
  const depend = (schema: string, dependent: Dependent) => {
    const list = dependents.get(schema)
    if (list === undefined) dependents.set(schema, [dependent])
    else if (!list.some(({ target, pair }) => target === dependent.target && pair === dependent.pair))
      list.push(dependent)
  }
  for (const row of latest(rows)) {
    const named = row.transform === undefined ? undefined : transforms.get(row.transform)
    if (row.transform !== undefined && named === undefined) continue
    const { table, rest } = splitTable(row.from)
    const target = targetOf(row.to)
    const transform = named ?? typedTransform(target.type)
    const pair = pairOf(table, target.table, row.slot)
    if (pair === undefined) continue
    const compiled: CompiledRow = {
      row,
      transform,
      pair,
      table,
      rest,
      target,
      rank: row.rank ?? 1,
      when: compileCondition(row.when, row.from),
      writeWhen: compileCondition(row.writeWhen, row.from),
    }
    target.rows.push(compiled)
    if (transform?.readsWith !== undefined) readWith.add(objectOf(row.from))
    if (pairs.get(table)?.some(({ pair: other }) => other === pair) !== true) {
      const joined = { from: table, to: target.table, pair }
      pairs.set(table, [...(pairs.get(table) ?? []), joined])
      tablePairs.set(target.table, [...(tablePairs.get(target.table) ?? []), joined])
    }
    const beside = { pair, depth: depthOf(table), table, target, family: row.family, row: undefined }
    depend(row.from, { ...beside, row: compiled })
    if (row.when !== undefined) depend(row.when.param, beside)
    if (row.agg === 'first') depend(`${table}Enable`, beside)
    for (const name of transform?.reads ?? []) depend(objectOf(row.from) + name, beside)
  }
  for (const spec of derived) {
    const target = targetOf(spec.to)
    const pair = pairOf(spec.from, target.table, spec.slot)
    if (pair === undefined) continue
    target.derived.push({ spec, pair, target })
    allDerived.push({ spec, pair, target })
    const beside = { pair, depth: depthOf(spec.from), table: spec.from, target, family: undefined, row: undefined }
    for (const name of spec.needs ?? []) depend(name.startsWith(IGD) ? name : spec.from + name, beside)
  }
  for (const target of targets.values()) target.rows.sort((a, b) => byRank(a, b, ahead))
  return {
    targets,
    dependents: byLeaf(dependents),
    targetsAt: byLeaf(targets),
    pairs,
    tablePairs,
    derived: allDerived,
    readWith: [...readWith],
    vlanRows: targets.get(`${VLAN}VLANID`)?.rows ?? [],
    // Other values of optics do not make an interface: the access type of a WANDevice is one of any line.
    opticalRows: targets.get(`${OPTICAL}OpticalSignalLevel`)?.rows ?? [],
  }
}

/** Of one rank: rows ahead, then those of a family, then the standard's; else the order in which they were given counts. */
function byRank(a: CompiledRow, b: CompiledRow, ahead: ReadonlySet<MappingRow>): number {
  return (
    a.rank - b.rank ||
    Number(ahead.has(b.row)) - Number(ahead.has(a.row)) ||
    Number(a.row.family === undefined) - Number(b.row.family === undefined)
  )
}

function latest(rows: readonly MappingRow[]): Iterable<MappingRow> {
  const byKey = new Map<string, MappingRow>()
  for (const row of rows) byKey.set(`${row.from}>${row.to}>${row.family ?? ''}`, row)
  return byKey.values()
}

function compileCondition(condition: Condition | undefined, from: string): CompiledCondition | undefined {
  if (condition === undefined) return undefined
  const { table } = splitTable(from)
  let own = splitTable(condition.param).table
  while (!table.startsWith(own)) own = splitTable(own.slice(0, -4)).table
  return { condition, depth: depthOf(own), rest: condition.param.slice(own.length).replaceAll('{i}', '1') }
}

function byLeaf<T>(bySchema: ReadonlyMap<string, T>): LeafIndex<T> {
  const index = new Map<string, Map<string, T>>()
  for (const [schema, value] of bySchema) {
    const { object, leaf } = splitLeaf(schema)
    const leaves = index.get(object) ?? new Map<string, T>()
    index.set(object, leaves.set(leaf, value))
  }
  return index
}
