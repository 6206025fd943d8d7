import { isObject } from '../../../base/index.ts'
import type { Model } from '../../model.ts'
import type { Condition, MappingRow } from '../row.ts'
import type { Transform } from '../transform.ts'
import { FAMILIES } from '../vendors/families.ts'
import { checkRow, type RowProblem } from './check-row.ts'

/** Characters of a path, and of any other text of a row. */
const MAX_PATH = 256
const MAX_TEXT = 500
const MAX_MODELS = 100

/** Returns what is wrong with the form of a field; undefined for nothing. */
type FieldCheck = (value: unknown) => string | undefined

const text = (max: number) => (value: unknown) =>
  typeof value === 'string' && value.length > 0 && value.length <= max
    ? undefined
    : `is no text of 1 to ${max} characters`
const isTrue: FieldCheck = (value) => (value === true ? undefined : 'is not true; leave it out for no')
const number: FieldCheck = (value) => (typeof value === 'number' ? undefined : 'is no number')
const texts = (max: number) => (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.length <= max && value.every((item) => typeof item === 'string')
    ? undefined
    : `is no list of 1 to ${max} texts`

const CONDITION: Record<keyof Condition, FieldCheck> = { param: text(MAX_PATH), in: texts(100), notIn: texts(100) }
const condition: FieldCheck = (value) => {
  if (!isObject(value)) return 'is no object with param, and in or notIn'
  const [problem] = fieldProblems(value, CONDITION, ['param'])
  return problem === undefined ? undefined : `${problem.place} ${problem.text}`
}

const FIELDS: Record<keyof MappingRow, FieldCheck> = {
  from: text(MAX_PATH),
  to: text(MAX_PATH),
  transform: text(MAX_TEXT),
  writable: isTrue,
  copy: isTrue,
  when: condition,
  writeWhen: condition,
  rank: number,
  agg: text(MAX_TEXT),
  slot: number,
  writeAlso: isTrue,
  family: (value) =>
    FAMILIES.some(({ name }) => name === value)
      ? undefined
      : `is no vendor family; ${FAMILIES.map(({ name }) => name).join(', ')} are`,
  models: texts(MAX_MODELS),
  evidence: text(MAX_TEXT),
}

/**
 * Returns what is wrong with a row as somebody wrote it, form and meaning, with the field of each problem; empty when
 * the value is a MappingRow that can be used.
 */
export function readRow(
  value: unknown,
  transforms: ReadonlyMap<string, Transform>,
  model: Pick<Model, 'parameter'>,
): RowProblem[] {
  if (!isObject(value)) return [{ place: '', text: 'is no object with from and to' }]
  const problems = fieldProblems(value, FIELDS, ['from', 'to'])
  return problems.length > 0 || !isRow(value) ? problems : checkRow(value, transforms, model)
}

/** Only called for a value whose fields have been checked. */
function isRow(value: object): value is MappingRow {
  return 'from' in value && 'to' in value
}

function fieldProblems(
  value: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, FieldCheck>>,
  required: readonly string[],
): RowProblem[] {
  const problems: RowProblem[] = []
  for (const name of required) if (value[name] === undefined) problems.push({ place: name, text: 'is missing' })
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    const problem = check === undefined ? `is not known; a row has ${Object.keys(checks).join(', ')}` : check(item)
    if (problem !== undefined) problems.push({ place: name.slice(0, MAX_TEXT), text: problem })
  }
  return problems
}
