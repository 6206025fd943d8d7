import { isSearch, type Model, sameParameterValue, sameValue } from '../datamodel/index.ts'
import {
  type Device,
  failedResult,
  isFactoryReset,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type OutcomeError,
  outcomeError,
  type PathOutcome,
  type RowToAdd,
  rowsToAdd,
} from '../domain/index.ts'
import type { OperationLimits } from './limits.ts'
import { bootKind, endsByCompletion, isRestart } from './verbs.ts'

/** How an unknown operation turned out; undefined: reading did not tell, try again at the next contact. */
export type Verdict = { state: 'done' | 'failed'; result: OperationResult } | undefined

/** It was not done; asking again is safe. */
const NOT_EXECUTED: OutcomeError = outcomeError('notExecuted', 'the device did not do it', true)
/** It was sent, but the values are not there; asking again is safe. */
const NOT_APPLIED: OutcomeError = outcomeError('notApplied', 'the device does not show what was asked for', true)
/** Nobody can tell any more; whoever asks again takes the risk of a second effect. */
export const OUTCOME_UNKNOWN: OutcomeError = outcomeError(
  'outcomeUnknown',
  'the answer was lost and the device does not tell what became of it',
)

/** After the answer to a command was lost, its OperationComplete may come for so long although the Agent shows no row of it. */
export const LOST_COMMAND_MS = 120_000

const ABSENT = new Set(['9005', '7016', '7026'])

/** Whether a device says that there is no such name or object: 9005 (CWMP), 7016 and 7026 (USP). */
export function isAbsent({ code }: OutcomeError): boolean {
  return ABSENT.has(code)
}
const REQUESTS = 'Device.LocalAgent.Request.'
const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'

/** The lists of paths to be read, one `get` each, before `judge` can settle the operation; empty when reading cannot tell. */
export function readsToReconcile(
  operation: Pick<Operation, 'request' | 'sentVia' | 'result'>,
  root = 'Device.',
): string[][] {
  const { request } = operation
  switch (request.verb) {
    case 'set': {
      const plain = request.values.map(({ path }) => path).filter((path) => !isSearch(path))
      const search = request.values.map(({ path }) => path).filter(isSearch)
      return [...(plain.length > 0 ? [plain] : []), ...search.map((path) => [path])]
    }
    case 'add':
      return [...new Set(rowsToAdd(request).map(({ object }) => object))].map((object) => [object])
    case 'delete':
      return request.paths.map((path) => [path])
    case 'subscribe':
      return operation.sentVia === 'usp' ? [[SUBSCRIPTIONS]] : []
    case 'operate':
      if (playsDiagnostic(operation)) return [[diagnosticObject(request.command)]]
      if (runsAsRequest(operation)) return [[REQUESTS]]
      break
    default:
      break
  }
  if (!isRestart(request)) return []
  // An Agent starts anew with a reset, also where the system around it does not.
  const agents = operation.sentVia === 'usp' && isFactoryReset(request) ? [['Device.LocalAgent.UpTime']] : []
  return [[`${root}DeviceInfo.UpTime`], ...agents]
}

/** Whether an accepted command is a diagnostic that a CPE plays: it ends by its DiagnosticsState, which is read. */
export function playsDiagnostic(operation: Pick<Operation, 'request' | 'sentVia' | 'result'>): boolean {
  const { request, sentVia, result } = operation
  return request.verb === 'operate' && sentVia === 'cwmp' && result?.outcome === 'pending' && !isRestart(request)
}

/** Whether it is a command that an Agent keeps a row of while it runs (TR-369 13.4.1): Device.LocalAgent.Request.{i}, by its CommandKey. */
export function runsAsRequest({ request, sentVia }: Pick<Operation, 'request' | 'sentVia'>): boolean {
  return request.verb === 'operate' && sentVia === 'usp' && !isRestart(request)
}

/** Whether the Agent shows that it runs the command. */
export function isRunning(operation: Operation, reads: OperationResult[]): boolean {
  if (!runsAsRequest(operation)) return false
  const values = valuesOf(reads)
  return [...rowsOf(REQUESTS, values.keys())].some((row) => values.get(`${row}CommandKey`)?.value === operation.id)
}

/**
 * A command that was accepted, whose row is gone and whose OperationComplete did not come, is over, nobody knows how. So is one whose answer was
 * lost and that the Agent does not run some time later: it was never accepted, or had no row, or is over.
 */
