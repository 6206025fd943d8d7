import { type Path, parsePath, schemaOf, schemaPathOf } from '../../datamodel/index.ts'
import type { Get, GetInstances, GetInstancesResp, GetResp } from '../wire/index.ts'
import { AgentError, asAgentError, failure } from './agent-error.ts'
import type { ModelReader } from './model-reader.ts'
import { objectsOf, type Resolved, resolveAll } from './resolve.ts'

interface ReadObject {
  resolved_path: string
  result_params: Record<string, string>
}

/** Parameters to read for one requested path: names by object. */
interface ReadPlan {
  resolved: Resolved
  objects: { object: string; names: readonly string[] }[]
}

/**
 * Answers Get (TR-369 7.5.1): a path that fails leaves the others alone. The values of all paths are read at once.
 * An element that may not be read is treated as if the Agent did not have it (R-GET.1, R-GET.4).
 */
export async function readParameters(reader: ModelReader, { param_paths, max_depth }: Get): Promise<GetResp> {
  const resolved = await resolveAll(reader, param_paths)
  const plans = await reader.each(resolved, (one) =>
    one instanceof AgentError ? one : planRead(reader, one, max_depth).catch(asAgentError),
  )
  const { values, failed } = await valuesOf(reader, plans)
  const req_path_results = param_paths.map((requested_path, i) => {
    try {
      const plan = plans[i]
      if (plan === undefined || plan instanceof AgentError) throw plan
      if (failed !== undefined && !isOwn(plan)) throw failed
      return { requested_path, err_code: 0, err_msg: '', resolved_path_results: found(reader, plan, values) }
    } catch (error) {
      const why = failure(isHidden(reader, requested_path, error) ? unsupported(requested_path) : error, 7026)
      // An instance that is not there is an invalid path to a Get, whether the model has it or not.
      if (why.err_code === 7016) why.err_code = 7026
      return { requested_path, ...why, resolved_path_results: [] }
    }
  })
  return { req_path_results }
}

/**
 * Reads the values of all plans at once. When the device does not answer, those that are the Agent's own are read alone
 * and the others have `failed`.
 */
async function valuesOf(
  reader: ModelReader,
  plans: readonly (ReadPlan | AgentError)[],
): Promise<{ values: ReadonlyMap<string, string>; failed?: AgentError }> {
  const good = plans.flatMap((plan) => (plan instanceof AgentError ? [] : [plan]))
  const pathsOf = (some: readonly ReadPlan[]) =>
    some.flatMap(({ objects }) => objects.flatMap(({ object, names }) => names.map((name) => object + name)))
  try {
    return { values: await reader.values(pathsOf(good)) }
  } catch (error) {
    const own = good.filter(isOwn)
    if (error instanceof AgentError || own.length === 0) throw error
    return { values: await reader.values(pathsOf(own)), failed: asAgentError(error) }
  }
}

/** Returns true for a plan that reads nothing but the objects of the Agent itself. */
function isOwn({ objects }: ReadPlan): boolean {
  return objects.every(({ object }) => object.startsWith('Device.LocalAgent.'))
}

async function planRead(reader: ModelReader, resolved: Resolved, maxDepth: number): Promise<ReadPlan> {
  const { path, objects, leaf } = resolved
  const readable = (object: string, names: readonly string[]) => {
    reader.count(names.length)
    return names.filter((name) => reader.access.mayRead(object + name))
  }
  if (path.kind !== 'object')
    return { resolved, objects: objects.map((object) => ({ object, names: readable(object, [leaf]) })) }
  const all = (await Promise.all(objects.map((object) => withDepth(reader, object, maxDepth)))).flat()
  return {
    resolved,
    objects: all.map((object) => ({
      object,
      names: readable(object, reader.supported.parameters(schemaPathOf(object))),
    })),
  }
}

function found(reader: ModelReader, plan: ReadPlan, values: ReadonlyMap<string, string>): ReadObject[] {
  const { path } = plan.resolved
  if (path.kind !== 'object') return foundParameters(reader, plan, values)
  const results = plan.objects.map(({ object, names }): ReadObject => {
    const result_params: Record<string, string> = {}
    for (const name of names) {
      const value = values.get(object + name)
      if (value !== undefined) result_params[name] = value
    }
    return { resolved_path: object, result_params }
  })
  const visible = results.filter(
    ({ resolved_path, result_params }) => Object.keys(result_params).length > 0 || isVisible(reader, resolved_path),
  )
  const schema = schemaOf(path)
  if (visible.length === 0 && schema !== undefined && !isSupportedFor(reader, schema)) throw unsupported(path.text)
  return visible
}

