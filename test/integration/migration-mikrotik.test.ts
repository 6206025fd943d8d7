import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { BridgeFleet } from '../../src/bridge/index.ts'
import { deviceIdOf } from '../../src/domain/index.ts'
import { type EmulatedRouter, type Fleet, type SimulatedDevice, startRouter } from '../../src/simulator/index.ts'
import { startServedBridge } from '../support/served-bridge.ts'
import { fleetAt } from '../support/simulated-fleet.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface DeviceView {
  id: string
  owner: string
  serial: string
  productClass: string
  binding?: { endpointId: string; proof: string }
  usp?: { linked: boolean }
  cwmp?: { informIntervalS: number }
  readiness?: { class: string; reasons: string[] }
  migration?: { state: string; planId: string }
}
interface RouterView {
  id: string
  agent: boolean
  policy: string
  deviceId?: string
  state?: { reachable: boolean; unfit?: boolean; identity?: { productClass: string } }
}
interface PlanView {
  id: string
  state: string
}
interface MemberView {
  state: string
  reason?: { code: string; text: string }
  history: { to: string; evidence?: Record<string, string> }[]
}

const LOGIN = { username: 'admin', password: '' }
const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
const ROUTERS = 3
let world: ServerWithStore
let call: ServerWithStore['call']
let fleet: Fleet
let bridge: BridgeFleet
let bridgeId = ''
let groupId = ''
const dir = mkdtempSync(join(tmpdir(), 'isthmus-bridge-'))
const emulated: EmulatedRouter[] = []
const weakUser = { name: 'weak', password: 'p', group: ['api', 'read'] }

const cpes = () => fleet.devices.filter(({ identity }) => identity.productClass === 'hAP ac^2')
const gateway = () => fleet.devices.find(({ identity }) => identity.productClass !== 'hAP ac^2') as SimulatedDevice
const idOf = ({ identity }: SimulatedDevice) => deviceIdOf(identity)
const device = async (cpe: SimulatedDevice) =>
  (await call<DeviceView>('GET', `/devices/${encodeURIComponent(idOf(cpe))}`)).body
const readiness = async (cpe: SimulatedDevice) => (await device(cpe)).readiness?.class
const member = async (plan: PlanView, cpe: SimulatedDevice) =>
  (await call<MemberView>('GET', `/plans/${plan.id}/members/${encodeURIComponent(idOf(cpe))}`)).body
const stateOf = async (plan: PlanView, cpe: SimulatedDevice) => (await member(plan, cpe)).state

async function addRouter(router: EmulatedRouter, more: object = {}): Promise<string> {
  const row = { address: '127.0.0.1', port: router.port, transport: 'api', login: LOGIN, ...more }
  return (await call<RouterView>('POST', `/bridges/${bridgeId}/routers`, row)).body.id
}
const row = async (id: string) => (await call<RouterView>('GET', `/bridges/${bridgeId}/routers/${id}`)).body

async function startPlan(settings: object = {}): Promise<PlanView> {
  const quick = { soakMs: 0, retryBackoffMs: 1000, maxAttempts: 1, awaitUspTimeoutMs: 60_000 }
  const { body } = await call<PlanView>('POST', '/plans', {
    name: 'mixed',
    groupId,
    settings: { ...quick, ...settings },
  })
  await call('POST', `/plans/${body.id}/actions/start`, {})
  return body
}

beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'), { plainUsp: 'false' })
  call = world.call
  const { server } = world
  for (let index = 0; index < ROUTERS; index++)
    emulated.push(await startRouter({ index, profile: 'v6.49', users: index === 2 ? [weakUser] : [] }))
  fleet = fleetAt(server, { mix: { dualStack: 1, mikrotikV6: ROUTERS }, tls: true })
  await fleet.start()
  const made = await call<{ id: string; token: string }>('POST', '/bridges', { name: 'pop north' })
  bridgeId = made.body.id
  bridge = await startServedBridge(server.apiUrl, dir, made.body.token)
  groupId = (await call<{ id: string }>('POST', '/groups', { name: 'all', selector: 'oui!=000000' })).body.id
})
afterAll(async () => {
  await bridge?.stop()
  await fleet?.stop(false)
  for (const router of emulated) router.close()
  await world?.stop()
  rmSync(dir, { recursive: true, force: true })
})

