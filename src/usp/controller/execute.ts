import { type Model, schemaPathOf, splitLeaf } from '../../datamodel/index.ts'
import {
  type ExecuteHooks,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type OutcomeError,
  outcomeError,
  type PathOutcome,
  type SupportedModel,
} from '../../device/index.ts'
import type { ErrorBody, GetResp, ParameterError } from '../wire/index.ts'
import { type AgentLink, type Reply, uspError } from './agent-link.ts'

type RequestFor<V> = Extract<OperationRequest, { verb: V }>

/** What the verbs need besides the link. */
export interface ExecuteContext {
  model: Model
  /** The Agent's own supported model, when it is cached. */
  supported(): Promise<SupportedModel | undefined>
}

/** Plays one protocol-neutral operation as USP requests. Errors of the Agent are answers; only a lost way rejects. */
export async function execute(
  agent: AgentLink,
  operation: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const { request } = operation
  switch (request.verb) {
    case 'get':
      return get(agent, request.paths, request.maxDepth ?? 0, context)
    case 'discover':
      return discover(agent, request, context)
    case 'set':
      return set(agent, request, hooks, context)
    case 'add':
      return add(agent, request, hooks, context)
    case 'delete':
      return remove(agent, request, hooks)
    case 'operate':
      return operate(agent, request.command, request.input, operation.id, hooks)
    case 'subscribe':
      return subscribe(agent, request, hooks, context)
    case 'download':
      return download(agent, request, operation.id, hooks, context)
    case 'reboot':
      return ending(await operate(agent, 'Device.Reboot()', {}, operation.id, hooks))
    case 'factoryReset':
      return ending(await operate(agent, 'Device.FactoryReset()', {}, operation.id, hooks))
  }
}

/** A command that restarts the box is answered first; it is done when the box has booted. */
function ending(result: OperationResult): OperationResult {
  return result.outcome === 'done' ? { ...result, outcome: 'pending' } : result
}

function ended(results: PathOutcome[]): OperationResult {
  const error = results.find((result) => result.error !== undefined)?.error
  return error === undefined ? { outcome: 'done', results } : { outcome: 'failed', results, error }
}

/** A whole Message that was refused, with the reason per path where the Agent gave one. */
function refused(error: ErrorBody): OperationResult {
  const results = error.param_errs.map((item) => ({ path: item.param_path, error: uspError(item) }))
  return { outcome: 'failed', results, error: uspError(error) }
}

async function get(
  agent: AgentLink,
  paths: string[],
  maxDepth: number,
  { model }: ExecuteContext,
): Promise<OperationResult> {
  const reply = await agent.request('get', { param_paths: paths, max_depth: maxDepth })
  return reply.ok ? ended(outcomesOf(reply.body, model)) : refused(reply.error)
}

/** Values of a GetResp; 1.0 agents give dotted relative names, which join just the same. */
export function outcomesOf(body: GetResp, model: Model): PathOutcome[] {
  const outcomes: PathOutcome[] = []
  for (const result of body.req_path_results) {
    if (result.err_code !== 0) {
      outcomes.push({ path: result.requested_path, error: uspError(result) })
      continue
    }
    for (const resolved of result.resolved_path_results) {
      for (const [name, value] of Object.entries(resolved.result_params)) {
        const path = resolved.resolved_path + name
        outcomes.push({ path, value, type: model.parameter(path)?.type ?? 'unknown' })
      }
    }
  }
  return outcomes
}

