import { BASE_TYPES, isSearch, type Model, schemaPathOf } from '../../datamodel/index.ts'
import {
  failedResult,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  resultOf,
  type SupportedModel,
} from '../../domain/index.ts'
import type { GetResp } from '../wire/index.ts'
import { type AgentLink, uspError } from './agent-link.ts'
import type { RequestOptions } from './agent-requests.ts'
import { AskedPaths } from './asked-paths.ts'
import { type ExecuteContext, objectPath, refused, unanswered } from './outcome.ts'

/** TR-369 7.5.1. A path that the answer does not name, and a parameter without a value, are failures. */
export async function get(
  agent: AgentLink,
  paths: string[],
  maxDepth: number,
  { model }: ExecuteContext,
  options: RequestOptions,
): Promise<OperationResult> {
  const reply = await agent.request('get', { param_paths: paths, max_depth: maxDepth }, options)
  if (!reply.ok) return refused(reply.error)
  return resultOf([...unanswered(paths, reply.body.req_path_results), ...outcomesOf(paths, reply.body, model)])
}

/**
 * Returns the values of a GetResp to a Get of these paths. Agents of USP 1.0 give dotted relative names, which are
 * joined in the same way. Values that were not asked for are ignored: they may belong anywhere.
 */
export function outcomesOf(paths: readonly string[], body: GetResp, model: Model): PathOutcome[] {
  const asked = new AskedPaths(paths)
  const outcomes: PathOutcome[] = []
  for (const result of body.req_path_results) {
    const requested = asked.named(result.requested_path)
    if (result.err_code !== 0) {
      outcomes.push({ path: requested ?? result.requested_path, error: uspError(result) })
      continue
    }
    const before = outcomes.length
    for (const resolved of result.resolved_path_results) {
      const object = objectPath(resolved.resolved_path)
      for (const [name, value] of Object.entries(resolved.result_params)) {
        const path = object + name
        if (path.endsWith('.') || !asked.covers(path)) continue
        outcomes.push({ path, value, type: model.parameter(path)?.type ?? 'unknown' })
      }
    }
    // An answer leaves out parameters that may not be read; an object or a search may be empty.
    if (outcomes.length === before && requested !== undefined && !requested.endsWith('.') && !isSearch(requested))
      outcomes.push({ path: requested, error: outcomeError('noValue', 'the Agent shows no value') })
  }
  return outcomes
}

/** Errors for an object that the CPE supports and does not have now. */
const ABSENT = ['7016', '7026']
/** Errors for an answer that is too large for one Message. */
const TOO_LARGE = ['7000', '7003', '7005']

/**
 * Reads all values at and below a path, with their access by the supported model. Where that is too large for one
 * Message, reads object by object as the supported model lists them.
 */
export async function discover(
  agent: AgentLink,
  request: RequestFor<'discover'>,
  context: ExecuteContext,
  options: RequestOptions,
): Promise<OperationResult> {
  const path = request.path ?? 'Device.'
  const result = await discoverAt(agent, path, context, options)
  if (result.outcome !== 'done' || result.results.length > 0 || path !== 'Device.') return result
  const error = outcomeError('nothingFound', 'the Agent shows nothing of its root; its role may not let it', true)
  return failedResult(error)
}

async function discoverAt(
  agent: AgentLink,
  path: string,
  context: ExecuteContext,
  options: RequestOptions,
): Promise<OperationResult> {
  const supported = await context.supported()
  let result = await get(agent, [path], 0, context, options)
  if (supported === undefined) return result
  if (result.error !== undefined && TOO_LARGE.includes(result.error.code))
    result = await piecewise(agent, path, supported, context, options)
  const described = new Map(
    supported.objects.flatMap((object) => object.params.map((param) => [object.path + param.name, param] as const)),
  )
  for (const outcome of result.results) {
    const known = described.get(schemaPathOf(outcome.path))
    if (known === undefined) continue
    outcome.writable = known.writable
    // Parameters that no model has, such as those of a vendor.
    if (outcome.type === 'unknown') outcome.type = BASE_TYPES.find((type) => type === known.type) ?? 'unknown'
  }
  return result
}

/** Reads the object itself, then each object below it as a whole; an object that is still too large is a failure. */
async function piecewise(
  agent: AgentLink,
  path: string,
  { objects }: SupportedModel,
  context: ExecuteContext,
  options: RequestOptions,
): Promise<OperationResult> {
  const schema = schemaPathOf(path)
  const below = new Set<string>()
  for (const object of objects) {
    const name = object.path.startsWith(schema) ? object.path.slice(schema.length).split('.')[0] : ''
    // Rows have no name in the supported model; they are read with their table.
    if (name !== undefined && name !== '' && name !== '{i}') below.add(`${path}${name}.`)
  }
  const own = await get(agent, [path], 1, context, options)
  const isOwn = (at: string) => at.lastIndexOf('.') + 1 === path.length
  const results = own.results.filter(({ path: at, value }) => value !== undefined && isOwn(at))
  for (const child of below) {
    const part = await get(agent, [child], 0, context, options)
    if (ABSENT.includes(part.error?.code ?? '')) continue
    // A Message that was refused as a whole names no path.
    results.push(...part.results)
    if (part.error !== undefined && part.results.length === 0) results.push({ path: child, error: part.error })
  }
  return resultOf(results)
}
