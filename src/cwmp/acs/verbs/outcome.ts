import type { OperationRequest, OperationResult, PathOutcome } from '../../../domain/index.ts'
import type { CwmpFault } from '../../wire/index.ts'
import { faultError } from '../session/values.ts'

export type RequestFor<V> = Extract<OperationRequest, { verb: V }>

/** Done when no path failed that had to succeed; failed when any did, with the first error as the operation's. */
export function ended(results: PathOutcome[]): OperationResult {
  const error = results.find((result) => result.error !== undefined && result.optional !== true)?.error
  return error === undefined ? { outcome: 'done', results } : { outcome: 'failed', results, error }
}

/** A fault as the end of an operation. */
export function refused(fault: CwmpFault, results: PathOutcome[] = []): OperationResult {
  return { outcome: 'failed', results, error: faultError(fault) }
}

/** Status 1: the box has taken it, and applies it when it has time or boots (A.3.2.1). */
export function later(status: number): Pick<OperationResult, 'output'> {
  return status === 1 ? { output: { applied: 'later' } } : {}
}
