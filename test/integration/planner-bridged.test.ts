import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  type BridgeRouter,
  type DeviceId,
  type EndpointId,
  type MemberState,
  type Plan,
  type PlanSettings,
  placeOf,
  type RouterPolicy,
  type RouterState,
} from '../../src/domain/index.ts'
import type { Planner } from '../../src/planner/index.ts'
import { ANN } from '../support/actors.ts'
import { AnsweringDevice } from '../support/answering-device.ts'
import { Mortal } from '../support/mortal.ts'
import { type PlannerWorld, plannerWorld } from '../support/planner-world.ts'

const BRIDGE = 'bridge-1'
const ENDPOINT = 'os::48A98A-S1' as EndpointId
const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
const CONTROLLER = {
  endpointId: 'proto::isthmus-test',
  host: '127.0.0.1',
  port: 8183,
  path: '/usp',
  tls: true,
  periodicNotifIntervalS: 60,
}

let world: PlannerWorld
let router: AnsweringDevice
let id: DeviceId
/** The bridge as it is: it reaches the router, its account may do this much, and it is heard. */
let bridge: { reaches: boolean; mayWrite: boolean; isHeard: boolean }

beforeEach(async () => {
  world = await plannerWorld(inject('mongodbUri'))
  const [made] = await world.devices(1, { oui: '48A98A', productClass: 'hAP ax^3' })
  if (made === undefined) throw new Error('no device')
  id = made
  router = new AnsweringDevice('S1')
  router.put('Device.USPAgent.Controller.1.', { EndpointID: CONTROLLER.endpointId })
  router.overUsp.set('Device.DeviceInfo.ProductClass', 'C53UiG+5HPaxD2HPaxD')
  world.answer = router.answer
  bridge = { reaches: true, mayWrite: true, isHeard: true }
  const at = world.clock.nowMs
  const facts = { revision: 1, createdAt: at, updatedAt: at }
  await world.store.bridges.put({ id: BRIDGE, name: 'pop', routersVersion: 0, ...facts }, [])
  await addRow('r1', {})
  await serve()
})
afterEach(() => world.stop())

async function addRow(rowId: string, more: Partial<BridgeRouter>): Promise<void> {
  const at = world.clock.nowMs
  const settings = { address: `${rowId}.example`, transport: 'api', policy: 'L0', mqtt: false } as const
  const login = { sealed: 'x', sealingKey: 'y' }
  const facts = { revision: 1, createdAt: at, updatedAt: at }
  const row = {
    id: rowId,
    bridgeId: BRIDGE,
    ...settings,
    tags: [],
    place: placeOf(settings),
    login,
    agent: false,
    ...facts,
  }
  await world.store.bridges.changeRouters(BRIDGE, { add: [{ ...row, ...more }], replace: [], remove: [] })
}

/** The bridge reports its rows, and its Agent is linked while a row has one. */
async function serve(): Promise<void> {
  const { bridges, devices } = world.store
  const at = world.clock.nowMs
  if (bridge.isHeard) await bridges.seen(BRIDGE, { lastSeenAt: at })
  const { items } = await bridges.routersAfter(BRIDGE, 10)
  const states = items.map(({ id: rowId, revision, policy }): [string, RouterState] => [
    rowId,
    {
      reachable: bridge.reaches,
      identity: { oui: '48A98A', productClass: 'C53UiG+5HPaxD2HPaxD', serial: 'S1', endpointId: ENDPOINT },
      missingRights: bridge.mayWrite ? [] : ['the group of the account lacks the right `write`'],
      ...(bridge.mayWrite || policy === 'L0' ? {} : { unfit: true }),
      revision,
      reportedAt: at,
    },
  ])
  if (bridge.isHeard) await bridges.report(BRIDGE, new Map(states), [])
  const linked = bridge.isHeard && bridge.reaches && items.some(({ agent }) => agent === true)
  const set = { 'usp.linked': linked, 'usp.lastSeenAt': at, 'usp.versions': '1.3' }
  await devices.commit({ deviceId: id, set })
}

const row = async (rowId = 'r1') => world.store.bridges.router(BRIDGE, rowId)

async function start(settings: Partial<PlanSettings> = {}): Promise<Plan> {
  const plan = await world.plan({ maxAttempts: 1, controller: CONTROLLER, awaitUspTimeoutMs: 20_000, ...settings })
  await world.planner.act(plan.id, 'start', ANN)
  return plan
}

async function until(plan: Plan, state: MemberState, planner: Pick<Planner, 'tick'> = world.planner): Promise<void> {
  await world.until(async () => {
    await serve()
    await world.heard(id)
    world.clock.nowMs += 1000
    return (await world.planner.member(plan.id, id)).state === state
  }, planner)
}

const reasonOf = async (plan: Plan) => (await world.planner.member(plan.id, id)).reason

