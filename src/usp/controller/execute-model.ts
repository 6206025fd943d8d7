import { BASE_TYPES, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import {
  type OperationResult,
  type ParameterType,
  type PathOutcome,
  type RequestFor,
  resultOf,
} from '../../domain/index.ts'
import { type AgentLink, uspError } from './agent-link.ts'
import type { RequestOptions } from './agent-requests.ts'
import { AskedPaths } from './asked-paths.ts'
import { supportedObject } from './describe-model.ts'
import { lacking, objectPath, refused, unanswered } from './outcome.ts'

/** TR-369 7.5.3: reads the rows of tables, with their unique keys. */
export async function instances(
  agent: AgentLink,
  { paths, firstLevelOnly }: RequestFor<'instances'>,
  options: RequestOptions,
): Promise<OperationResult> {
  const body = { obj_paths: paths, first_level_only: firstLevelOnly === true }
  const reply = await agent.request('get_instances', body, options)
  if (!reply.ok) return refused(reply.error)
  const asked = new AskedPaths(paths)
  const results = reply.body.req_path_results.flatMap((result): PathOutcome[] => {
    if (result.err_code !== 0) return [{ path: result.requested_path, error: uspError(result) }]
    return result.curr_insts.flatMap(({ instantiated_obj_path, unique_keys }) => {
      const path = objectPath(instantiated_obj_path)
      if (!asked.covers(path)) return []
      return [{ path, ...(Object.keys(unique_keys).length === 0 ? {} : { keys: unique_keys }) }]
    })
  })
  return resultOf([...unanswered(paths, reply.body.req_path_results), ...results])
}

/**
 * TR-369 7.5.4: reads objects, parameters with type and access, commands and events below a path, without instance
 * numbers.
 */
export async function supportedBelow(
  agent: AgentLink,
  { path, firstLevelOnly }: RequestFor<'supported'>,
  options: RequestOptions,
): Promise<OperationResult> {
  const flags = { return_commands: true, return_events: true, return_params: true, return_unique_key_sets: true }
  const body = { obj_paths: [path], first_level_only: firstLevelOnly === true, ...flags }
  const reply = await agent.request('get_supported_dm', body, options)
  if (!reply.ok) return refused(reply.error)
  const below = schemaForm(splitLeaf(path).object)
  const results = reply.body.req_obj_results.flatMap((result): PathOutcome[] => {
    if (result.err_code !== 0) return [{ path: result.req_obj_path, error: uspError(result) }]
    const objects = result.supported_objs.map(supportedObject).filter((object) => object.path.startsWith(below))
    return objects.flatMap((object): PathOutcome[] => [
      { path: object.path, writable: object.access !== 'readOnly' },
      ...object.params.map(({ name, writable, type }) => ({
        path: object.path + name,
        writable,
        type: typeOf(type),
      })),
      ...[...object.commands, ...object.events].map(({ name }) => ({ path: object.path + name })),
    ])
  })
  const isNamed = reply.body.req_obj_results.some(({ req_obj_path }) => schemaForm(req_obj_path) === schemaForm(path))
  return resultOf([...(isNamed ? [] : [{ path, error: lacking() }]), ...results])
}

/** The form of a path without instances: the last placeholder of a table, and the last dot, may be left out. */
function schemaForm(path: string): string {
  return schemaPathOf(objectPath(path)).replace(/\.\{i\}\.$/, '.')
}

function typeOf(name: string): ParameterType {
  return BASE_TYPES.find((type) => type === name) ?? 'unknown'
}
