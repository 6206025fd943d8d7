import { commandUnder, type Model, mandatoryArguments, type Segment, schemaOf } from '../datamodel/index.ts'
import { type OperationRequest, REQUEST_BOUNDS, type RowToAdd, restartOf, rowsToAdd } from '../domain/index.ts'
import { atMost, checkText, type Findings, fitValue, invalid, isWhole, modelFor, readPath } from './validate-path.ts'

type RequestOf<V extends OperationRequest['verb']> = Extract<OperationRequest, { verb: V }>

/** set: parameters once each, writable where known, with values that fit. */
export function checkSet(request: RequestOf<'set'>, findings: Findings): void {
  atMost(request.values.length, REQUEST_BOUNDS.values, 'values')
  const model = modelFor(findings)
  const seen = new Set<string>()
  let total = 0
  for (const { path: text, value } of request.values) {
    const path = readPath(text, findings, ['parameter'], true)
    if (seen.has(text)) throw invalid(text, 'is named twice')
    seen.add(text)
    total += text.length + value.length
    if (total > REQUEST_BOUNDS.totalLength) throw invalid('values', 'are too large together')
    const schema = schemaOf(path)
    if (schema === undefined) {
      checkText(text, value, findings)
      continue
    }
    const access = model.parameter(schema)?.access
    if (access === 'r') throw invalid(text, 'is read-only')
    if (access === undefined && findings.reported?.get(text)?.writable === false)
      throw invalid(text, 'is read-only on this device')
    if (access === 'o') throw invalid(text, 'can only be set when its row is created')
    fitValue(path.search ? schema : text, value, findings, model)
  }
}

/** add: tables that take rows where known, relative names that their rows have. */
export function checkAdd(request: RequestOf<'add'>, findings: Findings): void {
  const rows = rowsToAdd(request)
  atMost(rows.length, REQUEST_BOUNDS.rows, 'more')
  let total = 0
  for (const row of rows) {
    for (const [name, value] of Object.entries(row.values)) total += name.length + value.length
    if (total > REQUEST_BOUNDS.totalLength) throw invalid('values', 'are too large together')
    checkRow(row, findings)
  }
}

function checkRow(request: RowToAdd, findings: Findings): void {
  const path = readPath(request.object, findings, ['object'])
  if (path.segments.at(-1)?.kind !== 'name') throw invalid(request.object, 'names a row, expected a table')
  const names = Object.keys(request.values)
  if (names.length > 0) atMost(names.length, REQUEST_BOUNDS.values, 'values')
  const stranger = request.optional?.find((name) => !(name in request.values))
  if (stranger !== undefined) throw invalid(stranger, 'is optional but has no value')
  const model = modelFor(findings)
  // A search path has the model of the rows that it names.
  const table = schemaOf(path)
  const object = table === undefined ? undefined : model.object(table)
  if (object !== undefined && !object.table) throw invalid(request.object, 'is not a table')
  if (object?.access === 'r') throw invalid(request.object, 'does not take new rows')
  if (object === undefined) findings.warnings.push(`${request.object} is not in the model`)
  for (const [name, value] of Object.entries(request.values)) {
    // The number of the new row is not known yet; any row has the same parameters.
    const full = `${request.object}1.${name}`
    if (!/^[A-Za-z_]/.test(name) || name.length > REQUEST_BOUNDS.nameLength)
      throw invalid(name, 'is not a name relative to the new row')
    readPath(full, { ...findings, protocol: 'usp' }, ['parameter'])
    if (table === undefined) continue
    const parameter = `${table}1.${name}`
    if (model.parameter(parameter)?.access === 'r') throw invalid(`${request.object}{i}.${name}`, 'is read-only')
    fitValue(parameter, value, findings, model)
  }
}

/** delete: rows, of tables that give them up where known. */
export function checkDelete(request: RequestOf<'delete'>, findings: Findings): void {
  atMost(request.paths.length, REQUEST_BOUNDS.rows, 'paths')
  const model = modelFor(findings)
  for (const text of request.paths) {
    const path = readPath(text, findings, ['object'], true)
    if (!isRow(path.segments.at(-1))) throw invalid(text, 'is not a row of a table')
    const schema = schemaOf(path)
    if (schema === undefined) continue
    const object = model.object(schema)
    if (object?.access === 'r') throw invalid(text, 'cannot be deleted')
    if (object === undefined) findings.warnings.push(`${text} is not in the model`)
  }
}

