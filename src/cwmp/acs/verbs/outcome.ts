import { failedResult, type OperationResult, type PathOutcome } from '../../../domain/index.ts'
import type { CwmpFault } from '../../wire/index.ts'
import { faultError } from '../session/values.ts'

/** Returns a fault as the end of an operation. */
export function refused(fault: CwmpFault, results: PathOutcome[] = []): OperationResult {
  return failedResult(faultError(fault), results)
}

/** Status 1: the CPE has accepted the change and applies it later or at its next boot (TR-069 A.3.2.1). */
export function later(status: number): Pick<OperationResult, 'output'> {
  return status === 1 ? { output: { applied: 'later' } } : {}
}
