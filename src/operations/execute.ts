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
  type ParameterStore,
  resultWithMaskedTexts,
} from '../domain/index.ts'
import { withoutFormerArguments } from './former-arguments.ts'
import type { OperationLimits } from './limits.ts'
import type { OperationsMetrics } from './metrics.ts'
import { ReportedTypes, type TypeOf } from './reported-types.ts'
import { isRead } from './verbs.ts'

/** The end of one execution. */
type Executed =
  /** `operation` as the store has it now, with the time and protocol of its send. */
  | { kind: 'answer'; result: OperationResult; operation: Operation }
  /** No byte with an effect left; the operation is queued (again). */
  | { kind: 'retry'; error: unknown }
  /** It may have had its effect; the store says `unknown`. */
  | { kind: 'unknown'; error: unknown }
  /** It was cancelled, or another instance took it, before a byte left. */
  | { kind: 'gone' }

interface ExecutorDeps {
  store: OperationStore
  parameters: ParameterStore
  clock: Clock
  log: Log
  instance: string
  limits: OperationLimits
  metrics: OperationsMetrics
  /** Allows a device that is about to lose its credentials to return without them; durable when it resolves. */
  releaseCredential(deviceId: DeviceId): Promise<void>
}

/** Milliseconds from the abort of an execution until a driver that does not end counts as an answer that was lost. */
const GRACE_MS = 2_000

/** Runs operations over contacts, at most once each. */
export class Executor {
  readonly #deps: ExecutorDeps
  readonly #running = new Map<string, AbortController>()
  readonly #types: ReportedTypes

  constructor(deps: ExecutorDeps) {
    this.#deps = deps
    this.#types = new ReportedTypes(deps.parameters, deps.clock)
  }

