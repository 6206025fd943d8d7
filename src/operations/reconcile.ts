import {
  commandUnder,
  isCommandLike,
  isSearch,
  type Model,
  readsEmpty,
  sameParameterValue,
  sameValue,
} from '../datamodel/index.ts'
import {
  type Device,
  failedResult,
  INCOMPLETE_ADD,
  isFactoryReset,
  isOwnRow,
  isVersion,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type OutcomeError,
  outcomeError,
  type PathOutcome,
  type RowToAdd,
  rowsToAdd,
  sameList,
  versionAfter,
} from '../domain/index.ts'
import { otherBootAfter } from './boot-reason.ts'
import { isAccepted } from './command-rows.ts'
import type { OperationLimits } from './limits.ts'
import { bootKind, endsByCompletion, isRestart } from './verbs.ts'

/** The outcome of an unknown operation; undefined: the reads do not show it, and the next contact is asked again. */
export type Verdict = { state: 'done' | 'failed'; result: OperationResult } | undefined

/** The request was not done. A retry is safe. */
const NOT_EXECUTED: OutcomeError = outcomeError('notExecuted', 'the device did not do it: request it again', true)
/** The request was sent, but the device does not have the values. A retry is safe. */
const NOT_APPLIED: OutcomeError = outcomeError(
  'notApplied',
  'the device does not have the requested values: read it, and request it again',
  true,
)
/** The outcome cannot be found out. A retry may have a second effect. */
export const OUTCOME_UNKNOWN: OutcomeError = outcomeError(
  'outcomeUnknown',
  'the answer was lost and the device does not show the outcome; read the device before you try again',
)

/**
 * Milliseconds after a lost answer to a command within which its OperationComplete may arrive although the Agent shows
 * no row of it.
 */
export const LOST_COMMAND_MS = 120_000

/** Some of it was done. A retry would do that a second time. */
const INCOMPLETE: OutcomeError = outcomeError(
  INCOMPLETE_ADD,
  'the answer was lost, and the device has a part of it: write or add what failed, or delete the new rows',
)

const ABSENT = new Set(['9005', '7016', '7026'])

/** Returns true for an error that says that a name or object does not exist: 9005 (CWMP), 7016 and 7026 (USP). */
export function isAbsent({ code }: OutcomeError): boolean {
  return ABSENT.has(code)
}
const REQUESTS = 'Device.LocalAgent.Request.'
const SUBSCRIPTIONS = 'Device.LocalAgent.Subscription.'

/**
 * Returns the lists of paths to read, one `get` each, before `judge` can decide; empty when no read shows the outcome.
 */
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
  // A reset restarts an Agent, also where it does not restart the system around it.
  const agents = operation.sentVia === 'usp' && isFactoryReset(request) ? [['Device.LocalAgent.UpTime']] : []
  return [[`${root}DeviceInfo.UpTime`], ...agents]
}

/** Returns true for an accepted command that is a diagnostic of a CPE: its DiagnosticsState shows the end. */
export function playsDiagnostic(operation: Pick<Operation, 'request' | 'sentVia' | 'result'>): boolean {
  const { request, sentVia, result } = operation
  return request.verb === 'operate' && sentVia === 'cwmp' && result?.outcome === 'pending' && !isRestart(request)
}

/**
 * Returns true for a command of which an Agent keeps a row while it runs, by its CommandKey:
 * Device.LocalAgent.Request.{i} (TR-369 13.4.1).
 */
export function runsAsRequest({ request, sentVia }: Pick<Operation, 'request' | 'sentVia'>): boolean {
  return request.verb === 'operate' && sentVia === 'usp' && !isRestart(request)
}

/** Returns true when the reads show that the Agent runs the command. */
export function isRunning(operation: Operation, reads: OperationResult[]): boolean {
  if (!runsAsRequest(operation)) return false
  const values = valuesOf(reads)
  return [...rowsOf(REQUESTS, values.keys())].some((row) => values.get(`${row}CommandKey`)?.value === operation.id)
}

/**
 * Judges a command of an Agent. An accepted one whose row is gone without an OperationComplete is over with an unknown
 * outcome. So is one whose answer was lost and that the Agent does not run some time later: it was not accepted, has no
 * row, or is over.
 */
