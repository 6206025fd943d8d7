import { afterEach, describe, expect, inject, it } from 'vitest'
import type { Plan, PlanSettings } from '../../src/domain/index.ts'
import type { SimulatedDevice } from '../../src/simulator/index.ts'
import { ANN } from '../support/actors.ts'
import { Balancer } from '../support/balancer.ts'
import { type MigrationWorld, migrationWorld, type WorldOptions } from '../support/migration-world.ts'
import { until } from '../support/until.ts'

const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
const OUT_OF_PATIENCE_MS = 700_000

let world: MigrationWorld
afterEach(() => world?.stop())

async function start(options: WorldOptions): Promise<SimulatedDevice> {
  world = await migrationWorld(inject('mongodbUri'), options)
  const [cpe] = world.cpes
  if (cpe === undefined) throw new Error('no device')
  return cpe
}

/** A plan over all devices, started. */
async function migrate(settings: Partial<PlanSettings> = {}): Promise<Plan> {
  const plan = await world.plan({ maxAttempts: 1, ...settings })
  await world.planner.act(plan.id, 'start', ANN)
  return plan
}

const isIn = (plan: Plan, cpe: SimulatedDevice, state: string) =>
  world.until(async () => (await world.member(plan, cpe)).state === state)
const story = async (plan: Plan, cpe: SimulatedDevice) =>
  (await world.member(plan, cpe)).history.map(({ event }) => event)

/** Ends what waits for the device, as after a long absence. */
async function outOfPatience(cpe: SimulatedDevice): Promise<void> {
  world.pass(OUT_OF_PATIENCE_MS)
  const { id } = await world.device(cpe)
  const waiting = { deviceId: id, state: 'queued' }
  await world.store.db.collection('operations').updateMany(waiting, { $set: { expiresAt: Date.now() - 1 } })
  await world.operations.recovery.expireQueued()
}

describe('CWMP that falls silent when it is to go dormant', () => {
  it('leaves the device on USP, where it works, until it comes', async () => {
    const cwmp = new Balancer()
    const cpe = await start({ cwmp })
    world.store.events.onAppended((events) => {
      if (events.some(({ type, data }) => type === 'member.changed' && data.to === 'RETIRING')) cwmp.cut()
    })
    const plan = await migrate()
    await isIn(plan, cpe, 'RETIRING')
    await world.until(async () => (await world.member(plan, cpe)).waiting === 'offline')
    await outOfPatience(cpe)
    await world.until(async () => ((await world.member(plan, cpe)).facts.cwmpAsked ?? 0) > 0)
    expect(await world.member(plan, cpe)).toMatchObject({ state: 'RETIRING' })
    const { id, owner } = await world.device(cpe)
    expect(owner).toBe('usp')
    const { id: setId } = await world.operations.submit({
      deviceId: id,
      request: { verb: 'set', values: [{ path: 'Device.DeviceInfo.ProvisioningCode', value: 'here' }] },
      actor: { kind: 'apiKey', id: 'test' },
    })
    expect(await world.operations.wait(setId, 30_000)).toMatchObject({ state: 'done', sentVia: 'usp' })
    cwmp.heal()
    await isIn(plan, cpe, 'MIGRATED')
    expect(await story(plan, cpe)).not.toContain('fail')
    expect(cpe.tree.raw(INTERVAL)).toBe('86400')
  })
})

describe('an Agent that keeps the link of a Controller it has no more', () => {
  it('is rolled back, its link ends, and a second plan moves the device', async () => {
    const cpe = await start({ faults: ['deaf'] })
    const first = await migrate()
    await isIn(first, cpe, 'MIGRATED')
    await world.planner.act(first.id, 'rollback', ANN)
    await isIn(first, cpe, 'ROLLED_BACK')
    expect(cpe.controllerRows()).toEqual([])
    expect(cpe.deafLinks).toBe(0)
    expect((await world.device(cpe)).usp).toMatchObject({ linked: false })
    const group = await world.planner.get(first.id)
    const second = await world.planner.create({ name: 'again', groupId: group.groupId, settings: first.settings }, ANN)
    await world.planner.act(second.id, 'start', ANN)
    await isIn(second, cpe, 'MIGRATED')
    expect(cpe.controllerRows()).toHaveLength(1)
  })

  it('and falls silent by that during the soak is not migrated, and its link ends', async () => {
    const cpe = await start({ faults: ['deaf'] })
    const plan = await migrate({ soakMs: 3_600_000 })
    await isIn(plan, cpe, 'DUAL')
    await world.until(async () => (await world.member(plan, cpe)).waiting === 'soak')
    // Somebody deletes the row on the device.
    for (const row of cpe.controllerRows()) cpe.tree.deleteRow(row, 'device')
    await until(() => cpe.deafLinks === 1)
    world.pass(31_000)
    await world.until(async () => (await world.member(plan, cpe)).waiting === 'agent')
    world.pass(100_000)
    await isIn(plan, cpe, 'QUARANTINED')
    expect((await world.member(plan, cpe)).reason).toMatchObject({ code: 'linkLost' })
    expect(await story(plan, cpe)).not.toContain('retired')
    expect((await world.device(cpe)).owner).toBe('cwmp')
    await until(async () => (await world.device(cpe)).usp?.linked === false)
    expect(cpe.tree.raw(INTERVAL)).toBe('300')
  })
})

describe('a device whose USP link is held by another instance', () => {
  it.each([[[]], [['noTimer']]] as const)(
    'is moved, and its Notify counts wherever it was received (%j)',
    async (faults) => {
      const cpe = await start({ uspElsewhere: true, ...(faults.length === 0 ? {} : { faults }) })
      const plan = await migrate()
      await isIn(plan, cpe, 'MIGRATED')
      const { history } = await world.member(plan, cpe)
      const notified = history.find(({ event }) => event === 'verified')?.evidence?.notified
      expect(notified).toMatch(faults.length === 0 ? /OperationComplete/ : /ValueChange/)
      expect((await world.device(cpe)).usp).toMatchObject({ linked: true, instance: 'far' })
    },
  )

  it('loses that link with its rollback, also when its Agent keeps it and ignores all that is said', async () => {
    const cpe = await start({ uspElsewhere: true, faults: ['deaf'] })
    const plan = await migrate({ retire: 'none' })
    await isIn(plan, cpe, 'MIGRATED')
    // Somebody deletes the row on the device.
    for (const row of cpe.controllerRows()) cpe.tree.deleteRow(row, 'device')
    await until(() => cpe.deafLinks === 1)
    await world.planner.act(plan.id, 'rollback', ANN)
    await isIn(plan, cpe, 'ROLLED_BACK')
    const { id, usp } = await world.device(cpe)
    expect(usp).toMatchObject({ linked: false })
    expect(usp?.lastDisconnect?.reason).toBe('rolledBack')
    await until(() => cpe.deafLinks === 0)
    const events = await world.store.events.ofDevice(id, '', 1000)
    expect(events.filter(({ type }) => type === 'device.linkReleased')).toHaveLength(1)
  })
})
