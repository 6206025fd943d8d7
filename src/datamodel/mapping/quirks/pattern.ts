import { schemaPathOf } from '../../path.ts'
import type { PathPattern, WriteQuirks } from './write-quirk.ts'

/**
 * Returns true when a pattern is that of a parameter or object (full path with instance numbers; objects end in a dot).
 */
export function matches(pattern: PathPattern, path: string): boolean {
  if (pattern === '*') return true
  const schema = schemaPathOf(path)
  const isObject = pattern.endsWith('.')
  if (!pattern.startsWith('*.')) return isObject ? schema.startsWith(pattern) : schema === pattern
  const ending = pattern.slice(1)
  return isObject ? schema.includes(ending) : schema.endsWith(ending)
}

/** Returns true when rules are about a write of one of these parameters, or about a new row of one of these tables. */
export function areAbout(quirks: WriteQuirks, parameters: readonly string[], tables: readonly string[]): boolean {
  const rows = tables.map((table) => `${table}1.`)
  return (
    quirks.parameters.some(({ on }) => parameters.some((path) => matches(on, path))) ||
    quirks.objects.some(({ on }) => rows.some((row) => isTableOf(on, row)))
  )
}

/** Returns true when a pattern is that of the table of an object. */
export function isTableOf(on: PathPattern, object: string): boolean {
  const schema = schemaPathOf(object)
  return on.startsWith('*.') ? schema.endsWith(on.slice(1)) : schema === on
}

/** Returns a schema path with the instance numbers of another path, as far as both are the same; else the schema path. */
export function withInstancesOf(schema: string, path: string): string {
  const own = path.split('.')
  const names = schema.split('.')
  for (const [at, name] of names.entries()) {
    if (name === '{i}' && /^\d+$/.test(own[at] ?? '')) names[at] = own[at] ?? name
    else if (name !== own[at]) break
  }
  return names.join('.')
}
