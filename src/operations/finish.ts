import type { Clock, Log } from '../base/index.ts'
import {
  type DeviceChange,
  type Ending,
  type NewEvent,
  type Operation,
  type OperationResult,
  type OperationState,
  type OperationStore,
  type Protocol,
  withoutSecrets,
} from '../domain/index.ts'
import type { AuditEntry, AuditLog } from '../security/index.ts'
import type { Background } from './background.ts'
import type { OperationsMetrics } from './metrics.ts'
import { actorText, isRead } from './verbs.ts'

type FinalState = Extract<OperationState, 'done' | 'failed' | 'expired' | 'cancelled'>

/**
 * Ends operations: durable first, together with the word to the feed and without the secrets of the request, then told to listeners and the
 * audit log. What a crash keeps from the audit log is owed, and paid by `auditOwed`.
 */
export interface Finisher {
  /** Conditional on the state before; false when the operation was in none of `from` any more, and then nobody is told. */
  finish(
    operation: Operation,
    from: OperationState[],
    state: FinalState,
    result: OperationResult | undefined,
    /** The way it went, where the operation itself does not say: reads. */
    via?: Protocol,
    /** What it changes in its device; false is returned, and nothing is done, as well when this is refused. */
    change?: DeviceChange,
  ): Promise<boolean>
  /** Brings into the audit log what a process that died did not. Answers how many. */
  auditOwed(): Promise<number>
  onFinished(listener: (operation: Operation) => void): () => void
}

// What ended longer ago than this and is not audited is not being audited any more.
const AUDIT_OWED_MS = 60_000
const OWED_BATCH = 200

interface FinisherDeps {
  store: OperationStore
  audit: AuditLog
  clock: Clock
  log: Log
  metrics: OperationsMetrics
  background: Background
  /** How often the operation was sent. */
  sends(operation: Operation): number
}

export function createFinisher(deps: FinisherDeps): Finisher {
  const { store, audit, clock, log, metrics, background, sends } = deps
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

  const auditEnd = async (finished: Operation) => {
    await audit.append(auditOf(finished))
    await store.audited(finished.id)
  }

  return {
    async finish(operation, from, state, told, via = operation.sentVia, change = undefined) {
      const result = told === undefined || isRead(operation.request) ? told : withPartial(told)
      const at = clock.now()
      const request = withoutSecrets(operation.request)
      const attempts = sends(operation)
      const finished: Operation = { ...operation, request, state, finishedAt: at, attempts }
      if (result !== undefined) finished.result = result
      const ending: Ending = { state, at, event: eventOf(finished, via, at) }
      if (result !== undefined) ending.result = result
      if (change !== undefined) ending.change = change
      if (request !== operation.request) ending.request = request
      if (isRead(operation.request)) {
        ending.attempts = attempts
        if (via !== undefined && result !== undefined) ending.sentVia = via
      } else ending.owesAudit = true
      if (!(await store.finish(operation.id, from, ending))) return false
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
      if (ending.owesAudit === true) background.run('audit the end', () => auditEnd(finished))
      return true
    },
    async auditOwed() {
      const owed = await store.owingAudit(clock.now() - AUDIT_OWED_MS, OWED_BATCH)
      // The log takes them in this order.
      await Promise.all(owed.map(auditEnd))
      return owed.length
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

/** The result with its mark when some of its parts were done and some were not. */
function withPartial(result: OperationResult): OperationResult {
  const failed = result.results.filter(({ error }) => error !== undefined).length
  return failed > 0 && failed < result.results.length ? { ...result, partial: true } : result
}

function eventOf(operation: Operation, via: Protocol | undefined, at: number): NewEvent {
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

function auditOf(operation: Operation): AuditEntry {
  const { id, deviceId, request, state, result, actor, finishedAt, createdAt } = operation
  const entry: AuditEntry = {
    at: finishedAt ?? createdAt,
    actor: actorText(actor),
    action: `operation.${request.verb}`,
    target: deviceId,
    after: { operationId: id, state },
    result: state === 'done' ? 'ok' : 'failed',
  }
  if (result?.error !== undefined) entry.reason = `${result.error.code}: ${result.error.text}`.slice(0, 500)
  return entry
}
