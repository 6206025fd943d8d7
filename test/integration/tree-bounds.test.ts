import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type DeviceId, deviceIdOf, newDevice, type ParameterWrite } from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { testStore } from '../support/store.ts'

const HOUR_MS = 3_600_000
const clock = createManualClock(1_700_000_000_000)
const treeLimits = { perDevice: 100, perObject: 40 }
let store: Store & { databaseName: string }
beforeAll(async () => {
  store = await testStore(inject('mongodbUri'), { clock, treeLimits })
})
const opened: Store[] = []
afterAll(async () => {
  for (const other of opened) await other.close()
  await store?.close()
})

let serial = 0
async function device(): Promise<DeviceId> {
  const identity = { oui: '00256D', productClass: 'Box', serial: `TB${serial++}` }
  const id = deviceIdOf(identity)
  await store.devices.commit({ deviceId: id, create: newDevice(id, identity, 'cwmp', clock.now()) })
  return id
}

/** Values of `count` parameters of an object, from the number `first` on. */
function leaves(object: string, first: number, count: number, value = 'v'): ParameterWrite[] {
  return Array.from({ length: count }, (_, n) => ({
    path: `${object}P${first + n}`,
    value,
    type: 'string',
    source: 'cwmp',
    collectedAt: clock.now(),
  }))
}

const report = (deviceId: DeviceId, parameters: ParameterWrite[]) => store.devices.commit({ deviceId, parameters })

async function kept(id: DeviceId, prefix = ''): Promise<string[]> {
  return (await store.parameters.list(id, prefix, 10_000)).items.map(({ path }) => path)
}

async function events(id: DeviceId) {
  const found = await store.events.since(undefined, 10_000)
  return found.filter(({ type, deviceId }) => type === 'device.objectCut' && deviceId === id)
}

describe('the tree of a device', () => {
  it('takes no more new parameters than its limit over many reports, and still takes values of those it has', async () => {
    const id = await device()
    for (let n = 0; n < 30; n++) await report(id, leaves(`Device.X_A.${n}.`, 0, 10))
    expect(await kept(id)).toHaveLength(100)
    await report(id, [...leaves('Device.X_A.0.', 0, 10, 'new'), ...leaves('Device.X_B.', 0, 10)])
    expect(await kept(id)).toHaveLength(100)
    expect((await store.parameters.getMany(id, ['Device.X_A.0.P3']))[0]).toMatchObject({ value: 'new' })
  })

  it('says in the record, and with one event an hour, that parameters were left out', async () => {
    const id = await device()
    for (let n = 0; n < 20; n++) await report(id, leaves(`Device.X_A.${n}.`, 0, 10))
    const data = { object: 'Device.X_A.10.', parameters: 10, kept: 0 }
    expect(await events(id)).toMatchObject([{ data }])
    expect(await store.devices.get(id)).toMatchObject({ parametersCut: { at: clock.now(), ...data } })
    clock.advance(HOUR_MS)
    for (let n = 20; n < 25; n++) await report(id, leaves(`Device.X_A.${n}.`, 0, 10))
    expect(await events(id)).toHaveLength(2)
  })

  it('has room again when a part of it was dropped', async () => {
    const id = await device()
    for (let n = 0; n < 12; n++) await report(id, leaves(`Device.X_A.${n}.`, 0, 10))
    await store.devices.commit({ deviceId: id, dropSubtrees: ['Device.X_A.1.'] })
    await report(id, leaves('Device.X_B.', 0, 20))
    expect(await kept(id, 'Device.X_B.')).toHaveLength(10)
    expect(await kept(id)).toHaveLength(100)
  })

  it('is held within its limit by a server that was started again', async () => {
    const id = await device()
    for (let n = 0; n < 10; n++) await report(id, leaves(`Device.X_A.${n}.`, 0, 10))
    const other = await testStore(inject('mongodbUri'), { clock, treeLimits, databaseName: store.databaseName })
    opened.push(other)
    for (let n = 0; n < 5; n++)
      await other.devices.commit({ deviceId: id, parameters: leaves(`Device.X_B.${n}.`, 0, 10) })
    // One tenth of the limit may be written before the first count.
    expect((await kept(id)).length).toBeLessThanOrEqual(110)
  })

  it('keeps of one object no more than its limit over many reports, and all of the others', async () => {
    const id = await device()
    for (let n = 0; n < 10; n++)
      await report(id, [...leaves('Device.X_A.', n * 10, 10), ...leaves(`Device.X_B.${n}.`, 0, 2)])
    expect(await kept(id, 'Device.X_A.')).toHaveLength(40)
    expect(await kept(id, 'Device.X_B.')).toHaveLength(20)
    expect(await events(id)).toMatchObject([{ data: { object: 'Device.X_A.', parameters: 10, kept: 0 } }])
  })

  it('takes no more from the result of an operation, which ends all the same', async () => {
    const id = await device()
    await report(id, leaves('Device.X_A.', 0, 30))
    const { operation } = await store.operations.create({
      id: `op-${id}`,
      deviceId: id,
      request: { verb: 'reboot' },
      state: 'queued',
      actor: { kind: 'system', id: 'test' },
      createdAt: clock.now(),
      expiresAt: clock.now() + 100,
      attempts: 0,
    })
    const change = { deviceId: id, parameters: leaves('Device.X_A.', 30, 30) }
    const ending = { state: 'done' as const, at: clock.now(), change }
    expect(await store.operations.finish(operation.id, ['queued'], ending)).toBe(true)
    expect(await kept(id)).toHaveLength(40)
    expect(await events(id)).toMatchObject([{ data: { object: 'Device.X_A.', parameters: 30, kept: 10 } }])
    expect((await store.operations.get(operation.id))?.state).toBe('done')
  })

  it('notes what was left out of the first report in the record that this report makes', async () => {
    const identity = { oui: '00256D', productClass: 'Box', serial: `TB${serial++}` }
    const id = deviceIdOf(identity)
    const create = newDevice(id, identity, 'cwmp', clock.now())
    await store.devices.commit({ deviceId: id, create, parameters: leaves('Device.X_A.', 0, 60) })
    expect(await kept(id)).toHaveLength(40)
    expect(await store.devices.get(id)).toMatchObject({ parametersCut: { parameters: 60, kept: 40 } })
  })
})

describe('an object of a device that reports many long values in many reports', () => {
  it('is never refused, and stays far below the size of a document', async () => {
    const large = await testStore(inject('mongodbUri'), { clock })
    const identity = { oui: '00256D', productClass: 'Box', serial: `TB${serial++}` }
    const id = deviceIdOf(identity)
    await large.devices.commit({ deviceId: id, create: newDevice(id, identity, 'cwmp', clock.now()) })
    for (let n = 0; n < 20; n++)
      await large.devices.commit({ deviceId: id, parameters: leaves('Device.X_A.', n * 350, 350, 'x'.repeat(500)) })
    expect((await large.parameters.list(id, '', 100_000)).items).toHaveLength(2000)
    await large.close()
  })
})
