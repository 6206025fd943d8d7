import { failedResult, type OperationResult } from '../../../domain/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import type { Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'
import { type ValueToWrite, writeAll } from './write.ts'

/**
 * Begins a diagnostic, which is a command of USP and an object of CWMP: its arguments are written together with
 * DiagnosticsState `Requested`. The CPE reports the end by the event 8 DIAGNOSTICS COMPLETE; the engine reads the
 * results then, or in any later session.
 */
export async function diagnose(
  session: Session,
  object: string,
  input: Record<string, string>,
  key: string,
  context: { types: ParameterTypes; notes: CpeNotes },
): Promise<OperationResult> {
  const state: ValueToWrite = { path: `${object}DiagnosticsState`, value: 'Requested' }
  const values = Object.entries(input).map(([name, value]): ValueToWrite => ({ path: object + name, value }))
  let written = await writeAll(session, [...values, state], key, context)
  // Older CPE lack parameters for some mandatory arguments of USP: those with a default value are left out.
  const unknown = new Set(written.failures.filter(({ error }) => error?.code === '9005').map(({ path }) => path))
  const plain = ({ path, value }: ValueToWrite) => /^(Any)?$/.test(value) || value === context.types.defaultOf(path)
  const rest = values.filter((argument) => !(unknown.has(argument.path) && plain(argument)))
  if (written.fault !== undefined && rest.length < values.length)
    written = await writeAll(session, [...rest, state], key, context)
  const { fault, failures } = written
  return fault === undefined
    ? { outcome: 'pending', results: [] }
    : failedResult(failures[0]?.error ?? faultError(fault), failures)
}
