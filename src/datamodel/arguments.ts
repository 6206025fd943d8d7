import type { Model } from './model.ts'

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
