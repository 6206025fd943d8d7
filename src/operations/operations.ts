import { AppError, type Clock, type Lifecycle, type Log } from '../base/index.ts'
import type { Model, ModelName } from '../datamodel/index.ts'
import type {
  Contact,
  Device,
  DeviceId,
  DeviceStore,
  Driver,
  InstanceStore,
  Operation,
  OperationStore,
  Operations,
  ParameterStore,
  Protocol,
  Upward,
} from '../domain/index.ts'
import type { AuditLog } from '../security/index.ts'
import { createTries } from './attempts.ts'
import { createBackground } from './background.ts'
import { createCompletion } from './completion.ts'
import { createContacts } from './contacts.ts'
import { createExecutor } from './execute.ts'
import { createExpiries } from './expiries.ts'
import { createFinisher } from './finish.ts'
import { createFollowUps } from './follow-ups.ts'
import { forget } from './forget.ts'
import { createFresh } from './fresh.ts'
import { type RecurringJob, recurring } from './jobs.ts'
import { DEFAULT_LIMITS, type OperationLimits } from './limits.ts'
import { createLostSends } from './lost-sends.ts'
import { NO_METRICS, type OperationsMetrics } from './metrics.ts'
import { createNews } from './news.ts'
import { createDrain } from './pass.ts'
import { createPasses } from './passes.ts'
import { createRecorder } from './recorder.ts'
import { createRecovery, type Recovery } from './recovery.ts'
import { gone, holdSession } from './session-hold.ts'
import { createSlots } from './slots.ts'
import { createSubmit } from './submit.ts'
import { createSweep } from './sweep.ts'
import { modelFor } from './validate-path.ts'
import { protocolOf } from './verbs.ts'
import { createWait } from './wait.ts'
import { createWaitingFor } from './waiting-for.ts'
import { createWaker } from './waker.ts'
import { createWithdraw } from './withdraw.ts'

/** What the engine needs from the rest of the house. */
export interface OperationsDeps {
  devices: DeviceStore
  parameters: ParameterStore
  operations: OperationStore
  instances: InstanceStore
  audit: AuditLog
  clock: Clock
  newId(): string
  log: Log
  /** This server instance; a new one at every start. */
  instance: string
  model(name: ModelName): Model
  limits?: Partial<OperationLimits>
  metrics?: OperationsMetrics
  /**
   * Called before a factory reset is sent, durable when it resolves: the device comes back without its credentials. Default: there are none
   * to lose.
   */
  releaseCredential?(deviceId: Device['id']): Promise<void>
}

/** The engine: northbound `Operations`, southbound `Upward`, recurring care, and a life of its own. */
export interface OperationsRoom extends Operations, Upward, Recovery, Lifecycle {
  /** Calls back with each device that comes into contact; the returned function ends that. */
  onContact(listener: (deviceId: DeviceId, protocol: Protocol) => void): () => void
  /** The ways to ask absent devices to come; given once the protocol rooms, which need `Upward`, exist. */
  setDrivers(drivers: readonly Driver[]): void
  /** The recurring care as the job queue takes it. */
  readonly jobs: readonly RecurringJob[]
}

