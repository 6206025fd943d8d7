import { type Clock, errorText, isOvertaken, type Log, TransportError } from '../base/index.ts'
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
  type Protocol,
  resultWithMaskedTexts,
  secretTextMask,
} from '../domain/index.ts'
import type { Alone } from './alone.ts'
import type { Attempts } from './attempts.ts'
import { beforeAnswer, type CommandRows } from './command-rows.ts'
import type { ContactEntry, Contacts } from './contacts.ts'
import { type Executor, readOf } from './execute.ts'
import type { Finisher } from './finish.ts'
import type { OperationLimits } from './limits.ts'
import type { News } from './passes.ts'
import { pick, type Step } from './pick.ts'
import { isRunning, judge, OUTCOME_UNKNOWN, readsToReconcile } from './reconcile.ts'
import { type Recorder, resultToKeep } from './record.ts'
import type { Slots } from './slots.ts'
import { endsByCompletion, isRead } from './verbs.ts'
import type { Waker } from './waker.ts'

/** The parts of the engine that a pass uses. */
interface PassDeps {
  devices: DeviceStore
  store: OperationStore
  contacts: Contacts
  executor: Executor
  recorder: Recorder
  finisher: Finisher
  commandRows: CommandRows
  slots: Slots
  news: News
  attempts: Attempts
  alone: Alone
  waker: Waker
  clock: Clock
  log: Log
  instance: string
  limits: OperationLimits
  modelFor(device: Device, protocol: Protocol): Model
  /** Aborts when the server stops: a pass ends after its present step. */
  stopping: AbortSignal
}

/** The device and its queue as one step of a pass found them. */
interface Look {
  device: Device
  here: Map<Protocol, ContactEntry>
  /** Only one operation is open, so its end clears the work flag. */
  isOnly: boolean
  /** Requests another pass over the device. */
  again(): void
}

/** The end of a step: the pass is over, the queue is read again, or the operation of the step is final. */
type Next = 'over' | 'look' | 'ended'

/** Open operations that one step reads. */
const LOOK = 64

/**
 * One pass over a device in contact: runs its operations in order until none is left, the contact has ended, or the
 * next one has to wait. Never rejects. `Passes` runs one pass per device at a time.
 */
export async function runPass(deviceId: DeviceId, again: () => void, deps: PassDeps): Promise<void> {
  if (deps.stopping.aborted || !deps.contacts.has(deviceId)) return
  try {
    deps.news.take(deviceId)
    while (!deps.stopping.aborted && (await step(deviceId, again, deps))) {
      // Each step reads again: the owner, the contacts and the queue may have changed.
    }
  } catch (err) {
    deps.log.error({ err, deviceId }, 'pass over the operations of a device failed')
  }
}

/** Takes one step. Resolves with false when the pass is over. */
async function step(deviceId: DeviceId, again: () => void, deps: PassDeps): Promise<boolean> {
  const here = deps.contacts.usable(deviceId)
  if (here.size === 0) return false
  const onlyOf = deps.alone.take(deviceId)
  // The record first: its work.seq must be older than the read of the queue.
  const device = await deps.devices.get(deviceId)
  if (device === undefined) return false
  const only = onlyOf(device)
  const open = only === undefined ? await deps.store.open(deviceId, LOOK) : [only]
  deps.alone.drop(deviceId)
  const now = deps.clock.now()
  const choice = pick({ open, device, here, instance: deps.instance, now, limits: deps.limits })
  const look: Look = { device, here, isOnly: open.length === 1, again }
  const next = await take(choice, look, deps)
  // It was the only one. A later operation has raised work.seq: then the flag stays and the queue is read again.
  if (choice.kind === 'empty' || (next === 'ended' && look.isOnly)) return !(await clearFlag(device, deps))
  return next !== 'over'
}

async function take(choice: Step, look: Look, deps: PassDeps): Promise<Next> {
  const { finisher, store } = deps
  switch (choice.kind) {
    case 'empty':
    case 'wait':
      return 'over'
    case 'lost':
      await store.markUnknown(choice.operation.id)
      return 'look'
    case 'expired':
      return nextOf(await finisher.finish(choice.operation, ['queued'], 'expired', undefined))
    case 'refused':
      return nextOf(await finisher.finish(choice.operation, ['queued'], 'failed', failedResult(choice.error)))
    case 'judged': {
      const { state, result } = choice.verdict
      return nextOf(await finisher.finish(choice.operation, ['sent', 'unknown'], state, result))
    }
    case 'run':
    case 'read': {
      const entry = look.here.get(choice.protocol)
      if (entry === undefined) return 'over'
      const free = await deps.slots.take(entry.contact.signal)
      if (free === undefined) return 'look'
      entry.inUse = true
      try {
        const use = choice.kind === 'read' ? reconcile : run
        return await use(choice.operation, entry, look, deps)
      } finally {
        // It may have been stored, and read by this pass, before the one who stored it heard of that.
        deps.alone.drop(look.device.id)
        entry.inUse = false
        entry.usedAt = deps.clock.now()
        free()
      }
    }
  }
}

/** A conditional end that was refused leads to another read of the queue. */
function nextOf(isFinished: boolean): Next {
  return isFinished ? 'ended' : 'look'
}

