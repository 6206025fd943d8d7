import type { SearchTerm } from './path.ts'
import { sameValue } from './types.ts'

/**
 * Returns true when a value fulfils a comparison of a search expression (TR-369 2.5.2); a parameter that is not there
 * fulfils none.
 */
export function fulfils({ operator, value: wanted }: SearchTerm, value: string | undefined, type: string): boolean {
  if (value === undefined) return false
  switch (operator) {
    case '==':
      return sameValue(type, value, wanted)
    case '!=':
      return !sameValue(type, value, wanted)
    case '~=':
      return value.split(',').some((item) => sameValue(type, item.trim(), wanted))
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
  if (type === 'dateTime') return timeOf(a) - timeOf(b)
  if (/^[+-]?\d+$/.test(a) && /^[+-]?\d+$/.test(b)) {
    const difference = BigInt(a.replace(/^\+/, '')) - BigInt(b.replace(/^\+/, ''))
    return difference === 0n ? 0 : difference < 0n ? -1 : 1
  }
  return a.trim() === '' || b.trim() === '' ? Number.NaN : Number(a) - Number(b)
}

/** Milliseconds; a dateTime without a zone is UTC (TR-106 3.2.1). */
function timeOf(text: string): number {
  return Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`)
}

/** The objects that the value of a reference names, each ending in a dot: one item of the list, or all (item 0). */
export function referredObjects(value: string, item: number): string[] {
  const paths = value
    .split(',')
    .map((reference) => reference.trim().replace(/\.$/, ''))
    .filter((reference) => reference !== '')
    .map((reference) => `${reference}.`)
  return item === 0 ? paths : paths.slice(item - 1, item)
}

/**
 * Returns true for a path that can name several objects or none: with a wildcard, a search expression or a followed
 * reference (TR-369 2.5).
 */
export function isSearch(path: string): boolean {
  return /[*[+]/.test(path)
}
