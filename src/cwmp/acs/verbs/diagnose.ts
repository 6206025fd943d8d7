import { asksForNothing } from '../../../datamodel/index.ts'
import { failedResult, type OperationResult, type PathOutcome } from '../../../domain/index.ts'
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
  const plain = ({ path, value }: ValueToWrite) =>
    asksForNothing(path.slice(object.length), value, context.types.modelOf(path)?.parameter(path))
  const rest = values.filter((argument) => !(unknown.has(argument.path) && plain(argument)))
  if (written.fault !== undefined && rest.length < values.length)
    written = await writeAll(session, [...rest, state], key, context)
  const { fault } = written
  if (fault === undefined) return { outcome: 'pending', results: [] }
  const isAbsent = written.failures.some(({ path, error }) => path === state.path && error?.code === '9005')
  if (isAbsent) {
    const text = `the device has no such diagnostic: ${state.path} is not there`
    return failedResult({ ...faultError(fault), code: '9005', text }, written.failures)
  }
  const failures = written.failures.map((failure) => withAdvice(failure, object))
  return failedResult(failures[0]?.error ?? faultError(fault), failures)
}

/** An argument that the CPE does not know is one that the request can leave out. */
function withAdvice(failure: PathOutcome, object: string): PathOutcome {
  const { path, error } = failure
  if (error?.code !== '9005' || !path.startsWith(object)) return failure
  const name = path.slice(object.length)
  const text = `the device has no place for the argument ${name}: ${path} is not there; leave it out (${error.text})`
  return { ...failure, error: { ...error, text } }
}