describe('a mixed group of a dual-stack gateway and MikroTik routers', () => {
  const rows: string[] = []

  it('has routers that are ready as soon as a bridge reaches them', async () => {
    for (const cpe of cpes()) await until(async () => (await readiness(cpe)) === 'BRIDGE_ONLY', 60_000)
    expect((await device(cpes()[0] as SimulatedDevice)).readiness?.reasons.join()).toMatch(/no bridge has reached it/)
    for (const [index, router] of emulated.entries())
      rows.push(
        await addRouter(
          router,
          index === 2 ? { login: { username: 'weak', password: 'p' }, policy: 'L0' } : { agent: index === 0 },
        ),
      )
    for (const cpe of cpes()) await until(async () => (await readiness(cpe)) === 'READY_BRIDGE', 60_000)
    const { body } = await call<{ classes: { class: string; devices: number }[] }>(
      'GET',
      `/groups/${groupId}/readiness`,
    )
    expect(body.classes).toEqual(
      expect.arrayContaining([expect.objectContaining({ class: 'READY_BRIDGE', devices: ROUTERS })]),
    )
  })

  it('has one record for each router, though CWMP and API spell its model in different ways', async () => {
    const [first, second] = cpes() as [SimulatedDevice, SimulatedDevice]
    await until(async () => (await device(first)).usp?.linked === true, 60_000)
    const { productClass, owner, binding } = await device(first)
    expect({ productClass, owner, proof: binding?.proof }).toEqual({
      productClass: 'hAP ac^2',
      owner: 'cwmp',
      proof: 'bridge',
    })
    const { deviceId, state } = await row(rows[0] ?? '')
    expect(deviceId).toBe(idOf(first))
    expect(state?.identity?.productClass).not.toBe('hAP ac^2')
    // The row of the second says that no Agent runs.
    expect(await row(rows[1] ?? '')).toMatchObject({ agent: false, deviceId: idOf(second), state: { reachable: true } })
    expect((await device(second)).usp?.linked).not.toBe(true)
    const { body } = await call<{ items: DeviceView[] }>('GET', '/devices')
    expect(body.items).toHaveLength(ROUTERS + 1)
  })

  it('is moved by one plan, and brought back by it', async () => {
    const [first, second, weak] = cpes() as [SimulatedDevice, SimulatedDevice, SimulatedDevice]
    const before = first.tree.raw(INTERVAL)
    const plan = await startPlan()
    for (const cpe of [first, second, gateway()])
      await until(async () => (await stateOf(plan, cpe)) === 'MIGRATED', 120_000)
    for (const cpe of [first, second]) {
      expect(await device(cpe)).toMatchObject({ owner: 'usp', binding: { proof: 'bridge' }, usp: { linked: true } })
      expect(cpe.tree.raw(INTERVAL)).toBe('86400')
      const { history } = await member(plan, cpe)
      expect(history.map(({ to }) => to)).toEqual(
        'ELIGIBLE QUEUED PREPARING AWAITING_USP BINDING VERIFYING DUAL RETIRING MIGRATED'.split(' '),
      )
    }
    expect(await row(rows[1] ?? '')).toMatchObject({ agent: true })
    // Its account may only read, and the plan needs more.
    await until(async () => (await stateOf(plan, weak)) === 'QUARANTINED', 60_000)
    const { reason } = await member(plan, weak)
    expect(reason).toMatchObject({ code: 'missingRights', text: expect.stringMatching(/lacks the right `write`/) })
    expect(await row(rows[2] ?? '')).toMatchObject({ agent: false, policy: 'L0' })

    await call('POST', `/plans/${plan.id}/actions/rollback`, {})
    for (const cpe of [first, second, gateway()])
      await until(async () => (await stateOf(plan, cpe)) === 'ROLLED_BACK', 120_000)
    for (const [index, cpe] of [first, second].entries()) {
      expect(await device(cpe)).toMatchObject({ owner: 'cwmp', usp: { linked: false } })
      expect(cpe.tree.raw(INTERVAL)).toBe(before)
      expect(await row(rows[index] ?? '')).toMatchObject({ agent: false, state: { reachable: true } })
      expect(await readiness(cpe)).toBe('READY_BRIDGE')
    }
    expect(bridge.counts.linked).toBe(0)
  })

  it('is not ready while its bridge does not reach it, or has it no more', async () => {
    const [first, second] = cpes() as [SimulatedDevice, SimulatedDevice]
    emulated[0]?.close()
    await until(async () => (await readiness(first)) === 'BRIDGE_ONLY', 60_000)
    expect((await device(first)).readiness?.reasons.join()).toMatch(/does not reach it now/)
    await call('DELETE', `/bridges/${bridgeId}/routers/${rows[1]}`)
    await until(async () => (await readiness(second)) === 'BRIDGE_ONLY', 60_000)
  })
})
