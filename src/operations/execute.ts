import { AppError, type Clock, errorText, type Log, PeerFault, ProtocolError, TransportError } from '../base/index.ts'
import {
  type Baseline,
  type Contact,
  type DeviceId,
  type ExecuteHooks,
  failedResult,
  isFactoryReset,
  type Operation,
  type OperationResult,
  type OperationStore,
  type OutcomeError,
  outcomeError,
} from '../domain/index.ts'
import type { OperationLimits } from './limits.ts'
import type { OperationsMetrics } from './metrics.ts'
import type { TypeOf } from './reported-types.ts'
import { isRead } from './verbs.ts'

/** How one execution ended. */
type Executed =
  /** `operation` as the store has it now, with when and how it was sent. */
  | { kind: 'answer'; result: OperationResult; operation: Operation }
  /** Nothing left for the device; the operation is queued (again). */
  | { kind: 'retry'; error: unknown }
  /** It may have had its effect; the store says `unknown`. */
  | { kind: 'unknown'; error: unknown }
  /** Cancelled, or taken by another instance, before anything left. */
  | { kind: 'gone' }

/** Runs operations over contacts, at most once each. */
export interface Executor {
  execute(operation: Operation, contact: Contact, typeOf?: TypeOf): Promise<Executed>
  isRunning(operationId: string): boolean
  /** Gives an execution up; what it already sent stays sent. */
  abort(operationId: string): void
  abortAll(): void
}

interface ExecutorDeps {
  store: OperationStore
  clock: Clock
  log: Log
  instance: string
  limits: OperationLimits
  metrics: OperationsMetrics
  /** Lets a device that is about to lose its credentials come back without them; durable when it resolves. */
  releaseCredential(deviceId: DeviceId): Promise<void>
}

/** After giving up, how long a driver may take to say so before its silence counts as an answer lost. */
const GRACE_MS = 2_000

export function createExecutor(deps: ExecutorDeps): Executor {
  const running = new Map<string, AbortController>()

  return {
    async execute(operation, contact, typeOf) {
      const controller = new AbortController()
      running.set(operation.id, controller)
      const startedAt = deps.clock.now()
      const marker = createMarker(operation, contact, deps)
      let executed: Executed
      let outcome: Parameters<OperationsMetrics['executed']>[2]
      try {
        const result = await within(operation, contact, { controller, marker, typeOf }, deps)
        if (result.outcome === 'pending') await marker.mark()
        executed = { kind: 'answer', result, operation: marker.marked() }
        outcome = result.outcome
      } catch (error) {
        executed = await judgeFailure(error, operation, marker, deps)
        outcome = outcomeOf(error)
      } finally {
        marker.close()
        running.delete(operation.id)
      }
      deps.metrics.executed(operation.request.verb, contact.protocol, outcome, deps.clock.now() - startedAt)
      return executed
    },
    isRunning: (operationId) => running.has(operationId),
    abort(operationId) {
      running.get(operationId)?.abort(new AppError('conflict', 'operation was cancelled'))
    },
    abortAll() {
      for (const controller of running.values()) controller.abort(new AppError('unavailable', 'server is stopping'))
    },
  }
}

/** queued: nothing was marked. unclear: the store did not say. held: marked, but kept from sending. refused: no longer ours. */
type Mark = 'queued' | 'unclear' | 'sent' | 'held' | 'refused'

/** What has become of the operation's state while it ran. */
interface Marker {
  /** Persists `sent` before the first effect, once. Rejects when nothing may be sent. */
  mark(baseline?: Baseline): Promise<void>
  /** No sending after this. */
  close(): void
  settled(): Promise<Mark>
  /** The operation with what was persisted. */
  marked(): Operation
}

