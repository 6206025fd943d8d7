import { versionKey } from '../datamodel/index.ts'
import { SELECTOR_FIELDS, type Selector } from '../device/index.ts'
import type { Filter } from './mongoose.ts'

const RELATIONS = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' } as const

/** A selector as a query; each term is bounds on one indexed field. */
export function filterOf(selector: Selector | undefined): Filter {
  if (selector === undefined) return {}
  if ('and' in selector) return { $and: selector.and.map(filterOf) }
  if ('or' in selector) return { $or: selector.or.map(filterOf) }
  const { kind, field } = SELECTOR_FIELDS[selector.field]
  const ordered = kind === 'version'
  const values = selector.values
  const first = values[0] ?? ''
  switch (selector.operator) {
    case '==':
      return equals(field, first)
    case '!=':
      return { $nor: [equals(field, first)] }
    case 'in':
      return { [field]: { $in: values } }
    case 'out':
      return { [field]: { $nin: values } }
    default:
      return {
        [ordered ? `${field}Key` : field]: {
          [RELATIONS[selector.operator]]: ordered ? versionKey(String(first)) : first,
        },
      }
  }
}

function equals(field: string, value: string | number | boolean): Filter {
  if (typeof value !== 'string' || !value.endsWith('*')) return { [field]: value }
  const prefix = value.slice(0, -1)
  return prefix === '' ? { [field]: { $exists: true } } : { [field]: { $gte: prefix, $lt: `${prefix}\uffff` } }
}