/** Builds the engine from its parts. Nothing runs before the first contact or `start`. */
export function createOperations(deps: OperationsDeps): OperationsRoom {
  const { devices, parameters, operations: store, clock, instance, audit } = deps
  const log = deps.log.child({ part: 'operations' })
  const limits: OperationLimits = { ...DEFAULT_LIMITS, ...deps.limits }
  const metrics = deps.metrics ?? NO_METRICS
  const contactListeners = new Set<(deviceId: DeviceId, protocol: Protocol) => void>()
  let stopping = false

  const background = createBackground(log)
  const contacts = createContacts(clock)
  const news = createNews(clock)
  const tries = createTries()
  const slots = createSlots(limits.maxExecuting, metrics.load)
  const finisher = createFinisher({ ...deps, store, log, metrics, background, sends: tries.sends })
  finisher.onFinished((operation) => tries.forget(operation.id))
  const fresh = createFresh()
  finisher.onFinished((operation) => fresh.remove(operation.id))
  const followUps = createFollowUps(clock)
  finisher.onFinished(followUps.ended)
  const executor = createExecutor({
    store,
    clock,
    log,
    instance,
    limits,
    metrics,
    releaseCredential: deps.releaseCredential ?? (async () => undefined),
  })
  const modelOf = (device: Device, protocol: Protocol) => modelFor({ device, protocol, model: deps.model })
  const recorder = createRecorder({ devices, parameters, clock, modelFor: modelOf })
  const again = (deviceId: Device['id']) => {
    if (!stopping && contacts.has(deviceId)) background.run('pass', () => passes.request(deviceId))
  }
  const parts = {
    devices,
    store,
    parameters,
    contacts,
    executor,
    recorder,
    finisher,
    slots,
    news,
    tries,
    clock,
    log,
    instance,
  }
  const passes = createPasses(
    createDrain({
      ...parts,
      limits,
      modelFor: modelOf,
      again,
      wake: (device, protocol) => waker.wake(device, protocol),
      stopping: () => stopping,
    }),
  )
  const waker = createWaker({ devices, clock, log, background, retryMs: limits.wakeRetryMs })
  const sweep = createSweep({ contacts, devices, passes, clock, log, limits })
  const { isRunning } = executor
  const lostSends = createLostSends({ store, clock, log, instance, lookMs: limits.lostLookMs, isRunning, again })
  const submit = createSubmit({
    ...deps,
    store,
    log,
    limits,
    metrics,
    announce: news.add,
    bring: bringNew,
    expectMore: followUps.expect,
  })
  const withdraw = createWithdraw({ store, finisher, audit, clock, abort: executor.abort, again })
  const wait = createWait({
    store,
    clock,
    pollMs: limits.waitPollMs,
    isHere: (deviceId) => contacts.has(deviceId),
    onFinished: finisher.onFinished,
    isFresh: fresh.has,
  })
  const completed = createCompletion({ store, finisher, log, again })
  const expiries = createExpiries(clock, () => background.run('expire', recovery.expireQueued))
  const recovery = createRecovery({
    store,
    devices,
    instances: deps.instances,
    finisher,
    clock,
    log,
    instance,
    limits,
    isRunning,
    bring,
  })

  /** Runs what waits at once when the device is here, else asks it to come. */
  function bring(operation: Operation, device: Device): void {
    const needed = protocolOf(operation, device.owner)
    if (contacts.has(device.id, needed)) {
      again(device.id)
      return
    }
    // Linked to another instance: that one finds the work by its sweep.
    if ((needed ?? 'usp') === 'usp' && device.usp?.linked === true && device.usp.instance !== instance) return
    // A read goes over either protocol, and only a CPE can be asked to come.
    const asked = needed ?? (device.owner === 'usp' && device.cwmp !== undefined ? 'cwmp' : device.owner)
    waker.wake(device, asked)
  }

  /** The operation with the sends of a read that is under way here. */
  function counted(operation: Operation | undefined): Operation | undefined {
    return operation === undefined ? undefined : { ...operation, attempts: tries.sends(operation) }
  }

  function bringNew(operation: Operation, device: Device): void {
    fresh.add(operation.id)
    expiries.expect(operation)
    followUps.came(device.id)
    bring(operation, device)
  }

  async function contact(here: Contact): Promise<void> {
    const entry = contacts.add(here)
    waker.came(here.deviceId, here.protocol)
    for (const listener of contactListeners) listener(here.deviceId, here.protocol)
    try {
      const due = here.workKnown || news.has(here.deviceId)
      if (here.lasting) {
        if (due) again(here.deviceId)
        await gone(here.signal)
      } else if (due || passes.active(here.deviceId)) {
        if (!stopping) background.run('pass', () => passes.request(here.deviceId))
        await holdSession(entry, { passes, followUps, clock, quietMs: limits.quietMs })
      }
    } catch (err) {
      log.error({ err, deviceId: here.deviceId }, 'contact failed')
    } finally {
      contacts.remove(entry)
    }
  }

  return {
    name: 'operations',
    submit: (wanted) =>
      stopping ? Promise.reject(new AppError('unavailable', 'the server is stopping')) : submit(wanted),
    get: async (id) => counted(await store.get(id)),
    wait: async (id, timeoutMs, stopping) => counted(await wait(id, timeoutMs, stopping)),
    ...withdraw,
    forget: (device, actor) => forget(device, actor, { store, finisher, abort: executor.abort }),
    open: (deviceId) => store.open(deviceId, 1000),
    waitingFor: createWaitingFor({ devices, store, contacts, clock, limits }),
    onFinished: finisher.onFinished,
    contact,
    // A stopping engine takes nothing on: a session that asks must not be kept.
    hasNews: (deviceId) => !stopping && news.has(deviceId),
    completed,
    ...recovery,
    setDrivers: waker.setDrivers,
    onContact(listener) {
      contactListeners.add(listener)
      return () => contactListeners.delete(listener)
    },
    jobs: recurring(recovery),
    async start() {
      sweep.start()
      lostSends.start()
      // What the process before this one left behind, without waiting for the first round of the jobs.
      background.run('recover', async () => {
        await recovery.recoverOrphans()
        await recovery.repairWorkFlags()
        if (!stopping) await recovery.wakeWaiting()
      })
    },
    async stop() {
      stopping = true
      sweep.stop()
      lostSends.stop()
      waker.stop()
      expiries.stop()
      const cancel = clock.after(limits.stopMs, executor.abortAll)
      await passes.idle()
      cancel()
      await background.idle()
    },
  }
}