function foundParameters(reader: ModelReader, plan: ReadPlan, values: ReadonlyMap<string, string>): ReadObject[] {
  const { path, objects, leaf } = plan.resolved
  const results = plan.objects.filter(({ object, names }) => names.length > 0 && values.has(object + leaf))
  if (results.length === 0 && (plan.objects.some(({ names }) => names.length > 0) || !hasLeaf(reader, path, leaf)))
    throw unsupported(path.text)
  if (results.length === 0 && objects.length > 0 && !path.search) throw unsupported(path.text)
  return results.map(({ object }) => ({
    resolved_path: object,
    result_params: { [leaf]: values.get(object + leaf) ?? '' },
  }))
}

/** Returns true when an object may be known although nothing of it is read: all rows on its path, and itself. */
function isVisible({ access }: ModelReader, object: string): boolean {
  const rows = [...object.matchAll(/\.\d+\./g)].map((match) => object.slice(0, match.index + match[0].length))
  const isRow = rows.at(-1) === object
  return rows.every((row) => access.has('InstantiatedObj', 'r', row)) && (isRow || access.has('Obj', 'r', object))
}

/** An element that may not be read is answered like one that the Agent does not have, to the letter. */
function unsupported(path: string): AgentError {
  return new AgentError(7026, `${path} is not supported`)
}

/** Returns true for a path that was not found, where nothing may be read whatever is there. */
function isHidden(reader: ModelReader, text: string, error: unknown): boolean {
  if (!(error instanceof AgentError) || (error.code !== 7016 && error.code !== 7026)) return false
  return isHiddenPath(reader, parsePath(text))
}

function isHiddenPath(reader: ModelReader, path: Path): boolean {
  const schema = schemaOf(path)
  return schema !== undefined && !isSupportedFor(reader, schema)
}

/** Returns true when something at or below a schema path may be read. */
function isSupportedFor({ access }: ModelReader, schema: string): boolean {
  return access.reaches(['Param', 'Obj', 'InstantiatedObj'], 'r', schema)
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
 * Returns true when the objects of a path would have this parameter, had they instances, and it may be read. A followed
 * reference may have any.
 */
function hasLeaf({ supported, access }: ModelReader, { segments }: Path, leaf: string): boolean {
  let schema = ''
  for (const segment of segments.slice(0, -1)) {
    if (segment.kind === 'follow') return true
    schema += segment.kind === 'name' ? `${segment.name}.` : '{i}.'
  }
  return supported.parameters(schema).includes(leaf) && access.hasForSome('Param', 'r', schema + leaf)
}

/** Answers GetInstances (TR-369 7.5.2). A row that may not be read is not there (R-GIN.0). */
export async function readInstances(
  reader: ModelReader,
  { obj_paths, first_level_only }: GetInstances,
): Promise<GetInstancesResp> {
  const resolved = await resolveAll(reader, obj_paths)
  const found = await reader.each(resolved, (one) =>
    rowsBelow(reader, one, first_level_only).catch((error: unknown) => failure(error, 7003)),
  )
  for (const [i, one] of resolved.entries()) {
    const path = obj_paths[i] ?? ''
    const hidden = one instanceof AgentError ? isHidden(reader, path, one) : isHiddenPath(reader, one.path)
    if (hidden) found[i] = failure(unsupported(path), 7026)
  }
  const all = [...new Set(found.flatMap((rows) => (Array.isArray(rows) ? rows : [])))]
  const keys = await reader.uniqueKeys(all)
  const keysOf = new Map(all.map((row, i) => [row, keys[i] ?? {}]))
  const req_path_results = obj_paths.map((requested_path, i) => {
    const rows = found[i] ?? []
    if (!Array.isArray(rows)) return { requested_path, ...rows, curr_insts: [] }
    const curr_insts = rows.map((row) => ({ instantiated_obj_path: row, unique_keys: keysOf.get(row) ?? {} }))
    return { requested_path, err_code: 0, err_msg: '', curr_insts }
  })
  return { req_path_results }
}

async function rowsBelow(reader: ModelReader, resolved: Resolved | AgentError, firstLevel: boolean): Promise<string[]> {
  const rows: string[] = []
  if (resolved instanceof AgentError) throw resolved
  for (const table of objectsOf(resolved)) {
    if (!(await reader.isTable(table))) throw new AgentError(7018, `${table} is not a table`)
    if (!isTableVisible(reader, table)) throw unsupported(resolved.path.text)
    const below = firstLevel ? await reader.rows(table) : await reader.objectsBelow(table)
    reader.count(below.length)
    for (const path of below) if (/\.\d+\.$/.test(path)) rows.push(path)
  }
  return rows.filter((row) => reader.access.has('InstantiatedObj', 'r', row))
}

function isTableVisible({ access }: ModelReader, table: string): boolean {
  const schema = `${table}{i}.`
  return access.hasForSome('Obj', 'r', schema) || access.hasForSome('InstantiatedObj', 'r', schema)
}
