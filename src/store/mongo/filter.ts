import { versionKey } from '../../datamodel/index.ts'
import { type FieldKind, SELECTOR_FIELDS, type Selector, type SelectorValue } from '../../domain/index.ts'
import type { Filter } from './mongoose.ts'

const RELATIONS = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' } as const

/**
 * A selector as a query; each term is bounds on one indexed field. With `wide`, a prefix of a searched text is bounds
 * that different texts of one device may meet: SecantusDB has an index for that alone, and the caller leaves out what
 * does not fit.
 */
export function filterOf(selector: Selector | undefined, wide = false): Filter {
  if (selector === undefined) return {}
  if ('and' in selector) return selector.and.map((part) => filterOf(part, wide)).reduce(both, {})
  if ('or' in selector) return { $or: selector.or.map((part) => filterOf(part, wide)) }
  if ('not' in selector) return { $nor: [filterOf(selector.not)] }
  const { kind, field } = SELECTOR_FIELDS[selector.field]
  const ordered = kind === 'version'
  const values = selector.values
  const first = values[0] ?? ''
  switch (selector.operator) {
    case '==':
      return wide && kind === 'search' && isPrefix(first)
        ? { [field]: startingWith(first.slice(0, -1)) }
        : equals(kind, field, first)
    case '!=':
      return { $nor: [equals(kind, field, first)] }
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

/**
 * Returns a filter of both conditions: in one document where no field is in both, because SecantusDB finds an index for
 * that and none for `$and`.
 */
export function both(a: Filter, b: Filter): Filter {
  return Object.keys(b).some((field) => field in a) ? { $and: [a, b] } : { ...a, ...b }
}

/** Texts that begin with the prefix; nothing sorts behind the last code point. */
export function startingWith(prefix: string): { $gte: string; $lt: string } {
  return { $gte: prefix, $lt: `${prefix}\u{10ffff}` }
}

function isPrefix(value: SelectorValue): value is string {
  return typeof value === 'string' && value.length > 1 && value.endsWith('*')
}

function equals(kind: FieldKind, field: string, value: SelectorValue): Filter {
  if (typeof value !== 'string' || !value.endsWith('*')) return { [field]: value }
  const prefix = value.slice(0, -1)
  if (kind === 'list' || kind === 'search') {
    // One element has to be within both bounds; and a list that is empty exists.
    return prefix === '' ? { [`${field}.0`]: { $exists: true } } : { [field]: { $elemMatch: startingWith(prefix) } }
  }
  return prefix === '' ? { [field]: { $exists: true } } : { [field]: startingWith(prefix) }
}
