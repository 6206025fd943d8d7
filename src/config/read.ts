import { existsSync } from 'node:fs'
import { AppError } from '../base/index.ts'
import { type Config, OPTIONS, type OptionRow, variableOf } from './options.ts'

type Value = string | number | boolean

/**
 * Reads the configuration: a flag wins over its variable, a variable over the default. All problems are reported together in one
 * AppError `invalid`, one per line, each naming the option and what it takes.
 */
export function readConfig(flags: Readonly<Record<string, string | undefined>>, env: NodeJS.ProcessEnv): Config {
  const problems: string[] = []
  const values: Record<string, Value> = {}
  for (const row of OPTIONS as readonly OptionRow[]) {
    const text = flags[row.key] ?? nonEmpty(env[variableOf(row)]) ?? row.default
    if (text === undefined) continue
    const value = readValue(row, text)
    if (typeof value === 'object') problems.push(`${row.flag} (${variableOf(row)}): ${value.problem}`)
    else values[row.key] = value
  }
  for (const name of unknownVariables(env)) problems.push(`${name} is not an option; see README, Configuration`)
  problems.push(...tlsProblems(values))
  if (problems.length > 0) throw new AppError('invalid', `configuration:\n  ${problems.join('\n  ')}`)
  // Each value was read by the row that the type is made of.
  return Object.freeze(values) as Config
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

function readValue(row: OptionRow, text: string): Value | { problem: string } {
  switch (row.type) {
    case 'boolean':
      if (text === 'true' || text === '1') return true
      if (text === 'false' || text === '0') return false
      return { problem: `takes true or false, got ${shown(row, text)}` }
    case 'port':
      return integer(row, text, 0, 65_535)
    case 'int':
    case 'seconds':
      return integer(row, text, row.min ?? 0, row.max ?? Number.MAX_SAFE_INTEGER)
    case 'choice':
      if (row.choices?.includes(text)) return text
      return { problem: `takes one of ${row.choices?.join(', ')}, got ${shown(row, text)}` }
    case 'url':
      return /^mongodb(\+srv)?:\/\/./.test(text) ? text : { problem: 'takes a mongodb:// or mongodb+srv:// address' }
    default:
      return text
  }
}

function integer(row: OptionRow, text: string, min: number, max: number): number | { problem: string } {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  return { problem: `takes a whole number from ${min} to ${max}, got ${shown(row, text)}` }
}

function shown(row: OptionRow, text: string): string {
  return row.secret === true ? 'something else' : JSON.stringify(text)
}

/** ISTHMUS_ variables that no option has: most likely a misspelling, which must not pass in silence. */
function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set((OPTIONS as readonly OptionRow[]).map(variableOf))
  // Read by the set-up and the test runs, not by the server's option table.
  const others = new Set(['ISTHMUS_ENGINE_CACHE', 'ISTHMUS_API_KEY'])
  return Object.keys(env).filter((name) => name.startsWith('ISTHMUS_') && !known.has(name) && !others.has(name))
}

function tlsProblems(values: Record<string, Value>): string[] {
  const problems: string[] = []
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    problems.push('--tls-cert and --tls-key go together')
  }
  for (const key of ['tlsCert', 'tlsKey', 'tlsClientCa']) {
    const path = values[key]
    if (typeof path === 'string' && !existsSync(path)) problems.push(`${key}: there is no file ${path}`)
  }
  return problems
}