async function discover(
  agent: AgentLink,
  request: RequestFor<'discover'>,
  context: ExecuteContext,
): Promise<OperationResult> {
  const result = await get(agent, [request.path ?? 'Device.'], 0, context)
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

async function set(
  agent: AgentLink,
  request: RequestFor<'set'>,
  hooks: ExecuteHooks,
  { model }: ExecuteContext,
): Promise<OperationResult> {
  const objects = new Map<string, { param: string; value: string; required: boolean }[]>()
  for (const { path, value } of request.values) {
    const { object, leaf } = splitLeaf(path)
    const settings = objects.get(object)
    // Every value counts: an optional one that fails would hide in a success.
    const setting = { param: leaf, value, required: request.allowPartial !== true }
    if (settings === undefined) objects.set(object, [setting])
    else settings.push(setting)
  }
  await hooks.beforeSend()
  const update_objs = [...objects].map(([obj_path, param_settings]) => ({ obj_path, param_settings }))
  const reply = await agent.request('set', { allow_partial: request.allowPartial === true, update_objs })
  if (!reply.ok) return refused(reply.error)
  const { updated_obj_results } = reply.body
  const results = unanswered([...objects.keys()], updated_obj_results)
  for (const { requested_path, oper_status } of updated_obj_results) {
    const { oper_success: success, oper_failure: failure } = oper_status
    if (success === undefined && failure === undefined) results.push({ path: requested_path, error: lacking() })
    if (failure !== undefined) {
      const inner = failure.updated_inst_failures.flatMap((instance) =>
        parameterErrors(instance.affected_path, instance.param_errs),
      )
      results.push(...(inner.length > 0 ? inner : [{ path: requested_path, error: uspError(failure) }]))
    }
    for (const instance of success?.updated_inst_results ?? []) {
      results.push(...parameterErrors(instance.affected_path, instance.param_errs))
      for (const [name, value] of Object.entries(instance.updated_params)) {
        const path = instance.affected_path + name
        results.push({ path, value, type: model.parameter(path)?.type ?? 'unknown' })
      }
    }
  }
  return ended(results)
}

function parameterErrors(object: string, errors: ParameterError[]): PathOutcome[] {
  return errors.map((error) => ({ path: object + error.param, error: uspError(error) }))
}

/** The rows before an Add; undefined when the Agent did not tell them: then a lost answer cannot be settled by them. */
function baselineOf(reply: Reply<'get_instances'>): { instances: string[] } | undefined {
  // Objects that do not exist yet have no rows (7016, 7026); any other error says nothing about rows.
  const empty = (code: number) => code === 7016 || code === 7026
  if (!reply.ok) return empty(reply.error.err_code) ? { instances: [] } : undefined
  const results = reply.body.req_path_results
  if (results.some(({ err_code }) => err_code !== 0 && !empty(err_code))) return undefined
  return { instances: results.flatMap((result) => result.curr_insts.map((row) => row.instantiated_obj_path)) }
}

async function add(
  agent: AgentLink,
  request: RequestFor<'add'>,
  hooks: ExecuteHooks,
  { model }: ExecuteContext,
): Promise<OperationResult> {
  const before = await agent.request('get_instances', { obj_paths: [request.object], first_level_only: true })
  await hooks.beforeSend(baselineOf(before))
  const param_settings = Object.entries(request.values).map(([param, value]) => ({
    param,
    value,
    required: request.allowPartial !== true,
  }))
  const reply = await agent.request('add', {
    allow_partial: request.allowPartial === true,
    create_objs: [{ obj_path: request.object, param_settings }],
  })
  if (!reply.ok) return refused(reply.error)
  const results = reply.body.created_obj_results.flatMap(({ requested_path, oper_status }): PathOutcome[] => {
    const { oper_success: success, oper_failure: failure } = oper_status
    if (success === undefined)
      return [{ path: requested_path, error: failure === undefined ? lacking() : uspError(failure) }]
    const failed = new Set(success.param_errs.map((error) => error.param))
    const written = Object.entries(request.values).filter(([name]) => !failed.has(name))
    return [
      { path: requested_path, created: success.instantiated_path },
      ...written.map(([name, value]) => ({
        path: success.instantiated_path + name,
        value,
        type: model.parameter(success.instantiated_path + name)?.type ?? ('unknown' as const),
      })),
      ...parameterErrors(success.instantiated_path, success.param_errs),
    ]
  })
  return ended([...unanswered([request.object], reply.body.created_obj_results), ...results])
}

function lacking(): OutcomeError {
  return outcomeError('protocol', 'the Agent answered neither success nor failure')
}

/** Requested paths that an answer does not speak of: no success, whatever it says about the others. */
function unanswered(requested: string[], results: { requested_path: string }[]): PathOutcome[] {
  if (results.length >= requested.length) return []
  const answered = new Set(results.map(({ requested_path }) => requested_path))
  return requested.filter((path) => !answered.has(path)).map((path) => ({ path, error: lacking() }))
}

async function remove(agent: AgentLink, request: RequestFor<'delete'>, hooks: ExecuteHooks): Promise<OperationResult> {
  await hooks.beforeSend()
  const reply = await agent.request('delete', {
    allow_partial: request.allowPartial === true,
    obj_paths: request.paths,
  })
  if (!reply.ok) return refused(reply.error)
  const results = reply.body.deleted_obj_results.flatMap(({ requested_path, oper_status }): PathOutcome[] => {
    const { oper_success: success, oper_failure: failure } = oper_status
    if (success === undefined)
      return [{ path: requested_path, error: failure === undefined ? lacking() : uspError(failure) }]
    const kept = success.unaffected_path_errs.map((error) => ({ path: error.unaffected_path, error: uspError(error) }))
    return [...success.affected_paths.map((path) => ({ path })), ...kept]
  })
  return ended([...unanswered(request.paths, reply.body.deleted_obj_results), ...results])
}

async function operate(
  agent: AgentLink,
  command: string,
  input: Record<string, string>,
  key: string,
  hooks: ExecuteHooks,
): Promise<OperationResult> {
  await hooks.beforeSend()
  const reply = await agent.request(
    'operate',
    { command, command_key: key, send_resp: true, input_args: input },
    hooks.timeoutMs,
  )
  if (!reply.ok) return refused(reply.error)
  const { operation_results } = reply.body
  const results: PathOutcome[] = []
  let output: Record<string, string> = {}
  let pending = false
  // Only a search path may match nothing.
  if (operation_results.length === 0 && !/[*[]/.test(command)) results.push({ path: command, error: lacking() })
  for (const result of operation_results) {
    if (result.cmd_failure !== undefined)
      results.push({ path: result.executed_command, error: uspError(result.cmd_failure) })
    else if (result.req_output_args !== undefined) output = { ...output, ...result.req_output_args.output_args }
    else if (result.req_obj_path !== undefined) pending = true
    else results.push({ path: result.executed_command, error: lacking() })
  }
  const end = ended(results)
  return { ...end, outcome: end.outcome === 'done' && pending ? 'pending' : end.outcome, output }
}

/** A Subscription row is known by its ID; its ReferenceList cannot be changed, so another one is a new row. */
async function subscribe(
  agent: AgentLink,
  request: RequestFor<'subscribe'>,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const table = 'Device.LocalAgent.Subscription.'
  const found = await agent.request('get', {
    param_paths: [`${table}[ID=="${request.id.replaceAll('%', '%25').replaceAll('"', '%22')}"].`],
    max_depth: 1,
  })
  if (!found.ok) return refused(found.error)
  const rows = found.body.req_path_results.flatMap((result) => result.resolved_path_results)
  const same = rows.find(
    (row) =>
      row.result_params.ReferenceList === request.paths.join(',') && row.result_params.NotifType === request.notifType,
  )
  if (request.enable && same !== undefined) {
    return set(agent, { verb: 'set', values: [{ path: `${same.resolved_path}Enable`, value: 'true' }] }, hooks, context)
  }
  if (rows.length > 0) {
    const removed = await remove(agent, { verb: 'delete', paths: rows.map((row) => row.resolved_path) }, hooks)
    if (removed.outcome !== 'done' || !request.enable) return removed
  } else if (!request.enable) return { outcome: 'done', results: [] }
  const values = {
    ID: request.id,
    NotifType: request.notifType,
    ReferenceList: request.paths.join(','),
    Persistent: 'true',
    NotifRetry: 'true',
    Enable: 'true',
  }
  // Deleting has told that effects began; the add needs no second telling.
  const again: ExecuteHooks = rows.length > 0 ? { ...hooks, beforeSend: () => Promise.resolve() } : hooks
  return add(agent, { verb: 'add', object: table, values }, again, context)
}

/** Into the bank that is not running, activated at once unless said otherwise; with one bank, into that one. */
async function download(
  agent: AgentLink,
  request: RequestFor<'download'>,
  key: string,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const images = await get(
    agent,
    ['Device.DeviceInfo.FirmwareImage.', 'Device.DeviceInfo.ActiveFirmwareImage'],
    0,
    context,
  )
  const active = images.results.find((outcome) => outcome.path === 'Device.DeviceInfo.ActiveFirmwareImage')?.value
  const banks = [
    ...new Set(
      images.results
        .filter((outcome) => /FirmwareImage\.\d+\./.test(outcome.path))
        .map((outcome) => splitLeaf(outcome.path).object),
    ),
  ]
  const bank = banks.find((path) => path !== `${active}.`) ?? banks[0]
  if (bank === undefined)
    return {
      outcome: 'failed',
      results: [],
      error: outcomeError('notSupported', 'the Agent shows no firmware image to download into'),
    }
  const input: Record<string, string> = {
    URL: request.url,
    AutoActivate: request.activate === false ? 'false' : 'true',
  }
  if (request.username !== undefined) input.Username = request.username
  if (request.password !== undefined) input.Password = request.password
  if (request.fileSize !== undefined) input.FileSize = String(request.fileSize)
  return operate(agent, `${bank}Download()`, input, key, hooks)
}
