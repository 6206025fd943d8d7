import { AppError } from '../../base/index.ts'
import { deviceIdsIn, endpointIdsIn, idPrefixesIn } from './id-reading.ts'
import { parseRsql, type RsqlNode } from './rsql.ts'
import { searchTexts } from './search-keys.ts'
import { type FieldKind, SELECTOR_FIELDS, type SelectorField, selectorField } from './selector-fields.ts'

type SelectorOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'out'
export type SelectorValue = string | number | boolean

/** One comparison: `==` and `!=` have one value, `in` and `out` any number. */
export interface SelectorTerm {
  field: SelectorField
  operator: SelectorOperator
  values: SelectorValue[]
}

/**
 * A checked selector: every field exists, every value fits it. Text values may carry `*` at their end (prefix) with ==
 * and !=.
 */
export type Selector = { and: Selector[] } | { or: Selector[] } | { not: Selector } | SelectorTerm

const OPERATORS: Record<string, SelectorOperator> = {
  '==': '==',
  '!=': '!=',
  '<': '<',
  '=lt=': '<',
  '<=': '<=',
  '=le=': '<=',
  '>': '>',
  '=gt=': '>',
  '>=': '>=',
  '=ge=': '>=',
  '=in=': 'in',
  '=out=': 'out',
}
/** Characters of a selector. */
export const MAX_SELECTOR = 4096
const MAX_NODES = 64
const MAX_VALUES = 1000

/**
 * Reads an RSQL text such as `manufacturer==Acme;softwareVersion=ge=1.10`. AppError `invalid` says what is wrong and
 * what is allowed.
 */
export function parseSelector(text: string): Selector {
  if (text.length > MAX_SELECTOR) throw new AppError('invalid', `selector is longer than ${MAX_SELECTOR} characters`)
  let node: RsqlNode
  try {
    node = parseRsql(text)
  } catch (cause) {
    throw new AppError('invalid', `selector: ${cause instanceof Error ? cause.message : 'syntax error'}`, { cause })
  }
  const budget = { nodes: MAX_NODES }
  return convert(node, budget)
}

/** Returns the devices that a text of a person finds: one of their keys is this text or begins with it. */
export function searchSelector(text: string): Selector {
  const terms = searchTexts(text).map((key): Selector => ({ field: 'search', operator: '==', values: [`${key}*`] }))
  const [first] = terms
  return first !== undefined && terms.length === 1 ? first : { or: terms }
}

function convert(node: RsqlNode, budget: { nodes: number }): Selector {
  if (budget.nodes-- <= 0) throw new AppError('invalid', `selector has more than ${MAX_NODES} terms`)
  if (node.type === 'LOGIC') {
    const parts = [convert(node.left, budget), convert(node.right, budget)]
    return node.operator === ';' || node.operator === 'and' ? { and: parts } : { or: parts }
  }
  const name = node.left.selector
  const field = selectorField(name)
  if (field === undefined) {
    throw new AppError(
      'invalid',
      `selector: unknown field ${JSON.stringify(name)}; fields are ${Object.keys(SELECTOR_FIELDS).join(', ')}`,
    )
  }
  const operator = OPERATORS[node.operator]
  if (operator === undefined) throw new AppError('invalid', `selector: unknown operator ${node.operator}`)
  const { kind } = SELECTOR_FIELDS[field]
  const ordering = ['<', '<=', '>', '>='].includes(operator)
  if (ordering && (kind === 'boolean' || kind === 'list' || kind === 'search')) {
    throw new AppError('invalid', `selector: ${name} has no order, use == or !=`)
  }
  const raw = [node.right.value].flat()
  if (raw.length > MAX_VALUES) throw new AppError('invalid', `selector: more than ${MAX_VALUES} values for ${name}`)
  if (operator !== '==' && operator !== '!=' && raw.some((value) => value.endsWith('*')))
    throw new AppError('invalid', `selector: ${name}: * goes with == and != only`)
  const texts = ordering ? raw : raw.flatMap((value) => readings(field, value))
  const values = texts.map((value) => readValue(name, kind, value))
  return ordering ? { field, operator, values } : comparison(field, operator === '==' || operator === 'in', values)
}

/** A term where one says it, else terms joined: one of the values fits, or none does. */
function comparison(field: SelectorField, fits: boolean, values: SelectorValue[]): Selector {
  const [first, second] = values
  if (first !== undefined && second === undefined) return { field, operator: fits ? '==' : '!=', values: [first] }
  const prefixes = values.filter(isPrefix)
  const whole = values.filter((value) => !isPrefix(value))
  if (prefixes.length === 0) return { field, operator: fits ? 'in' : 'out', values }
  const terms: Selector[] = prefixes.map((value) => ({ field, operator: '==', values: [value] }))
  if (whole.length > 0) terms.push({ field, operator: 'in', values: whole })
  return fits ? { or: terms } : { not: { or: terms } }
}

function isPrefix(value: SelectorValue): boolean {
  return typeof value === 'string' && value.endsWith('*')
}

/** Ids hold percent signs, which may have been decoded once too often on the way. */
function readings(field: SelectorField, text: string): string[] {
  if (field === 'id') {
    if (text.endsWith('*')) return idPrefixesIn(text.slice(0, -1)).map((prefix) => `${prefix}*`)
    const ids = deviceIdsIn(text)
    return ids.length === 0 ? [text] : ids
  }
  if (field === 'search') {
    const isPrefixed = text.endsWith('*')
    return searchTexts(isPrefixed ? text.slice(0, -1) : text).map((key) => (isPrefixed ? `${key}*` : key))
  }
  return field === 'binding.endpointId' && !text.endsWith('*') ? endpointIdsIn(text) : [text]
}

function readValue(name: string, kind: FieldKind, text: string): SelectorValue {
  if ((kind === 'text' || kind === 'list' || kind === 'search' || kind === 'version') && /\*./.test(text))
    throw new AppError('invalid', `selector: ${name}: * stands for any ending and comes last, as in ${name}==Acme*`)
  if (kind === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new AppError('invalid', `selector: ${name} is true or false`)
  }
  if (kind === 'number') {
    const number = Number(text)
    if (text.trim() === '' || !Number.isFinite(number))
      throw new AppError('invalid', `selector: ${name} takes a number`)
    return number
  }
  if (kind === 'time') {
    const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
    if (Number.isNaN(time)) throw new AppError('invalid', `selector: ${name} takes an ISO 8601 time`)
    return time
  }
  return text
}
