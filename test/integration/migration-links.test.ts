import { afterEach, describe, expect, inject, it } from 'vitest'
import type { Plan, PlanSettings } from '../../src/domain/index.ts'
import type { SimulatedDevice } from '../../src/simulator/index.ts'
import { Balancer } from '../support/balancer.ts'
import { type MigrationWorld, migrationWorld, type WorldOptions } from '../support/migration-world.ts'
import { until } from '../support/until.ts'

const INTERVAL = 'Device.ManagementServer.PeriodicInformInterval'
const OUT_OF_PATIENCE_MS = 700_000

let world: MigrationWorld
afterEach(() => world?.stop())

async function start(options: WorldOptions): Promise<SimulatedDevice> {
  world = await migrationWorld(inject('mongodbUri'), options)
  const [box] = world.boxes
  if (box === undefined) throw new Error('no box')
  return box
}

/** A plan over all boxes, started. */
async function migrate(settings: Partial<PlanSettings> = {}): Promise<Plan> {
  const plan = await world.plan({ maxAttempts: 1, ...settings })
  await world.planner.act(plan.id, 'start', 'test')
  return plan
}

const isIn = (plan: Plan, box: SimulatedDevice, state: string) =>
  world.until(async () => (await world.member(plan, box)).state === state)
const story = async (plan: Plan, box: SimulatedDevice) =>
  (await world.member(plan, box)).history.map(({ event }) => event)

/** Ends what waits for the device, as after a long absence. */
async function outOfPatience(box: SimulatedDevice): Promise<void> {
  world.pass(OUT_OF_PATIENCE_MS)
  const { id } = await world.device(box)
  const waiting = { deviceId: id, state: 'queued' }
  await world.store.db.collection('operations').updateMany(waiting, { $set: { expiresAt: Date.now() - 1 } })
  await world.operations.recovery.expireQueued()
}

describe('CWMP that falls silent when it is to go dormant', { timeout: 120_000 }, () => {
  it('leaves the device on USP, where it works, until it comes', async () => {
    const cwmp = new Balancer()
    const box = await start({ cwmp })
    world.store.events.onAppended((events) => {
      if (events.some(({ type, data }) => type === 'member.changed' && data.to === 'RETIRING')) cwmp.cut()
    })
    const plan = await migrate()
    await isIn(plan, box, 'RETIRING')
    await world.until(async () => (await world.member(plan, box)).waiting === 'offline')
    await outOfPatience(box)
    await world.until(async () => ((await world.member(plan, box)).facts.cwmpAsked ?? 0) > 0)
    expect(await world.member(plan, box)).toMatchObject({ state: 'RETIRING' })
    const { id, owner } = await world.device(box)
    expect(owner).toBe('usp')
    const { id: setId } = await world.operations.submit({
      deviceId: id,
      request: { verb: 'set', values: [{ path: 'Device.DeviceInfo.ProvisioningCode', value: 'here' }] },
      actor: { kind: 'apiKey', id: 'test' },
    })
    expect(await world.operations.wait(setId, 30_000)).toMatchObject({ state: 'done', sentVia: 'usp' })
    cwmp.heal()
    await isIn(plan, box, 'MIGRATED')
    expect(await story(plan, box)).not.toContain('fail')
    expect(box.tree.raw(INTERVAL)).toBe('86400')
  })
})

describe('an Agent that keeps the link of a Controller it has no more', { timeout: 120_000 }, () => {
  it('is rolled back, its link ends, and a second plan moves the device', async () => {
    const box = await start({ faults: ['deaf'] })
    const first = await migrate()
    await isIn(first, box, 'MIGRATED')
    await world.planner.act(first.id, 'rollback', 'test')
    await isIn(first, box, 'ROLLED_BACK')
    expect(box.controllerRows()).toEqual([])
    expect(box.deafLinks).toBe(0)
    expect((await world.device(box)).usp).toMatchObject({ linked: false })
    const group = await world.planner.get(first.id)
    const second = await world.planner.create(
      { name: 'again', groupId: group.groupId, settings: first.settings },
      'test',
    )
    await world.planner.act(second.id, 'start', 'test')
    await isIn(second, box, 'MIGRATED')
    expect(box.controllerRows()).toHaveLength(1)
  })

  it('and falls silent by that during the soak is not migrated, and its link ends', async () => {
    const box = await start({ faults: ['deaf'] })
    const plan = await migrate({ soakMs: 3_600_000 })
    await isIn(plan, box, 'DUAL')
    await world.until(async () => (await world.member(plan, box)).waiting === 'soak')
    // Somebody deletes the row on the device.
    for (const row of box.controllerRows()) box.tree.deleteRow(row, 'device')
    await until(() => box.deafLinks === 1)
    world.pass(31_000)
    await world.until(async () => (await world.member(plan, box)).waiting === 'agent')
    world.pass(100_000)
    await isIn(plan, box, 'QUARANTINED')
    expect((await world.member(plan, box)).reason).toMatchObject({ code: 'linkLost' })
    expect(await story(plan, box)).not.toContain('retired')
    expect((await world.device(box)).owner).toBe('cwmp')
    await until(async () => (await world.device(box)).usp?.linked === false)
    expect(box.tree.raw(INTERVAL)).toBe('300')
  })
})

describe('a device whose USP link is held by another instance', { timeout: 120_000 }, () => {
  it.each([[[]], [['noTimer']]] as const)(
    'is moved, and its Notify counts wherever it was received (%j)',
    async (faults) => {
      const box = await start({ uspElsewhere: true, ...(faults.length === 0 ? {} : { faults }) })
      const plan = await migrate()
      await isIn(plan, box, 'MIGRATED')
      const { history } = await world.member(plan, box)
      const notified = history.find(({ event }) => event === 'verified')?.evidence?.notified
      expect(notified).toMatch(faults.length === 0 ? /OperationComplete/ : /ValueChange/)
      expect((await world.device(box)).usp).toMatchObject({ linked: true, instance: 'far' })
    },
  )

  it('loses that link with its rollback, also when its Agent keeps it and ignores all that is said', async () => {
    const box = await start({ uspElsewhere: true, faults: ['deaf'] })
    const plan = await migrate({ retire: 'none' })
    await isIn(plan, box, 'MIGRATED')
    // Somebody deletes the row on the device.
    for (const row of box.controllerRows()) box.tree.deleteRow(row, 'box')
    await until(() => box.deafLinks === 1)
    await world.planner.act(plan.id, 'rollback', 'test')
    await isIn(plan, box, 'ROLLED_BACK')
    const { id, usp } = await world.device(box)
    expect(usp).toMatchObject({ linked: false })
    expect(usp?.lastDisconnect?.reason).toBe('rolledBack')
    await until(() => box.deafLinks === 0)
    const events = await world.store.events.ofDevice(id, '', 1000)
    expect(events.filter(({ type }) => type === 'device.linkReleased')).toHaveLength(1)
  })
})
