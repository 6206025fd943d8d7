import { errorText, networksOf } from '../base/index.ts'
import type { OptionRow } from './option-row.ts'

/** The value of an option. */
export type Value = string | number | boolean

/** An option whose text is not valid: what it takes, and what it got. */
export interface Problem {
  problem: string
}

/** Returns the text, or undefined for an empty one: an empty variable is no value. */
export function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

/** Returns the value of an option from its text, or what is wrong with the text. */
export function readText(row: OptionRow, text: string): Value | Problem {
  switch (row.type) {
    case 'switch':
    case 'boolean':
      if (text === 'true' || text === '1') return true
      if (text === 'false' || text === '0') return false
      return { problem: `takes true or false, got ${shown(row, text)}` }
    case 'port':
      return integer(row, text, row.min ?? 0, 65_535)
    case 'int':
    case 'seconds':
      return integer(row, text, row.min ?? 0, row.max ?? Number.MAX_SAFE_INTEGER)
    case 'choice':
      if (row.choices?.includes(text)) return text
      return { problem: `takes one of ${row.choices?.join(', ')}, got ${shown(row, text)}` }
    case 'url':
      return /^mongodb(\+srv)?:\/\/./.test(text) ? text : { problem: 'takes a mongodb:// or mongodb+srv:// address' }
    case 'networks':
      return networks(text)
    default:
      if (row.pattern?.test(text) ?? true) return text
      return { problem: `takes ${row.takes}, got ${shown(row, text)}` }
  }
}

function networks(text: string): Value | Problem {
  try {
    networksOf(text)
    return text
  } catch (error) {
    return { problem: errorText(error) }
  }
}

function integer(row: OptionRow, text: string, min: number, max: number): number | Problem {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  return { problem: `takes a whole number from ${min} to ${max}, got ${shown(row, text)}` }
}

function shown(row: OptionRow, text: string): string {
  return row.secret === true ? 'something else' : JSON.stringify(text)
}
