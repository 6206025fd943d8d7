import { createIdSource, defined, silentLog, systemRandom } from '../../src/base/index.ts'
import { createEventBus } from '../../src/bus/index.ts'
import {
  type Device,
  type DeviceId,
  deviceIdOf,
  newDevice,
  type Operation,
  type OperationResult,
  type Operations,
  type Plan,
  type PlanSettings,
  type PlanStore,
  type Protocol,
} from '../../src/domain/index.ts'
import { Groups } from '../../src/groups/index.ts'
import { defaultPlanSettings, Planner } from '../../src/planner/index.ts'
import type { Store } from '../../src/store/index.ts'
import { ANN } from './actors.ts'
import { testStore } from './store.ts'
import { until as reached } from './until.ts'

/** The answer of a device to an operation; undefined: it has not connected yet. */
export type Answer = (operation: Operation) => OperationResult | 'expired' | undefined

/** A planner over a real database, with devices that consist of their answers: for tests that need no wire. */
export interface PlannerWorld {
  store: Store
  groups: Groups
  planner: Planner
  /** Time as planner and devices see it. */
  clock: { nowMs: number }
  answer: Answer
  /** The answers of Agents, and the links that the planner closed. */
  links: { answers(deviceId: DeviceId): 'answered' | 'silent' | 'elsewhere'; closed: DeviceId[] }
  /** Every operation that was asked for, in order. */
  asked: Operation[]
  operations: Operations
  /** `plans`: over this store of plans. `over`: stands between the planner and its stores. */
  anotherPlanner(instance: string, plans?: PlanStore, over?: <T extends object>(port: T) => T): Planner
  /** Stores devices with an Agent whose CPEs informed just now. */
  devices(count: number, more?: Partial<Device>): Promise<DeviceId[]>
  /** A plan over all devices there are. */
  plan(settings?: Partial<PlanSettings>): Promise<Plan>
  heard(deviceId: DeviceId): Promise<void>
  until(condition: () => Promise<boolean>, planner?: Pick<Planner, 'tick'>): Promise<void>
  untilState(plan: Plan, state: Plan['state']): Promise<void>
  stop(): Promise<void>
}

const FAILED: OperationResult = {
  outcome: 'failed',
  results: [],
  error: { code: '9001', text: 'refused', retryable: true },
}
/** The answers of a device that refuses everything. */
export const refuses: Answer = () => FAILED
/** The answers of a device that does not connect. */
export const silent: Answer = () => undefined

class AnsweredOperations implements Operations {
  readonly asked: Operation[] = []
  readonly #byKey = new Map<string, Operation>()
  readonly #world: { answer: Answer; clock: { nowMs: number } }

  constructor(world: { answer: Answer; clock: { nowMs: number } }) {
    this.#world = world
  }

