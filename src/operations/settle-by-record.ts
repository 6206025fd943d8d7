import { type Device, failedResult, type Operation, type OperationResult } from '../domain/index.ts'
import type { OperationLimits } from './limits.ts'
import { NOT_APPLIED, OUTCOME_UNKNOWN, playsDiagnostic, runsAsRequest, type Verdict } from './reconcile.ts'
import { bootKind, endsByCompletion } from './verbs.ts'

const DONE: OperationResult = { outcome: 'done', results: [] }

/**
 * What the device's record alone tells about an operation that was sent and is not final: a boot after it ends a reboot or reset, the
 * expected version after a boot ends a download, and a time limit ends what nothing else explained. undefined: wait on.
 */
export function settleByRecord(
  operation: Operation,
  device: Pick<Device, 'cwmp' | 'usp' | 'softwareVersion'>,
  now: number,
  limits: OperationLimits,
): Verdict {
  const sentAt = operation.sentAt ?? operation.createdAt
  const bootAt = Math.max(device.cwmp?.lastBootAt ?? 0, device.usp?.lastBootAt ?? 0)
  const kind = bootKind(operation.request)
  if (kind === 'reboot' && bootAt > sentAt) return { state: 'done', result: DONE }
  // What accepted a reset and then booted has done it; a boot alone does not tell that it was accepted.
  const resetAt = operation.result?.outcome === 'pending' ? bootAt : (device.cwmp?.lastBootstrapAt ?? 0)
  if (kind === 'factoryReset' && resetAt > sentAt) return { state: 'done', result: DONE }
  const version = operation.request.verb === 'download' ? operation.request.version : undefined
  if (version !== undefined && bootAt > sentAt) {
    if (device.softwareVersion === version) return { state: 'done', result: DONE }
    if (now - bootAt > limits.afterBootMs) return failed(NOT_APPLIED)
  }
  return now - sentAt > timeLimit(operation, limits) ? failed(OUTCOME_UNKNOWN) : undefined
}

/** How long after it was sent an operation may go without an end. */
function timeLimit(operation: Operation, limits: OperationLimits): number {
  const { request, result } = operation
  if (!endsByCompletion(request)) return limits.lostTimeoutMs
  if (request.verb === 'download') return limits.downloadTimeoutMs
  if (playsDiagnostic(operation)) return limits.diagnosticTimeoutMs
  if (runsAsRequest(operation) && result?.outcome === 'pending') return limits.commandTimeoutMs
  return operation.state === 'unknown' ? limits.unknownTimeoutMs : limits.pendingTimeoutMs
}

function failed(error: typeof NOT_APPLIED): Verdict {
  return { state: 'failed', result: failedResult(error) }
}
