import { fulfils, type Path, parsePath, referredObjects, type SearchTerm, schemaPathOf } from '../../datamodel/index.ts'
import type { TreeView } from '../../tree/index.ts'

/** What a requested path stands for in this box. */
interface Resolved {
  path: Path
  /** Instantiated objects, each ending in a dot. */
  objects: string[]
  /** The last name, of a parameter, command or event; '' for an object. */
  leaf: string
}

/** An error of the Agent with its USP code. */
export class AgentError extends Error {
  readonly code: number
  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

/**
 * Resolves a path over the instantiated model (TR-369 2.5): instance numbers, `*`, search expressions, followed references. AgentError 7008
 * when it is no path, 7026 when the model has no such thing, 7016 when a named instance is not there.
 */
export function resolve(view: TreeView, text: string): Resolved {
  let path: Path
  try {
    path = parsePath(text)
  } catch (error) {
    throw new AgentError(7008, error instanceof Error ? error.message : 'invalid path')
  }
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
        objects = objects.flatMap((object) => rows(view, object))
        break
      case 'search':
        objects = objects.flatMap((object) =>
          rows(view, object).filter((row) => segment.terms.every((term) => holds(view, row, term))),
        )
        break
      case 'follow':
        objects = objects.flatMap((object) => referredObjects(view.get(object + segment.name) ?? '', segment.item))
        break
      case 'schema':
        throw new AgentError(7008, '{i} stands for no instance')
    }
  }
  const existing = objects.filter((object) => view.hasObject(object))
  if (existing.length === 0 && !path.search)
    throw new AgentError(inModel(view, objects[0] ?? '') ? 7016 : 7026, `${text} does not exist`)
  if (existing.length === 0 && path.search && !searchInModel(view, path))
    throw new AgentError(7026, `${text} is not supported`)
  return { path, objects: existing, leaf }
}

/** The objects of a path that must name objects; AgentError 7008 when it names a parameter, command or event. */
export function resolveObjects(view: TreeView, text: string): string[] {
  const { path, objects } = resolve(view, text)
  if (path.kind !== 'object') throw new AgentError(7008, `${text} is not the path of an object`)
  return objects
}

/** The rows of a table; 7018 when it is none. */
function rows(view: TreeView, table: string): string[] {
  if (!view.isTable(table)) {
    if (view.model.object(table) === undefined) throw new AgentError(7026, `${table} is not supported`)
    return []
  }
  return view.instances(table)
}

function inModel(view: TreeView, object: string): boolean {
  const schema = schemaPathOf(view.toCanonical(object))
  return view.tree.supported.has(schema) || view.tree.supported.has(`${schema}{i}.`)
}

function searchInModel(view: TreeView, path: Path): boolean {
  let schema = ''
  for (const segment of path.kind === 'object' ? path.segments : path.segments.slice(0, -1)) {
    if (segment.kind === 'follow') return true
    schema += segment.kind === 'name' ? `${segment.name}.` : '{i}.'
  }
  return inModel(view, schema)
}

function holds(view: TreeView, row: string, term: SearchTerm): boolean {
  return fulfils(term, view.get(row + term.path), view.parameter(row + term.path)?.type ?? 'string')
}

/** Objects at and below one, down to a depth: 0 all, 1 itself, n further n-1 levels, an instance counting with its table. */
export function withDepth(view: TreeView, object: string, maxDepth: number): string[] {
  const below = view.objectsBelow(object)
  const own = view.tree.hasObject(view.toCanonical(object)) ? [object] : []
  if (maxDepth === 0) return [...own, ...below]
  return [...own, ...below.filter((path) => levels(path.slice(object.length)) < maxDepth)]
}

function levels(relative: string): number {
  return relative.split('.').filter((part) => part !== '' && !/^\d+$/.test(part)).length
}

/** Parameters of exactly this object. */
export function ownParameters(view: TreeView, object: string): string[] {
  const names = view.tree.supported.get(schemaPathOf(view.toCanonical(object))) ?? []
  return names.filter((name) => view.get(object + name) !== undefined)
}

/** Code and text of anything thrown; `otherwise` the code of what says none. */
export function failure(error: unknown, otherwise: number): { err_code: number; err_msg: string } {
  if (error instanceof AgentError) return { err_code: error.code, err_msg: error.message }
  return { err_code: otherwise, err_msg: error instanceof Error ? error.message : 'failed' }
}
