import { AppError, silentLog, type Table, transition } from '../../src/base/index.ts'
import {
  type Device,
  type DeviceId,
  deviceIdOf,
  type NewOperation,
  newDevice,
  type Operation,
  type Operations,
} from '../../src/domain/index.ts'
import {
  absence,
  DeviceGone,
  MustWait,
  Rollout,
  Script,
  type ScriptSet,
  StateTable,
  StepFailed,
} from '../../src/rollout/index.ts'
import type { RolloutFacts, RolloutMember, RolloutPlan, RolloutSettings } from '../../src/rollout/plan.ts'
import type { RolloutKind } from '../../src/rollout/rollout.ts'
import { createManualClock, type ManualClock } from './manual-clock.ts'
import { bulkOf, type MemoryRolloutStore, memberId, memoryRolloutStore } from './memory-rollout-store.ts'
import { createMemoryStores } from './memory-stores.ts'

/** WAITING: for a place. SETTING: the parameter is being set. */
export type SetState = 'WAITING' | 'SETTING' | 'SET' | 'FAILED' | 'CANCELLED'
type SetEvent = 'start' | 'set' | 'fail' | 'abort' | 'retry' | 'gone'

export interface SetPlan extends RolloutPlan {
  settings: RolloutSettings & { path: string; value: string }
}

export interface SetMember extends RolloutMember {
  state: SetState
  facts: RolloutFacts & { found?: string }
}

interface SetStep {
  event: SetEvent
  reason?: { code: string; text: string }
}

/** A step stores nothing but its member. */
type Nothing = Record<never, never>

const TABLE: Table<SetState, SetEvent> = {
  WAITING: { start: 'SETTING', abort: 'CANCELLED', gone: 'CANCELLED' },
  SETTING: { set: 'SET', fail: 'FAILED', gone: 'CANCELLED' },
  SET: {},
  FAILED: { retry: 'WAITING' },
  CANCELLED: { retry: 'WAITING' },
}
const ENDED = { phase: 'ended', holds: 'none' } as const
export const SET_STATES = new StateTable<SetState>(
  ['WAITING', 'SETTING', 'SET', 'FAILED', 'CANCELLED'],
  (state) =>
    ({
      WAITING: { phase: 'before', holds: 'none' } as const,
      SETTING: { phase: 'forward', holds: 'setting' } as const,
      SET: ENDED,
      FAILED: ENDED,
      CANCELLED: ENDED,
    })[state],
)

/** A rollout that sets one parameter on each of its devices: a script set that has nothing of a migration. */
export interface ParameterWorld {
  clock: ManualClock
  store: MemoryRolloutStore<SetPlan, SetMember>
  rollout: Rollout<SetPlan, SetMember, SetStep, Nothing>
  /** Every operation that was asked for, in order; one that is asked for again is not in it twice. */
  asked: Operation[]
  /** Answers an operation. Default: done. */
  answer(operation: Operation): Pick<Operation, 'state' | 'result'>
  /** Devices whose CPEs informed just now. */
  devices(count: number, more?: Partial<Device>): Promise<DeviceId[]>
  /** The CPE of a device is in contact over CWMP with an instance; default: `rollout`. */
  contact(deviceId: DeviceId, at?: Pick<Rollout<SetPlan, SetMember, SetStep, Nothing>, 'contact'>): Promise<void>
  /** Called before devices become members; throws what enrolling them is to throw. */
  beforeEnrol(): void
  /** Deletes the record of a device. */
  forget(deviceId: DeviceId): Promise<void>
  start(settings?: Partial<SetPlan['settings']>): Promise<SetPlan>
  /** Stores a change of the plan, as a person makes it. */
  change(change: Partial<SetPlan>): Promise<void>
  plan(): SetPlan | undefined
  states(): Partial<Record<SetState, number>>
  /** Another server over the same stores. */
  another(instance: string): Rollout<SetPlan, SetMember, SetStep, Nothing>
}

const PLAN = 'p1'

