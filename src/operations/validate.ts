import {
  actsOnTrue,
  checkType,
  checkValue,
  commandUnder,
  hasListedValues,
  type Model,
  type ModelName,
  mandatoryArguments,
  namesRow,
  type Path,
  parsePath,
  rootOf,
  schemaOf,
} from '../datamodel/index.ts'
import {
  type Device,
  type OperationRequest,
  type Parameter,
  type Protocol,
  REQUEST_BOUNDS,
  type RequestFor,
  type RowToAdd,
  restartOf,
  rowsToAdd,
} from '../domain/index.ts'
import { invalid, namedValue } from './invalid.ts'
import { checkArguments } from './validate-arguments.ts'
import { checkRouterDownload, checkScript, checkUpgrade, type RouterChecks } from './validate-router.ts'

/** The facts that a request is checked against. */
interface ValidationContext {
  device: Pick<Device, 'root' | 'owner'> & Partial<Pick<Device, 'manufacturer' | 'oui' | 'softwareVersion'>>
  /** The protocol that it will take, as far as that is known now. */
  protocol: Protocol
  model(name: ModelName): Model
  /**
   * Parameters as the device reported them, by path: those that no model knows, or whose value is not one of the model.
   */
  reported?: ReadonlyMap<string, Pick<Parameter, 'type' | 'writable' | 'value'>>
  /** The facts of a MikroTik router that an upgrade is checked against. */
  router?: RouterChecks
}

/** The context with the warnings so far: vendor paths, and paths of firmware that is newer than the model. */
interface Findings extends ValidationContext {
  warnings: string[]
}

/**
 * Checks a request before it is stored: path syntax, root, bounds and, for the paths of the model, access and value.
 * Unknown and vendor paths pass with a warning, because devices know more than models. Returns the warnings. Throws
 * AppError `invalid`, whose context names the path and the reason.
 */
export function validate(request: OperationRequest, context: ValidationContext): string[] {
  const findings: Findings = { ...context, warnings: [] }
  switch (request.verb) {
    case 'get':
      atMost(request.paths.length, REQUEST_BOUNDS.paths, 'paths')
      for (const text of request.paths) readPath(text, findings, ['object', 'parameter'], true)
      if (request.maxDepth !== undefined && !isWhole(request.maxDepth, REQUEST_BOUNDS.depth)) {
        throw invalid('maxDepth', `is a whole number from 0 to ${REQUEST_BOUNDS.depth}`)
      }
      break
    case 'instances':
      atMost(request.paths.length, REQUEST_BOUNDS.paths, 'paths')
      for (const text of request.paths) readPath(text, findings, ['object'], true)
      break
    case 'supported':
      readSupported(request.path, findings)
      break
    case 'discover':
      if (request.path !== undefined && request.path !== '') readPath(request.path, findings, ['object'])
      break
    case 'set':
      checkSet(request, findings)
      break
    case 'add':
      checkAdd(request, findings)
      break
    case 'delete':
      checkDelete(request, findings)
      break
    case 'operate':
      checkCommand(request, findings)
      break
    case 'subscribe':
      checkSubscribe(request, findings)
      break
    case 'download':
      checkDownload(request)
      checkRouterDownload(request, findings)
      break
    case 'script':
      checkScript(request, findings)
      break
    case 'upgrade':
      checkUpgrade(request, findings)
      break
    case 'reboot':
    case 'factoryReset':
      break
    default:
      // A new verb has a case of its own: the compiler says so here.
      request satisfies never
  }
  return findings.warnings
}

