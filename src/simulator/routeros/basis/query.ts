import { Trap } from './trap.ts'

type Lookup = (name: string) => string | undefined

/** Returns true when a row passes the query words of a print: a stack of results, of which all must be true at the end. */
export function matches(query: readonly string[], value: Lookup): boolean {
  const stack: boolean[] = []
  for (const word of query)
    if (word.startsWith('#')) operate(stack, word.slice(1))
    else stack.push(holds(word, value))
  return stack.every(Boolean)
}

function holds(word: string, value: Lookup): boolean {
  const [, sign = '', name = '', equals, wanted = ''] = /^([-=<>]?)([^=]*)(=?)([\s\S]*)$/.exec(word) ?? []
  const found = value(name)
  if (sign === '-') return found === undefined
  if (equals === '') return found !== undefined
  if (found === undefined) return false
  if (sign === '<') return compare(found, wanted) < 0
  if (sign === '>') return compare(found, wanted) > 0
  return found === wanted
}

function compare(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)]
  if (a !== '' && b !== '' && !Number.isNaN(x) && !Number.isNaN(y)) return x - y
  return a < b ? -1 : a > b ? 1 : 0
}

/** `|` or, `&` and, `!` not, `.` a copy of the top; a number pushes a copy of the value with that index from below. */
function operate(stack: boolean[], operators: string): void {
  const pop = () => {
    const top = stack.pop()
    if (top === undefined) throw new Trap('invalid query: the stack is empty', 5)
    return top
  }
  for (const [token] of operators.matchAll(/\d+|./g))
    if (token === '!') stack.push(!pop())
    else if (token === '&' || token === '|') {
      const [b, a] = [pop(), pop()]
      stack.push(token === '&' ? a && b : a || b)
    } else if (token === '.') {
      const top = pop()
      stack.push(top, top)
    } else if (/^\d+$/.test(token)) {
      const at = stack[Number(token)]
      if (at === undefined) throw new Trap('invalid query: no value has that index', 5)
      stack.push(at)
    } else throw new Trap('invalid query: unknown operator', 5)
}