/** operate: a command with its mandatory arguments. Commands are USP's; over CWMP the driver plays what has an equal there. */
export function checkCommand(request: RequestOf<'operate'>, findings: Findings): void {
  const path = readPath(request.command, findings, ['command'])
  const names = Object.keys(request.input)
  if (names.length > 0) atMost(names.length, REQUEST_BOUNDS.arguments, 'input')
  for (const [name, value] of Object.entries(request.input)) {
    if (name === '' || name.length > REQUEST_BOUNDS.nameLength)
      throw invalid('input', 'has an argument without a proper name')
    checkText(`${request.command} ${name}`, value, findings)
  }
  if (path.search) return
  const model = findings.model('tr181-usp')
  const standard = commandUnder('Device.', request.command)
  if (model.command(standard) === undefined) {
    findings.warnings.push(`${request.command} is not in the model`)
    return
  }
  if (findings.protocol === 'cwmp' && !hasEqual(request.command, modelFor(findings)))
    throw invalid(request.command, 'has no equal in CWMP; it can be run over USP alone')
  const missing = [...mandatoryArguments(standard, model)].flatMap(([name, value]) =>
    value === undefined && !(name in request.input) ? name : [],
  )
  if (missing.length > 0) {
    const what = missing.length === 1 ? 'the argument' : 'the arguments'
    throw invalid(request.command, `needs ${what} ${missing.join(', ')}`)
  }
}

/** True when CWMP can play a command: a restart, a diagnostic (by its DiagnosticsState), or a parameter that acts when it is set. */
function hasEqual(command: string, model: Model): boolean {
  const path = command.replace(/\(\)$/, '')
  return (
    restartOf(command) !== undefined ||
    model.parameter(`${path}.DiagnosticsState`)?.access === 'w' ||
    model.parameter(path)?.facets.c === 1
  )
}

/** subscribe: an ID and references within their bounds; those of CWMP are parameters and objects. */
export function checkSubscribe(request: RequestOf<'subscribe'>, findings: Findings): void {
  const { subscriptionIdLength, referenceLength } = REQUEST_BOUNDS
  if (request.id.length < 1 || request.id.length > subscriptionIdLength)
    throw invalid('id', `has 1 to ${subscriptionIdLength} characters`)
  if (request.enable || request.paths.length > 0) atMost(request.paths.length, REQUEST_BOUNDS.references, 'paths')
  const kinds = {
    ValueChange: ['object', 'parameter'],
    ObjectCreation: ['object'],
    ObjectDeletion: ['object'],
    OperationComplete: ['object', 'command'],
    Event: ['object', 'event'],
  } as const
  for (const text of request.paths) {
    if (text.length > referenceLength) throw invalid(text, `is longer than ${referenceLength} characters`)
    readPath(text, findings, [...kinds[request.notifType]])
  }
  if (findings.protocol === 'cwmp' && request.notifType !== 'ValueChange') {
    throw invalid('notifType', `${request.notifType} does not exist in CWMP, which knows ValueChange only`)
  }
}

/** download: a URL that CPE can fetch, and texts within the lengths of TR-069 A.3.2.8. */
export function checkDownload(request: RequestOf<'download'>): void {
  if (!URL.canParse(request.url) || !/^(https?|ftps?|sftp|tftp):$/.test(new URL(request.url).protocol)) {
    throw invalid('url', 'is no http, https, ftp, ftps, sftp or tftp URL')
  }
  const lengths = REQUEST_BOUNDS.download
  for (const [name, max] of Object.entries(lengths) as [keyof typeof lengths, number][]) {
    if ((request[name]?.length ?? 0) > max) throw invalid(name, `is longer than ${max} characters`)
  }
  const size = request.fileSize
  if (size !== undefined && !isWhole(size, REQUEST_BOUNDS.fileSize)) {
    throw invalid('fileSize', 'is no unsignedInt')
  }
}

function isRow(segment: Segment | undefined): boolean {
  return segment?.kind === 'instance' || segment?.kind === 'wildcard' || segment?.kind === 'search'
}