/** Checks a path of the supported model, which has `{i}` in place of an instance (R-GSP). */
function readSupported(text: string, findings: Findings): void {
  if (/\.\d+\.|[*[+]/.test(text)) throw invalid(text, 'names an instance; a path of the supported model has {i} there')
  if (findings.protocol === 'cwmp' && text.includes('{i}')) throw invalid(text, 'has {i}, which CWMP does not have')
  readPath(text.replaceAll('{i}.', ''), findings, ['object'])
}

/** Checks a set: parameters once each, writable where known, with values that fit. */
function checkSet(request: RequestFor<'set'>, findings: Findings): void {
  atMost(request.values.length, REQUEST_BOUNDS.values, 'values')
  const model = modelFor(findings)
  const seen = new Set<string>()
  let total = 0
  for (const { path: text, value } of request.values) {
    const path = readPath(text, findings, ['parameter'], true)
    if (seen.has(text)) throw invalid(text, 'is named twice')
    seen.add(text)
    total += text.length + value.length
    if (total > REQUEST_BOUNDS.totalLength) throw invalid('values', 'are too large together; use several requests')
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

/** Checks an add: tables that take rows where known, with relative names that the rows have. */
function checkAdd(request: RequestFor<'add'>, findings: Findings): void {
  const rows = rowsToAdd(request)
  atMost(rows.length, REQUEST_BOUNDS.rows, 'more')
  let total = 0
  for (const row of rows) {
    for (const [name, value] of Object.entries(row.values)) total += name.length + value.length
    if (total > REQUEST_BOUNDS.totalLength) throw invalid('values', 'are too large together; use several requests')
    checkRow(row, findings)
  }
}

function checkRow(request: RowToAdd, findings: Findings): void {
  const path = readPath(request.object, findings, ['object'])
  if (path.segments.at(-1)?.kind !== 'name') throw invalid(request.object, 'names a row, expected a table')
  const names = Object.keys(request.values)
  if (names.length > 0) atMost(names.length, REQUEST_BOUNDS.values, 'values')
  const unknown = request.optional?.find((name) => !(name in request.values))
  if (unknown !== undefined) throw invalid(unknown, 'is optional but has no value')
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

/** Checks a delete: rows of tables that allow it where known. */
function checkDelete(request: RequestFor<'delete'>, findings: Findings): void {
  atMost(request.paths.length, REQUEST_BOUNDS.rows, 'paths')
  const model = modelFor(findings)
  for (const text of request.paths) {
    const path = readPath(text, findings, ['object'], true)
    if (!namesRow(path.segments.at(-1))) throw invalid(text, 'is not a row of a table')
    const schema = schemaOf(path)
    if (schema === undefined) continue
    const object = model.object(schema)
    if (object?.access === 'r') throw invalid(text, 'cannot be deleted')
    if (object === undefined) findings.warnings.push(`${text} is not in the model`)
  }
}

/**
 * Checks an operate: a command with its mandatory arguments. Commands belong to USP; over CWMP the driver runs those
 * that have an equivalent.
 */
function checkCommand(request: RequestFor<'operate'>, findings: Findings): void {
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
  const isKnown = model.command(standard) !== undefined
  if (!isKnown) findings.warnings.push(`${request.command} is not in the model`)
  else if (findings.protocol === 'cwmp' && !hasEquivalent(request.command, modelFor(findings)))
    throw invalid(request.command, 'has no equivalent in CWMP; it can be run over USP only')
  else if (isDiagnosticOfOther(request.command, findings))
    throw invalid(
      request.command,
      `is no command of TR-098; where the device shows ${request.command.slice(0, -2)}.DiagnosticsState, write Requested to it by a set`,
    )
  findings.warnings.push(...checkArguments(request, { ...findings, own: modelFor(findings) }))
  if (!isKnown) return
  const missing = [...mandatoryArguments(standard, model)].flatMap(([name, value]) =>
    value === undefined && !(name in request.input) ? name : [],
  )
  if (missing.length > 0) {
    const what = missing.length === 1 ? 'the argument' : 'the arguments'
    throw invalid(request.command, `needs ${what} ${missing.join(', ')}`)
  }
}

/**
 * Returns true when CWMP has an equivalent of a command: a restart, a diagnostic (by its DiagnosticsState), or a
 * parameter that acts when it is set.
 */
function hasEquivalent(command: string, model: Model): boolean {
  const path = command.replace(/\(\)$/, '')
  return (
    restartOf(command) !== undefined ||
    model.parameter(`${path}.DiagnosticsState`)?.access === 'w' ||
    actsOnTrue(model.parameter(path))
  )
}

/** Returns true for a diagnostic of TR-181 that TR-098 does not have, on a CPE of TR-098. */
function isDiagnosticOfOther(command: string, findings: Findings): boolean {
  const { device, protocol } = findings
  if (protocol !== 'cwmp' || device.root !== 'InternetGatewayDevice.' || !command.startsWith('Device.')) return false
  return restartOf(command) === undefined && !actsOnTrue(modelFor(findings).parameter(command.replace(/\(\)$/, '')))
}

/** Checks a subscribe: an ID and references within their bounds; those of CWMP are parameters and objects. */
function checkSubscribe(request: RequestFor<'subscribe'>, findings: Findings): void {
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

/** Checks a download: a URL that a CPE can fetch, and texts within the lengths of TR-069 A.3.2.8. */
function checkDownload(request: RequestFor<'download'>): void {
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

/**
 * Returns the model for a device of this root over this protocol: for TR-098 that of its own paths and, as such a device
 * answers to paths of TR-181 as well, that of those.
 */
export function modelFor({ device, protocol, model }: ValidationContext): Model {
  if (device.root === 'InternetGatewayDevice.') return bothRoots(model('tr098'), model('tr181-cwmp'))
  return model(protocol === 'usp' ? 'tr181-usp' : 'tr181-cwmp')
}

/** A model by its name, and another one for the paths below `Device.`. */
function bothRoots(own: Model, tr181: Model): Model {
  const of = (path: string) => (path.startsWith('Device.') ? tr181 : own)
  return {
    name: own.name,
    uri: own.uri,
    objects: own.objects,
    object: (path) => of(path).object(path),
    parameter: (path) => of(path).parameter(path),
    command: (path) => of(path).command(path),
  }
}

/**
 * Parses a path and checks its kind, its root, and that the protocol can carry it. CWMP has no search paths; `resolved`
 * are those that its driver resolves.
 */
function readPath(text: string, findings: Findings, kinds: Path['kind'][], resolved = false): Path {
  let path: Path
  try {
    path = parsePath(text)
  } catch (cause) {
    throw invalid(text, cause instanceof Error ? cause.message : 'is no path', cause)
  }
  const root = rootOf(text)
  const { root: own } = findings.device
  // A command of TR-181 that a TR-098 device has under another name was replaced by that one; others go by the mapping.
  const roots = own === 'Device.' ? [own] : ['Device.', 'InternetGatewayDevice.']
  if (!roots.includes(root)) throw invalid(text, `does not begin with ${roots.join(' or ')}`)
  if (!kinds.includes(path.kind)) {
    const meant = path.kind === 'parameter' && kinds.includes('command') ? `; a command ends in (): ${text}()` : ''
    throw invalid(text, `is ${article(path.kind)}, expected ${kinds.join(' or ')}${meant}`)
  }
  if (path.segments.some((segment) => segment.kind === 'schema')) throw invalid(text, 'has {i} instead of an instance')
  if (path.search && !resolved && findings.protocol === 'cwmp') {
    throw invalid(text, 'is a search path, which CWMP does not have')
  }
  return path
}

/**
 * Characters that XML 1.0 cannot carry, not even escaped (2.2 Char): most control characters, halves of pairs, and two
 * others.
 */
const NOT_IN_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** Throws when a value is too long, or has a character that its protocol cannot carry. */
function checkText(path: string, value: string, { protocol }: Findings): void {
  if (value.length > REQUEST_BOUNDS.valueLength) throw invalid(path, 'value is too long')
  const bad = protocol === 'cwmp' ? NOT_IN_XML.exec(value)?.[0] : undefined
  if (bad === undefined) return
  const code = (bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw invalid(path, `value has the character U+${code}, which CWMP cannot carry`)
}

/**
 * Throws when a value does not fit its parameter. Where the value that the device reported is not one of the
 * enumeration of the model (the BeaconType `WPA2` of many TR-098 devices), any value passes with a warning.
 */
function fitValue(path: string, value: string, findings: Findings, model: Model): void {
  checkText(path, value, findings)
  const parameter = model.parameter(path)
  if (parameter === undefined) {
    const type = findings.reported?.get(path)?.type
    if (type === undefined || type === 'unknown') findings.warnings.push(`${path} is not in the model`)
    const wrong = type === undefined || type === 'unknown' ? undefined : checkType(type, value)
    if (wrong !== undefined) throw invalid(path, `${namedValue(path, value)} ${wrong}`)
    return
  }
  const problem = checkValue(parameter, value)
  const own = findings.reported?.get(path)?.value ?? ''
  if (problem?.kind === 'value' && hasListedValues(parameter) && own !== '' && checkValue(parameter, own)) {
    findings.warnings.push(`${path} ${problem.text}, but the device has values of its own`)
    return
  }
  if (problem !== undefined) throw invalid(path, `${namedValue(path, value)} ${problem.text}`)
}

/** Returns true for a whole number from 0 to `max`. */
function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}

/** Throws for an empty or overlong list. */
function atMost(count: number, max: number, what: string): void {
  if (count === 0) throw invalid(what, 'must not be empty')
  if (count > max) throw invalid(what, `has ${count} entries, at most ${max} are allowed`)
}

function article(kind: Path['kind']): string {
  return kind === 'object' || kind === 'event' ? `an ${kind}` : `a ${kind}`
}
