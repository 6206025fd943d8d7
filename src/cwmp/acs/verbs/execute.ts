import { TransportError } from '../../../base/index.ts'
import { isSearch } from '../../../datamodel/index.ts'
import {
  type ExecuteHooks,
  failedResult,
  NOT_APPLIED,
  type Operation,
  type OperationResult,
  outcomeError,
  type PathOutcome,
  type RequestFor,
  restartOf,
  resultOf,
} from '../../../domain/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import { type Discoveries, NOTHING_FOUND } from '../discovery/discoveries.ts'
import { isRoot } from '../discovery/walk.ts'
import type { Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import { add } from './add-rows.ts'
import { diagnose } from './diagnose.ts'
import { download, type FileUrl, ownFile } from './download.ts'
import { instances, supportedBelow } from './names.ts'
import { later, refused } from './outcome.ts'
import { readPaths } from './read-paths.ts'
import { findPaths } from './search.ts'
import { subscribe } from './subscribe.ts'
import { write, writeAll } from './write.ts'

/** The needs of the verbs besides the session. */
interface ExecuteContext {
  types: ParameterTypes
  notes: CpeNotes
  discoveries: Pick<Discoveries, 'collect'>
  fileUrl?: FileUrl
}

/**
 * Executes one protocol-neutral operation as RPCs of one session. Faults are answers. Rejects only when the session is
 * lost, and never as unsent once an RPC behind `beforeSend` was answered: an AddObject that was answered has made its
 * row, whatever happened to the rest.
 */
export async function execute(
  session: Session,
  operation: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  let before = Number.POSITIVE_INFINITY
  const beforeSend: ExecuteHooks['beforeSend'] = async (baseline) => {
    await hooks.beforeSend(baseline)
    before = session.answers
  }
  try {
    return await play(session, operation, { ...hooks, beforeSend }, context)
  } catch (error) {
    if (!(error instanceof TransportError) || error.sent || session.answers <= before) throw error
    throw new TransportError(error.code, error.message, { sent: true, cause: error, context: error.context })
  }
}

async function play(
  session: Session,
  operation: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const { request } = operation
  switch (request.verb) {
    case 'get':
      return get(session, request, context)
    case 'instances':
      return instances(session, request, context)
    case 'supported':
      return supportedBelow(session, request)
    case 'discover':
      return discover(session, request, operation, hooks, context)
    case 'set':
      return set(session, request, operation, hooks, context)
    case 'add':
      return add(session, request, operation, hooks, context)
    case 'delete':
      return remove(session, request, operation, hooks, context)
    case 'operate':
      return operate(session, request, operation, hooks, context)
    case 'subscribe':
      return subscribe(session, request, hooks)
    case 'download':
      return download(session, request, operation, hooks)
    case 'script':
      return ownFile(
        session,
        '3 Vendor Configuration File',
        `${request.template}.alter`,
        operation,
        hooks,
        context.fileUrl,
      )
    case 'upgrade':
      return ownFile(session, '1 Firmware Upgrade Image', 'upgrade.xml', operation, hooks, context.fileUrl)
    case 'reboot':
      return reboot(session, operation, hooks)
    case 'factoryReset':
      return factoryReset(session, hooks)
  }
}

/**
 * A discovery is done when it found something, or an object with nothing in it: single names that cannot be read are
 * usual.
 */
function found(results: PathOutcome[], root: string): OperationResult {
  if (results.some(({ value }) => value !== undefined)) return { outcome: 'done', results }
  if (results.length > 0 || !isRoot(root)) return resultOf(results)
  return failedResult(outcomeError('nothingFound', NOTHING_FOUND, true), results)
}

async function discover(
  session: Session,
  request: RequestFor<'discover'>,
  { id }: Operation,
  { signal }: ExecuteHooks,
  { discoveries }: ExecuteContext,
): Promise<OperationResult> {
  const root = request.path === undefined || request.path === '' ? session.device.root : request.path
  const wanted = root ?? 'Device.'
  return found(await discoveries.collect(session, id, wanted, request.mode ?? 'walk', signal), wanted)
}

async function get(
  session: Session,
  request: RequestFor<'get'>,
  { types, notes }: ExecuteContext,
): Promise<OperationResult> {
  const context = { types, notes }
  const paths: string[] = []
  for (const path of request.paths) paths.push(...(isSearch(path) ? await findPaths(session, path, context) : [path]))
  const results = await readPaths(session, [...new Set(paths)], types, notes)
  const { maxDepth = 0 } = request
  return resultOf(maxDepth === 0 ? results : results.filter(({ path }) => isWithinDepth(path, paths, maxDepth)))
}

/**
 * CPE give everything below a partial path; a depth counts as in TR-369 (Get.max_depth): names below the object, a row
 * with its table.
 */
function isWithinDepth(path: string, asked: string[], maxDepth: number): boolean {
  return asked.some((object) => {
    if (path === object) return true
    const names = path
      .slice(object.length)
      .split('.')
      .filter((part) => !/^\d*$/.test(part))
    return object.endsWith('.') && path.startsWith(object) && names.length <= maxDepth
  })
}

/** The values to write, those of search paths for each parameter that they name now. */
async function valuesToWrite(session: Session, request: RequestFor<'set'>, context: ExecuteContext) {
  const values: RequestFor<'set'>['values'] = []
  for (const value of request.values) {
    if (!isSearch(value.path)) values.push(value)
    else for (const path of await findPaths(session, value.path, context)) values.push({ ...value, path })
  }
  return values
}

async function set(
  session: Session,
  request: RequestFor<'set'>,
  { id }: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const values = await valuesToWrite(session, request, context)
  // A search path that names nothing is no error (R-MSG.4a).
  if (values.length === 0) return resultOf([])
  const list = values.map((value) => ({ ...value, type: value.type ?? hooks.typeOf?.(value.path) }))
  await hooks.beforeSend()
  const { written, failures, fault, status } = await write(session, list, request.allowPartial === true, id, context)
  const done = new Set(written.map(({ path }) => path))
  const results = list.flatMap(({ path, value, type = 'unknown' }): PathOutcome[] =>
    done.has(path) ? [{ path, value, type: type === 'unknown' ? context.types.typeOf(path) : type }] : [],
  )
  if (fault === undefined || results.length > 0) return { ...resultOf([...results, ...failures]), ...later(status) }
  const named = new Set(failures.map(({ path }) => path))
  // Many CPE name no parameter: then the fault is that of each.
  const rest =
    named.size === 0 ? faultError(fault) : outcomeError(NOT_APPLIED, 'not written because another value was refused')
  const others = list.filter(({ path }) => !named.has(path)).map(({ path }) => ({ path, error: rest }))
  return failedResult(failures[0]?.error ?? faultError(fault), [...failures, ...others])
}

async function remove(
  session: Session,
  request: RequestFor<'delete'>,
  { id }: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const paths: string[] = []
  for (const path of request.paths) paths.push(...(isSearch(path) ? await findPaths(session, path, context) : [path]))
  if (paths.length === 0) return resultOf([])
  await hooks.beforeSend()
  const results: PathOutcome[] = []
  for (const path of new Set(paths)) {
    const answer = await session.call('DeleteObject', { ObjectName: path, ParameterKey: id })
    // With allowPartial a row that does not exist counts as deleted (for USP by R-DEL.2a).
    const gone = answer.ok || (request.allowPartial === true && answer.fault.code === 9005)
    results.push(gone ? { path } : { path, error: faultError(answer.fault) })
    if (!gone && request.allowPartial !== true) break
  }
  return resultOf(results)
}

async function operate(
  session: Session,
  request: RequestFor<'operate'>,
  operation: Operation,
  hooks: ExecuteHooks,
  context: ExecuteContext,
): Promise<OperationResult> {
  const restart = restartOf(request.command)
  if (restart === 'reboot') return reboot(session, operation, hooks)
  if (restart === 'factoryReset') return factoryReset(session, hooks)
  const path = request.command.replace(/\(\)$/, '')
  if (context.types.isDiagnostic(`${path}.`)) {
    await hooks.beforeSend()
    return diagnose(session, `${path}.`, request.input, operation.id, context)
  }
  if (!context.types.actsOnTrue(path)) {
    const text =
      `${request.command} cannot be run over CWMP, which has reboots, resets, diagnostics, and parameters that act when ` +
      `true is written; if the device has ${path}, write it by a set`
    return failedResult(outcomeError('notSupported', text))
  }
  await hooks.beforeSend()
  const { fault } = await writeAll(session, [{ path, value: 'true', type: 'boolean' }], operation.id, context)
  return fault === undefined ? { outcome: 'done', results: [], output: {} } : refused(fault)
}

async function reboot(session: Session, operation: Operation, hooks: ExecuteHooks): Promise<OperationResult> {
  await hooks.beforeSend()
  const answer = await session.call('Reboot', { CommandKey: operation.id })
  return answer.ok ? { outcome: 'pending', results: [] } : refused(answer.fault)
}

async function factoryReset(session: Session, hooks: ExecuteHooks): Promise<OperationResult> {
  await hooks.beforeSend()
  const answer = await session.call('FactoryReset', {})
  if (!answer.ok) return refused(answer.fault)
  return { outcome: 'pending', results: [] }
}