  /** Sends an operation and waits for its answer. Rejects only when the store fails. */
  async execute(operation: Operation, contact: Contact): Promise<Executed> {
    const { protocol } = contact
    const isCwmp = protocol === 'cwmp'
    const typeOf = isCwmp ? await this.#types.of(operation) : undefined
    const toSend = isCwmp ? await withoutFormerArguments(operation, this.#deps.store) : operation
    const controller = new AbortController()
    this.#running.set(operation.id, controller)
    const startedAt = this.#deps.clock.now()
    const marker = new Marker(operation, contact, this.#deps)
    let executed: Executed
    let outcome: Parameters<OperationsMetrics['executed']>[2]
    try {
      const answer = await within(toSend, contact, { controller, marker, typeOf }, this.#deps)
      const result = resultWithMaskedTexts(answer, operation.request)
      if (result.outcome === 'pending') await marker.mark()
      if (protocol === 'cwmp') this.#types.note(operation, result)
      executed = { kind: 'answer', result, operation: marker.marked }
      outcome = result.outcome
    } catch (error) {
      executed = await judgeFailure(error, operation, marker, this.#deps)
      outcome = outcomeOf(error)
    } finally {
      marker.close()
      this.#running.delete(operation.id)
    }
    const durationMs = this.#deps.clock.now() - startedAt
    this.#deps.metrics.executed(operation.request.verb, protocol, outcome, durationMs)
    return executed
  }

  isRunning(operationId: string): boolean {
    return this.#running.has(operationId)
  }

  /** Gives an execution up. A request that was sent stays sent. */
  abort(operationId: string): void {
    this.#running.get(operationId)?.abort(new AppError('conflict', 'operation was cancelled'))
  }

  abortAll(): void {
    for (const controller of this.#running.values()) controller.abort(new AppError('unavailable', 'server is stopping'))
  }
}

/**
 * queued: nothing was marked. unclear: the store did not answer. held: marked, but kept from sending. refused:
 * cancelled or taken by another instance.
 */
type Mark = 'queued' | 'unclear' | 'sent' | 'held' | 'refused'

/** The mark `sent` of one operation, which is stored before its first effect. */
class Marker {
  readonly #operation: Operation
  readonly #contact: Contact
  readonly #deps: ExecutorDeps
  #state: Mark = 'queued'
  #marking: Promise<void> | undefined
  #isClosed = false
  #marked: Operation

  constructor(operation: Operation, contact: Contact, deps: ExecutorDeps) {
    this.#operation = operation
    this.#contact = contact
    this.#deps = deps
    this.#marked = operation
  }

  /** The operation with what was stored. */
  get marked(): Operation {
    return this.#marked
  }

  /** Stores `sent`, once. Rejects when nothing may be sent. */
  mark(baseline?: Baseline): Promise<void> {
    if (this.#isClosed) return Promise.reject(new AppError('conflict', 'execution was given up'))
    // Reads have no effect: they stay queued until they are answered, and may run again.
    if (isRead(this.#operation.request)) return Promise.resolve()
    this.#marking ??= this.#send(baseline)
    return this.#marking
  }

  /** Nothing is sent after this. */
  close(): void {
    this.#isClosed = true
  }

  /** Resolves with the mark when the store has answered. */
  async ended(): Promise<Mark> {
    await this.#marking?.catch(() => undefined)
    return this.#state
  }

  async #send(baseline: Baseline | undefined): Promise<void> {
    const { store, clock, instance } = this.#deps
    const { id, deviceId, request, attempts } = this.#operation
    // Before it leaves, over either protocol: the answer may be lost, or this process may die, and the device returns.
    if (isFactoryReset(request)) await this.#deps.releaseCredential(deviceId)
    const sent = {
      at: clock.now(),
      via: this.#contact.protocol,
      instance,
      ...(baseline === undefined ? {} : { baseline }),
    }
    this.#state = 'unclear'
    this.#state = (await store.markSent(id, sent)) ? (this.#isClosed ? 'held' : 'sent') : 'refused'
    if (this.#state === 'refused')
      throw new AppError('conflict', 'operation was cancelled or taken by another instance')
    if (this.#state === 'held') throw new AppError('conflict', 'execution was given up')
    const { at: sentAt, via: sentVia, ...rest } = sent
    this.#marked = { ...this.#operation, ...rest, state: 'sent', sentAt, sentVia, attempts: attempts + 1 }
  }
}

/** Resolves with the answer of the driver. Rejects with TransportError `timeout` when it gives none in time. */
function within(
  operation: Operation,
  contact: Contact,
  { controller, marker, typeOf }: { controller: AbortController; marker: Marker; typeOf: TypeOf | undefined },
  { clock, limits, log }: ExecutorDeps,
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
    const hooks: ExecuteHooks = {
      beforeSend: (baseline) => marker.mark(baseline),
      signal: controller.signal,
      timeoutMs,
    }
    if (typeOf !== undefined) hooks.typeOf = typeOf
    // An async function turns a driver that throws at once into one that rejects.
    const run = async () => withRead(await contact.execute(operation, hooks), operation, contact, hooks, log)
    run().then(resolve, reject).finally(end)
  })
}

/**
 * Adds the values that are to be read after a success. A read without an answer leaves them out: the request itself has
 * its answer.
 */
async function withRead(
  result: OperationResult,
  operation: Operation,
  contact: Contact,
  hooks: ExecuteHooks,
  log: Log,
): Promise<OperationResult> {
  const { thenRead, id: operationId, deviceId } = operation
  if (thenRead === undefined || result.outcome !== 'done') return result
  try {
    const { results } = await contact.execute(readOf(operation, thenRead, 0), hooks)
    const read = results.filter(({ value }) => value !== undefined)
    return read.length === 0 ? result : { ...result, read }
  } catch (err) {
    log.info({ err, operationId, deviceId }, 'values after an operation were not read')
    return result
  }
}

/** Returns a get with an id of its own, so that its answer is not taken for the answer to the operation. */
export function readOf(operation: Operation, paths: string[], index: number): Operation {
  const { id, deviceId, actor, createdAt, expiresAt } = operation
  return {
    id: `${id}.${index}`,
    deviceId,
    actor,
    createdAt,
    expiresAt,
    request: { verb: 'get', paths },
    state: 'queued',
    attempts: 0,
  }
}

/** Judges from an error and from the mark whether the operation was sent, and stores that. */
async function judgeFailure(
  error: unknown,
  operation: Operation,
  marker: Marker,
  { store, log }: ExecutorDeps,
): Promise<Executed> {
  marker.close()
  const mark = await marker.ended()
  if (mark === 'refused') return { kind: 'gone' }
  if (error instanceof PeerFault) return { kind: 'answer', result: failure(error, operation), operation: marker.marked }
  if (mark === 'sent' && !(error instanceof TransportError && !error.sent)) {
    await store.markUnknown(operation.id)
    return { kind: 'unknown', error }
  }
  // No byte with an effect left. Where the store says, or may say, `sent`, the operation goes back to the queue.
  if (mark !== 'queued') {
    await store.requeue(operation.id)
    return { kind: 'retry', error }
  }
  if (error instanceof TransportError) return { kind: 'retry', error }
  if (!(error instanceof ProtocolError) && !(error instanceof AppError)) {
    log.error({ err: error, operationId: operation.id, deviceId: operation.deviceId }, 'driver failed')
  }
  return { kind: 'answer', result: failure(error, operation), operation: marker.marked }
}

/** The result of an operation that ended with an error, whose text the device may have made of what it was sent. */
function failure(error: unknown, { request }: Operation): OperationResult {
  return resultWithMaskedTexts(failedResult(toOutcomeError(error)), request)
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