export function createParameterWorld(): ParameterWorld {
  const clock = createManualClock()
  const time = { now: clock.now, silenceCountsFrom: 0, wallTime: (ms: number) => ms }
  const store = memoryRolloutStore<SetPlan, SetMember>(SET_STATES)
  const { devices } = createMemoryStores(clock)
  const asked = new Map<string, Operation>()
  const world = {
    answer: (_: Operation): Pick<Operation, 'state' | 'result'> => ({ state: 'done' }),
    beforeEnrol: () => {},
  }
  const operations = {
    async submit({ idempotencyKey = '', deviceId, request, actor }: NewOperation) {
      const known = asked.get(idempotencyKey)
      const operation = { id: idempotencyKey, deviceId, request, actor, state: 'queued' } as Operation
      const answered = known?.state === 'done' ? known : { ...operation, ...world.answer(operation) }
      asked.set(idempotencyKey, answered)
      return answered
    },
    wait: async (id: string) => asked.get(id),
    open: async () => [],
  } as unknown as Operations

  async function work(member: SetMember, script: Script<SetPlan, SetMember, Nothing>): Promise<SetStep> {
    const { path, value } = script.plan.settings
    try {
      await script.step('set', async () => {
        await script.run('set', { verb: 'set', values: [{ path, value }] }, 'cwmp')
        return { facts: { found: value } }
      })
      return { event: 'set' }
    } catch (error) {
      if (error instanceof DeviceGone) return { event: 'gone' }
      if (error instanceof StepFailed) return { event: 'fail', reason: error.reason }
      if (error instanceof AppError) return { event: 'fail', reason: { code: error.code, text: member.id } }
      throw error
    }
  }

  const set: ScriptSet<SetPlan, SetMember, SetStep, Nothing> = {
    states: SET_STATES,
    start: { from: 'WAITING', step: { event: 'start' } },
    abort: { event: 'abort' },
    takes: (state, event) => TABLE[state][event] !== undefined,
    async mayStart(_plan, member) {
      const device = await devices.get(member.deviceId)
      if (device === undefined) return { starts: false, outcome: { kind: 'event', event: 'gone' } }
      const absent = absence<SetMember>(device, member, clock.now())
      return absent === undefined ? { starts: true, device } : { starts: false, outcome: absent }
    },
    async work(plan, member, persist) {
      if (member.state !== 'SETTING') return undefined
      const script = new Script<SetPlan, SetMember, Nothing>(plan, member, { operations, devices, time }, persist)
      try {
        return { outcome: { kind: 'event', ...(await work(member, script)) }, member: script.member }
      } catch (error) {
        if (error instanceof MustWait) return { outcome: error.outcome, member: script.member }
        throw error
      }
    },
    async apply(_plan, before, { event }, { lease }) {
      const state = transition('member', TABLE, before.state, event)
      const { waiting: _waiting, dueMs: _due, lease: _lease, endedAt: _ended, ...rest } = before
      const member: SetMember = {
        ...rest,
        state,
        step: '',
        done: [],
        visit: before.visit + 1,
        revision: before.revision + 1,
      }
      if (SET_STATES.phase(state) === 'ended') member.endedAt = clock.now()
      else if (state === 'WAITING') member.waiting = 'place'
      else member.dueMs = clock.now()
      if (lease !== undefined && member.dueMs !== undefined) member.lease = lease
      await store.commit(before, member)
      if (event === 'fail') store.inside.attempts.failed++
      if (event === 'set') store.inside.attempts.moved++
      return member
    },
    commit: (before, member) => store.commit(before, member),
    devicesOf: () => ({ and: [] }),
  }

  const rule = (states: SetState[], event: SetEvent) => ({
    states,
    named: states,
    words: event,
    step: (): SetStep => ({ event }),
  })
  const kind: RolloutKind<SetPlan, SetMember, SetStep, Nothing> = {
    set,
    rules: {
      retry: rule(['FAILED', 'CANCELLED'], 'retry'),
      abort: rule(['WAITING'], 'abort'),
      rollback: rule([], 'abort'),
    },
    bulk: (runner) => ({
      survey: { piece: async () => ({}) },
      enrol: {
        async piece({ id: planId }) {
          world.beforeEnrol()
          for await (const ids of devices.ids(undefined, 100))
            for (const deviceId of ids) {
              const at = { enteredAt: clock.now(), enteredMs: clock.now(), revision: 1 }
              const id = memberId(planId, deviceId)
              const fresh = { step: '', done: [], facts: {}, visit: 0, waiting: 'place' as const }
              const member: SetMember = { id, planId, deviceId, state: 'WAITING', ...fresh, ...at }
              await store.commit(undefined, member)
              runner.noted(member)
            }
          return {}
        },
      },
    }),
    async save(plan, change) {
      const next = { ...plan, ...change, revision: plan.revision + 1 }
      await store.putPlan(next, plan.revision)
      return next
    },
    reopen: async (plan) => plan,
  }
  const another = (instance: string) =>
    new Rollout({ plans: store, devices, instance, clock, time, log: silentLog }, kind)
  const rollout = another('one')
  let made = 0
  return {
    clock,
    store,
    rollout,
    another,
    get asked() {
      return [...asked.values()]
    },
    get answer() {
      return world.answer
    },
    set answer(answer) {
      world.answer = answer
    },
    async devices(count, more = {}) {
      const ids: DeviceId[] = []
      for (let i = 0; i < count; i++) {
        const identity = { oui: '0C96BF', productClass: 'CPE', serial: `S${++made}` }
        const id = deviceIdOf(identity)
        ids.push(id)
        const cwmp = { lastInformAt: clock.now(), events: [], version: '1.4', informIntervalS: 300 }
        await devices.commit({
          deviceId: id,
          create: { ...newDevice(id, identity, 'cwmp', clock.now()), cwmp, ...more },
        })
      }
      return ids
    },
    get beforeEnrol() {
      return world.beforeEnrol
    },
    set beforeEnrol(beforeEnrol) {
      world.beforeEnrol = beforeEnrol
    },
    async contact(deviceId, at = rollout) {
      await devices.commit({ deviceId, set: { 'cwmp.lastInformAt': clock.now() } })
      at.contact(deviceId, 'cwmp')
    },
    async forget(deviceId) {
      await devices.delete(deviceId)
    },
    async start(settings = {}) {
      const limits = { maxInFlight: 100, startsPerMinute: 0, failureGatePercent: 30, gateMinSample: 1000 }
      const plan: SetPlan = {
        id: PLAN,
        name: 'set a parameter',
        groupId: 'g1',
        state: 'running',
        settings: { ...limits, offlineTimeoutMs: 3_600_000, path: 'Device.Time.NTPServer1', value: 'ntp', ...settings },
        revision: 1,
        createdAt: clock.now(),
        bulk: [bulkOf('enrol')],
      }
      await store.putPlan(plan)
      return plan
    },
    async change(change) {
      const plan = store.inside.plans.get(PLAN)
      if (plan !== undefined) await store.putPlan({ ...plan, ...change, revision: plan.revision + 1 }, plan.revision)
    },
    plan: () => store.inside.plans.get(PLAN),
    states() {
      const counts: Partial<Record<SetState, number>> = {}
      for (const { state } of store.inside.members.values()) counts[state] = (counts[state] ?? 0) + 1
      return counts
    },
  }
}
