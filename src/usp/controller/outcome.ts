import type { Model } from '../../datamodel/index.ts'
import {
  failedResult,
  type OperationResult,
  type OutcomeError,
  outcomeError,
  type PathOutcome,
  type SupportedModel,
} from '../../domain/index.ts'
import type { ErrorBody } from '../wire/index.ts'
import { uspError } from './agent-link.ts'

/** What the verbs need besides the link. */
export interface ExecuteContext {
  model: Model
  /** The Agent's own supported model, when it is cached. */
  supported(): Promise<SupportedModel | undefined>
}

/** A whole Message that was refused, with the reason per path where the Agent gave one. */
export function refused(error: ErrorBody): OperationResult {
  const results = error.param_errs.map((item) => ({ path: item.param_path, error: uspError(item) }))
  return failedResult(uspError(error), results)
}

/** What an answer that leaves out what it must say comes to. */
export function lacking(): OutcomeError {
  return outcomeError('protocol', 'the Agent answered neither success nor failure')
}

/**
 * Requested paths that an answer does not speak of: no success, whatever it says about the others. A result for a path that nobody asked for
 * counts as one of them, because some Agents write a path in another way.
 */
export function unanswered(requested: string[], results: { requested_path: string }[]): PathOutcome[] {
  const answered = new Set(results.map(({ requested_path }) => requested_path))
  const missing = requested.filter((path) => !answered.has(path))
  if (missing.length === 0) return []
  const asked = new Set(requested)
  const unasked = results.filter(({ requested_path }) => !asked.has(requested_path)).length
  return unasked >= missing.length ? [] : missing.map((path) => ({ path, error: lacking() }))
}

/** An object path as the standard writes it; some Agents leave its last dot out. */
export function objectPath(text: string): string {
  return text === '' || text.endsWith('.') ? text : `${text}.`
}
