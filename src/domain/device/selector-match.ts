import { versionKey } from '../../datamodel/index.ts'
import type { Device } from './device.ts'
import type { Selector, SelectorTerm, SelectorValue } from './selector.ts'
import { SELECTOR_FIELDS } from './selector-fields.ts'

/** Returns true when a device fits a selector: what the store's query for that selector finds (store/filter.ts). */
export function fulfils(device: Device, selector: Selector): boolean {
  if ('and' in selector) return selector.and.every((part) => fulfils(device, part))
  if ('or' in selector) return selector.or.some((part) => fulfils(device, part))
  if ('not' in selector) return !fulfils(device, selector.not)
  return termHolds(device, selector)
}

function termHolds(device: Device, { field: name, operator, values }: SelectorTerm): boolean {
  const { kind, field } = SELECTOR_FIELDS[name]
  const held = [valueAt(device, field === '_id' ? 'id' : field)].flat().filter((value) => value !== undefined)
  const [first = ''] = values
  switch (operator) {
    case '==':
      return held.some((value) => equals(value, first))
    case '!=':
      return !held.some((value) => equals(value, first))
    case 'in':
      return held.some((value) => values.some((one) => one === value))
    case 'out':
      return !held.some((value) => values.some((one) => one === value))
    default: {
      const bound = kind === 'version' ? versionKey(String(first)) : first
      const own = kind === 'version' ? device.softwareVersionKey : held[0]
      if (own === undefined || typeof own !== typeof bound) return false
      const order = compare(own as SelectorValue, bound)
      if (order === 0) return operator === '<=' || operator === '>='
      return order < 0 === (operator === '<' || operator === '<=')
    }
  }
}

function equals(value: unknown, wanted: SelectorValue): boolean {
  if (typeof wanted !== 'string' || !wanted.endsWith('*')) return value === wanted
  return typeof value === 'string' && value.startsWith(wanted.slice(0, -1))
}

/** The order of a database: texts by their UTF-8 bytes. */
function compare(a: SelectorValue, b: SelectorValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Number(a) - Number(b)
}

function valueAt(device: Device, path: string): unknown {
  let value: unknown = device
  for (const part of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[part]
  return value
}
