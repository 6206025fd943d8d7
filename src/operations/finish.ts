import type { Clock, Log } from '../base/index.ts'
import type { EventLog, Operation, OperationResult, OperationState, OperationStore, Protocol } from '../device/index.ts'
import type { AuditEntry, AuditLog } from '../security/index.ts'
import type { Background } from './engine/background.ts'
import type { OperationsMetrics } from './metrics.ts'
import { actorText, isRead } from './verbs.ts'

export type FinalState = Extract<OperationState, 'done' | 'failed' | 'expired' | 'cancelled'>

/** Ends operations: durable first, then told to listeners, the feed and the audit log. */
export interface Finisher {
  /** Conditional on the state before; false when the operation was in none of `from` any more, and then nobody is told. */
  finish(
    operation: Operation,
    from: OperationState[],
    state: FinalState,
    result: OperationResult | undefined,
    /** The way it went, where the operation itself does not say: reads. */
    via?: Protocol,
  ): Promise<boolean>
  onFinished(listener: (operation: Operation) => void): () => void
}

export interface FinisherDeps {
  store: OperationStore
  events: EventLog
  audit: AuditLog
  clock: Clock
  log: Log
  metrics: OperationsMetrics
  background: Background
}

export function createFinisher(deps: FinisherDeps): Finisher {
  const { store, events, audit, clock, log, metrics, background } = deps
  const listeners = new Set<(operation: Operation) => void>()

  const tell = (operation: Operation) => {
    for (const listener of [...listeners]) {
      try {
        listener(operation)
      } catch (err) {
        log.error({ err, operationId: operation.id }, 'listener of finished operations failed')
      }
    }
  }

  return {
    async finish(operation, from, state, result, via = operation.sentVia) {
      const at = clock.now()
      if (!(await store.finish(operation.id, from, state, result, at))) return false
      const finished: Operation = { ...operation, state, finishedAt: at }
      if (result !== undefined) finished.result = result
      metrics.finished(operation.request.verb, via ?? 'none', state, at - operation.createdAt)
      log.info(
        {
          operationId: operation.id,
          deviceId: operation.deviceId,
          verb: operation.request.verb,
          state,
          error: result?.error?.code,
          durationMs: at - operation.createdAt,
        },
        'operation finished',
      )
      tell(finished)
      background.run('tell the feed', () => events.append([eventOf(finished, via, at)]))
      if (!isRead(operation.request)) background.run('audit the end', () => audit.append(auditOf(finished, at)))
      return true
    },
    onFinished(listener) {
      const entry = (operation: Operation) => listener(operation)
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },
  }
}

function eventOf(
  operation: Operation,
  via: Protocol | undefined,
  at: number,
): Parameters<EventLog['append']>[0][number] {
  const { id, deviceId, request, state, result } = operation
  const data: Record<string, unknown> = { operationId: id, verb: request.verb, state }
  if (result?.error !== undefined) data.error = { ...result.error }
  return {
    type: 'operation.finished',
    at,
    deviceId,
    data,
    ...(via === undefined ? {} : { protocol: via }),
  }
}

function auditOf(operation: Operation, at: number): AuditEntry {
  const { id, deviceId, request, state, result, actor } = operation
  const entry: AuditEntry = {
    at,
    actor: actorText(actor),
    action: `operation.${request.verb}`,
    target: deviceId,
    after: { operationId: id, state },
    result: state === 'done' ? 'ok' : 'failed',
  }
  if (result?.error !== undefined) entry.reason = `${result.error.code}: ${result.error.text}`.slice(0, 500)
  return entry
}
