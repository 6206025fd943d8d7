import { actsOnTrue, loadModel, type Model } from '../../../datamodel/index.ts'
import type { OutcomeError, ParameterType } from '../../../domain/index.ts'
import { type CwmpFault, faultRow, type ParameterValue } from '../../wire/index.ts'

/** TR-106 types by XSD name in lower case: CPE write `unsignedint` and `Int`, too. */
const FROM_XSD: ReadonlyMap<string, ParameterType> = new Map([
  ['string', 'string'],
  ['boolean', 'boolean'],
  ['int', 'int'],
  ['integer', 'int'],
  ['long', 'long'],
  ['unsignedint', 'unsignedInt'],
  ['unsignedlong', 'unsignedLong'],
  ['datetime', 'dateTime'],
  ['base64', 'base64'],
  ['base64binary', 'base64'],
  ['hexbinary', 'hexBinary'],
  ['decimal', 'decimal'],
])

const NUMBERS: ReadonlySet<ParameterType> = new Set(['int', 'unsignedInt', 'long', 'unsignedLong'])
const BOOLEAN_DIGITS: ReadonlyMap<string, string> = new Map([
  ['true', '1'],
  ['false', '0'],
])

/** Returns the types of parameters: as the CPE reported them, else as the model has them. */
export class ParameterTypes {
  typeOf(path: string, xsd = ''): ParameterType {
    return FROM_XSD.get(xsd.trim().toLowerCase()) ?? this.modelOf(path)?.parameter(path)?.type ?? 'unknown'
  }

  /**
   * A value as SetParameterValues carries it: booleans 1/0 (nearly every CPE takes those) or as words, also 1/0 where the
   * CPE has a number for them, dateTimes without fractions.
   */
  toWire(path: string, value: string, type?: ParameterType, literalBooleans = false): ParameterValue {
    const known = type === undefined || type === 'unknown' ? this.typeOf(path) : type
    const xsd = known === 'unknown' ? 'string' : known
    if (xsd === 'boolean') {
      const [yes, no] = literalBooleans ? ['true', 'false'] : ['1', '0']
      return { name: path, value: /^(true|1)$/i.test(value) ? yes : /^(false|0)$/i.test(value) ? no : value, type: xsd }
    }
    if (NUMBERS.has(xsd)) return { name: path, value: BOOLEAN_DIGITS.get(value.toLowerCase()) ?? value, type: xsd }
    if (xsd === 'dateTime') return { name: path, value: value.replace(/\.\d+(?=Z|[+-]|$)/, ''), type: xsd }
    return { name: path, value, type: xsd }
  }

  /** Returns true for a parameter that acts when true is written. */
  actsOnTrue(path: string): boolean {
    return actsOnTrue(this.modelOf(path)?.parameter(path))
  }

  /** Returns true for a diagnostic: run by its DiagnosticsState, its results beside it. */
  isDiagnostic(object: string): boolean {
    return this.modelOf(object)?.parameter(`${object}DiagnosticsState`)?.access === 'w'
  }

  /** Returns true for a table of the model, which may be empty. */
  isTable(path: string): boolean {
    return !/\.\d+\.$/.test(path) && this.modelOf(path)?.object(path)?.table === true
  }

  /** Returns true when the model of CWMP has this object. */
  knowsObject(path: string): boolean {
    return this.modelOf(path)?.object(path) !== undefined
  }

  /** Returns the model of the root of a path; it is read when the first CPE of that root connects. */
  modelOf(path: string): Model | undefined {
    const root = path.slice(0, path.indexOf('.') + 1)
    const name = root === 'Device.' ? 'tr181-cwmp' : root === 'InternetGatewayDevice.' ? 'tr098' : undefined
    return name === undefined ? undefined : loadModel(name)
  }
}

/** A CPE's fault in the words of operations. */
export function faultError(fault: CwmpFault): OutcomeError {
  const row = faultRow(fault.code)
  return { code: String(fault.code), text: fault.text === '' ? row.text : fault.text, retryable: row.retryable }
}
