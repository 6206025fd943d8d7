import { AppError } from '../base/index.ts'
import { versionKey } from '../datamodel/index.ts'
import { parseRsql, type RsqlNode } from './rsql.ts'

/** How a field's values compare. `version` compares in natural order (1.10 after 1.9). */
type FieldKind = 'text' | 'version' | 'number' | 'boolean' | 'time' | 'list'

/** The hot fields a selector may name, how they compare, and the record field behind each. */
export const SELECTOR_FIELDS = {
  id: { kind: 'text', field: '_id' },
  oui: { kind: 'text', field: 'oui' },
  productClass: { kind: 'text', field: 'productClass' },
  serial: { kind: 'text', field: 'serial' },
  manufacturer: { kind: 'text', field: 'manufacturer' },
  model: { kind: 'text', field: 'model' },
  root: { kind: 'text', field: 'root' },
  softwareVersion: { kind: 'version', field: 'softwareVersion' },
  hardwareVersion: { kind: 'text', field: 'hardwareVersion' },
  provisioningCode: { kind: 'text', field: 'provisioningCode' },
  owner: { kind: 'text', field: 'owner' },
  endpointId: { kind: 'text', field: 'binding.endpointId' },
  proof: { kind: 'text', field: 'binding.proof' },
  linked: { kind: 'boolean', field: 'usp.linked' },
  answering: { kind: 'boolean', field: 'usp.answering' },
  readiness: { kind: 'text', field: 'readiness.class' },
  migration: { kind: 'text', field: 'migration.state' },
  plan: { kind: 'text', field: 'migration.planId' },
  tag: { kind: 'list', field: 'tags' },
  group: { kind: 'list', field: 'groups' },
  lastInform: { kind: 'time', field: 'cwmp.lastInformAt' },
  lastSeen: { kind: 'time', field: 'usp.lastSeenAt' },
  createdAt: { kind: 'time', field: 'createdAt' },
} as const satisfies Record<string, { kind: FieldKind; field: string }>

export type SelectorField = keyof typeof SELECTOR_FIELDS
export type SelectorOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'out'

/** A checked selector: every field exists, every value fits it. Text values may carry `*` at their end (prefix) with == and !=. */
export type Selector =
  | { and: Selector[] }
  | { or: Selector[] }
  | { field: SelectorField; operator: SelectorOperator; values: (string | number | boolean)[] }

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

/** Reads an RSQL text such as `manufacturer==Acme;softwareVersion=ge=1.10`. AppError `invalid` says what is wrong and what is allowed. */
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

function convert(node: RsqlNode, budget: { nodes: number }): Selector {
  if (budget.nodes-- <= 0) throw new AppError('invalid', `selector has more than ${MAX_NODES} terms`)
  if (node.type === 'LOGIC') {
    const parts = [convert(node.left, budget), convert(node.right, budget)]
    return node.operator === ';' || node.operator === 'and' ? { and: parts } : { or: parts }
  }
  const name = node.left.selector
  if (!isField(name)) {
    throw new AppError(
      'invalid',
      `selector: unknown field ${JSON.stringify(name)}; fields are ${Object.keys(SELECTOR_FIELDS).join(', ')}`,
    )
  }
  const operator = OPERATORS[node.operator]
  if (operator === undefined) throw new AppError('invalid', `selector: unknown operator ${node.operator}`)
  const kind = SELECTOR_FIELDS[name].kind
  if (['<', '<=', '>', '>='].includes(operator) && (kind === 'boolean' || kind === 'list')) {
    throw new AppError('invalid', `selector: ${name} has no order, use == or !=`)
  }
  const raw = Array.isArray(node.right.value) ? node.right.value : [node.right.value]
  if (raw.length > MAX_VALUES) throw new AppError('invalid', `selector: more than ${MAX_VALUES} values for ${name}`)
  if (operator !== '==' && operator !== '!=' && raw.some((value) => value.endsWith('*')))
    throw new AppError('invalid', `selector: ${name}: * goes with == and != only`)
  return { field: name, operator, values: raw.map((value) => readValue(name, kind, value)) }
}

function isField(name: string): name is SelectorField {
  return Object.hasOwn(SELECTOR_FIELDS, name)
}

function readValue(name: string, kind: FieldKind, text: string): string | number | boolean {
  if ((kind === 'text' || kind === 'list' || kind === 'version') && /\*./.test(text))
    throw new AppError('invalid', `selector: ${name}: * stands for any ending and comes last, as in ${name}==Acme*`)
  if (kind === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true'
    throw new AppError('invalid', `selector: ${name} is true or false`)
  }
  if (kind === 'time') {
    const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
    if (Number.isNaN(time)) throw new AppError('invalid', `selector: ${name} takes an ISO 8601 time`)
    return time
  }
  if (kind === 'number') {
    const number = Number(text)
    if (Number.isNaN(number)) throw new AppError('invalid', `selector: ${name} takes a number`)
    return number
  }
  return text
}

/** Whether a record field compares by natural version order, and the key to compare by. */
export function orderKey(field: SelectorField, value: string): string {
  return SELECTOR_FIELDS[field].kind === 'version' ? versionKey(value) : value
}
