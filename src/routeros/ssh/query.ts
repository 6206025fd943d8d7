import type { RouterRow } from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'

/**
 * Returns true for a row that a query lets through (RouterOS manual, API, queries): tests go on a stack, operators work
 * on it, and all that is left must be true. RouterOsError `refused` for `<`, `>` and indexes, which only a router compares.
 */
export function matches(row: RouterRow, query: readonly string[]): boolean {
  const stack: boolean[] = []
  for (const word of query) {
    if (word.startsWith('#')) for (const sign of word.slice(1)) operate(stack, sign)
    else stack.push(test(row, word))
  }
  return stack.every((value) => value)
}

function test(row: RouterRow, word: string): boolean {
  if (/^[<>]/.test(word)) throw refused()
  if (word.startsWith('-')) return row[word.slice(1)] === undefined
  const plain = word.replace(/^=/, '')
  const at = plain.indexOf('=')
  return at < 0 ? row[plain] !== undefined : row[plain.slice(0, at)] === plain.slice(at + 1)
}

function operate(stack: boolean[], sign: string): void {
  if (sign === '!') stack.push(!(stack.pop() ?? false))
  else if (sign === '|' || sign === '&') {
    const [b = false, a = false] = [stack.pop(), stack.pop()]
    stack.push(sign === '|' ? a || b : a && b)
  } else if (sign === '.') stack.push(stack.at(-1) ?? false)
  else throw refused()
}

function refused(): RouterOsError {
  return new RouterOsError('refused', 'this query is not answered over SSH', { sent: false })
}
