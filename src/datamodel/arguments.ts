import { defaultValueOf } from './facets.ts'
import type { Model, ModelParameter } from './model.ts'

/**
 * Arguments of diagnostics that TR-181 calls mandatory for the command and that every implementation has a default of,
 * with one that suits a first look. Over CWMP the CPE has its own.
 */
const DIAGNOSTIC: Readonly<Record<string, string>> = {
  ProtocolVersion: 'Any',
  NumberOfRepetitions: '3',
  Timeout: '5000',
  DataBlockSize: '56',
}
/** Arguments of transfers that are empty where the server asks for nothing. */
const TRANSFER: Readonly<Record<string, string>> = { Username: '', Password: '' }

/**
 * Mandatory arguments of a command, by name, with the value that stands for one that is not given; undefined: it must
 * be given.
 */
export function mandatoryArguments(command: string, model: Model): Map<string, string | undefined> {
  const defaults = command.includes('.Diagnostics.') ? DIAGNOSTIC : TRANSFER
  const inputs = model.command(command)?.input ?? []
  return new Map(
    inputs.flatMap(({ name, mandatory }) => (mandatory && !name.includes('{i}') ? [[name, defaults[name]]] : [])),
  )
}

/** Values of optional arguments of diagnostics with which a CPE does the same as without the argument. */
const NOTHING: Readonly<Record<string, string>> = {
  ProtocolVersion: 'Any',
  DSCP: '0',
  EthernetPriority: '0',
  TimeBasedTestDuration: '0',
  TimeBasedTestMeasurementInterval: '0',
  TimeBasedTestMeasurementOffset: '0',
  NumberOfConnections: '1',
  EnablePerConnectionResults: 'false',
  EnableIndividualPacketResults: 'false',
}
/** Arguments of diagnostics that have no such value, as most CPE begin with them. */
const USUAL: Readonly<Record<string, string>> = { ...DIAGNOSTIC, NumberOfTries: '3', MaxHopCount: '30' }

/** Returns true for the value of an argument that asks a CPE for nothing that it would not do without the argument. */
export function asksForNothing(name: string, value: string, parameter: ModelParameter | undefined): boolean {
  if (value === '' || value === NOTHING[name] || value === defaultValueOf(parameter)) return true
  return value === '0' && NOTHING[name] === 'false'
}

/**
 * Returns the value that an argument of a diagnostic has where nobody asks for another one; undefined where there is
 * none, as for the size of a file.
 */
export function defaultArgument(name: string, type: string): string | undefined {
  return NOTHING[name] ?? USUAL[name] ?? (type === 'string' ? '' : undefined)
}

/**
 * Returns the arguments of a diagnostic over CWMP: the writable parameters of its object beside DiagnosticsState.
 * Undefined for an object that is no diagnostic.
 */
export function writableArguments(object: string, model: Model): Map<string, ModelParameter> | undefined {
  if (model.parameter(`${object}DiagnosticsState`)?.access !== 'w') return undefined
  const params = model.object(object)?.params ?? new Map<string, ModelParameter>()
  return new Map([...params].filter(([name, { access }]) => access === 'w' && name !== 'DiagnosticsState'))
}
