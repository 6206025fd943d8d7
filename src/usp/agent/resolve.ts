import { fulfils, type Path, parsePath, referredObjects, type SearchTerm } from '../../datamodel/index.ts'
import { AgentError } from './agent-error.ts'
import type { ModelReader } from './model-reader.ts'

/** A requested path over the instantiated model. */
interface Resolved {
  path: Path
  /** Instantiated objects, each ending in a dot. */
  objects: string[]
  /** The last name, of a parameter, command or event; '' for an object. */
  leaf: string
}

/**
 * Resolves a path over the instantiated model (TR-369 2.5): instance numbers, `*`, search expressions, followed
 * references. AgentError 7008 when it is not a path, 7026 when the supported model does not have it, 7016 when a named
 * instance is not there.
 */
export async function resolve(reader: ModelReader, text: string): Promise<Resolved> {
  const path = parse(text)
  const segments = [...path.segments]
  const last = path.kind === 'object' ? undefined : segments.pop()
  const leaf = last?.kind === 'name' ? last.name : ''
  let objects = ['']
  for (const segment of segments) {
    switch (segment.kind) {
      case 'name':
        objects = objects.map((object) => `${object}${segment.name}.`)
        break
      case 'instance':
        objects = objects.map((object) => `${object}${segment.instance}.`)
        break
      case 'wildcard':
        objects = (await Promise.all(objects.map((object) => rowsOf(reader, object)))).flat()
        break
      case 'search':
        objects = (await Promise.all(objects.map((object) => search(reader, object, segment.terms)))).flat()
        break
      case 'follow': {
        const values = await reader.values(objects.map((object) => object + segment.name))
        objects = objects.flatMap((object) => referredObjects(values.get(object + segment.name) ?? '', segment.item))
        break
      }
      case 'schema':
        throw new AgentError(7008, '{i} stands for no instance')
    }
  }
  const existing = await there(reader, objects)
  if (existing.length === 0 && !path.search)
    throw new AgentError(reader.isSupported(objects[0] ?? '') ? 7016 : 7026, `${text} does not exist`)
  if (existing.length === 0 && path.search && !isSearchSupported(reader, path))
    throw new AgentError(7026, `${text} is not supported`)
  return { path, objects: existing, leaf }
}

/** Resolves a path that must name objects; AgentError 7008 when it names a parameter, command or event. */
export async function resolveObjects(reader: ModelReader, text: string): Promise<string[]> {
  const { path, objects } = await resolve(reader, text)
  if (path.kind !== 'object') throw new AgentError(7008, `${text} is not the path of an object`)
  return objects
}

function parse(text: string): Path {
  try {
    return parsePath(text)
  } catch (error) {
    throw new AgentError(7008, error instanceof Error ? error.message : 'invalid path')
  }
}

async function there(reader: ModelReader, objects: string[]): Promise<string[]> {
  const exist = await Promise.all(objects.map((object) => reader.exists(object)))
  return objects.filter((_, i) => exist[i])
}

/** The rows of a table; none when the object is not a table that is there. AgentError 7026 when it is not supported. */
async function rowsOf(reader: ModelReader, table: string): Promise<readonly string[]> {
  if (await reader.isTable(table)) return reader.rows(table)
  if (!reader.isSupported(table)) throw new AgentError(7026, `${table} is not supported`)
  return []
}

async function search(reader: ModelReader, table: string, terms: readonly SearchTerm[]): Promise<string[]> {
  const rows = await rowsOf(reader, table)
  const values = await reader.values(rows.flatMap((row) => terms.map((term) => row + term.path)))
  const holds = (path: string, term: SearchTerm) =>
    fulfils(term, values.get(path), reader.supported.parameter(path)?.type ?? 'string')
  return rows.filter((row) => terms.every((term) => holds(row + term.path, term)))
}

function isSearchSupported(reader: ModelReader, path: Path): boolean {
  let schema = ''
  for (const segment of path.kind === 'object' ? path.segments : path.segments.slice(0, -1)) {
    if (segment.kind === 'follow') return true
    schema += segment.kind === 'name' ? `${segment.name}.` : '{i}.'
  }
  return reader.isSupported(schema)
}