function judgeRequest(operation: Operation, reads: OperationResult[], now: number): Verdict {
  const { sentAt, createdAt } = operation
  const isRead = reads.every(({ results }) => results.every(({ error }) => error === undefined))
  const awaited = !isAccepted(operation) && now - (sentAt ?? createdAt) < LOST_COMMAND_MS
  return isRead && !awaited && !isRunning(operation, reads) ? unended(operation) : undefined
}

/** A command whose outcome is unknown, with that of each row as far as it has ended. */
function unended({ result }: Operation): Verdict {
  const rows = result?.results.map(({ pending, ...row }) =>
    pending === true ? { ...row, error: OUTCOME_UNKNOWN } : row,
  )
  return failed(OUTCOME_UNKNOWN, rows)
}

/**
 * Returns the object of a diagnostic, by the names of TR-181 where it has some: `Device.IP.Diagnostics.IPPing.` for
 * `InternetGatewayDevice.IPPingDiagnostics()`.
 */
function diagnosticObject(command: string): string {
  return commandUnder('Device.', command).replace(/\(\)$/, '.')
}

/**
 * Judges an operation by what was read at `now`, in the order of `readsToReconcile`. `model` gives the types, and the
 * parameters that cannot be read back.
 */
export function judge(operation: Operation, reads: OperationResult[], model: Model, now: number): Verdict {
  const { request } = operation
  // An error other than "no such path" is about the read, not about the operation.
  if (reads.some((read) => errorsOf(read).some((error) => !isAbsent(error)))) return undefined
  switch (request.verb) {
    case 'set':
      return judgeSet(request, reads, model)
    case 'add':
      return judgeAdd(request, operation.baseline?.instances, reads, model)
    case 'delete':
      return judgeDelete(request, reads)
    case 'subscribe':
      return judgeSubscribe(request, operation.baseline?.recipient, reads[0])
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
 * Judges an operation that was sent and has not ended by the record of its device: a later boot ends a reboot or reset,
 * the expected version after a boot ends a download, and a time limit ends the rest. A boot of which the Agent says that
 * it is another one ends no reboot or reset; but it may have taken the command away, so that the limit is short then.
 * Undefined: it goes on.
 */
export function judgeByRecord(
  operation: Operation,
  device: Pick<Device, 'cwmp' | 'usp' | 'softwareVersion'> & Partial<Pick<Device, 'owner'>>,
  now: number,
  limits: OperationLimits,
): Verdict {
  const sentAt = operation.sentAt ?? operation.createdAt
  const otherAt = otherBootAfter(operation, device.usp ?? {}, sentAt)
  const uspBootAt = otherAt === undefined ? (device.usp?.lastBootAt ?? 0) : 0
  const bootAt = Math.max(device.cwmp?.lastBootAt ?? 0, uspBootAt)
  const kind = bootKind(operation.request)
  if (kind === 'reboot' && bootAt > sentAt) return { state: 'done', result: DONE }
  // A device that accepted a reset and then booted has done it; a boot alone does not show that it was accepted.
  const resetAt = operation.result?.outcome === 'pending' ? bootAt : (device.cwmp?.lastBootstrapAt ?? 0)
  if (kind === 'factoryReset' && resetAt > sentAt) return { state: 'done', result: DONE }
  const version = versionAfter(operation.request)
  if (version !== undefined && bootAt > sentAt) {
    if (isVersion(device.softwareVersion, version)) return { state: 'done', result: DONE }
    if (now - bootAt > limits.afterBootMs) return failed(NOT_APPLIED)
  }
  const isOverdue =
    now - sentAt > timeLimit(operation, device, limits) || (otherAt !== undefined && now - otherAt > limits.afterBootMs)
  return isOverdue ? unended(operation) : undefined
}

/** Returns the milliseconds from its send after which an operation fails without an end. */
function timeLimit(
  operation: Operation,
  { usp, owner }: Partial<Pick<Device, 'usp' | 'owner'>>,
  limits: OperationLimits,
): number {
  const { request, result, sentAt = operation.createdAt } = operation
  if (!endsByCompletion(request)) return limits.lostTimeoutMs
  if (['download', 'script', 'upgrade'].includes(request.verb)) return limits.downloadTimeoutMs
  if (playsDiagnostic(operation)) return limits.diagnosticTimeoutMs
  const accepted = result?.outcome === 'pending'
  if (runsAsRequest(operation) && usp?.linked === false) {
    // The Agent has no link over which it could be asked, as after a rollback: the device is not held up for it.
    if (!accepted && operation.state === 'unknown') return LOST_COMMAND_MS
    // Nor is it for the end of a command where CWMP has the device again: a reset or a rollback took the Controller away.
    if (accepted && owner === 'cwmp') return Math.max((usp.disconnectedAt ?? sentAt) - sentAt, 0) + LOST_COMMAND_MS
  }
  if (runsAsRequest(operation) && accepted) return limits.commandTimeoutMs
  return operation.state === 'unknown' ? limits.unknownTimeoutMs : limits.pendingTimeoutMs
}

/**
 * Judges a diagnostic by its DiagnosticsState. Requested: it runs. Complete (Completed in TR-143) and Error_...: it has
 * ended; its results become the output that the command has over USP, where a diagnostic that found an error counts as
 * done, too. None and Canceled: a reboot or another client removed it.
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
    ? failed(outcomeError('cancelled', `the diagnostic was removed before its end (${state})`, true))
    : undefined
}

/**
 * Judges a restart by UpTime: done when the device booted after the operation was sent. UpTime has whole seconds, so
 * that a boot of up to a second earlier than it says is possible: one right before the send must not count.
 */
function judgeBoot(operation: Operation, reads: OperationResult[], now: number): Verdict {
  const upTimes = reads.flatMap(({ results }) =>
    results.flatMap(({ path, value = '' }) =>
      path.endsWith('.UpTime') && /^\d{1,10}$/.test(value) ? [Number(value)] : [],
    ),
  )
  if (upTimes.length === 0) return undefined
  const bootAt = now - (Math.min(...upTimes) + 1) * 1000
  return bootAt >= (operation.sentAt ?? now) ? { state: 'done', result: { outcome: 'done', results: [] } } : undefined
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
  // In an atomic set a hidden value shares the outcome of the rest; alone, or in a partial set, its outcome is unknown.
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
  const absent: PathOutcome[] = []
  let isComplete = true
  for (const row of wanted) {
    const found = newRow(row, taken, values, model, wanted.filter(({ object }) => object === row.object).length)
    if (found === 'none') absent.push({ path: row.object, error: NOT_EXECUTED })
    else if (Array.isArray(found)) candidates.push(...found.map((path) => ({ path, error: CANDIDATE })))
    else {
      taken.add(found)
      // The row exists: that part is done. Wrong values are reported per path and can be set again.
      results.push({ path: row.object, created: found })
      const wrong = wrongValues(found, row.values, values, model)
      for (const name of wrong) results.push({ path: found + name, error: NOT_APPLIED })
      isComplete &&= request.allowPartial === true || wrong.every((name) => row.optional?.includes(name) === true)
    }
  }
  if (absent.length === wanted.length) return failed(NOT_EXECUTED)
  if (candidates.length > 0) return failed(OUTCOME_UNKNOWN, [...results, ...candidates])
  if (absent.length > 0 || !isComplete) return failed(INCOMPLETE, [...results, ...absent])
  return { state: 'done', result: { outcome: 'done', results } }
}

const CANDIDATE = outcomeError('candidate', 'this row is new and may be the requested one')

/**
 * Returns the new row of the table that matches; the candidates where several match. `wanted` rows of this table were
 * added.
 */
function newRow(
  { object, values: own }: RowToAdd,
  taken: ReadonlySet<string>,
  values: Map<string, PathOutcome>,
  model: Model,
  wanted: number,
): string | string[] | 'none' {
  const present = rowsOf(object, values.keys())
  const rows = [...present].filter((row) => !taken.has(row))
  if (rows.length === 0) return 'none'
  // A row without its values is the one that was added, unless the device gives its rows other numbers.
  const renumbered = [...taken].some((row) => isRowOf(object, row) && !present.has(row))
  if (rows.length === 1 && wanted === 1 && !renumbered) return rows[0] ?? 'none'
  const fitting = rows.filter((row) => wrongValues(row, own, values, model).length === 0)
  const [only] = fitting
  // Of several equal rows any one is right.
  if (only !== undefined && (fitting.length === 1 || fitting.length <= wanted)) return only
  return rows
}

/** Returns true for a row of the table itself, not of one below it. */
function isRowOf(table: string, row: string): boolean {
  return row.startsWith(table) && row.indexOf('.', table.length) === row.length - 1
}

/** Returns the names whose values on a row are not the wanted ones, as far as they can be read. */
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

/**
 * Judges a delete by what stands. A row that is gone answers with an error; a success without values is a row whose
 * parameters cannot be read (TR-369 7.5.1). A search path without a match is a success without values.
 */
function judgeDelete(request: Extract<OperationRequest, { verb: 'delete' }>, reads: OperationResult[]): Verdict {
  const outcomes = request.paths.map((path, i): PathOutcome => {
    const { results = [] } = reads[i] ?? {}
    const isGone = reads[i] !== undefined && (isSearch(path) || results.length > 0 || reads[i].error !== undefined)
    const left = !isGone || results.some((outcome) => outcome.error === undefined)
    return left ? { path, error: NOT_EXECUTED } : { path }
  })
  if (outcomes.some(({ error }) => error !== undefined)) return failed(NOT_EXECUTED, outcomes)
  return { state: 'done', result: { outcome: 'done', results: outcomes } }
}

/**
 * Judges a subscribe by the rows of this Controller with its ID, which `recipient` tells from those of others. One with
 * another type or list is a row from before: these cannot be changed, so that the request would have replaced it.
 */
function judgeSubscribe(
  request: Extract<OperationRequest, { verb: 'subscribe' }>,
  recipient: string | undefined,
  read: OperationResult | undefined,
): Verdict {
  // A retry with the same subscription ID has no second effect.
  const unclear = failed({ ...OUTCOME_UNKNOWN, retryable: true })
  // CWMP has no row to read.
  if (read === undefined) return unclear
  const values = valuesOf([read])
  const at = (row: string, name: string) => values.get(row + name)?.value
  const named = [...rowsOf(SUBSCRIPTIONS, values.keys())].filter((row) => at(row, 'ID') === request.id)
  const rows = named.filter((row) => isOwnRow(at(row, 'Recipient'), recipient ?? ''))
  if (recipient === undefined && rows.length < named.length) return unclear
  if (!request.enable) return rows.length > 0 ? failed(NOT_EXECUTED) : doneWith([])
  const fitting = rows.filter((row) => isWanted(request, (name) => at(row, name)))
  if (fitting.length === 0) return failed(NOT_EXECUTED)
  // A row that hides what it reports may be the one from before.
  const shown = fitting.filter((row) => ['NotifType', 'ReferenceList'].every((name) => at(row, name) !== undefined))
  return shown.length === 0 ? unclear : doneWith(shown.map((row) => ({ path: row })))
}

/** Returns true when the values that a row shows are those of an enabled subscription of this request. */
function isWanted(
  { notifType, paths }: Extract<OperationRequest, { verb: 'subscribe' }>,
  shown: (name: string) => string | undefined,
): boolean {
  return (
    sameValue('boolean', shown('Enable') ?? 'true', 'true') &&
    (shown('NotifType') ?? notifType) === notifType &&
    sameList(shown('ReferenceList') ?? paths.join(','), paths.join(','))
  )
}

function doneWith(results: PathOutcome[]): Verdict {
  return { state: 'done', result: { outcome: 'done', results } }
}

/** Returns the rows directly in a table, from any paths below it: `Device.A.` and `Device.A.3.B` give `Device.A.3.` */
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

/** Returns the values that the read of one search path found under its last name. */
function foundBySearch(path: string, read: OperationResult | undefined): PathOutcome[] {
  const leaf = path.slice(path.lastIndexOf('.'))
  return (read?.results ?? []).filter((outcome) => outcome.error === undefined && outcome.path.endsWith(leaf))
}

/**
 * Returns true for a value that does not show what was written: hidden and secured parameters read empty, command-like
 * ones false (TR-106 A.2.2.1).
 */
function isUnreadable(read: PathOutcome, model: Model): boolean {
  const parameter = model.parameter(read.path)
  if (isCommandLike(parameter)) return true
  return (read.value ?? '') === '' && (parameter === undefined || readsEmpty(parameter))
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