  submit: Operations['submit'] = async (wanted) => {
    const key = `${wanted.deviceId}|${wanted.idempotencyKey}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return this.#look(known)
    const at = this.#world.clock.nowMs
    const operation: Operation = {
      id: `o${this.asked.length}`,
      deviceId: wanted.deviceId,
      request: wanted.request,
      state: 'queued',
      actor: wanted.actor,
      createdAt: at,
      expiresAt: at + (wanted.expiresInMs ?? 3_600_000),
      attempts: 0,
      ...defined({ via: wanted.via, thenRead: wanted.thenRead }),
    }
    this.#byKey.set(key, operation)
    this.asked.push(operation)
    return this.#look(operation)
  }

  /** Asks again at each look: a device may connect later. */
  #look(operation: Operation): Operation {
    if (operation.state !== 'queued') return operation
    const result = operation.expiresAt < this.#world.clock.nowMs ? 'expired' : this.#world.answer(operation)
    if (result === 'expired') operation.state = 'expired'
    else if (result !== undefined && result.outcome !== 'pending')
      Object.assign(operation, { state: result.outcome, result: this.#withRead(result, operation) })
    return operation
  }

  #withRead(result: OperationResult, operation: Operation): OperationResult {
    const { thenRead: paths } = operation
    if (paths === undefined || result.outcome !== 'done') return result
    const answer = this.#world.answer({ ...operation, request: { verb: 'get', paths } })
    if (answer === undefined || answer === 'expired') return result
    return { ...result, read: answer.results.filter(({ value }) => value !== undefined) }
  }

  get: Operations['get'] = async (id) => this.asked.find((one) => one.id === id)
  wait: Operations['wait'] = async (id) => this.asked.find((one) => one.id === id)
  cancel: Operations['cancel'] = async (id) => {
    const operation = this.asked.find((one) => one.id === id)
    if (operation === undefined) throw new Error('no such operation')
    operation.state = 'cancelled'
    return operation
  }
  open: Operations['open'] = async (deviceId) =>
    this.asked.filter((one) => one.deviceId === deviceId && one.state === 'queued')
  forget: Operations['forget'] = async () => 0
  giveUp: Operations['giveUp'] = (id) => this.cancel(id, { kind: 'system', id: 'test' })
  waitingFor: Operations['waitingFor'] = async () => new Map()
  onFinished: Operations['onFinished'] = () => () => undefined
}

export async function plannerWorld(uri: string): Promise<PlannerWorld> {
  const store = await testStore(uri)
  const time = { nowMs: Date.now() }
  const clock = { now: () => time.nowMs, after: (ms: number, task: () => void) => timer(ms, task) }
  const newId = createIdSource({ ...clock, now: Date.now }, systemRandom)
  const log = silentLog
  await store.instances.beat('test', Date.now(), 600_000)
  const bus = createEventBus(log)
  const off = store.events.onAppended((events) => bus.publish(events))
  const groups = new Groups({ groups: store.groups, devices: store.devices, audit: store.audit, newId, clock })
  const mind: { answer: Answer; clock: { nowMs: number } } = { answer: silent, clock: time }
  const operations = new AnsweredOperations(mind)
  const started: Planner[] = []
  const links: PlannerWorld['links'] = { answers: () => 'elsewhere', closed: [] }
  const contactListeners = new Set<(deviceId: DeviceId, protocol: Protocol) => void>()
  const anotherPlanner: PlannerWorld['anotherPlanner'] = (instance, plans = store.plans, over) => {
    const through = <T extends object>(port: T): T => over?.(port) ?? port
    const planner = new Planner({
      ...store,
      plans: through(plans),
      devices: through(store.devices),
      parameters: through(store.parameters),
      bridges: through(store.bridges),
      operations: through<Operations>(operations),
      instance,
      clock,
      newId,
      log,
      time: { now: () => time.nowMs, silenceCountsFrom: time.nowMs, wallTime: (ms) => ms },
      links: {
        ask: async (deviceId) => links.answers(deviceId),
        close: async (deviceId) => {
          links.closed.push(deviceId)
          await store.devices.commit({ deviceId, set: { 'usp.linked': false } })
        },
      },
      onContact: (listener) => {
        contactListeners.add(listener)
        return () => contactListeners.delete(listener)
      },
      groupStore: store.groups,
      groups,
      bus,
      appendEvents: (events) => store.events.append(events),
      defaults: () =>
        defaultPlanSettings({
          endpointId: 'proto::isthmus-test',
          host: '127.0.0.1',
          port: 8183,
          path: '/usp',
          tls: false,
          periodicNotifIntervalS: 60,
        }),
    })
    // One with calls that never return cannot be stopped.
    if (over === undefined) started.push(planner)
    return planner
  }
  const planner = anotherPlanner('test')
  await planner.start()
  let made = 0
  const until: PlannerWorld['until'] = (condition, ticking = planner) =>
    reached(
      async () => {
        if (await condition()) return true
        await ticking.tick()
        return false
      },
      60_000,
      10,
    )
  return {
    store,
    groups,
    planner,
    clock: time,
    get answer() {
      return mind.answer
    },
    set answer(answer) {
      mind.answer = answer
    },
    links,
    asked: operations.asked,
    operations,
    anotherPlanner,
    async devices(count, more = {}) {
      const ids: DeviceId[] = []
      await Promise.all(
        Array.from({ length: count }, async () => {
          const identity = { oui: '0C96BF', productClass: 'CPE', serial: `S${++made}` }
          const id = deviceIdOf(identity)
          ids.push(id)
          const create: Device = {
            ...newDevice(id, identity, 'cwmp', time.nowMs),
            manufacturer: 'Northbridge',
            root: 'Device.',
            cwmp: {
              lastInformAt: time.nowMs,
              events: [],
              version: '1.4',
              informIntervalS: 300,
              discoveredFor: '1.0',
            },
            ...more,
          }
          const at = { type: 'string', source: 'cwmp', collectedAt: time.nowMs } as const
          const parameters = [{ path: 'Device.USPAgent.EndpointID', value: `os::0C96BF-${identity.serial}`, ...at }]
          await store.devices.commit({ deviceId: id, create })
          await store.devices.commit({ deviceId: id, parameters })
        }),
      )
      return ids.sort()
    },
    async plan(settings = {}) {
      const group = await groups.create({ name: `all ${newId()}`, selector: 'manufacturer==Northbridge' }, ANN)
      const quick: Partial<PlanSettings> = { soakMs: 0, retryBackoffMs: 1000, gateMinSample: 100_000 }
      return planner.create({ name: 'move', groupId: group.id, settings: { ...quick, ...settings } }, ANN)
    },
    async heard(deviceId) {
      await store.devices.commit({ deviceId, set: { 'cwmp.lastInformAt': time.nowMs } })
      for (const listener of contactListeners) listener(deviceId, 'cwmp')
    },
    until,
    untilState: (plan, state) => until(async () => (await planner.get(plan.id)).state === state),
    async stop() {
      for (const one of started) await one.stop()
      off()
      await store.close()
    },
  }
}

function timer(ms: number, task: () => void): () => void {
  const handle = setTimeout(task, ms)
  handle.unref()
  return () => clearTimeout(handle)
}
