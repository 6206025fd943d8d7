import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type Device, type DeviceId, deviceIdOf, newDevice, type PlanStore } from '../../src/domain/index.ts'
import type { Planner } from '../../src/planner/index.ts'
import { ANN } from '../support/actors.ts'
import { type PlannerWorld, plannerWorld, refuses } from '../support/planner-world.ts'

const DAY = 86_400_000

let world: PlannerWorld
/** A planner that goes on only when it is asked to. */
let planner: Planner
beforeEach(async () => {
  world = await plannerWorld(inject('mongodbUri'))
  await world.planner.stop()
  planner = world.anotherPlanner('manual')
})
afterEach(() => world.stop())

const statesOf = async (planId: string) => (await planner.status(planId)).states
const idOf = (serial: string) => deviceIdOf({ oui: '0C96BF', productClass: 'CPE', serial })

/** Writes devices as documents: thousands of commits would take longer than what is tested. */
async function many(count: number, of: (serial: string) => Partial<Device>): Promise<DeviceId[]> {
  const ids: DeviceId[] = []
  for (let i = 0; i < count; i += 1000) {
    const documents = Array.from({ length: Math.min(1000, count - i) }, (_, j) => {
      const serial = `M${String(i + j).padStart(6, '0')}`
      const identity = { oui: '0C96BF', productClass: 'CPE', serial }
      const { id, ...rest } = newDevice(idOf(serial), identity, 'cwmp', world.clock.nowMs)
      ids.push(id)
      return { _id: id, ...rest, manufacturer: 'Northbridge', ...of(serial) }
    })
    await world.store.db.collection<{ _id: string }>('devices').insertMany(documents)
  }
  return ids
}

const cwmp = (lastInformAt: number) => ({
  lastInformAt,
  events: [],
  version: '1.4',
  informIntervalS: 300,
  discoveredFor: '1.0',
})
const commands = () => [...world.store.commands.values()].reduce((sum, n) => sum + n, 0)