function judgeRequest(operation: Operation, reads: OperationResult[], now: number): Verdict {
  const { result, sentAt, createdAt } = operation
  const told = reads.every(({ results }) => results.every(({ error }) => error === undefined))
  const awaited = result?.outcome !== 'pending' && now - (sentAt ?? createdAt) < LOST_COMMAND_MS
  return told && !awaited && !isRunning(operation, reads) ? failed(OUTCOME_UNKNOWN) : undefined
}

/** `Device.IP.Diagnostics.IPPing()` -> `Device.IP.Diagnostics.IPPing.`: the same to CWMP. */
function diagnosticObject(command: string): string {
  return command.replace(/\(\)$/, '.')
}

/**
 * Settles an operation from what was read at `now`, in the order of `readsToReconcile`. `model` gives types and says what cannot be read back.
 */
export function judge(operation: Operation, reads: OperationResult[], model: Model, now: number): Verdict {
  const { request } = operation
  // An error other than "no such path" tells about the read, not about the operation.
  if (reads.some((read) => errorsOf(read).some((error) => !isAbsent(error)))) return undefined
  switch (request.verb) {
    case 'set':
      return judgeSet(request, reads, model)
    case 'add':
      return judgeAdd(request, operation.baseline?.instances, reads, model)
    case 'delete':
      return judgeDelete(request, reads)
    case 'subscribe':
      return judgeSubscribe(request, reads[0])
    case 'operate':
      if (playsDiagnostic(operation)) return judgeDiagnostic(diagnosticObject(request.command), reads[0])
      if (runsAsRequest(operation)) return judgeRequest(operation, reads, now)
      break
    default:
      break
  }
  return isRestart(request) ? judgeBoot(operation, reads, now) : failed(OUTCOME_UNKNOWN)
}

const DONE: OperationResult = { outcome: 'done', results: [] }

/**
 * What the device's record alone tells about an operation that was sent and is not final: a boot after it ends a reboot or reset, the
 * expected version after a boot ends a download, and a time limit ends what nothing else explained. undefined: wait on.
 */
export function judgeByRecord(
  operation: Operation,
  device: Pick<Device, 'cwmp' | 'usp' | 'softwareVersion'>,
  now: number,
  limits: OperationLimits,
): Verdict {
  const sentAt = operation.sentAt ?? operation.createdAt
  const bootAt = Math.max(device.cwmp?.lastBootAt ?? 0, device.usp?.lastBootAt ?? 0)
  const kind = bootKind(operation.request)
  if (kind === 'reboot' && bootAt > sentAt) return { state: 'done', result: DONE }
  // What accepted a reset and then booted has done it; a boot alone does not tell that it was accepted.
  const resetAt = operation.result?.outcome === 'pending' ? bootAt : (device.cwmp?.lastBootstrapAt ?? 0)
  if (kind === 'factoryReset' && resetAt > sentAt) return { state: 'done', result: DONE }
  const version = operation.request.verb === 'download' ? operation.request.version : undefined
  if (version !== undefined && bootAt > sentAt) {
    if (device.softwareVersion === version) return { state: 'done', result: DONE }
    if (now - bootAt > limits.afterBootMs) return failed(NOT_APPLIED)
  }
  return now - sentAt > timeLimit(operation, limits) ? failed(OUTCOME_UNKNOWN) : undefined
}

/** How long after it was sent an operation may go without an end. */
function timeLimit(operation: Operation, limits: OperationLimits): number {
  const { request, result } = operation
  if (!endsByCompletion(request)) return limits.lostTimeoutMs
  if (request.verb === 'download') return limits.downloadTimeoutMs
  if (playsDiagnostic(operation)) return limits.diagnosticTimeoutMs
  if (runsAsRequest(operation) && result?.outcome === 'pending') return limits.commandTimeoutMs
  return operation.state === 'unknown' ? limits.unknownTimeoutMs : limits.pendingTimeoutMs
}

/**
 * DiagnosticsState tells how far it is: Requested is under way, Complete (Completed by TR-143) and Error_... are ends, with the results as the
 * output that the command has over USP, where a diagnostic that found an error is a command that has run, too. None and Canceled: something
 * took it away, a reboot or another who asked.
 */
function judgeDiagnostic(object: string, read: OperationResult | undefined): Verdict {
  const output: Record<string, string> = {}
  for (const { path, value, error } of read?.results ?? []) {
    if (error === undefined && value !== undefined && path.startsWith(object)) output[path.slice(object.length)] = value
  }
  const { DiagnosticsState: state = '', ...results } = output
  if (/^(Completed?$|Error)/.test(state)) {
    const Status = state === 'Completed' ? 'Complete' : state
    return { state: 'done', result: { outcome: 'done', results: [], output: { Status, ...results } } }
  }
  return /^(None|Canceled)$/.test(state)
    ? failed(outcomeError('cancelled', `the diagnostic was taken away before its end (${state})`, true))
    : undefined
}

