import type { DerivedRows, MenuReading, ObjectMapping, ParameterMapping } from './declaration.ts'

/** Returns true for rows that are made of several menus. */
export function isDerived(source: ObjectMapping['source']): source is DerivedRows {
  return 'readings' in source
}

/** Returns all readings that a declaration may need. */
export function readingsOf({ source, joins = {} }: ObjectMapping): readonly MenuReading[] {
  return [...(isDerived(source) ? Object.values(source.readings) : [source]), ...Object.values(joins)]
}

/** Returns the properties of the rows of a table that are needed to know them. */
export function ownProperties({ table, joins = {} }: ObjectMapping): readonly string[] {
  if (table === undefined) return []
  const texts = [table.key, table.called, table.parent, table.where, table.mayChange].flatMap(
    (text) => text?.from ?? [],
  )
  const joined = Object.values(joins).flatMap(({ match, monitor }) => [
    ...(match ? [match.own] : []),
    ...(monitor?.from ?? []),
  ])
  return [...new Set(['.id', ...texts, ...joined])]
}

/** Returns the properties that a parameter needs of the own row of its object. */
export function needsOwn({ from }: ParameterMapping): readonly string[] {
  return from.filter((name) => !name.includes(':'))
}

/** Returns the properties that a parameter needs of joined rows, each with the name of the join. */
export function needsJoined({ from }: ParameterMapping): readonly { join: string; property: string }[] {
  return from.flatMap((name) => {
    const at = name.indexOf(':')
    return at < 0 ? [] : [{ join: name.slice(0, at), property: name.slice(at + 1) }]
  })
}

/** Returns a text that is the same for readings of the same rows. */
export function readingId({ menu, query, monitor }: MenuReading): string {
  return JSON.stringify([menu, query ?? [], monitor?.from ?? 'print'])
}
