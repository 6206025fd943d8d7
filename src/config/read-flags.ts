import { AppError } from '../base/index.ts'
import type { OptionRow, ValuesOf } from './option-row.ts'
import { nonEmpty, readText, type Value } from './texts.ts'

/**
 * Reads the flags of a command that takes no variables, such as `simulate`. `flags` are texts by key; a switch that is
 * given is `true`. AppError `invalid` with all problems, one per line, each naming the flag and what it takes.
 */
export function readFlags<const T extends readonly OptionRow[]>(
  rows: T,
  flags: Readonly<Record<string, string | boolean | undefined>>,
): ValuesOf<T> {
  const problems: string[] = []
  const values: Record<string, Value> = {}
  for (const row of rows) {
    const given = flags[row.key]
    const text = (typeof given === 'boolean' ? String(given) : nonEmpty(given)) ?? row.default
    if (text === undefined) {
      if (row.required === true) problems.push(`${row.flag} is missing: ${row.sentence}`)
      continue
    }
    const value = readText(row, text)
    if (typeof value === 'object') problems.push(`${row.flag} ${value.problem}`)
    else if (row.type !== 'switch' || value === true) values[row.key] = value
  }
  if (problems.length > 0) throw new AppError('invalid', problems.join('\n'))
  // Each value was read by the row that the type is made of.
  return Object.freeze(values) as ValuesOf<T>
}
