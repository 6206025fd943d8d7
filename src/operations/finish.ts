import type { Clock, Log } from '../base/index.ts'
import {
  actorText,
  type DeviceChange,
  type Ending,
  type NewEvent,
  type Operation,
  type OperationResult,
  type OperationState,
  type OperationStore,
  type Protocol,
  resultWithMaskedTexts,
  withoutSecrets,
} from '../domain/index.ts'
import type { AuditEntry, AuditLog } from '../security/index.ts'
import type { Attempts } from './attempts.ts'
import type { Background } from './background.ts'
import type { OperationsMetrics } from './metrics.ts'
import { isRead } from './verbs.ts'

type FinalState = Extract<OperationState, 'done' | 'failed' | 'expired' | 'cancelled'>

// An end that is older and not audited was left by a process that died.
const AUDIT_OWED_MS = 60_000
const OWED_BATCH = 200

interface FinisherDeps {
  store: OperationStore
  audit: AuditLog
  clock: Clock
  log: Log
  metrics: OperationsMetrics
  background: Background
  attempts: Attempts
}

/**
 * Ends operations. The end is stored first, with its event and without the secrets of the request; listeners and the
 * audit log follow. An entry that a crash keeps from the audit log is owed, and `auditOwed` writes it.
 */
export class Finisher {
  readonly #deps: FinisherDeps
  readonly #listeners = new Set<(operation: Operation) => void>()

  constructor(deps: FinisherDeps) {
    this.#deps = deps
  }

  /**
   * Ends an operation that is in one of the states `from`. `via` is the protocol of a read, whose operation does not
   * name it; `change` is committed together with the end. Resolves with false, and does nothing, when the state is
   * another one or the guard of the change refuses.
   *
   * Each end comes by here, also one that a device reports later: its texts are masked before anything keeps them.
   */
  async finish(
    operation: Operation,
    from: OperationState[],
    state: FinalState,
    outcome: OperationResult | undefined,
    via = operation.sentVia,
    change?: DeviceChange,
  ): Promise<boolean> {
    const { store, clock, log, metrics, background, attempts } = this.#deps
    const isReading = isRead(operation.request)
    const shown = outcome === undefined ? undefined : resultWithMaskedTexts(outcome, operation.request)
    const result = shown === undefined || isReading ? shown : withPartial(shown)
    const at = clock.now()
    const request = withoutSecrets(operation.request)
    const sends = attempts.sends(operation)
    const finished: Operation = { ...operation, request, state, finishedAt: at, attempts: sends }
    if (result !== undefined) finished.result = result
    const ending: Ending = { state, at, event: eventOf(finished, via, at) }
    if (result !== undefined) ending.result = result
    if (change !== undefined) ending.change = change
    if (request !== operation.request) ending.request = request
    if (isReading) {
      ending.attempts = sends
      if (via !== undefined && result !== undefined) ending.sentVia = via
    } else ending.owesAudit = true
    if (!(await store.finish(operation.id, from, ending))) return false
    const durationMs = at - operation.createdAt
    metrics.finished(request.verb, via ?? 'none', state, durationMs)
    log.info(
      {
        operationId: operation.id,
        deviceId: operation.deviceId,
        verb: request.verb,
        state,
        error: result?.error?.code,
        durationMs,
      },
      'operation finished',
    )
    this.#notify(finished)
    if (!isReading) background.run('audit the end', () => this.#audit(finished))
    return true
  }

  /** Audits the ends that a process which died did not audit. Resolves with their number. */
  async auditOwed(): Promise<number> {
    const { store, clock } = this.#deps
    const owed = await store.owingAudit(clock.now() - AUDIT_OWED_MS, OWED_BATCH)
    // The audit log keeps the order of these calls.
    await Promise.all(owed.map((operation) => this.#audit(operation)))
    return owed.length
  }

  /** Calls back with each operation that ends in this process; the returned function ends that. */
  onFinished(listener: (operation: Operation) => void): () => void {
    const entry = (operation: Operation) => listener(operation)
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  #notify(operation: Operation): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(operation)
      } catch (err) {
        this.#deps.log.error({ err, operationId: operation.id }, 'listener of finished operations failed')
      }
    }
  }

  async #audit(finished: Operation): Promise<void> {
    await this.#deps.audit.appendSoon(auditOf(finished))
    await this.#deps.store.audited(finished.id)
  }
}

/** Returns the result, marked as partial when some of its parts were done and some failed. */
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