describe('a router behind a bridge', () => {
  it('is moved without a write on it, and brought back with the policy and the interval of before', async () => {
    const plan = await start()
    await until(plan, 'MIGRATED')
    expect(await row()).toMatchObject({ agent: true, policy: 'L1' })
    const writes = world.asked.filter(({ request: { verb }, via }) => via === 'cwmp' && verb !== 'get')
    expect(writes.map(({ request }) => request)).toEqual([
      { verb: 'set', values: [{ path: INTERVAL, value: '86400' }] },
    ])
    expect(await world.store.devices.get(id)).toMatchObject({ owner: 'usp', binding: { proof: 'bridge' } })
    await world.planner.forDevices(plan.id, 'rollback', [id], ANN)
    await until(plan, 'ROLLED_BACK')
    expect(await row()).toMatchObject({ agent: false, policy: 'L0' })
    expect(router.values.get(INTERVAL)).toBe('300')
    expect((await world.store.devices.get(id))?.owner).toBe('cwmp')
    expect(await world.store.plans.snapshot(id)).toBeUndefined()
  })

  it('informs again before its bridge ends the Agent', async () => {
    const plan = await start()
    await until(plan, 'MIGRATED')
    router.refuses.usp.push('PeriodicInformInterval')
    await world.planner.forDevices(plan.id, 'rollback', [id], ANN)
    await world.until(async () => {
      await world.heard(id)
      await world.planner.tick()
      return router.values.get(INTERVAL) === '300'
    })
    expect(await world.store.devices.get(id)).toMatchObject({ usp: { linked: true } })
  })

  it('takes the row that the plan names by its tag, with the policy of the plan', async () => {
    await addRow('r2', { tags: ['moves'] })
    await serve()
    const plan = await start({ bridge: { id: BRIDGE, tag: 'moves', policy: 'L2' } })
    await until(plan, 'MIGRATED')
    expect(await row()).toMatchObject({ agent: false, policy: 'L0' })
    expect(await row('r2')).toMatchObject({ agent: true, policy: 'L2' })
  })

  it.each<[string, string, () => void, Partial<PlanSettings>]>([
    ['missingRights', 'the account may only read', () => Object.assign(bridge, { mayWrite: false }), {}],
    ['bridgeAway', 'the bridge is not heard any more', () => Object.assign(bridge, { isHeard: false }), {}],
    ['noBridge', 'the plan names another bridge', () => undefined, { bridge: { id: 'other' } }],
    ['bridgeNeedsTls', 'USP has no TLS', () => undefined, { controller: { ...CONTROLLER, tls: false } }],
  ])('ends with %s when %s, as it was', async (code, _why, happens, settings) => {
    happens()
    const plan = await start(settings)
    await until(plan, 'QUARANTINED')
    expect((await reasonOf(plan))?.code).toBe(code)
    expect(await row()).toMatchObject({ agent: false, policy: 'L0' })
    expect(router.values.get(INTERVAL)).toBe('300')
  })

  it('takes its Endpoint ID from a record that its Agent made before its first Inform', async () => {
    const identity = { oui: '48A98A', productClass: 'C53UiG+5HPaxD2HPaxD', serial: 'S1' }
    const [made] = await world.devices(1, { ...identity, owner: 'usp' })
    if (made === undefined) throw new Error('no device')
    const binding = { endpointId: ENDPOINT, proof: 'certificate', at: 1 } as const
    await world.store.devices.commit({ deviceId: made, set: { binding }, unset: ['cwmp'] })
    const plan = await start()
    await until(plan, 'MIGRATED')
    expect((await world.store.devices.get(id))?.binding).toMatchObject({ endpointId: ENDPOINT, proof: 'bridge' })
    expect((await world.store.devices.get(made))?.binding).toBeUndefined()
  })
})

it('goes on where a planner died, at any of its calls, on the way there and back', { timeout: 300_000 }, async () => {
  let died = 0
  for (let at = 1; at < 60; at += 3) {
    const when = at % 2 === 0 ? 'before' : 'after'
    const label = `died ${when} call ${at}`
    const mortals = [new Mortal(at, when), new Mortal(at, when)]
    const [there, back] = mortals.map((mortal, i) =>
      world.anotherPlanner(`doomed-${at}-${i}`, undefined, (port) =>
        mortal.port(port, ['ids', 'awaitedDevices', 'onFinished', 'onRouters']),
      ),
    ) as [Planner, Planner]
    const plan = await start()
    await lives(mortals[0], until(plan, 'MIGRATED', there))
    await until(plan, 'MIGRATED', freed())
    expect.soft(await row(), label).toMatchObject({ agent: true, policy: 'L1' })
    await world.planner.forDevices(plan.id, 'rollback', [id], ANN)
    await lives(mortals[1], until(plan, 'ROLLED_BACK', back))
    await until(plan, 'ROLLED_BACK', freed())
    expect.soft(await row(), label).toMatchObject({ agent: false, policy: 'L0' satisfies RouterPolicy })
    expect.soft(router.values.get(INTERVAL), label).toBe('300')
    expect.soft(await world.store.plans.snapshot(id), label).toBeUndefined()
    died += mortals.filter(({ dead }) => dead).length
  }
  expect(died).toBeGreaterThan(20)
})

/** Resolves when a planner has died, or when its work is done. */
async function lives(mortal: Mortal | undefined, life: Promise<void>): Promise<void> {
  const death = new Promise<void>((resolve) => {
    if (mortal !== undefined) mortal.onDeath = resolve
  })
  await Promise.race([death, life])
}

/** The planner of the world, to which the holds of the dead ones fall. */
function freed(): Pick<Planner, 'tick'> {
  return {
    tick: async () => {
      await world.store.plans.freeLeases(['test'])
      await world.planner.tick()
    },
  }
}
