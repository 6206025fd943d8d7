import { type Clock, defined, type Log } from '../base/index.ts'
import type { Model, ModelName } from '../datamodel/index.ts'
import type {
  Device,
  DeviceId,
  DeviceStore,
  InstanceStore,
  OperationStore,
  ParameterStore,
  Protocol,
  RefreshRules,
} from '../domain/index.ts'
import type { AuditLog } from '../security/index.ts'
import { Alone } from './alone.ts'
import { Attempts } from './attempts.ts'
import { Background } from './background.ts'
import { CommandRows } from './command-rows.ts'
import { Contacts } from './contacts.ts'
import { Dispatch } from './dispatch.ts'
import { Executor } from './execute.ts'
import { FactRefresh } from './fact-refresh.ts'
import { Finisher } from './finish.ts'
import { DEFAULT_LIMITS, type OperationLimits } from './limits.ts'
import { Expiries, LinkCheck, LostSends } from './local-checks.ts'
import { NO_METRICS, type OperationsMetrics } from './metrics.ts'
import { runPass } from './pass.ts'
import { News, Passes } from './passes.ts'
import { Recorder } from './record.ts'
import { Recovery } from './recovery.ts'
import { FollowUps } from './session-hold.ts'
import { Slots } from './slots.ts'
import { Submission } from './submit.ts'
import { modelFor } from './validate.ts'
import { Waits } from './wait.ts'
import { Waker } from './waker.ts'

/** The ports and values that the engine is given. */
export interface OperationsDeps {
  devices: DeviceStore
  parameters: ParameterStore
  operations: OperationStore
  instances: InstanceStore
  audit: AuditLog
  clock: Clock
  newId(): string
  log: Log
  /** The id of this server instance; a new one at every start. */
  instance: string
  model(name: ModelName): Model
  limits?: Partial<OperationLimits>
  metrics?: OperationsMetrics
  /** Beginnings of URLs from which MikroTik routers may load packages; absent: none. */
  routerPackagePlaces?: readonly string[]
  /** The policy by which live facts are read again; absent: they are not. */
  factRules?: RefreshRules
  /**
   * Called before a factory reset is sent, durable when it resolves: the device returns without its credentials.
   * Default: does nothing.
   */
  releaseCredential?(deviceId: DeviceId): Promise<void>
}

export type Parts = ReturnType<typeof createParts>

/** Builds the parts of the engine, each from those above it. A pass ends when `stopping` aborts. */
export function createParts(deps: OperationsDeps, stopping: AbortSignal) {
  const { devices, parameters, operations: store, instances, audit, clock, newId, instance, model } = deps
  const log = deps.log.child({ part: 'operations' })
  const limits: OperationLimits = { ...DEFAULT_LIMITS, ...deps.limits }
  const metrics = deps.metrics ?? NO_METRICS
  const given = { devices, parameters, store, instances, audit, clock, newId, instance, model, log, limits, metrics }
  const modelOf = (device: Device, protocol: Protocol) => modelFor({ device, protocol, model })

  const background = new Background(log)
  const contacts = new Contacts(clock)
  const news = new News(clock)
  const attempts = new Attempts()
  const alone = new Alone()
  const slots = new Slots(limits.maxExecuting, (executing, waiting) => metrics.load(executing, waiting))
  const finisher = new Finisher({ ...given, background, attempts })
  const commandRows = new CommandRows({ store, finisher })
  const followUps = new FollowUps(clock)
  const executor = new Executor({ ...given, releaseCredential: deps.releaseCredential ?? (async () => undefined) })
  const recorder = new Recorder({ ...given, modelFor: modelOf })
  const waker = new Waker({ ...given, background, retryMs: limits.wakeRetryMs })
  const forPasses = {
    ...given,
    contacts,
    news,
    attempts,
    alone,
    slots,
    finisher,
    commandRows,
    executor,
    recorder,
    waker,
    stopping,
    modelFor: modelOf,
  }
  const passes = new Passes((deviceId, again) => runPass(deviceId, again, forPasses))
  const factRefresh = new FactRefresh({ ...given, recorder, slots, ...defined({ factRules: deps.factRules }) })
  const dispatch = new Dispatch({
    factRefresh,
    ...given,
    contacts,
    passes,
    waker,
    news,
    followUps,
  })
  const waits = new Waits({
    store,
    clock,
    pollMs: limits.waitPollMs,
    isHere: (deviceId) => contacts.has(deviceId),
    onFinished: (listener) => finisher.onFinished(listener),
  })
  const isRunning = (operationId: string) => executor.isRunning(operationId)
  const again = (deviceId: DeviceId) => passes.request(deviceId)
  const recovery = new Recovery({
    ...given,
    finisher,
    isRunning,
    dispatch: (operation, device) => dispatch.operation(operation, device),
  })
  const expiries = new Expiries(clock, () => background.run('expire', () => recovery.expireQueued()))
  const submission = new Submission({
    ...given,
    routerPackagePlaces: deps.routerPackagePlaces ?? [],
    alone,
    announce: (deviceId) => news.add(deviceId),
    onStored(operation, device, more) {
      if (more) followUps.expectAfter(operation.id)
      waits.submitted(operation)
      expiries.expect(operation)
      followUps.arrived(device.id)
      dispatch.operation(operation, device)
    },
  })
  const linkCheck = new LinkCheck({ ...given, contacts, passes })
  const lostSends = new LostSends({ ...given, pauseMs: limits.lostCheckMs, isRunning, again })
  finisher.onFinished((operation) => attempts.forget(operation))
  finisher.onFinished((operation) => followUps.ended(operation))
  return {
    ...given,
    background,
    contacts,
    news,
    attempts,
    finisher,
    commandRows,
    executor,
    waker,
    passes,
    dispatch,
    factRefresh,
    waits,
    recovery,
    expiries,
    submission,
    linkCheck,
    lostSends,
    again,
    abort: (operationId: string) => executor.abort(operationId),
  }
}
