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
import { AskedPaths } from './asked-paths.ts'

/** The models that verbs use besides the link. */
export interface ExecuteContext {
  model: Model
  /** Resolves with the supported model of the Agent, when it is stored. */
  supported(): Promise<SupportedModel | undefined>
}

/**
 * Returns the result of a Message that was refused as a whole, with the reason of each path where the Agent gave one.
 */
export function refused(error: ErrorBody): OperationResult {
  const results = error.param_errs.map((item) => ({ path: item.param_path, error: uspError(item) }))
  return failedResult(uspError(error), results)
}

/** Returns the error of an answer without a mandatory part. */
export function lacking(): OutcomeError {
  return outcomeError('protocol', 'the Agent answered neither success nor failure')
}

/** Returns failures for requested paths that an answer does not name in any form. */
export function unanswered(requested: string[], results: { requested_path: string }[]): PathOutcome[] {
  const asked = new AskedPaths(requested)
  const answered = new Set(results.map(({ requested_path }) => asked.named(requested_path)))
  return requested.filter((path) => !answered.has(path)).map((path) => ({ path, error: lacking() }))
}

/** Returns an object path with its last dot, which some Agents leave out. */
export function objectPath(text: string): string {
  return text === '' || text.endsWith('.') ? text : `${text}.`
}
