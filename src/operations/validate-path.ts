import { AppError } from '../base/index.ts'
import { checkType, checkValue, type Model, type ModelName, type Path, parsePath, rootOf } from '../datamodel/index.ts'
import { type Device, type Parameter, type Protocol, REQUEST_BOUNDS } from '../domain/index.ts'

/** What a request is checked against. */
export interface ValidationContext {
  device: Pick<Device, 'root' | 'owner'>
  /** The protocol it will go over as far as known now. */
  protocol: Protocol
  model(name: ModelName): Model
  /** What the box itself said of parameters that no model knows, or whose value is not one of the model's, by path. */
  reported?: ReadonlyMap<string, Pick<Parameter, 'type' | 'writable' | 'value'>>
}

/** Collects what is odd but passed on: paths of vendors and of firmware that knows more than the model. */
export interface Findings extends ValidationContext {
  warnings: string[]
}

/** The model that speaks for a device of this root over this protocol. */
export function modelFor({ device, protocol, model }: ValidationContext): Model {
  if (device.root === 'InternetGatewayDevice.') return model('tr098')
  return model(protocol === 'usp' ? 'tr181-usp' : 'tr181-cwmp')
}

/**
 * Takes a path apart and checks its kind, its root and whether this protocol can carry it. CWMP has no search paths; `resolved` are those that
 * its driver takes apart itself.
 */
export function readPath(text: string, findings: Findings, kinds: Path['kind'][], resolved = false): Path {
  let path: Path
  try {
    path = parsePath(text)
  } catch (cause) {
    throw invalid(text, cause instanceof Error ? cause.message : 'is no path', cause)
  }
  const root = rootOf(text)
  const roots = findings.device.root === undefined ? ['Device.', 'InternetGatewayDevice.'] : [findings.device.root]
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

/** Characters that XML 1.0 cannot carry, not even escaped (2.2 Char): most control characters, halves of pairs, and two others. */
const NOT_IN_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** A value must not be too long, and its protocol must be able to carry it as it is. */
export function checkText(path: string, value: string, { protocol }: Findings): void {
  if (value.length > REQUEST_BOUNDS.valueLength) throw invalid(path, 'value is too long')
  const bad = protocol === 'cwmp' ? NOT_IN_XML.exec(value)?.[0] : undefined
  if (bad === undefined) return
  const code = (bad.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  throw invalid(path, `value has the character U+${code}, which CWMP cannot carry`)
}

/**
 * A value of a known parameter must fit it. A box that has words of its own in an enumeration (the BeaconType `WPA2` of many TR-098 boxes)
 * is taken at them: then any word goes, with a warning.
 */
export function fitValue(path: string, value: string, findings: Findings, model: Model): void {
  checkText(path, value, findings)
  const parameter = model.parameter(path)
  if (parameter === undefined) {
    const type = findings.reported?.get(path)?.type
    if (type === undefined || type === 'unknown') findings.warnings.push(`${path} is not in the model`)
    const wrong = type === undefined || type === 'unknown' ? undefined : checkType(type, value)
    if (wrong !== undefined) throw invalid(path, `value ${JSON.stringify(value.slice(0, 60))} ${wrong}`)
    return
  }
  const problem = checkValue(parameter, value)
  const own = findings.reported?.get(path)?.value ?? ''
  if (problem?.kind === 'value' && parameter.facets.e !== undefined && own !== '' && checkValue(parameter, own)) {
    findings.warnings.push(`${path} ${problem.text}, but the device has words of its own`)
    return
  }
  if (problem !== undefined) throw invalid(path, `value ${JSON.stringify(value.slice(0, 60))} ${problem.text}`)
}

/** AppError `invalid` about a path or field. */
export function invalid(path: string, reason: string, cause?: unknown): AppError {
  const shown = path.length > 120 ? `${path.slice(0, 120)}...` : path
  return new AppError('invalid', reason.startsWith('path ') ? reason : `${shown} ${reason}`, {
    context: { path: shown, reason },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Returns true for a whole number from 0 to `max`. */
export function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}

/** Refuses empty and overlong lists. */
export function atMost(count: number, max: number, what: string): void {
  if (count === 0) throw invalid(what, 'must not be empty')
  if (count > max) throw invalid(what, `has ${count} entries, at most ${max} are allowed`)
}

function article(kind: Path['kind']): string {
  return kind === 'object' || kind === 'event' ? `an ${kind}` : `a ${kind}`
}
