import { isSearch, mandatoryArguments, quoteConstant, schemaPathOf } from '../../datamodel/index.ts'
import {
  type ExecuteHooks,
  failedResult,
  isOwnRow,
  type Operation,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  resultOf,
} from '../../domain/index.ts'
import type { OperateResp } from '../wire/index.ts'
import { type AgentLink, uspError } from './agent-link.ts'
import { bounded, MAX_OUTPUT_TEXT } from './agent-texts.ts'
import { instances, supportedBelow } from './execute-model.ts'
import { discover, get } from './execute-read.ts'
import { add, remove, set } from './execute-write.ts'
import { lockout } from './lockout.ts'
import { type ExecuteContext, lacking, objectPath, refused } from './outcome.ts'
import { OPTIONAL_SETTINGS } from './subscriptions.ts'

/**
 * Executes one protocol-neutral operation as USP requests. Errors of the Agent are results; rejects only when the link
 * fails.
 */
export async function execute(
  agent: AgentLink,
  operation: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const { request } = operation
  const refusal = lockout(agent, operation)
  if (refusal !== undefined) return refusal
  switch (request.verb) {
    case 'get':
      return get(agent, request.paths, request.maxDepth ?? 0, context, hooks)
    case 'instances':
      return instances(agent, request, hooks)
    case 'supported':
      return supportedBelow(agent, request, hooks)
    case 'discover':
      return discover(agent, request, context, hooks)
    case 'set':
      return set(agent, request, hooks, context)
    case 'add':
      return add(agent, request, hooks, context)
    case 'delete':
      return remove(agent, request, hooks)
    case 'operate':
      return operate(agent, request.command, await withDefaults(request, context), operation.id, hooks)
    case 'subscribe':
      return subscribe(agent, request, hooks, context)
    case 'download':
      return download(agent, request, operation.id, hooks, context)
    case 'script':
    case 'upgrade':
      return failedResult(outcomeError('notSupported', `${request.verb} is for the TR-069 client of a MikroTik router`))
    case 'reboot':
      return ending(await operate(agent, 'Device.Reboot()', {}, operation.id, hooks))
    case 'factoryReset':
      return ending(await operate(agent, 'Device.FactoryReset()', {}, operation.id, hooks))
  }
}

/** Returns the arguments and the mandatory ones that have a default value, as far as this Agent supports them. */
async function withDefaults(
  { command, input }: RequestFor<'operate'>,
  { model, supported }: ExecuteContext,
): Promise<Record<string, string>> {
  const lacking = [...mandatoryArguments(command, model)].flatMap(([name, value]) =>
    value === undefined || name in input ? [] : [[name, value] as const],
  )
  if (lacking.length === 0) return input
  const dot = command.lastIndexOf('.') + 1
  const object = schemaPathOf(command.slice(0, dot))
  const own = (await supported())?.objects
    .find(({ path }) => path === object)
    ?.commands.find(({ name }) => name === command.slice(dot))
  const known = lacking.filter(([name]) => own === undefined || own.input.includes(name))
  return { ...Object.fromEntries(known), ...input }
}

/** A command that reboots the CPE is answered first; it is done when the CPE has booted. */
function ending(result: OperationResult): OperationResult {
  return result.outcome === 'done' ? { ...result, outcome: 'pending' } : result
}

async function operate(
  agent: AgentLink,
  command: string,
  input: Record<string, string>,
  key: string,
  hooks: ExecuteHooks,
): Promise<OperationResult> {
  await hooks.beforeSend()
  const reply = await agent.request('operate', { command, command_key: key, send_resp: true, input_args: input }, hooks)
  if (!reply.ok) return refused(reply.error)
  const { operation_results } = reply.body
  if (namesRows(command, operation_results)) return inRows(operation_results)
  const results: PathOutcome[] = []
  let output: Record<string, string> = {}
  let pending = false
  // Only a search path may match nothing.
  if (operation_results.length === 0 && !isSearch(command)) results.push({ path: command, error: lacking() })
  for (const result of operation_results) {
    if (result.cmd_failure !== undefined)
      results.push({ path: shown(result.executed_command), error: uspError(result.cmd_failure) })
    else if (result.req_output_args !== undefined) output = { ...output, ...result.req_output_args.output_args }
    else if (result.req_obj_path !== undefined) pending = true
    else results.push({ path: shown(result.executed_command), error: lacking() })
  }
  const end = resultOf(results)
  const outcome = end.outcome === 'done' && pending ? 'pending' : end.outcome
  return { ...end, outcome, output: bounded(output, MAX_OUTPUT_TEXT) }
}

