import { fulfils, type Path, parsePath, referredObjects, type SearchTerm, type Segment } from '../../datamodel/index.ts'
import { AgentError, asAgentError } from './agent-error.ts'
import type { ModelReader } from './model-reader.ts'

/** A requested path over the instantiated model. */
export interface Resolved {
  path: Path
  /** Instantiated objects, each ending in a dot. */
  objects: string[]
  /** The last name, of a parameter, command or event; '' for an object. */
  leaf: string
}

/** A path on its way through the model, segment by segment. */
interface Walk extends Resolved {
  text: string
  segments: Segment[]
}

/**
 * Resolves paths over the instantiated model (TR-369 2.5): instance numbers, `*`, search expressions, followed
 * references. The model is asked for values once for each level of segments that needs some, however many paths there
 * are. In place of a path that fails stands its AgentError: 7008 when it is no path, 7026 when the supported model does
 * not have it, 7016 when a named instance is not there, 7003 when the model cannot be read. A parameter that may not be read fulfils no search and is not
 * followed.
 */
export async function resolveAll(reader: ModelReader, texts: readonly string[]): Promise<(Resolved | AgentError)[]> {
  const walks = texts.map(begin)
  const depth = Math.max(0, ...walks.map((walk) => (walk instanceof AgentError ? 0 : walk.segments.length)))
  for (let level = 0; level < depth; level++) await step(reader, walks, level)
  return Promise.all(walks.map((walk) => (walk instanceof AgentError ? walk : end(reader, walk).catch(asAgentError))))
}

/** Resolves one path; rejects with its AgentError. */
export async function resolve(reader: ModelReader, text: string): Promise<Resolved> {
  const [resolved] = await resolveAll(reader, [text])
  if (resolved === undefined || resolved instanceof AgentError) throw resolved
  return resolved
}

/** Returns the objects of a resolved path; AgentError when it failed, 7008 when it names no object. */
export function objectsOf(resolved: Resolved | AgentError): string[] {
  if (resolved instanceof AgentError) throw resolved
  if (resolved.path.kind !== 'object') throw new AgentError(7008, `${resolved.path.text} is not the path of an object`)
  return resolved.objects
}

/**
 * Returns false for a path that finds nothing where the Controller could do nothing with it: for it to find nothing, or
 * to be denied, must not show whether there are rows. `may` asks for the right at a path with `*` for any instance.
 */
export function mayFindNothing({ path, objects }: Resolved, may: (pattern: string) => boolean): boolean {
  if (objects.length > 0 || path.segments.some(({ kind }) => kind === 'follow')) return true
  const parts = path.segments.map((segment) => {
    if (segment.kind === 'name') return segment.name
    return segment.kind === 'instance' ? String(segment.instance) : '*'
  })
  return may(`${parts.join('.')}${path.kind === 'object' ? '.' : ''}`)
}

function begin(text: string): Walk | AgentError {
  try {
    const path = parsePath(text)
    const segments = [...path.segments]
    const last = path.kind === 'object' ? undefined : segments.pop()
    if (segments.some(({ kind }) => kind === 'schema')) return new AgentError(7008, '{i} stands for no instance')
    return { text, path, segments, objects: [''], leaf: last?.kind === 'name' ? last.name : '' }
  } catch (error) {
    return new AgentError(7008, error instanceof Error ? error.message : 'invalid path')
  }
}

