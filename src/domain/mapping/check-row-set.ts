import { isObject } from '../../base/index.ts'
import { type Model, type RowProblem, readRow, TRANSFORMS, versionKey } from '../../datamodel/index.ts'
import { MAX_ROWS, type MappingRowSet, type MappingScope } from './row-set.ts'

/** The part of a set that an operator writes. */
export type RowSetInput = Pick<MappingRowSet, 'name' | 'reason' | 'scope' | 'rows'>

/** Characters of a name, of a reason, and of a text of a scope. */
export const MAX_ROW_SET_NAME = 100
export const MAX_REASON = 1000
export const MAX_SCOPE_TEXT = 200

const NAMES: readonly string[] = ['manufacturer', 'model', 'productClass'] satisfies (keyof MappingScope)[]
const RANGE: readonly string[] = ['from', 'before']

/**
 * Returns what is wrong with rows that somebody wrote, each with its row and field, as in `rows.3.to`; empty when all
 * can be used.
 */
export function rowProblems(rows: readonly unknown[], model: Pick<Model, 'parameter'>): RowProblem[] {
  if (rows.length > MAX_ROWS) return [{ place: 'rows', text: `has more than ${MAX_ROWS} rows; make several sets` }]
  const problems: RowProblem[] = []
  const seen = new Map<string, number>()
  for (const [n, row] of rows.entries()) {
    const own = readRow(row, TRANSFORMS, model)
    problems.push(...own.map(({ place, text }) => ({ place: `rows.${n}${place === '' ? '' : `.${place}`}`, text })))
    if (own.length > 0) continue
    const { from, to, family } = row as { from: string; to: string; family?: string }
    const key = JSON.stringify([from, to, family])
    const first = seen.get(key)
    if (first === undefined) seen.set(key, n)
    else problems.push({ place: `rows.${n}.from`, text: `has the source and target of rows.${first}` })
  }
  return problems
}

/** Returns what is wrong with a set that somebody wrote, with the place of each problem; empty when it is a RowSetInput. */
export function rowSetProblems(value: unknown, model: Pick<Model, 'parameter'>): RowProblem[] {
  if (!isObject(value)) return [{ place: '', text: 'is no object with name, reason, scope and rows' }]
  const { name, reason, scope, rows, ...others } = value
  const problems: RowProblem[] = Object.keys(others).map((place) => ({
    place: place.slice(0, MAX_ROW_SET_NAME),
    text: 'is not known; a set has name, reason, scope and rows',
  }))
  const add = (place: string, text: string | undefined) => {
    if (text !== undefined) problems.push({ place, text })
  }
  add('name', textProblem(name, MAX_ROW_SET_NAME))
  add('reason', textProblem(reason, MAX_REASON))
  problems.push(...scopeProblems(scope))
  if (!Array.isArray(rows) || rows.length === 0) add('rows', 'is no list with a row')
  else problems.push(...rowProblems(rows, model))
  return problems
}

/** Returns what is wrong with a scope, with the place of each problem. */
export function scopeProblems(scope: unknown): RowProblem[] {
  if (!isObject(scope)) return [{ place: 'scope', text: 'is no object; {} means every device' }]
  const problems: RowProblem[] = []
  for (const [name, value] of Object.entries(scope)) {
    const place = `scope.${name.slice(0, MAX_ROW_SET_NAME)}`
    if (value === undefined) continue
    if (name === 'firmware') problems.push(...rangeProblems(value))
    else {
      const text = NAMES.includes(name)
        ? textProblem(value, MAX_SCOPE_TEXT)
        : 'is not known; a scope has manufacturer, model, productClass and firmware'
      if (text !== undefined) problems.push({ place, text })
    }
  }
  return problems
}

function rangeProblems(range: unknown): RowProblem[] {
  const place = 'scope.firmware'
  if (!isObject(range)) return [{ place, text: 'is no object with from and before' }]
  for (const [name, value] of Object.entries(range)) {
    if (value === undefined) continue
    const text = RANGE.includes(name) ? textProblem(value, MAX_SCOPE_TEXT) : 'is not known; a range has from and before'
    if (text !== undefined) return [{ place: `${place}.${name.slice(0, MAX_ROW_SET_NAME)}`, text }]
  }
  const { from, before } = range as { from?: string; before?: string }
  if (from === undefined && before === undefined) return [{ place, text: 'has neither from nor before' }]
  return from === undefined || before === undefined || versionKey(from) < versionKey(before)
    ? []
    : [{ place: `${place}.before`, text: `is not behind ${from}, so that no version is in the range` }]
}

function textProblem(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value.trim().length > 0 && value.length <= max
    ? undefined
    : `is no text of 1 to ${max} characters`
}
