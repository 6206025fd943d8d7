import type { MappingRefusal } from '../../datamodel/index.ts'
import { type MappedFrom, type OutcomeError, outcomeError } from '../../domain/index.ts'

/** Returns a request that has no form on the device as an error: the reason, and the own parameter to use instead. */
export function refusal({ message, source }: MappingRefusal): { error: OutcomeError; from?: MappedFrom } {
  if (source === undefined) return { error: outcomeError('notMapped', message) }
  const text = message.includes(source) ? message : `${message}; use ${source}`
  return { error: outcomeError('notMapped', text), from: { path: source } }
}
