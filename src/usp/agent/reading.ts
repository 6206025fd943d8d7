import { type Path, schemaPathOf } from '../../datamodel/index.ts'
import type { Get, GetInstances, GetInstancesResp, GetResp } from '../wire/index.ts'
import { AgentError, failure } from './agent-error.ts'
import type { ModelReader } from './model-reader.ts'
import { resolve, resolveObjects } from './resolve.ts'

/** Answers Get (TR-369 7.5.1): a path that fails leaves the others alone. */
export async function readParameters(reader: ModelReader, { param_paths, max_depth }: Get): Promise<GetResp> {
  const req_path_results = await Promise.all(
    param_paths.map(async (requested_path) => {
      try {
        const resolved_path_results = await read(reader, requested_path, max_depth)
        return { requested_path, err_code: 0, err_msg: '', resolved_path_results }
      } catch (error) {
        const why = failure(error, 7026)
        // An instance that is not there is an invalid path to a Get, whether the model has it or not.
        if (why.err_code === 7016) why.err_code = 7026
        return { requested_path, ...why, resolved_path_results: [] }
      }
    }),
  )
  return { req_path_results }
}

interface ReadObject {
  resolved_path: string
  result_params: Record<string, string>
}

async function read(reader: ModelReader, text: string, maxDepth: number): Promise<ReadObject[]> {
  const { path, objects, leaf } = await resolve(reader, text)
  if (path.kind === 'object') {
    const all = await Promise.all(objects.map((object) => withDepth(reader, object, maxDepth)))
    return readObjects(reader, all.flat())
  }
  const values = await reader.values(objects.map((object) => object + leaf))
  const found = objects.filter((object) => values.has(object + leaf))
  if (found.length === 0 && (objects.length > 0 || !hasLeaf(reader, path, leaf)))
    throw new AgentError(7026, `${text} is not supported`)
  return found.map((object) => ({ resolved_path: object, result_params: { [leaf]: values.get(object + leaf) ?? '' } }))
}

async function readObjects(reader: ModelReader, objects: string[]): Promise<ReadObject[]> {
  const namesOf = (object: string) => reader.supported.parameters(schemaPathOf(object))
  const values = await reader.values(objects.flatMap((object) => namesOf(object).map((name) => object + name)))
  return objects.map((object) => {
    const result_params: Record<string, string> = {}
    for (const name of namesOf(object)) {
      const value = values.get(object + name)
      if (value !== undefined) result_params[name] = value
    }
    return { resolved_path: object, result_params }
  })
}

/**
 * Objects at and below one, down to a depth: 0 all, 1 itself, n further n-1 levels, an instance counting with its
 * table.
 */
async function withDepth(reader: ModelReader, object: string, maxDepth: number): Promise<string[]> {
  // A table has no parameters: its rows are the objects.
  const own = reader.supported.object(schemaPathOf(object)) === undefined ? [] : [object]
  if (maxDepth === 1) return own
  const below = await reader.objectsBelow(object)
  if (maxDepth === 0) return [...own, ...below]
  return [...own, ...below.filter((path) => levels(path.slice(object.length)) < maxDepth)]
}

function levels(relative: string): number {
  return relative.split('.').filter((part) => part !== '' && !/^\d+$/.test(part)).length
}

/**
 * Returns true when the objects of a path would have this parameter, had they instances. A followed reference may have
 * any.
 */
function hasLeaf({ supported }: ModelReader, { segments }: Path, leaf: string): boolean {
  let schema = ''
  for (const segment of segments.slice(0, -1)) {
    if (segment.kind === 'follow') return true
    schema += segment.kind === 'name' ? `${segment.name}.` : '{i}.'
  }
  return supported.parameters(schema).includes(leaf)
}

/** Answers GetInstances (TR-369 7.5.2). */
export async function readInstances(
  reader: ModelReader,
  { obj_paths, first_level_only }: GetInstances,
): Promise<GetInstancesResp> {
  const req_path_results = await Promise.all(
    obj_paths.map(async (requested_path) => {
      try {
        const curr_insts = await rowsBelow(reader, requested_path, first_level_only)
        return { requested_path, err_code: 0, err_msg: '', curr_insts }
      } catch (error) {
        return { requested_path, ...failure(error, 7026), curr_insts: [] }
      }
    }),
  )
  return { req_path_results }
}

async function rowsBelow(
  reader: ModelReader,
  text: string,
  firstLevel: boolean,
): Promise<{ instantiated_obj_path: string; unique_keys: Record<string, string> }[]> {
  const rows: string[] = []
  for (const table of await resolveObjects(reader, text)) {
    if (!(await reader.isTable(table))) throw new AgentError(7018, `${table} is not a table`)
    if (firstLevel) rows.push(...(await reader.rows(table)))
    else rows.push(...(await reader.objectsBelow(table)).filter((path) => /\.\d+\.$/.test(path)))
  }
  return Promise.all(
    rows.map(async (row) => ({ instantiated_obj_path: row, unique_keys: await reader.uniqueKeys(row) })),
  )
}