/** UpTime (seconds) tells when the box booted: after the operation was sent, or not yet. */
function judgeBoot(operation: Operation, reads: OperationResult[], now: number): Verdict {
  const upTimes = reads.flatMap(({ results }) =>
    results.flatMap(({ path, value = '' }) =>
      path.endsWith('.UpTime') && /^\d{1,10}$/.test(value) ? [Number(value)] : [],
    ),
  )
  if (upTimes.length === 0) return undefined
  const bootAt = now - Math.min(...upTimes) * 1000
  return bootAt > (operation.sentAt ?? now) ? { state: 'done', result: { outcome: 'done', results: [] } } : undefined
}

function judgeSet(
  request: Extract<OperationRequest, { verb: 'set' }>,
  reads: OperationResult[],
  model: Model,
): Verdict {
  const values = valuesOf(reads)
  const outcomes: PathOutcome[] = []
  let hidden = 0
  let nextSearch = request.values.some(({ path }) => !isSearch(path)) ? 1 : 0
  for (const { path, value, type, required } of request.values) {
    const found = isSearch(path) ? foundBySearch(path, reads[nextSearch++]) : foundAt(path, values)
    for (const read of found) {
      const parameter = model.parameter(read.path)
      const wanted = type ?? read.type ?? parameter?.type ?? 'unknown'
      if (sameParameterValue(parameter, wanted, read.value ?? '', value)) outcomes.push({ path: read.path, value })
      else if (isUnreadable(read, model)) hidden++
      else outcomes.push({ ...read, error: NOT_APPLIED, ...(required === false ? { optional: true } : {}) })
    }
    if (found.length === 0 && !isSearch(path))
      outcomes.push({ path, error: NOT_APPLIED, ...(required === false ? { optional: true } : {}) })
  }
  if (outcomes.some(({ error, optional }) => error !== undefined && optional !== true))
    return failed(NOT_APPLIED, outcomes)
  // What cannot be read back stands or falls with the rest of an atomic set; alone, or in a partial one, it stays open.
  if (hidden > 0 && (outcomes.length === 0 || request.allowPartial === true)) return failed(OUTCOME_UNKNOWN, outcomes)
  return { state: 'done', result: { outcome: 'done', results: outcomes } }
}

function judgeAdd(
  request: Extract<OperationRequest, { verb: 'add' }>,
  baseline: string[] | undefined,
  reads: OperationResult[],
  model: Model,
): Verdict {
  const wanted = rowsToAdd(request)
  if (baseline === undefined || wanted.some(({ object }) => isSearch(object))) return failed(OUTCOME_UNKNOWN)
  const values = valuesOf(reads)
  const taken = new Set(baseline)
  const results: PathOutcome[] = []
  const candidates: PathOutcome[] = []
  let absent = 0
  for (const row of wanted) {
    const found = newRow(row, taken, values, model, wanted.filter(({ object }) => object === row.object).length)
    if (found === 'none') absent++
    else if (Array.isArray(found)) candidates.push(...found.map((path) => ({ path, error: CANDIDATE })))
    else {
      taken.add(found)
      // The row is there: that part is done. Values that did not arrive are told per path and can be set again.
      results.push({ path: row.object, created: found })
      for (const name of wrongValues(found, row.values, values, model))
        results.push({ path: found + name, error: NOT_APPLIED })
    }
  }
  if (absent === wanted.length) return failed(NOT_EXECUTED)
  if (candidates.length > 0) return failed(OUTCOME_UNKNOWN, [...results, ...candidates])
  if (absent > 0) return failed(NOT_APPLIED, results)
  return { state: 'done', result: { outcome: 'done', results } }
}

const CANDIDATE = outcomeError('candidate', 'appeared since; may be the new row')

/** The row of the table that is new and is this one; the rows that it may be, where that is not clear. `wanted` rows of this table were added. */
function newRow(
  { object, values: own }: RowToAdd,
  taken: ReadonlySet<string>,
  values: Map<string, PathOutcome>,
  model: Model,
  wanted: number,
): string | string[] | 'none' {
  const rows = [...rowsOf(object, values.keys())].filter((row) => !taken.has(row))
  if (rows.length === 0) return 'none'
  if (rows.length === 1 && wanted === 1) return rows[0] ?? 'none'
  const fitting = rows.filter((row) => wrongValues(row, own, values, model).length === 0)
  const [only] = fitting
  // Of several that were to be alike, any is the one.
  if (only !== undefined && (fitting.length === 1 || fitting.length <= wanted)) return only
  return rows
}

