import { AppError, PeerFault } from '../../../base/index.ts'
import {
  fulfils,
  type Path,
  parsePath,
  referredObjects,
  type SearchTerm,
  type Segment,
} from '../../../datamodel/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import type { Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import { readPaths } from './read-paths.ts'

/** At most this many objects are looked at on the way of one search path. */
const MAX_OBJECTS = 1000

interface SearchContext {
  types: ParameterTypes
  notes: CpeNotes
}

/**
 * Returns the paths that a search path of USP names on this CPE now (TR-369 2.5): rows by GetParameterNames,
 * comparisons and references by their values. Empty when nothing matches, which is no error.
 */
export async function findPaths(session: Session, text: string, context: SearchContext): Promise<string[]> {
  const path: Path = parsePath(text)
  const objects = path.kind === 'object' ? path.segments : path.segments.slice(0, -1)
  let found = ['']
  for (const segment of objects) {
    found = await step(session, found, segment, context)
    if (found.length > MAX_OBJECTS)
      throw new AppError('invalid', `${text.slice(0, 120)} names more than ${MAX_OBJECTS} objects`)
  }
  const last = path.segments.at(-1)
  const leaf = path.kind === 'object' || last?.kind !== 'name' ? '' : last.name
  return [...new Set(found.map((object) => object + leaf))]
}

async function step(session: Session, from: string[], segment: Segment, context: SearchContext): Promise<string[]> {
  switch (segment.kind) {
    case 'name':
      return from.map((object) => `${object}${segment.name}.`)
    case 'instance':
      return from.map((object) => `${object}${segment.instance}.`)
    case 'wildcard':
      return rowsOfAll(session, from)
    case 'search':
      return matching(session, from, segment.terms, context)
    case 'follow':
      return follow(session, from, segment, context)
    case 'schema':
      throw new AppError('invalid', '{i} names no instance')
  }
}

/** One after the other: a session carries one request at a time. */
async function rowsOfAll(session: Session, tables: string[]): Promise<string[]> {
  const rows: string[] = []
  for (const table of tables) rows.push(...(await rowsOf(session, table)))
  return rows
}

/** Returns the instance paths of a table; CPE call an empty one unknown (9005). */
async function rowsOf(session: Session, table: string): Promise<string[]> {
  const answer = await session.call('GetParameterNames', { ParameterPath: table, NextLevel: true })
  if (!answer.ok) {
    if (answer.fault.code === 9005) return []
    const { code, text, retryable } = faultError(answer.fault)
    throw new PeerFault(Number(code), text, { retryable })
  }
  return answer.body.ParameterList.map(({ Name }) => Name).filter(
    (name) => name.startsWith(table) && /^\d+\.$/.test(name.slice(table.length)),
  )
}

async function matching(
  session: Session,
  tables: string[],
  terms: SearchTerm[],
  context: SearchContext,
): Promise<string[]> {
  const rows = await rowsOfAll(session, tables)
  const values = await valuesOf(
    session,
    rows.flatMap((row) => terms.map(({ path }) => row + path)),
    context,
  )
  const holds = (row: string, term: SearchTerm) => {
    const path = row + term.path
    return fulfils(term, values.get(path), context.types.typeOf(path))
  }
  return rows.filter((row) => terms.every((term) => holds(row, term)))
}

/** The objects that a parameter refers to: one item of its list, or all (item 0). */
async function follow(
  session: Session,
  objects: string[],
  { name, item }: { name: string; item: number },
  context: SearchContext,
): Promise<string[]> {
  const names = objects.map((object) => object + name)
  const values = await valuesOf(session, names, context)
  return names.flatMap((parameter) => referredObjects(values.get(parameter) ?? '', item))
}

async function valuesOf(session: Session, paths: string[], context: SearchContext): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map()
  const outcomes = await readPaths(session, [...new Set(paths)], context.types, context.notes)
  return new Map(outcomes.flatMap(({ path, value }) => (value === undefined ? [] : [[path, value] as const])))
}