/** Returns as much of a command as a path may have. */
function shown(command: string): string {
  return command.slice(0, 1024)
}

type Executed = OperateResp['operation_results']

/** Returns true when the answer to a search path names each row in which the command was executed. */
function namesRows(command: string, results: Executed): boolean {
  const rows = new Set(results.map(({ executed_command }) => executed_command).filter((path) => !isSearch(path)))
  return isSearch(command) && results.length > 0 && rows.size === results.length
}

/** Returns the outcome of each row of a command. A row that accepted it goes on though another one refused. */
function inRows(executed: Executed): OperationResult {
  let left = MAX_OUTPUT_TEXT
  const results = executed.map((result): PathOutcome => {
    const { executed_command: path, cmd_failure, req_output_args, req_obj_path } = result
    if (cmd_failure !== undefined) return { path, error: uspError(cmd_failure) }
    if (req_output_args !== undefined) {
      const output = bounded(req_output_args.output_args, left)
      left -= Object.entries(output).reduce((sum, [name, text]) => sum + name.length + text.length, 0)
      return { path, output }
    }
    return req_obj_path === undefined ? { path, error: lacking() } : { path, pending: true }
  })
  return results.some(({ pending }) => pending === true) ? { outcome: 'pending', results } : resultOf(results)
}

/** Error codes of a search that found no row. */
const NO_ROWS = [7016, 7026]

/**
 * Adds, enables or deletes a Subscription row by its ID. A ReferenceList is immutable, so that another one is a new
 * row.
 */
async function subscribe(
  agent: AgentLink,
  request: RequestFor<'subscribe'>,
  executeHooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  // A lost answer is reconciled by the row of this Controller among those with the same ID.
  const recipient = agent.ownRow === '' ? {} : { recipient: agent.ownRow }
  const hooks: ExecuteHooks = {
    ...executeHooks,
    beforeSend: (baseline) => executeHooks.beforeSend({ ...baseline, ...recipient }),
  }
  const table = 'Device.LocalAgent.Subscription.'
  const found = await agent.request(
    'get',
    { param_paths: [`${table}[ID==${quoteConstant(request.id)}].`], max_depth: 1 },
    hooks,
  )
  if (!found.ok) return refused(found.error)
  // A table that may not be read shows nothing about its rows.
  const unread = found.body.req_path_results.find(({ err_code }) => err_code !== 0 && !NO_ROWS.includes(err_code))
  if (unread !== undefined) return failedResult(uspError(unread), [{ path: table, error: uspError(unread) }])
  // Another Controller may have given one of its subscriptions the same ID.
  const rows = found.body.req_path_results
    .flatMap((result) => result.resolved_path_results)
    .filter((row) => isOwnRow(row.result_params.Recipient, agent.ownRow))
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
  // The delete has already called beforeSend.
  const again: ExecuteHooks = rows.length > 0 ? { ...hooks, beforeSend: () => Promise.resolve() } : hooks
  return add(agent, { verb: 'add', object: table, values }, again, context, OPTIONAL_SETTINGS)
}

const BANK = /^Device\.DeviceInfo\.FirmwareImage\.\d+\./

/** Returns a bank that does not run, by ActiveFirmwareImage or Status; with one bank, that one. */
function freeBank(results: PathOutcome[]): string | undefined {
  const values = new Map(results.map(({ path, value }) => [path, value]))
  const active = values.get('Device.DeviceInfo.ActiveFirmwareImage') ?? ''
  const banks = [...new Set(results.flatMap(({ path }) => BANK.exec(path)?.[0] ?? []))]
  const running = (bank: string) =>
    active === '' ? values.get(`${bank}Status`) === 'Active' : bank === objectPath(active)
  return banks.find((bank) => !running(bank)) ?? banks[0]
}

/** Downloads into a bank that does not run; activates it at once unless the request says otherwise. */
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
    hooks,
  )
  const bank = freeBank(images.results)
  if (bank === undefined && images.error !== undefined && images.results.every(({ value }) => value === undefined))
    return images
  if (bank === undefined)
    return failedResult(outcomeError('notSupported', 'the Agent shows no firmware image to download into'))
  const input: Record<string, string> = {
    URL: request.url,
    AutoActivate: request.activate === false ? 'false' : 'true',
  }
  if (request.username !== undefined) input.Username = request.username
  if (request.password !== undefined) input.Password = request.password
  if (request.fileSize !== undefined) input.FileSize = String(request.fileSize)
  return operate(agent, `${bank}Download()`, input, key, hooks)
}