describe('a plan over many devices', () => {
  it('judges its members when it makes them, those that are away as well, with few commands', async () => {
    const old: Partial<Device> = { root: 'InternetGatewayDevice.' }
    await many(1000, (serial) => ({ cwmp: cwmp(world.clock.nowMs - DAY), ...(serial.endsWith('9') ? old : {}) }))
    // The record has no Agent, and nobody has asked for one.
    const unknown = idOf('M000000')
    await world.store.devices.commit({ deviceId: unknown, set: { 'cwmp.discoveredFor': '' } })
    const parameters = Array.from({ length: 1000 }, (_, i) => idOf(`M${String(i).padStart(6, '0')}`))
      .filter((id) => id !== unknown)
      .map((deviceId) => ({
        _id: `${deviceId}|Device.USPAgent.`,
        deviceId,
        object: 'Device.USPAgent.',
        leaves: { EndpointID: { value: `os::${deviceId}`, type: 'string', source: 'cwmp', collectedAt: 1 } },
      }))
    await world.store.db.collection<{ _id: string }>('parameters').insertMany(parameters)
    const plan = await world.plan()
    const before = commands()
    await planner.act(plan.id, 'start', ANN)
    expect(commands() - before).toBeLessThan(100)
    const status = await planner.status(plan.id)
    expect(status.states).toEqual({ UNASSESSED: 1, INELIGIBLE: 100, QUEUED: 899 })
    expect(status.waiting).toEqual({ offline: 900 })
    expect(await world.store.devices.get(idOf('M000001'))).toMatchObject({ readiness: { class: 'READY_STANDARD' } })
    // Nothing of it is due: only a contact brings such a member on.
    expect((await world.store.plans.getMember(`${plan.id}|${unknown}`))?.dueMs).toBeUndefined()
  })

  it('goes by the stored parameters, not by the readiness in the record', async () => {
    const [id = idOf('')] = await world.devices(1, {
      readiness: { class: 'NEEDS_DATA_MODEL', reasons: ['an older firmware'], evidence: {}, at: 1 },
    })
    const plan = await world.plan({ maxInFlight: 1 })
    await planner.act(plan.id, 'start', ANN)
    expect(await planner.member(plan.id, id)).toMatchObject({ state: 'PREPARING' })
    expect((await world.store.devices.get(id))?.readiness?.class).toBe('READY_STANDARD')
  })

  it('costs three reads a second while all its devices are away', async () => {
    await many(300, () => ({ cwmp: { ...cwmp(world.clock.nowMs - DAY), discoveredFor: '' } }))
    const plan = await world.plan()
    await planner.act(plan.id, 'start', ANN)
    // The first ticks look at all that waits.
    await planner.tick()
    const before = new Map(world.store.commands)
    for (let i = 0; i < 10; i++) await planner.tick()
    const spent = [...world.store.commands]
      .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
      .filter(([, count]) => count > 0)
    expect(spent).toEqual([['find', 30]])
  })

  it('finds devices that were in contact with an instance that is gone, by passes of one query each', async () => {
    await many(50, () => ({ cwmp: cwmp(world.clock.nowMs - DAY) }))
    const parameters = (deviceId: DeviceId) => [
      {
        path: 'Device.USPAgent.EndpointID',
        value: `os::${deviceId}`,
        type: 'string',
        source: 'cwmp',
        collectedAt: 1,
      } as const,
    ]
    const [came] = [idOf('M000030')]
    await world.store.devices.commit({ deviceId: came, parameters: parameters(came) })
    const plan = await world.plan({ maxInFlight: 1 })
    await planner.act(plan.id, 'start', ANN)
    expect(await planner.member(plan.id, came)).toMatchObject({ state: 'QUEUED', waiting: 'offline' })
    await world.store.devices.commit({ deviceId: came, set: { 'cwmp.lastInformAt': world.clock.nowMs } })
    await world.until(async () => {
      world.clock.nowMs += 30_000
      await world.store.devices.commit({ deviceId: came, set: { 'cwmp.lastInformAt': world.clock.nowMs } })
      return (await planner.member(plan.id, came)).state === 'PREPARING'
    }, planner)
  })

  it('with a rate finds the devices that are here behind those that went away, within a few rounds', async () => {
    await many(1500, () => ({ cwmp: cwmp(world.clock.nowMs), root: 'Device.' }))
    const here = await world.devices(2)
    const agents = (await idsOfMany()).map((deviceId) => ({
      _id: `${deviceId}|Device.USPAgent.`,
      deviceId,
      object: 'Device.USPAgent.',
      leaves: { EndpointID: { value: `os::${deviceId}`, type: 'string', source: 'cwmp', collectedAt: 1 } },
    }))
    await world.store.db.collection<{ _id: string }>('parameters').insertMany(agents)
    // All are here when they become members, and nothing starts.
    const plan = await world.plan({ maxInFlight: 50, startsPerMinute: 30 })
    await world.store.plans.putPlan(
      { ...plan, state: 'paused', bulk: [{ kind: 'enrol', actor: ANN, after: '' }], revision: plan.revision + 1 },
      plan.revision,
    )
    await planner.tick()
    expect((await planner.status(plan.id)).waiting).toEqual({ paused: 1502 })
    world.clock.nowMs += 2 * DAY
    for (const id of here) await world.heard(id)
    await planner.act(plan.id, 'resume', ANN)
    let looks = 0
    const counted = world.anotherPlanner(
      'counted',
      counting(world.store.plans, () => looks++),
    )
    let rounds = 0
    for (; (await statesOf(plan.id)).PREPARING === undefined; rounds++) {
      if (rounds > 10) throw new Error('no device was started')
      await counted.tick()
    }
    expect(rounds).toBeLessThanOrEqual(2)
    expect(looks).toBeLessThanOrEqual(10)
    expect(here).toContain(
      (await world.store.plans.listMembers(plan.id, { states: ['PREPARING'], limit: 1 })).items[0]?.deviceId,
    )
  })

  it('gives devices their turns that are retried after an abort of many, and rewrites none that has ended', async () => {
    const ids = await world.devices(150)
    const plan = await world.plan({ maxInFlight: 200, maxAttempts: 1 })
    await planner.act(plan.id, 'start', ANN)
    expect((await statesOf(plan.id)).PREPARING).toBe(150)
    await planner.act(plan.id, 'abort', ANN)
    await world.until(async () => (await planner.get(plan.id)).state === 'aborted', planner)
    expect(await statesOf(plan.id)).toEqual({ ROLLED_BACK: 150 })
    const revisions = async () => {
      const { items } = await world.store.plans.listMembers(plan.id, { states: ['ROLLED_BACK'], limit: 1000 })
      return new Map(items.map(({ deviceId, revision }) => [deviceId, revision]))
    }
    const before = await revisions()
    world.answer = refuses
    const again = ids.slice(0, 5)
    expect(await planner.forDevices(plan.id, 'retry', again, ANN)).toMatchObject({ accepted: 5 })
    await world.until(async () => (await planner.get(plan.id)).state === 'finished', planner)
    expect(await statesOf(plan.id)).toEqual({ QUARANTINED: 5, ROLLED_BACK: 145 })
    for (const id of again) before.delete(id)
    expect(await revisions()).toEqual(before)
  })

  it.each([
    ['a retry', ['retry']],
    ['an abort and a retry', ['abort', 'retry']],
  ] as const)('has every device of its group, although %s came while they were enrolled', async (_what, actions) => {
    const count = 4100
    await many(count, () => ({ root: 'InternetGatewayDevice.' }))
    const plan = await world.plan()
    await planner.act(plan.id, 'start', ANN)
    const first = await planner.status(plan.id)
    expect(first.total).toBeLessThan(count)
    expect(first.next).toBe('the devices of the group are being enrolled')
    for (const action of actions) await planner.act(plan.id, action, ANN)
    await world.until(async () => (await planner.get(plan.id)).state === 'finished', planner)
    expect(await statesOf(plan.id)).toEqual({ INELIGIBLE: count })
  })

  it('pauses with its reason when a round can never go on', async () => {
    await many(4100, () => ({ root: 'InternetGatewayDevice.' }))
    const plan = await world.plan()
    await planner.act(plan.id, 'start', ANN)
    await world.store.groups.delete(plan.groupId)
    const heir = world.anotherPlanner('heir')
    await world.until(async () => (await planner.get(plan.id)).state === 'paused', heir)
    expect((await planner.get(plan.id)).reason).toContain(plan.groupId)
    await expect(planner.act(plan.id, 'start', ANN)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that was deleted goes with the members that hold no device, and keeps the others', async () => {
    const plan = await world.plan()
    const document = (n: number, state: string) => ({
      _id: `${plan.id}|${idOf(`D${n}`)}`,
      planId: plan.id,
      deviceId: idOf(`D${n}`),
      ...{ state, step: '', done: [], facts: {}, attempt: 1, visit: 1, history: [], enteredAt: 1, enteredMs: 1 },
      revision: n % 3,
    })
    const members = Array.from({ length: 300 }, (_, n) => document(n, n === 7 ? 'MIGRATED' : 'CANCELLED'))
    await world.store.db.collection<{ _id: string }>('planMembers').insertMany(members)
    await world.store.plans.recount(plan.id)
    await planner.remove(plan.id, ANN)
    await world.until(async () => (await world.store.plans.counters(plan.id)).states.CANCELLED === undefined, planner)
    expect((await world.store.plans.counters(plan.id)).states).toEqual({ MIGRATED: 1 })
    expect((await world.store.plans.listMembers(plan.id, { limit: 10 })).items).toHaveLength(1)
    // It stays for the rollback of that device, and is not gone over again every second.
    await planner.tick()
    const before = commands()
    await planner.tick()
    expect(commands() - before).toBeLessThanOrEqual(2)
    expect((await world.store.plans.getPlan(plan.id))?.state).toBe('deleted')
  })
})

/** Ids of the devices that were written as documents. */
async function idsOfMany(): Promise<DeviceId[]> {
  const ids: DeviceId[] = []
  for await (const batch of world.store.devices.ids({ field: 'serial', operator: '==', values: ['M*'] }, 1000))
    ids.push(...batch)
  return ids
}

/** The store of plans, with a call for each look at members that may start. */
function counting(plans: PlanStore, looked: () => void): PlanStore {
  return new Proxy(plans, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (name !== 'freeMembers' || typeof member !== 'function') return member
      return (...args: unknown[]) => {
        looked()
        return member.apply(target, args)
      }
    },
  })
}
