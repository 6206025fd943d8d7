import { type Model, schemaPathOf } from '../../datamodel/index.ts'
import { type OperationResult, outcomeError, type PathOutcome } from '../../device/index.ts'
import type { GetResp } from '../wire/index.ts'
import { type AgentLink, type RequestOptions, uspError } from './agent-link.ts'
import { type ExecuteContext, ended, isSearch, objectPath, type RequestFor, refused, unanswered } from './outcome.ts'

/** TR-369 7.5.1. A path that the answer does not speak of, and a parameter without a value, are failures. */
export async function get(
  agent: AgentLink,
  paths: string[],
  maxDepth: number,
  { model }: ExecuteContext,
  options: RequestOptions,
): Promise<OperationResult> {
  const reply = await agent.request('get', { param_paths: paths, max_depth: maxDepth }, options)
  if (!reply.ok) return refused(reply.error)
  return ended([...unanswered(paths, reply.body.req_path_results), ...outcomesOf(reply.body, model)])
}

/** Values of a GetResp; 1.0 agents give dotted relative names, which join just the same. */
export function outcomesOf(body: GetResp, model: Model): PathOutcome[] {
  const outcomes: PathOutcome[] = []
  for (const result of body.req_path_results) {
    const { requested_path } = result
    if (result.err_code !== 0) {
      outcomes.push({ path: requested_path, error: uspError(result) })
      continue
    }
    const before = outcomes.length
    for (const resolved of result.resolved_path_results) {
      const object = objectPath(resolved.resolved_path)
      for (const [name, value] of Object.entries(resolved.result_params)) {
        const path = object + name
        outcomes.push({ path, value, type: model.parameter(path)?.type ?? 'unknown' })
      }
    }
    // What may not be read is left out; an object or a search may be empty.
    if (outcomes.length === before && !requested_path.endsWith('.') && !isSearch(requested_path))
      outcomes.push({ path: requested_path, error: outcomeError('noValue', 'the Agent shows no value') })
  }
  return outcomes
}

/** All values at and below a path, with what the supported model says about writing them. */
export async function discover(
  agent: AgentLink,
  request: RequestFor<'discover'>,
  context: ExecuteContext,
  options: RequestOptions,
): Promise<OperationResult> {
  const result = await get(agent, [request.path ?? 'Device.'], 0, context, options)
  const supported = await context.supported()
  if (supported === undefined) return result
  const writable = new Map(
    supported.objects.flatMap((object) =>
      object.params.map((param) => [object.path + param.name, param.writable] as const),
    ),
  )
  for (const outcome of result.results) {
    const known = writable.get(schemaPathOf(outcome.path))
    if (known !== undefined) outcome.writable = known
  }
  return result
}
