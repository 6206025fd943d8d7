import { actsOnTrue, canWrite, commandUnder, loadModel, MappingRefusal, planWrite } from '../../datamodel/index.ts'
import { failedResult, type OperationResult, type RequestFor } from '../../domain/index.ts'
import { OWN_ROOT, TR181 } from '../tree/paths.ts'
import { writable } from './draft.ts'
import type { OwnSide } from './own-side.ts'
import { NOT_MAPPED, refusedAt } from './refusal.ts'
import { set } from './set.ts'

/**
 * Runs a command of TR-181: one that TR-098 has as well with the rows of its arguments translated, any other one by the
 * parameter that acts in its place.
 */
export function operate(own: OwnSide, request: RequestFor<'operate'>): Promise<OperationResult> {
  const command = commandUnder(OWN_ROOT, request.command)
  return command.startsWith(TR181) ? act(own, command) : diagnose(own, { ...request, command })
}

/** Runs a diagnostic of TR-098 whose arguments refer to rows of TR-181. */
async function diagnose(own: OwnSide, request: RequestFor<'operate'>): Promise<OperationResult> {
  const object = commandUnder(TR181, request.command).replace(/\(\)$/, '.')
  const ownObject = request.command.replace(/\(\)$/, '.')
  const input: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.input)) {
    if (!value.startsWith(TR181)) {
      input[name] = value
      continue
    }
    const path = object + name
    const plan = await own.attempt(() => planWrite(own.mapping, [{ path, value }], own.tree, own.time, writable(own)))
    if (plan instanceof MappingRefusal) return refusedAt(path, plan)
    for (const raw of plan.values)
      if (raw.path.startsWith(ownObject)) input[raw.path.slice(ownObject.length)] = raw.value
  }
  return own.write({ ...request, input })
}

/**
 * Writes true to the parameter of the device behind a command, where TR-181 has one at the same path (Reset() and Reset)
 * and a row leads to it.
 */
async function act(own: OwnSide, command: string): Promise<OperationResult> {
  const path = command.replace(/\(\)$/, '')
  if (!isTrigger(path)) return refused(command, new MappingRefusal(await insteadOf(own, path)))
  const { outcome, results, error, output = {} } = await set(own, { verb: 'set', values: [{ path, value: 'true' }] })
  // The record gets the reads beside it, not the value that was written: the parameter reads false again.
  for (const { from } of results) if (from?.path !== undefined) own.forget(from.path)
  const reads = own.reads()
  if (error === undefined) return { outcome, results: [], output, own: reads }
  const named = results.map((one) => ({ ...one, path: command }))
  if (error.code !== NOT_MAPPED) return { ...failedResult(error, named), own: reads }
  const text = `${command} cannot be run on this device: ${error.text}${await others(own, path)}`
  const shown = { ...error, text }
  return {
    ...failedResult(
      shown,
      named.map((one) => ({ ...one, error: shown })),
    ),
    own: reads,
  }
}

function refused(command: string, { message, source }: MappingRefusal): OperationResult {
  return refusedAt(command, new MappingRefusal(`${command} cannot be run on this device: ${message}`, source))
}

function isTrigger(path: string): boolean {
  return actsOnTrue(loadModel('tr181-cwmp').parameter(path))
}

/** Returns why a command that is no parameter cannot be run: a diagnostic can where a row leads to its state. */
async function insteadOf(own: OwnSide, path: string): Promise<string> {
  const state = `${path}.DiagnosticsState`
  const hasState = await own.tree.whenRead(() => canWrite(own.mapping, state, own.tree, writable(own)))
  return hasState
    ? `it is not one of the diagnostics that have one name on all devices; write Requested to ${state} by a set`
    : 'its own tree has no parameter for it'
}

/** Commands that a refusal names. */
const MAX_NAMED = 8

/**
 * Returns what this device can do instead, for the end of a refusal: the same command of objects of the same name. The
 * session of a network connection is its PPP or its IP interface.
 */
async function others(own: OwnSide, path: string): Promise<string> {
  const { mapping, tree } = own
  const leaf = path.slice(path.lastIndexOf('.') + 1)
  const kind = kindOf(path)
  const found = await tree.whenRead(() =>
    [...mapping.mapping.targets.values()]
      .filter(({ schema, parameter }) => kindOf(schema) === kind && actsOnTrue(parameter))
      .flatMap(({ table }) => mapping.links.rowsIn(table.replace(/\{i\}\.$/, '')))
      .map((row) => row + leaf)
      .filter((other) => canWrite(mapping, other, tree, writable(own))),
  )
  if (found.length > 0)
    return `; it has ${found
      .slice(0, MAX_NAMED)
      .map((other) => `${other}()`)
      .join(', ')}`
  return leaf === 'Reset' ? '; Device.Reboot() restarts all of it' : ''
}

/** The last two names of a parameter, without the instance between them. */
function kindOf(path: string): string {
  return path
    .split('.')
    .filter((part) => !/^(\d+|\{i\})$/.test(part))
    .slice(-2)
    .join('.')
}
