import { isSearch, isSecret, type Model, splitLeaf } from '../../datamodel/index.ts'
import {
  type ExecuteHooks,
  type OperationResult,
  type PathOutcome,
  type RequestFor,
  resultOf,
  rowsToAdd,
} from '../../domain/index.ts'
import type { AddResp, ParameterError, SetResp } from '../wire/index.ts'
import { pairAdded } from './added-rows.ts'
import { type AgentLink, uspError } from './agent-link.ts'
import type { Reply } from './agent-requests.ts'
import { AskedPaths } from './asked-paths.ts'
import { type ExecuteContext, lacking, objectPath, refused, unanswered } from './outcome.ts'

interface Setting {
  param: string
  value: string
  required: boolean
}

type Status<T extends { oper_status: unknown }> = T['oper_status']

/** TR-369 7.4.2, one UpdateObject per object. Only values that the answer names as updated are successes. */
export async function set(
  agent: AgentLink,
  request: RequestFor<'set'>,
  hooks: ExecuteHooks,
  { model }: ExecuteContext,
): Promise<OperationResult> {
  const objects = new Map<string, Setting[]>()
  const optional = new Set(request.values.flatMap(({ path, required }) => (required === false ? [path] : [])))
  for (const { path, value, required = request.allowPartial !== true } of request.values) {
    const { object, leaf } = splitLeaf(path)
    const settings = objects.get(object)
    const setting = { param: leaf, value, required }
    if (settings === undefined) objects.set(object, [setting])
    else settings.push(setting)
  }
  await hooks.beforeSend()
  const update_objs = [...objects].map(([obj_path, param_settings]) => ({ obj_path, param_settings }))
  const reply = await agent.request('set', { allow_partial: request.allowPartial === true, update_objs }, hooks)
  if (!reply.ok) return refused(reply.error)
  const { updated_obj_results } = reply.body
  const asked = new AskedPaths([...objects.keys()])
  return resultOf([
    ...unanswered([...objects.keys()], updated_obj_results),
    ...updated_obj_results.flatMap(({ requested_path, oper_status }) => {
      const object = asked.named(requested_path) ?? requested_path
      return updated(object, oper_status, objects.get(object) ?? [], model).map((outcome) => {
        const { leaf } = splitLeaf(outcome.path)
        const isOptional = outcome.error !== undefined && optional.has(object + leaf)
        return isOptional ? { ...outcome, optional: true as const } : outcome
      })
    }),
  ])
}

function updated(
  requested_path: string,
  { oper_success: success, oper_failure: failure }: Status<SetResp['updated_obj_results'][number]>,
  asked: Setting[],
  model: Model,
): PathOutcome[] {
  if (failure !== undefined) {
    const inner = failure.updated_inst_failures.flatMap((instance) =>
      parameterErrors(objectPath(instance.affected_path), instance.param_errs),
    )
    return inner.length > 0 ? inner : [{ path: requested_path, error: uspError(failure) }]
  }
  // Only a search path may match no instance.
  if (success === undefined || (success.updated_inst_results.length === 0 && !isSearch(requested_path)))
    return [{ path: requested_path, error: lacking() }]
  return success.updated_inst_results.flatMap(({ affected_path, param_errs, updated_params }) => {
    const object = objectPath(affected_path)
    const values = Object.entries(updated_params).map(([name, value]) => {
      const path = object + name
      return { path, value, type: model.parameter(path)?.type ?? ('unknown' as const) }
    })
    // An Agent leaves out a parameter that may not be read, such as a secret. Any other one that it passes over was not
    // written, as far as the answer says.
    const answered = new Set([...Object.keys(updated_params), ...param_errs.map(({ param }) => param)])
    const silent = asked.flatMap(({ param, required }) =>
      answered.has(param) || (required && isSecret(object + param, model))
        ? []
        : [{ path: object + param, error: lacking() }],
    )
    return [...parameterErrors(object, param_errs), ...values, ...silent]
  })
}

function parameterErrors(object: string, errors: ParameterError[]): PathOutcome[] {
  return errors.map((error) => ({ path: object + error.param, error: uspError(error) }))
}

/**
 * Returns the rows before an Add; undefined when the Agent did not show them: a lost answer is then not reconciled by
 * rows.
 */