/** Names whose values on a row are not those asked for, as far as they can be read. */
function wrongValues(
  row: string,
  wanted: Record<string, string>,
  values: Map<string, PathOutcome>,
  model: Model,
): string[] {
  return Object.entries(wanted)
    .filter(([name, value]) => {
      const found = values.get(row + name)
      if (found === undefined) return true
      const parameter = model.parameter(found.path)
      const type = found.type ?? parameter?.type ?? 'unknown'
      return !sameParameterValue(parameter, type, found.value ?? '', value) && !isUnreadable(found, model)
    })
    .map(([name]) => name)
}

function judgeDelete(request: Extract<OperationRequest, { verb: 'delete' }>, reads: OperationResult[]): Verdict {
  const outcomes = request.paths.map((path, i): PathOutcome => {
    const read = reads[i]
    const left = read?.results.some((outcome) => outcome.error === undefined) ?? true
    return left ? { path, error: NOT_EXECUTED } : { path }
  })
  if (outcomes.some(({ error }) => error !== undefined)) return failed(NOT_EXECUTED, outcomes)
  return { state: 'done', result: { outcome: 'done', results: outcomes } }
}

function judgeSubscribe(
  request: Extract<OperationRequest, { verb: 'subscribe' }>,
  read: OperationResult | undefined,
): Verdict {
  // CWMP keeps no row to read; but a subscription known by its ID can be asked for again without a second effect.
  if (read === undefined) return failed({ ...OUTCOME_UNKNOWN, retryable: true })
  const values = valuesOf([read])
  const rows = [...rowsOf(SUBSCRIPTIONS, values.keys())].filter((row) => values.get(`${row}ID`)?.value === request.id)
  const stands = rows.some((row) => sameValue('boolean', values.get(`${row}Enable`)?.value ?? 'true', 'true'))
  if (request.enable ? !stands : rows.length > 0) return failed(NOT_EXECUTED)
  return { state: 'done', result: { outcome: 'done', results: rows.map((row) => ({ path: row })) } }
}

/** Rows directly in a table, from any paths below it: `Device.A.` and `Device.A.3.B` give `Device.A.3.`. */
function rowsOf(table: string, paths: Iterable<string>): Set<string> {
  const rows = new Set<string>()
  for (const path of paths) {
    if (!path.startsWith(table)) continue
    const dot = path.indexOf('.', table.length)
    const instance = path.slice(table.length, dot < 0 ? undefined : dot)
    if (/^\d+$/.test(instance)) rows.add(`${table}${instance}.`)
  }
  return rows
}

function valuesOf(reads: OperationResult[]): Map<string, PathOutcome> {
  const values = new Map<string, PathOutcome>()
  for (const read of reads) {
    for (const outcome of read.results) if (outcome.error === undefined) values.set(outcome.path, outcome)
  }
  return values
}

function foundAt(path: string, values: Map<string, PathOutcome>): PathOutcome[] {
  const outcome = values.get(path)
  return outcome === undefined ? [] : [outcome]
}

/** What the read of a search path, which was read alone, found under its last name. */
function foundBySearch(path: string, read: OperationResult | undefined): PathOutcome[] {
  const leaf = path.slice(path.lastIndexOf('.'))
  return (read?.results ?? []).filter((outcome) => outcome.error === undefined && outcome.path.endsWith(leaf))
}

/** Hidden and secured parameters read empty, command-like ones false, whatever was written (TR-106 A.2.2.1). */
function isUnreadable(read: PathOutcome, model: Model): boolean {
  const facets = model.parameter(read.path)?.facets
  if (facets?.c === 1) return true
  return (read.value ?? '') === '' && (facets === undefined || facets.h === 1 || facets.x === 1)
}

function errorsOf(read: OperationResult): OutcomeError[] {
  const errors = read.results.flatMap(({ error }) => (error === undefined ? [] : [error]))
  if (read.error !== undefined) errors.push(read.error)
  else if (read.outcome !== 'done' && errors.length === 0) errors.push(OUTCOME_UNKNOWN)
  return errors
}

function failed(error: OutcomeError, results: PathOutcome[] = []): Verdict {
  return { state: 'failed', result: failedResult(error, results) }
}
