import type { MappingRefusal } from '../../datamodel/index.ts'
import {
  failedResult,
  type MappedFrom,
  type OperationResult,
  type OutcomeError,
  outcomeError,
} from '../../domain/index.ts'

/** The code of an error about a request that has no form on the device. */
export const NOT_MAPPED = 'notMapped'

/** Returns a request that has no form on the device as an error: the reason, and the own parameter to use instead. */
export function refusal({ message, source }: MappingRefusal): { error: OutcomeError; from?: MappedFrom } {
  if (source === undefined) return { error: outcomeError(NOT_MAPPED, message) }
  const text = message.includes(source) ? message : `${message}; use ${source}`
  return { error: outcomeError(NOT_MAPPED, text), from: { path: source } }
}

/** Returns the result of a request that is refused for one of its paths, which is named as it was asked for. */
export function refusedAt(path: string, reason: MappingRefusal): OperationResult {
  const { error, from } = refusal(reason)
  return failedResult(error, [{ path, ...(from === undefined ? {} : { from }), error }])
}
