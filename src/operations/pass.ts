import { isOvertaken } from '../base/index.ts'
import { type Device, type DeviceId, failedResult, type Protocol } from '../domain/index.ts'
import type { ContactEntry } from './contacts.ts'
import { pick, type Step } from './pick.ts'
import { type DrainDeps, type Next, nextOf, run, settle } from './steps.ts'

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
  const next = await take(step, device, here, open.length === 1, deps)
  // It was the only one. Whatever came since has moved work.seq, and then the flag stays and the queue is looked at again.
  if (step.kind === 'empty' || (next === 'ended' && open.length === 1)) return !(await clearFlag(device, deps))
  return next !== 'over'
}

async function take(
  step: Step,
  device: Device,
  here: Map<Protocol, ContactEntry>,
  alone: boolean,
  deps: DrainDeps,
): Promise<Next> {
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
      return nextOf(await finisher.finish(step.operation, ['queued'], 'failed', failedResult(step.error)))
    case 'settled': {
      const { state, result } = step.verdict
      return nextOf(await finisher.finish(step.operation, ['sent', 'unknown'], state, result))
    }
    case 'run':
    case 'read':
      return use(step, device, here, alone, deps)
  }
}

/** Runs or reads over the contact of the step, in a free place, and keeps account of its use. */
async function use(
  step: Extract<Step, { kind: 'run' | 'read' }>,
  device: Device,
  here: Map<Protocol, ContactEntry>,
  alone: boolean,
  deps: DrainDeps,
): Promise<Next> {
  const entry = here.get(step.protocol)
  if (entry === undefined) return 'over'
  const release = await deps.slots.take(entry.contact.signal)
  if (release === undefined) return 'look'
  entry.inUse = true
  try {
    if (step.kind === 'read') return await settle(step.operation, device, entry, deps)
    return await run(step.operation, device, entry, alone, deps)
  } finally {
    entry.inUse = false
    entry.usedAt = deps.clock.now()
    release()
  }
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
    if (isOvertaken(error)) return false
    throw error
  }
}
