import type { SearchTerm } from './path.ts'
import { sameValue } from './types.ts'

/** Whether a value fulfils a comparison of a search expression (TR-369 2.5.2); a parameter that is not there fulfils none. */
export function fulfils({ operator, value: wanted }: SearchTerm, value: string | undefined, type: string): boolean {
  if (value === undefined) return false
  switch (operator) {
    case '==':
      return sameValue(type, value, wanted)
    case '!=':
      return !sameValue(type, value, wanted)
    case '~=':
      return value.split(',').some((item) => item.trim() === wanted)
    case '<':
      return order(value, wanted, type) < 0
    case '>':
      return order(value, wanted, type) > 0
    case '<=':
      return order(value, wanted, type) <= 0
    case '>=':
      return order(value, wanted, type) >= 0
  }
}

/** Below, at or above 0; NaN, which fulfils nothing, for what has no order. */
function order(a: string, b: string, type: string): number {
  if (type === 'dateTime') return Date.parse(a) - Date.parse(b)
  if (/^[+-]?\d+$/.test(a) && /^[+-]?\d+$/.test(b)) {
    const difference = BigInt(a.replace(/^\+/, '')) - BigInt(b.replace(/^\+/, ''))
    return difference === 0n ? 0 : difference < 0n ? -1 : 1
  }
  return a.trim() === '' || b.trim() === '' ? Number.NaN : Number(a) - Number(b)
}