function baselineOf(reply: Reply<'get_instances'>): { instances: string[] } | undefined {
  // Objects that do not exist yet have no rows (7016, 7026); other errors show nothing about rows.
  const empty = (code: number) => code === 7016 || code === 7026
  if (!reply.ok) return empty(reply.error.err_code) ? { instances: [] } : undefined
  const results = reply.body.req_path_results
  if (results.some(({ err_code }) => err_code !== 0 && !empty(err_code))) return undefined
  return { instances: results.flatMap((result) => result.curr_insts.map((row) => row.instantiated_obj_path)) }
}

/**
 * TR-369 7.4.1. The rows before the request are stored with the operation, so that a lost answer can be reconciled. A
 * row is added even when the Agent refuses values named `optional`.
 */
export async function add(
  agent: AgentLink,
  request: RequestFor<'add'>,
  hooks: ExecuteHooks,
  { model }: ExecuteContext,
  optional: readonly string[] = [],
): Promise<OperationResult> {
  const rows = rowsToAdd(request)
  const tables = [...new Set(rows.map(({ object }) => object))]
  const before = await agent.request('get_instances', { obj_paths: tables, first_level_only: true }, hooks)
  await hooks.beforeSend(baselineOf(before))
  const create_objs = rows.map((row) => ({
    obj_path: row.object,
    param_settings: Object.entries(row.values).map(([param, value]) => ({
      param,
      value,
      required: request.allowPartial !== true && !optional.includes(param) && row.optional?.includes(param) !== true,
    })),
  }))
  const reply = await agent.request('add', { allow_partial: request.allowPartial === true, create_objs }, hooks)
  if (!reply.ok) return refused(reply.error)
  const paired = pairAdded(rows, reply.body.created_obj_results)
  const results = paired.results.flatMap(({ result, row }) =>
    created(row?.object ?? result.requested_path, result.oper_status, row?.values ?? {}, model).map((outcome) =>
      outcome.error !== undefined && row?.optional?.some((name) => outcome.path.endsWith(`.${name}`)) === true
        ? { ...outcome, optional: true as const }
        : outcome,
    ),
  )
  const shown = results.filter(
    ({ path, error }) => error === undefined || !optional.some((name) => path.endsWith(`.${name}`)),
  )
  const silent = paired.silent.map(({ object }) => ({ path: object, error: lacking() }))
  return resultOf([...silent, ...shown])
}

function created(
  requested_path: string,
  { oper_success: success, oper_failure: failure }: Status<AddResp['created_obj_results'][number]>,
  values: Record<string, string>,
  model: Model,
): PathOutcome[] {
  if (failure !== undefined) return [{ path: requested_path, error: uspError(failure) }]
  if (success === undefined || success.instantiated_path === '') return [{ path: requested_path, error: lacking() }]
  const row = objectPath(success.instantiated_path)
  const failed = new Set(success.param_errs.map((error) => error.param))
  const written = Object.entries(values).filter(([name]) => !failed.has(name))
  return [
    {
      path: requested_path,
      created: row,
      ...(Object.keys(success.unique_keys).length === 0 ? {} : { keys: success.unique_keys }),
    },
    ...written.map(([name, value]) => ({
      path: row + name,
      value,
      type: model.parameter(row + name)?.type ?? ('unknown' as const),
    })),
    ...parameterErrors(row, success.param_errs),
  ]
}

/** TR-369 7.4.3. A valid path without such an instance is a success with nothing affected (R-DEL.2a). */
export async function remove(
  agent: AgentLink,
  request: RequestFor<'delete'>,
  hooks: ExecuteHooks,
): Promise<OperationResult> {
  await hooks.beforeSend()
  const reply = await agent.request(
    'delete',
    { allow_partial: request.allowPartial === true, obj_paths: request.paths },
    hooks,
  )
  if (!reply.ok) return refused(reply.error)
  const results = reply.body.deleted_obj_results.flatMap(({ requested_path, oper_status }): PathOutcome[] => {
    const { oper_success: success, oper_failure: failure } = oper_status
    if (success === undefined)
      return [{ path: requested_path, error: failure === undefined ? lacking() : uspError(failure) }]
    const kept = success.unaffected_path_errs.map((error) => ({ path: error.unaffected_path, error: uspError(error) }))
    return [...success.affected_paths.map((path) => ({ path: objectPath(path) })), ...kept]
  })
  return resultOf([...unanswered(request.paths, reply.body.deleted_obj_results), ...results])
}
