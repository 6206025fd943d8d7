import { createIdSource, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { createEventBus, FeedFollower } from '../../src/bus/index.ts'
import { Acs } from '../../src/cwmp/index.ts'
import type { Device, FeedEvent, Plan, PlanMember, PlanSettings, UspLinks } from '../../src/domain/index.ts'
import { Groups } from '../../src/groups/index.ts'
import { OperationsEngine } from '../../src/operations/index.ts'
import { defaultPlanSettings, Planner } from '../../src/planner/index.ts'
import { type Fault, Fleet, type SimulatedDevice } from '../../src/simulator/index.ts'
import type { Store } from '../../src/store/index.ts'
import { Controller, HEEDED_EVENTS, WebSocketMtp } from '../../src/usp/index.ts'
import { ANN } from './actors.ts'
import type { Balancer } from './balancer.ts'
import { modelOf } from './operations-world.ts'
import { testStore } from './store.ts'
import { until as reached } from './until.ts'

const ENROLMENT_SECRET = 'batch-secret'
const ENDPOINT_ID = 'proto::isthmus-test'

export interface MigrationWorld {
  store: Store
  groups: Groups
  planner: Planner
  operations: OperationsEngine
  cpes: SimulatedDevice[]
  fleet: Fleet
  /** A planner of another instance over the same store, e.g. after this one died. Not started. */
  anotherPlanner(instance: string, over?: <T extends object>(port: T) => T): Planner
  /** A plan over every device of the fleet; not started. */
  plan(settings?: Partial<PlanSettings>): Promise<Plan>
  member(plan: Plan, cpe: SimulatedDevice): Promise<PlanMember>
  device(cpe: SimulatedDevice): Promise<Device>
  /** Ticks until the condition holds. */
  until(condition: () => Promise<boolean>, planner?: Pick<Planner, 'tick'>): Promise<void>
  untilState(plan: Plan, state: Plan['state'], planner?: Pick<Planner, 'tick'>): Promise<void>
  /** So much service time passes for the planners. */
  pass(ms: number): void
  stop(): Promise<void>
}

export interface WorldOptions {
  cpes?: number
  faults?: readonly Fault[]
  tls?: { cert: string; key: string }
  /** Stands between the devices and the ACS. */
  cwmp?: Balancer
  /** The USP links are held by another instance, of which the planner sees only what is stored. */
  uspElsewhere?: true
  /** Changes the devices before they are switched on. */
  before?(cpe: SimulatedDevice): void
}

/** ACS, Controller, operations and planner over a real database, with simulated dual-stack devices on real sockets. */
export async function migrationWorld(uri: string, options: WorldOptions = {}): Promise<MigrationWorld> {
  const store = await testStore(uri)
  const clock = systemClock
  const random = systemRandom
  const log = silentLog
  const newId = createIdSource(clock, random)
  await store.instances.beat('test', clock.now(), 600_000)
  const operations = new OperationsEngine({
    ...store,
    clock,
    newId,
    log,
    instance: 'test',
    model: modelOf,
    releaseCredential: (deviceId) => acs.release(deviceId),
  })
  const acs: Acs = new Acs({
    host: '127.0.0.1',
    port: 0,
    policy: 'credential',
    enrolmentSecret: ENROLMENT_SECRET,
    allowBasicOverHttp: false,
    informIntervalS: 300,
    discovery: 'subtree',
    maxSessions: 1000,
    devices: store.devices,
    parameters: store.parameters,
    credentials: store.credentials,
    upward: operations,
    clock,
    random,
    log,
  })
  const far = options.uspElsewhere === true ? await farInstance(uri, store.databaseName, newId) : undefined
  const holder = far ?? { store, operations, instance: 'test' }
  const mtp = new WebSocketMtp({
    host: '127.0.0.1',
    port: 0,
    path: '/usp',
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    endpointId: ENDPOINT_ID,
    maxLinks: 1000,
    clock,
    log,
  })
  const controller = new Controller({
    mtps: [mtp],
    endpointId: ENDPOINT_ID,
    admission: 'open',
    periodicNotifIntervalS: 60,
    instance: holder.instance,
    devices: holder.store.devices,
    conflicts: holder.store.conflicts,
    pendingAgents: holder.store.pendingAgents,
    linkSecrets: holder.store.linkSecrets,
    supportedModels: holder.store.supportedModels,
    audit: holder.store.audit,
    upward: holder.operations,
    nextId: newId,
    clock,
    random,
    log,
  })
  await operations.start()
  await far?.operations.start()
  await acs.start()
  await controller.start()
  operations.setDrivers(far === undefined ? [acs.driver, controller.driver] : [acs.driver])
  far?.operations.setDrivers([controller.driver])
  if (options.cwmp !== undefined) {
    options.cwmp.ports = [acs.port]
    await options.cwmp.start()
  }
  const bus = createEventBus(log)
  const off = store.events.onAppended((events) => bus.publish(events))
  holder.store.events.onAppended((events) => {
    for (const event of events) controller.heed(event)
  })
  const { events, instances } = holder.store
  const onEvent = (event: FeedEvent) => controller.heed(event)
  const follower = new FeedFollower({ events, instances, types: HEEDED_EVENTS, onEvent, clock, log })
  await follower.start()
  let passedMs = 0
  const serviceMs = () => clock.now() + passedMs
  const groups = new Groups({ groups: store.groups, devices: store.devices, audit: store.audit, newId, clock })
  const usp = {
    endpointId: ENDPOINT_ID,
    host: '127.0.0.1',
    port: mtp.port,
    path: '/usp',
    tls: options.tls !== undefined,
  }
  const anotherPlanner: MigrationWorld['anotherPlanner'] = (instance, over = (port) => port) =>
    new Planner({
      plans: over(store.plans),
      devices: over(store.devices),
      fleet: store.fleet,
      parameters: over(store.parameters),
      conflicts: over(store.conflicts),
      operations: over(operations),
      audit: over(store.audit),
      instance,
      clock,
      newId,
      log,
      time: { now: serviceMs, silenceCountsFrom: serviceMs(), wallTime: (ms) => ms - passedMs },
      links: far === undefined ? controller.links : ABSENT,
      linkSecrets: store.linkSecrets,
      pendingAgents: store.pendingAgents,
      bridges: store.bridges,
      onContact: (listener) => operations.onContact(listener),
      events: store.events,
      groupStore: store.groups,
      groups,
      bus,
      appendEvents: (events) => store.events.append(events),
      defaults: () =>
        defaultPlanSettings({
          ...usp,
          periodicNotifIntervalS: 60,
          ...(options.tls === undefined ? {} : { certificate: options.tls.cert }),
        }),
    })
  const planner = anotherPlanner('test')
  await planner.start()
  const fleet = new Fleet({
    mix: { legacyTr098: 0, tr181NoAgent: 0, dualStack: options.cpes ?? 1, uspOnly: 0 },
    faultEvery: options.faults === undefined ? 0 : 1,
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    seed: 1,
    servers: { acsUrl: `http://127.0.0.1:${options.cwmp?.port ?? acs.port}/`, enrolmentSecret: ENROLMENT_SECRET, usp },
    timeScale: 20,
    informIntervalS: 300,
    staggerMs: 0,
    clock,
    random,
    log,
  })
  for (const cpe of fleet.devices) options.before?.(cpe)
  await fleet.start()
  const started = Date.now()
  const until: MigrationWorld['until'] = (condition, ticking = planner) =>
    reached(
      async () => {
        if (await condition()) return true
        await ticking.tick()
        return false
      },
      220_000 - (Date.now() - started),
      50,
    )
  const device = async (cpe: SimulatedDevice): Promise<Device> => {
    const { items } = await store.devices.list({ limit: 500 })
    const found = items.find(({ serial }) => serial === cpe.facts.serial)
    if (found === undefined) throw new Error(`${cpe.facts.serial} is not in the store`)
    return found
  }
  await until(async () => {
    const { items } = await store.devices.list({ limit: 500 })
    return items.length === fleet.devices.length && items.every(({ cwmp }) => (cwmp?.discoveredFor ?? '') !== '')
  })
  return {
    store,
    groups,
    planner,
    operations,
    cpes: fleet.devices,
    fleet,
    anotherPlanner,
    device,
    until,
    untilState: (plan, state, ticking) => until(async () => (await planner.get(plan.id)).state === state, ticking),
    async plan(settings = {}) {
      const group = await groups.create({ name: 'all', selector: 'manufacturer==Northbridge' }, ANN)
      const quick: Partial<PlanSettings> = {
        soakMs: 0,
        awaitUspTimeoutMs: 3000,
        retryBackoffMs: 100,
        maxAttempts: 2,
        offlineTimeoutMs: 20_000,
        gateMinSample: 1000,
        maxInFlight: 100,
      }
      return planner.create({ name: 'move', groupId: group.id, settings: { ...quick, ...settings } }, ANN)
    },
    pass(ms) {
      passedMs += ms
    },
    member: async (plan, cpe) => planner.member(plan.id, (await device(cpe)).id),
    async stop() {
      fleet.stop(true)
      await planner.stop()
      await acs.stop()
      await follower.stop()
      await controller.stop()
      await operations.stop()
      await far?.operations.stop()
      await far?.store.close()
      await options.cwmp?.stop()
      off()
      await store.close()
    },
  }
}

/** No link is held here. */
const ABSENT: UspLinks = { ask: async () => 'elsewhere', close: async () => undefined }

/** Operations of another instance, over a store of its own on the same database. */
async function farInstance(uri: string, databaseName: string, newId: () => string) {
  const instance = 'far'
  const { db: _db, ...store } = await testStore(uri, { databaseName, instance })
  await store.instances.beat(instance, systemClock.now(), 600_000)
  const operations = new OperationsEngine({
    ...store,
    clock: systemClock,
    newId,
    log: silentLog,
    instance,
    model: modelOf,
    releaseCredential: async () => undefined,
  })
  return { store, operations, instance }
}