/** Runs a queued operation over a contact, and ends it or stores that its outcome is not known yet. */
async function run(operation: Operation, entry: ContactEntry, look: Look, deps: PassDeps): Promise<Next> {
  if (isRead(operation.request)) deps.attempts.sentRead(operation)
  const executed = await deps.executor.execute(operation, entry.contact)
  switch (executed.kind) {
    case 'gone':
      return 'look'
    case 'answer':
      return answered(executed.operation, executed.result, entry.contact.protocol, look, deps)
    case 'unknown':
      deps.log.warn(lineOf(operation, executed.error), 'answer lost; the outcome is read from the device')
      rest(entry, look, deps)
      return 'look'
    case 'retry': {
      deps.log.info(lineOf(operation, executed.error), retryText(executed.error))
      rest(entry, look, deps)
      if (deps.attempts.failed(operation) < deps.limits.maxAttempts) return 'look'
      const reason = errorText(executed.error)
      const text = `the device did not answer in ${deps.limits.maxAttempts} attempts, at last because ${reason}`
      const failed = failedResult(outcomeError('unreachable', text, true))
      const result = resultWithMaskedTexts(failed, operation.request)
      return nextOf(await deps.finisher.finish(operation, ['queued'], 'failed', result))
    }
  }
}

async function answered(
  operation: Operation,
  result: OperationResult,
  via: Protocol,
  { device, isOnly }: Look,
  deps: PassDeps,
): Promise<Next> {
  const kept = resultToKeep(operation, result)
  const { outcome } = result
  if (outcome === 'pending') {
    await deps.recorder.record(operation, result, device, via)
    await deps.commandRows.accepted(operation, kept)
    return 'look'
  }
  // A completion may arrive before the answer. The condition on the state then keeps the operation from a second end.
  const end = (change?: DeviceChange) =>
    deps.finisher.finish(operation, ['queued', 'sent', 'unknown'], outcome, kept, via, change)
  const change = await deps.recorder.recordAhead(operation, result, device, via)
  // While this process adds another operation, the guard would only refuse.
  const clears = isOnly && device.work.open && !deps.news.has(device.id)
  if (await end(clears ? withoutWork(device, change) : change)) return clears ? 'over' : 'ended'
  // It ended before, or an operation was added: what was read of the device is stored all the same.
  if (change === undefined && !clears) return 'look'
  if (change !== undefined) await deps.devices.commit(change)
  return nextOf(await end())
}

/** Returns the change that also clears the work flag, unless an operation was added since the record was read. */
function withoutWork({ id, work }: Device, change: DeviceChange = { deviceId: id }): DeviceChange {
  return { ...change, set: { ...change.set, 'work.open': false }, guard: { ...change.guard, workSeq: work.seq } }
}

/** Clears the work flag unless an operation was added since the record was read. False: the queue is read again. */
async function clearFlag(device: Device, deps: PassDeps): Promise<boolean> {
  // This process adds an operation: the guard would only refuse, and that operation requests a pass.
  if (!device.work.open || deps.news.has(device.id)) return true
  try {
    await deps.devices.commit(withoutWork(device))
    return true
  } catch (error) {
    if (isOvertaken(error)) return false
    throw error
  }
}

/** Reads from the device what became of an operation, and ends it when the reads show that. */
async function reconcile(operation: Operation, entry: ContactEntry, look: Look, deps: PassDeps): Promise<Next> {
  const { device } = look
  const { protocol } = entry.contact
  const reads: OperationResult[] = []
  entry.asked.set(operation.id, deps.clock.now())
  for (const [i, paths] of readsToReconcile(operation, device.root).entries()) {
    const read = readOf(operation, paths, i)
    const executed = await deps.executor.execute(read, entry.contact)
    if (executed.kind !== 'answer') return undecided(operation, entry, look, deps)
    reads.push(executed.result)
    await deps.recorder.record(read, executed.result, device, protocol)
  }
  // The answer that was lost said that the command was accepted.
  if (operation.result === undefined && isRunning(operation, reads))
    await deps.store.notePending(operation.id, beforeAnswer(operation.request))
  const verdict = judge(operation, reads, deps.modelFor(device, operation.sentVia ?? protocol), deps.clock.now())
  if (verdict === undefined) return undecided(operation, entry, look, deps)
  await deps.recorder.record(operation, verdict.result, device, protocol)
  return nextOf(await deps.finisher.finish(operation, ['sent', 'unknown'], verdict.state, verdict.result))
}

async function undecided(operation: Operation, entry: ContactEntry, look: Look, deps: PassDeps): Promise<Next> {
  // A completion, or a time limit, ends it.
  if (endsByCompletion(operation.request)) return 'look'
  rest(entry, look, deps)
  if (deps.attempts.failed(operation) < deps.limits.maxReconcileAttempts) return 'look'
  return nextOf(await deps.finisher.finish(operation, ['unknown'], 'failed', failedResult(OUTCOME_UNKNOWN)))
}

/** After a transport failure a link is not used for `restMs`; a session is given up and another one requested. */
function rest(entry: ContactEntry, { device, again }: Look, deps: PassDeps): void {
  const { contact } = entry
  if (!contact.lasting) {
    entry.restUntil = Number.POSITIVE_INFINITY
    // The CPE may have a newer session, which takes the rest.
    if (!deps.contacts.has(device.id, contact.protocol)) deps.waker.wake(device, contact.protocol)
    return
  }
  entry.restUntil = deps.clock.now() + deps.limits.restMs
  deps.clock.after(deps.limits.restMs, () => {
    if (!contact.signal.aborted) again()
  })
}

/** A read may have left before its answer was lost; it has no effect, so that it is sent again. */
function retryText(error: unknown): string {
  return error instanceof TransportError && error.sent
    ? 'read had no answer; it is sent again'
    : 'operation was not sent'
}

function lineOf({ id, deviceId, request }: Operation, error: unknown): Record<string, unknown> {
  return { operationId: id, deviceId, verb: request.verb, reason: secretTextMask(request)(errorText(error)) }
}
