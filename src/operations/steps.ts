import { type Clock, errorText, type Log } from '../base/index.ts'
import type { Model } from '../datamodel/index.ts'
import {
  type Device,
  type DeviceChange,
  type DeviceId,
  type DeviceStore,
  failedResult,
  type Operation,
  type OperationResult,
  type OperationStore,
  outcomeError,
  type ParameterStore,
  type Protocol,
} from '../domain/index.ts'
import type { Tries } from './attempts.ts'
import type { ContactEntry, Contacts } from './contacts.ts'
import type { Executor } from './execute.ts'
import type { Finisher } from './finish.ts'
import type { OperationLimits } from './limits.ts'
import type { News } from './news.ts'
import { isRunning, judge, OUTCOME_UNKNOWN, readsToSettle } from './reconcile.ts'
import { resultToKeep } from './record.ts'
import type { Recorder } from './recorder.ts'
import { reportedTypes } from './reported-types.ts'
import type { Slots } from './slots.ts'
import { endsByCompletion, isRead } from './verbs.ts'

/** What a pass over a device works with. */
export interface DrainDeps {
  devices: DeviceStore
  store: OperationStore
  parameters: ParameterStore
  contacts: Contacts
  executor: Executor
  recorder: Recorder
  finisher: Finisher
  slots: Slots
  news: News
  tries: Tries
  clock: Clock
  log: Log
  instance: string
  limits: OperationLimits
  modelFor(device: Device, protocol: Protocol): Model
  /** Asks for another pass over the device. */
  again(deviceId: DeviceId): void
  /** Asks the device to come over this protocol. */
  wake(device: Device, protocol: Protocol): void
  stopping(): boolean
}

/** What a step leads to: the pass is over, another look at the queue, or the operation it was about is final. */
export type Next = 'over' | 'look' | 'ended'

/** A conditional end that did not happen needs another look. */
export function nextOf(finished: boolean): Next {
  return finished ? 'ended' : 'look'
}

/**
 * Runs one queued operation over a contact and ends it, or puts it where its outcome belongs. `alone`: nothing else is open, so that its end
 * takes the work flag away.
 */
export async function run(
  operation: Operation,
  device: Device,
  entry: ContactEntry,
  alone: boolean,
  deps: DrainDeps,
): Promise<Next> {
  const typeOf = await reportedTypes(operation, entry.contact.protocol, deps.parameters)
  if (isRead(operation.request)) deps.tries.sent(operation)
  const executed = await deps.executor.execute(operation, entry.contact, typeOf)
  switch (executed.kind) {
    case 'gone':
      return 'look'
    case 'answer':
      return answered(executed.operation, executed.result, device, { via: entry.contact.protocol, alone }, deps)
    case 'unknown':
      deps.log.warn(lineOf(operation, executed.error), 'answer lost, outcome to be read')
      rest(entry, device, deps)
      return 'look'
    case 'retry': {
      deps.log.info(lineOf(operation, executed.error), 'operation did not leave')
      rest(entry, device, deps)
      if (deps.tries.count(operation) < deps.limits.maxAttempts) return 'look'
      const error = outcomeError('unreachable', `gave up after ${deps.limits.maxAttempts} attempts`, true)
      return nextOf(await deps.finisher.finish(operation, ['queued'], 'failed', failedResult(error)))
    }
  }
}

async function answered(
  operation: Operation,
  result: OperationResult,
  device: Device,
  { via, alone }: { via: Protocol; alone: boolean },
  deps: DrainDeps,
): Promise<Next> {
  const kept = resultToKeep(operation, result)
  // A completion may have been faster than the answer: then none of these ends the operation again.
  const { outcome } = result
  if (outcome === 'pending') {
    await deps.recorder.record(operation, result, device, via)
    await deps.store.notePending(operation.id, kept)
    return 'look'
  }
  const end = (change?: DeviceChange) =>
    deps.finisher.finish(operation, ['queued', 'sent', 'unknown'], outcome, kept, via, change)
  const change = await deps.recorder.recordAhead(operation, result, device, via)
  // Work that is being added in this process would only make the guard refuse.
  const clears = alone && device.work.open && !deps.news.has(device.id)
  if (await end(clears ? withoutWork(device, change) : change)) return clears ? 'over' : 'ended'
  // It ended meanwhile, or work was added: what is known of the device stays true.
  if (change === undefined && !clears) return 'look'
  if (change !== undefined) await deps.devices.commit(change)
  return nextOf(await end())
}

/** A change that takes the work flag away as well, unless work was added since the record was read. */
function withoutWork({ id, work }: Device, change: DeviceChange = { deviceId: id }): DeviceChange {
  return { ...change, set: { ...change.set, 'work.open': false }, guard: { ...change.guard, workSeq: work.seq } }
}

/** Reads what tells the outcome of an operation, and ends it when that suffices. */
export async function settle(
  operation: Operation,
  device: Device,
  entry: ContactEntry,
  deps: DrainDeps,
): Promise<Next> {
  const { protocol } = entry.contact
  const reads: OperationResult[] = []
  entry.asked.set(operation.id, deps.clock.now())
  for (const [i, paths] of readsToSettle(operation, device.root).entries()) {
    const read = readOf(operation, paths, i)
    const executed = await deps.executor.execute(read, entry.contact)
    if (executed.kind !== 'answer') return undecided(operation, device, entry, deps)
    reads.push(executed.result)
    await deps.recorder.record(read, executed.result, device, protocol)
  }
  // The answer that was lost said that it was accepted.
  if (operation.result === undefined && isRunning(operation, reads))
    await deps.store.notePending(operation.id, { outcome: 'pending', results: [] })
  const verdict = judge(operation, reads, deps.modelFor(device, operation.sentVia ?? protocol), deps.clock.now())
  if (verdict === undefined) return undecided(operation, device, entry, deps)
  await deps.recorder.record(operation, verdict.result, device, protocol)
  return nextOf(await deps.finisher.finish(operation, ['sent', 'unknown'], verdict.state, verdict.result))
}

async function undecided(operation: Operation, device: Device, entry: ContactEntry, deps: DrainDeps): Promise<Next> {
  // A word of the box, or time, will tell.
  if (endsByCompletion(operation.request)) return 'look'
  rest(entry, device, deps)
  if (deps.tries.count(operation) < deps.limits.maxSettleAttempts) return 'look'
  return nextOf(await deps.finisher.finish(operation, ['unknown'], 'failed', failedResult(OUTCOME_UNKNOWN)))
}

/** A get of its own id, so that no answer to it can be taken for one to the operation. */
function readOf(operation: Operation, paths: string[], index: number): Operation {
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

/** After a failure on the way a link rests a moment; a session is given up and the device asked for another. */
function rest(entry: ContactEntry, device: Device, deps: DrainDeps): void {
  const { contact } = entry
  if (!contact.lasting) {
    entry.restUntil = Number.POSITIVE_INFINITY
    // It may have come again already; that contact finds what is left.
    if (!deps.contacts.has(device.id, contact.protocol)) deps.wake(device, contact.protocol)
    return
  }
  entry.restUntil = deps.clock.now() + deps.limits.restMs
  deps.clock.after(deps.limits.restMs, () => {
    if (!contact.signal.aborted && !deps.stopping()) deps.again(contact.deviceId)
  })
}

function lineOf(operation: Operation, error: unknown): Record<string, unknown> {
  const { id, deviceId, request } = operation
  return { operationId: id, deviceId, verb: request.verb, reason: errorText(error) }
}