function createMarker(operation: Operation, contact: Contact, deps: ExecutorDeps): Marker {
  const { store, clock, instance } = deps
  let state: Mark = 'queued'
  let marking: Promise<void> | undefined
  let closed = false
  let marked = operation

  const send = async (baseline: Baseline | undefined) => {
    // Before it leaves, over either protocol: its answer may be lost, or this process may die, and the device comes back all the same.
    if (isFactoryReset(operation.request)) await deps.releaseCredential(operation.deviceId)
    const sent = { at: clock.now(), via: contact.protocol, instance, ...(baseline === undefined ? {} : { baseline }) }
    state = 'unclear'
    state = (await store.markSent(operation.id, sent)) ? (closed ? 'held' : 'sent') : 'refused'
    if (state === 'refused') throw new AppError('conflict', 'operation was cancelled or taken meanwhile')
    if (state === 'held') throw new AppError('conflict', 'execution was given up')
    const { at: sentAt, via: sentVia, ...rest } = sent
    marked = { ...operation, ...rest, state: 'sent', sentAt, sentVia, attempts: operation.attempts + 1 }
  }
  return {
    mark(baseline) {
      if (closed) return Promise.reject(new AppError('conflict', 'execution was given up'))
      // Reads have no effect: they stay queued until they are answered, and may run again.
      if (isRead(operation.request)) return Promise.resolve()
      marking ??= send(baseline)
      return marking
    },
    close() {
      closed = true
    },
    async settled() {
      await marking?.catch(() => undefined)
      return state
    },
    marked: () => marked,
  }
}

/** The driver's answer, or TransportError `timeout` when it gives none in time. */
function within(
  operation: Operation,
  contact: Contact,
  { controller, marker, typeOf }: { controller: AbortController; marker: Marker; typeOf: TypeOf | undefined },
  { clock, limits }: ExecutorDeps,
): Promise<OperationResult> {
  const timeoutMs = operation.request.verb === 'discover' ? limits.discoverTimeoutMs : limits.executeTimeoutMs
  return new Promise((resolve, reject) => {
    const cancels: (() => void)[] = []
    const end = () => {
      for (const cancel of cancels) cancel()
      contact.signal.removeEventListener('abort', onGone)
      controller.signal.removeEventListener('abort', onAbort)
    }
    const onAbort = () => {
      cancels.push(
        clock.after(GRACE_MS, () => {
          end()
          reject(new TransportError('timeout', 'the driver gave no answer', { context: { operationId: operation.id } }))
        }),
      )
    }
    const onGone = () => controller.abort(contact.signal.reason)
    controller.signal.addEventListener('abort', onAbort, { once: true })
    contact.signal.addEventListener('abort', onGone, { once: true })
    cancels.push(
      clock.after(timeoutMs, () =>
        controller.abort(new TransportError('timeout', 'the device gave no answer in time')),
      ),
    )
    if (contact.signal.aborted) onGone()
    const hooks: ExecuteHooks = { beforeSend: marker.mark, signal: controller.signal, timeoutMs }
    if (typeOf !== undefined) hooks.typeOf = typeOf
    // In a function of its own, so that a driver that throws at once is no different from one that rejects.
    const run = async () => contact.execute(operation, hooks)
    run().then(resolve, reject).finally(end)
  })
}

async function judgeFailure(
  error: unknown,
  operation: Operation,
  marker: Marker,
  { store, log }: ExecutorDeps,
): Promise<Executed> {
  marker.close()
  const mark = await marker.settled()
  if (mark === 'refused') return { kind: 'gone' }
  if (error instanceof PeerFault)
    return { kind: 'answer', result: failedResult(toOutcomeError(error)), operation: marker.marked() }
  if (mark === 'sent' && !(error instanceof TransportError && !error.sent)) {
    await store.markUnknown(operation.id)
    return { kind: 'unknown', error }
  }
  // Nothing left for the device. Where the store says, or may say, `sent`, the operation goes back to the queue.
  if (mark !== 'queued') {
    await store.requeue(operation.id)
    return { kind: 'retry', error }
  }
  if (error instanceof TransportError) return { kind: 'retry', error }
  if (!(error instanceof ProtocolError) && !(error instanceof AppError)) {
    log.error({ err: error, operationId: operation.id, deviceId: operation.deviceId }, 'driver failed')
  }
  return { kind: 'answer', result: failedResult(toOutcomeError(error)), operation: marker.marked() }
}

function toOutcomeError(error: unknown): OutcomeError {
  if (error instanceof PeerFault) return outcomeError(error.fault, error.message, error.retryable)
  if (error instanceof ProtocolError) return outcomeError('protocolError', error.message, true)
  if (error instanceof AppError) return outcomeError(error.code, error.message, error.code === 'unavailable')
  return outcomeError('internal', errorText(error), true)
}

function outcomeOf(error: unknown): 'transport' | 'protocol' | 'failed' | 'error' {
  if (error instanceof TransportError) return 'transport'
  if (error instanceof ProtocolError) return 'protocol'
  return error instanceof PeerFault ? 'failed' : 'error'
}
