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

/**
 * Returns the result that its paths make: done when none failed that had to succeed, otherwise failed with the first
 * error of such a path.
 */
export function resultOf(results: PathOutcome[]): OperationResult {
  const error = results.find((result) => result.error !== undefined && result.optional !== true)?.error
  return error === undefined ? { outcome: 'done', results } : failedResult(error, results)
}
