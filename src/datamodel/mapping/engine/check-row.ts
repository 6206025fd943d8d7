import type { Model } from '../../model.ts'
import { parsePath } from '../../path.ts'
import { AGGREGATIONS, type Condition, type MappingRow } from '../row.ts'
import type { Transform } from '../transform.ts'
import { pairOf, splitTable } from '../tree/pair.ts'

/** Something that keeps a row from being used, and the field of the row that it is in. */
export interface RowProblem {
  place: string
  text: string
}

/** Roots of the trees that devices show over CWMP. */
const ROOTS = ['InternetGatewayDevice.', 'Device.']
/** A rank of 0 goes before the rows of the standard. */
const MIN_RANK = 0
const MAX_RANK = 99
const MAX_SLOT = 99
const MAX_CONDITION_VALUES = 100

/** Returns what is wrong with a row that somebody adds; empty when it can be used. */
export function checkRow(
  row: MappingRow,
  transforms: ReadonlyMap<string, Transform>,
  model: Pick<Model, 'parameter'>,
): RowProblem[] {
  const problems: RowProblem[] = []
  const add = (place: string, text: string | undefined) => {
    if (text !== undefined) problems.push({ place, text })
  }
  const from = pathProblem(row.from, ROOTS)
  add('from', from)
  const to = pathProblem(row.to, ['Device.'])
  add('to', to ?? targetProblem(row.to, model))
  const transform = row.transform === undefined ? undefined : transforms.get(row.transform)
  if (row.transform !== undefined && transform === undefined)
    add('transform', `${JSON.stringify(row.transform)} is not known; ${[...transforms.keys()].sort().join(', ')} are`)
  if (row.writable === true && transform !== undefined && transform.write === undefined)
    add('writable', `values of ${row.transform} can only be read`)
  if (row.writeAlso === true && row.writable !== true) add('writeAlso', 'needs a row that is writable')
  if (row.rank !== undefined) add('rank', numberProblem(row.rank, MIN_RANK, MAX_RANK))
  if (row.slot !== undefined) add('slot', numberProblem(row.slot, 1, MAX_SLOT))
  if (row.agg !== undefined && !AGGREGATIONS.includes(row.agg)) add('agg', `is none of ${AGGREGATIONS.join(', ')}`)
  if (from !== undefined || to !== undefined) return problems
  const { table } = splitTable(row.from)
  const target = splitTable(row.to).table
  if (pairOf(table, target, row.slot) === undefined)
    add('to', `no rule joins objects of ${table} with rows of ${target === '' ? 'no table' : target}`)
  for (const place of ['when', 'writeWhen'] as const) add(place, conditionProblem(row[place], table))
  return problems
}

function pathProblem(text: string, roots: readonly string[]): string | undefined {
  if (typeof text !== 'string') return 'is no text'
  if (!roots.some((root) => text.startsWith(root))) return `does not begin with ${roots.join(' or ')}`
  try {
    const { kind, segments } = parsePath(text)
    if (kind !== 'parameter') return 'is not the path of a parameter'
    const odd = segments.find((segment) => segment.kind !== 'name' && segment.kind !== 'schema')
    return odd === undefined ? undefined : 'has instance numbers or expressions: write {i} for each instance'
  } catch (error) {
    return error instanceof Error ? error.message : 'is no path'
  }
}

function targetProblem(path: string, model: Pick<Model, 'parameter'>): string | undefined {
  if (path.includes('.X_') || model.parameter(path.replaceAll('{i}', '1')) !== undefined) return undefined
  return 'is no parameter of TR-181; a vendor parameter begins with X_'
}

function numberProblem(value: number, min: number, max: number): string | undefined {
  return Number.isInteger(value) && value >= min && value <= max
    ? undefined
    : `is not a whole number of ${min} to ${max}`
}

/** The parameter of a condition lies in the same instances as the source, or in fewer of them. */
function conditionProblem(condition: Condition | undefined, table: string): string | undefined {
  if (condition === undefined) return undefined
  const { param, in: within, notIn } = condition
  const path = pathProblem(param, ROOTS)
  if (path !== undefined) return `param ${path}`
  if ((within === undefined) === (notIn === undefined)) return 'has in or notIn, and not both'
  const values = within ?? notIn ?? []
  if (values.length === 0 || values.length > MAX_CONDITION_VALUES)
    return `has no values, or more than ${MAX_CONDITION_VALUES}`
  return table.startsWith(splitTable(param).table) ? undefined : `param lies in other instances than ${table}`
}
