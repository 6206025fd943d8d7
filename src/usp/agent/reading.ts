import { type Path, schemaPathOf } from '../../datamodel/index.ts'
import type { TreeView } from '../../tree/index.ts'
import type { Get, GetInstances, GetInstancesResp, GetResp } from '../wire/index.ts'
import { uniqueKeysOf } from './changes.ts'
import { AgentError, failure, ownParameters, resolve, resolveObjects, withDepth } from './resolve.ts'

/** Get (TR-369 7.5.1): each path for itself. */
export function readParameters(view: TreeView, { param_paths, max_depth }: Get): GetResp {
  return {
    req_path_results: param_paths.map((requested_path) => {
      try {
        return {
          requested_path,
          err_code: 0,
          err_msg: '',
          resolved_path_results: read(view, requested_path, max_depth),
        }
      } catch (error) {
        const why = failure(error, 7026)
        // What is not instantiated is an invalid path to a Get, whether the model has it or not.
        if (why.err_code === 7016) why.err_code = 7026
        return { requested_path, ...why, resolved_path_results: [] }
      }
    }),
  }
}

function read(
  view: TreeView,
  text: string,
  maxDepth: number,
): { resolved_path: string; result_params: Record<string, string> }[] {
  const { path, objects, leaf } = resolve(view, text)
  if (path.kind === 'object') {
    return objects
      .flatMap((object) => withDepth(view, object, maxDepth))
      .map((object) => ({
        resolved_path: object,
        result_params: Object.fromEntries(
          ownParameters(view, object).map((name) => [name, view.get(object + name) ?? '']),
        ),
      }))
  }
  const found = objects.filter((object) => view.get(object + leaf) !== undefined)
  if (found.length === 0 && (objects.length > 0 || !hasLeaf(view, path, leaf)))
    throw new AgentError(7026, `${text} is not supported`)
  return found.map((object) => ({ resolved_path: object, result_params: { [leaf]: view.get(object + leaf) ?? '' } }))
}

/** Whether the objects of a path would have this parameter, had they instances; unknown where references are followed. */
function hasLeaf(view: TreeView, { segments }: Path, leaf: string): boolean {
  let schema = ''
  for (const segment of segments.slice(0, -1)) {
    if (segment.kind === 'follow') return true
    schema += segment.kind === 'name' ? `${segment.name}.` : '{i}.'
  }
  return view.tree.supported.get(schemaPathOf(view.toCanonical(schema)))?.includes(leaf) === true
}

/** GetInstances (TR-369 7.5.2). */
export function readInstances(view: TreeView, { obj_paths, first_level_only }: GetInstances): GetInstancesResp {
  return {
    req_path_results: obj_paths.map((requested_path) => {
      try {
        return { requested_path, err_code: 0, err_msg: '', curr_insts: rows(view, requested_path, first_level_only) }
      } catch (error) {
        return { requested_path, ...failure(error, 7026), curr_insts: [] }
      }
    }),
  }
}

function rows(
  view: TreeView,
  text: string,
  firstLevel: boolean,
): { instantiated_obj_path: string; unique_keys: Record<string, string> }[] {
  return resolveObjects(view, text).flatMap((table) => {
    if (!view.isTable(table)) throw new AgentError(7018, `${table} is not a table`)
    const rows = firstLevel ? view.instances(table) : view.objectsBelow(table).filter((path) => /\.\d+\.$/.test(path))
    return rows.map((row) => ({ instantiated_obj_path: row, unique_keys: uniqueKeysOf(view, row) }))
  })
}