/** Takes all walks over their segment of one level; a walk that fails is replaced by its error. */
async function step(reader: ModelReader, walks: (Walk | AgentError)[], level: number): Promise<void> {
  const rows = new Map<Walk, readonly string[]>()
  const wanted: string[] = []
  await Promise.all(
    walks.map(async (walk, i) => {
      const segment = walk instanceof AgentError ? undefined : walk.segments[level]
      if (walk instanceof AgentError || segment === undefined) return
      try {
        if (segment.kind === 'wildcard' || segment.kind === 'search')
          rows.set(walk, await rowsOf(reader, walk.objects, segment.kind === 'search' ? segment.terms.length : 0))
      } catch (error) {
        walks[i] = asAgentError(error)
      }
    }),
  )
  for (const walk of walks)
    if (!(walk instanceof AgentError)) wanted.push(...wantedBy(reader, walk, level, rows.get(walk) ?? []))
  const values = await reader.values([...new Set(wanted)]).catch(asAgentError)
  for (const [i, walk] of walks.entries()) {
    if (walk instanceof AgentError) continue
    const own = rows.get(walk) ?? []
    if (!(values instanceof AgentError)) walk.objects = next(reader, walk, level, own, values)
    else if (wantedBy(reader, walk, level, own).length > 0) walks[i] = values
    else walk.objects = next(reader, walk, level, own, new Map())
  }
}

/** Returns the parameters whose values decide where a walk goes. */
function wantedBy(reader: ModelReader, { segments, objects }: Walk, level: number, rows: readonly string[]): string[] {
  const segment = segments[level]
  if (segment?.kind === 'follow')
    return objects.map((object) => object + segment.name).filter((path) => reader.access.mayRead(path))
  if (segment?.kind !== 'search') return []
  return rows
    .flatMap((row) => segment.terms.map((term) => row + term.path))
    .filter((path) => reader.access.mayRead(path))
}

function next(
  reader: ModelReader,
  { segments, objects }: Walk,
  level: number,
  rows: readonly string[],
  values: ReadonlyMap<string, string>,
): string[] {
  const segment = segments[level]
  switch (segment?.kind) {
    case 'name':
      return objects.map((object) => `${object}${segment.name}.`)
    case 'instance':
      return objects.map((object) => `${object}${segment.instance}.`)
    case 'wildcard':
      return [...rows]
    case 'search': {
      const holds = (path: string, term: SearchTerm) =>
        fulfils(term, values.get(path), reader.supported.parameter(path)?.type ?? 'string')
      return rows.filter((row) => segment.terms.every((term) => holds(row + term.path, term)))
    }
    case 'follow':
      return objects.flatMap((object) => referredObjects(values.get(object + segment.name) ?? '', segment.item))
    default:
      return objects
  }
}

/** Leaves the objects that are there; AgentError when a path that is no search names none, or none is supported. */
async function end(reader: ModelReader, { text, path, objects, leaf }: Walk): Promise<Resolved | AgentError> {
  const exist = await Promise.all(objects.map((object) => reader.exists(object)))
  const existing = objects.filter((_, i) => exist[i])
  if (existing.length === 0 && !path.search)
    return new AgentError(reader.isSupported(objects[0] ?? '') ? 7016 : 7026, `${text} does not exist`)
  if (existing.length === 0 && path.search && !isSearchSupported(reader, path))
    return new AgentError(7026, `${text} is not supported`)
  return { path, objects: existing, leaf }
}

/**
 * The rows of tables, each with so many parameters that are looked at; none of a table that is not there. AgentError 7026
 * when one is not supported.
 */
async function rowsOf(reader: ModelReader, tables: readonly string[], looks: number): Promise<string[]> {
  const found = await Promise.all(
    tables.map(async (table) => {
      if (await reader.isTable(table)) return reader.rows(table)
      if (!reader.isSupported(table)) throw new AgentError(7026, `${table} is not supported`)
      return []
    }),
  )
  reader.count(found.reduce((sum, rows) => sum + rows.length, 0) * (1 + looks))
  return found.flat()
}

function isSearchSupported(reader: ModelReader, path: Path): boolean {
  let schema = ''
  for (const segment of path.kind === 'object' ? path.segments : path.segments.slice(0, -1)) {
    if (segment.kind === 'follow') return true
    schema += segment.kind === 'name' ? `${segment.name}.` : '{i}.'
  }
  return reader.isSupported(schema)
}
