import { AppError, type Clock, errorText, type Log } from '../../base/index.ts'
import type { Model } from '../../datamodel/index.ts'
import {
  type Device,
  type DeviceId,
  type DeviceStore,
  type Operation,
  type OperationResult,
  type OperationStore,
  outcomeError,
  type Protocol,
} from '../../device/index.ts'
import type { Finisher } from '../finish.ts'
import type { OperationLimits } from '../limits.ts'
import { resultToKeep } from '../record.ts'
import { judge, OUTCOME_UNKNOWN, readsToSettle } from '../settle.ts'
import { endsByCompletion } from '../verbs.ts'
import type { ContactEntry, Contacts } from './contacts.ts'
import type { Executor } from './execute.ts'
import type { News } from './news.ts'
import { pick, type Step } from './pick.ts'
import type { Recorder } from './recorder.ts'
import type { Slots } from './slots.ts'
import type { Tries } from './tries.ts'

export interface DrainDeps {
  devices: DeviceStore
  store: OperationStore
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

/** How many open operations one look at the queue takes. */
const LOOK = 64

/**
 * One pass over a device: runs what can run now, in order, until nothing is left, the device is gone, or the rest has to wait.
 * Never rejects. Never two at a time for one device (passes.ts).
 */
export function createDrain(deps: DrainDeps): (deviceId: DeviceId) => Promise<void> {
  return async (deviceId) => {
    try {
      deps.news.take(deviceId)
      while (!deps.stopping() && (await advance(deviceId, deps))) {
        // Each step looks anew: the owner, the contacts and the queue may have changed meanwhile.
      }
    } catch (err) {
      deps.log.error({ err, deviceId }, 'pass over the operations of a device failed')
    }
  }
}

/** What a step leads to: the pass is over, another look at the queue, or the operation it was about is final. */
type Next = 'over' | 'look' | 'ended'

/** Takes one step; false when the pass is over. */
async function advance(deviceId: DeviceId, deps: DrainDeps): Promise<boolean> {
  const here = deps.contacts.usable(deviceId)
  if (here.size === 0) return false
  // The record first: its work.seq must be older than the look at the queue.
  const device = await deps.devices.get(deviceId)
  if (device === undefined) return false
  const open = await deps.store.open(deviceId, LOOK)
  const now = deps.clock.now()
  const step = pick({ open, device, here, instance: deps.instance, now, limits: deps.limits })
  const next = await take(step, device, here, deps)
  // It was the only one. Whatever came since has moved work.seq, and then the flag stays and the queue is looked at again.
  if (step.kind === 'empty' || (next === 'ended' && open.length === 1)) return !(await clearFlag(device, deps))
  return next !== 'over'
}

async function take(step: Step, device: Device, here: Map<Protocol, ContactEntry>, deps: DrainDeps): Promise<Next> {
  const { finisher, store } = deps
  switch (step.kind) {
    case 'empty':
    case 'wait':
      return 'over'
    case 'lost':
      await store.markUnknown(step.operation.id)
      return 'look'
    case 'expired':
      return nextOf(await finisher.finish(step.operation, ['queued'], 'expired', undefined))
    case 'refused':
      return nextOf(await finisher.finish(step.operation, ['queued'], 'failed', failure(step.error)))
    case 'settled': {
      const { state, result } = step.verdict
      return nextOf(await finisher.finish(step.operation, ['sent', 'unknown'], state, result))
    }
    case 'run':
    case 'read':
      return use(step, device, here, deps)
  }
}

function nextOf(finished: boolean): Next {
  return finished ? 'ended' : 'look'
}

/** Runs or reads over the contact of the step, in a free place, and keeps account of its use. */
async function use(
  step: Extract<Step, { kind: 'run' | 'read' }>,
  device: Device,
  here: Map<Protocol, ContactEntry>,
  deps: DrainDeps,
): Promise<Next> {
  const entry = here.get(step.protocol)
  if (entry === undefined) return 'over'
  const release = await deps.slots.take(entry.contact.signal)
  if (release === undefined) return 'look'
  entry.inUse = true
  try {
    return await (step.kind === 'run' ? run : settle)(step.operation, device, entry, deps)
  } finally {
    entry.inUse = false
    entry.usedAt = deps.clock.now()
    release()
  }
}

async function run(operation: Operation, device: Device, entry: ContactEntry, deps: DrainDeps): Promise<Next> {
  const executed = await deps.executor.execute(operation, entry.contact)
  switch (executed.kind) {
    case 'gone':
      return 'look'
    case 'answer':
      return answered(executed.operation, executed.result, device, entry.contact.protocol, deps)
    case 'unknown':
      deps.log.warn(lineOf(operation, executed.error), 'answer lost, outcome to be read')
      rest(entry, device, deps)
      return 'look'
    case 'retry': {
      deps.log.info(lineOf(operation, executed.error), 'operation did not leave')
      rest(entry, device, deps)
      if (deps.tries.count(operation) < deps.limits.maxAttempts) return 'look'
      const error = outcomeError('unreachable', `gave up after ${deps.limits.maxAttempts} attempts`, true)
      return nextOf(await deps.finisher.finish(operation, ['queued'], 'failed', failure(error)))
    }
  }
}

async function answered(
  operation: Operation,
  result: OperationResult,
  device: Device,
  via: Protocol,
  deps: DrainDeps,
): Promise<Next> {
  await deps.recorder.record(operation, result, device, via)
  const kept = resultToKeep(operation, result)
  // A completion may have been faster than the answer: then both of these change nothing.
  if (result.outcome === 'pending') {
    await deps.store.notePending(operation.id, kept)
    return 'look'
  }
  return nextOf(await deps.finisher.finish(operation, ['queued', 'sent', 'unknown'], result.outcome, kept, via))
}

/** Reads what tells the outcome of an operation, and ends it when that suffices. */
async function settle(operation: Operation, device: Device, entry: ContactEntry, deps: DrainDeps): Promise<Next> {
  const { protocol } = entry.contact
  const reads: OperationResult[] = []
  entry.asked.add(operation.id)
  for (const [i, paths] of readsToSettle(operation, device.root).entries()) {
    const read = readOf(operation, paths, i)
    const executed = await deps.executor.execute(read, entry.contact)
    if (executed.kind !== 'answer') return undecided(operation, device, entry, deps)
    reads.push(executed.result)
    await deps.recorder.record(read, executed.result, device, protocol)
  }
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
  return nextOf(await deps.finisher.finish(operation, ['unknown'], 'failed', failure(OUTCOME_UNKNOWN)))
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

/** Takes the work flag away unless work was added since the record was read; false: look again. */
async function clearFlag(device: Device, deps: DrainDeps): Promise<boolean> {
  // Work is being added in this process: the guard would only refuse, and what comes brings a pass with it.
  if (!device.work.open || deps.news.has(device.id)) return true
  try {
    await deps.devices.commit({
      deviceId: device.id,
      set: { 'work.open': false },
      guard: { workSeq: device.work.seq },
    })
    return true
  } catch (error) {
    if (error instanceof AppError && (error.code === 'conflict' || error.code === 'notFound')) return false
    throw error
  }
}

function failure(error: ReturnType<typeof outcomeError>): OperationResult {
  return { outcome: 'failed', results: [], error }
}

function lineOf(operation: Operation, error: unknown): Record<string, unknown> {
  const { id, deviceId, request } = operation
  return { operationId: id, deviceId, verb: request.verb, reason: errorText(error) }
}
