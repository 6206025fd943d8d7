import type { OperationRequest, OperationResult, OutcomeError, PathOutcome, Verb } from './operation.ts'

/** The request of one verb. */
export type RequestFor<V extends Verb> = Extract<OperationRequest, { verb: V }>

/** Returns an error of an operation or of one of its paths; `code` as the protocol or this server names it. */
export function outcomeError(code: string | number, text: string, retryable = false): OutcomeError {
  return { code: String(code), text, retryable }
}

/** Returns the result of an operation that failed as a whole, with what is known of its paths. */
export function failedResult(error: OutcomeError, results: PathOutcome[] = []): OperationResult {
  return { outcome: 'failed', results, error }
}

/** The code of a path that was not written because of another one, which has the reason. */
export const NOT_APPLIED = 'notApplied'

/** The code of an add whose answer was lost and of which the device has a part: rows without all of their values. */
export const INCOMPLETE_ADD = 'incomplete'

/**
 * Returns the result that its paths make: done when none failed that had to succeed, otherwise failed with the first
 * error of such a path; one that is the reason of others goes before them.
 */
export function resultOf(results: PathOutcome[]): OperationResult {
  const errors = results.flatMap(({ error, optional }) => (error === undefined || optional === true ? [] : [error]))
  const error = errors.find(({ code }) => code !== NOT_APPLIED) ?? errors[0]
  return error === undefined ? { outcome: 'done', results } : failedResult(error, results)
}
