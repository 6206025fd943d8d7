import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { silentLog, systemClock } from '../../src/base/index.ts'
import {
  type Device,
  type DeviceId,
  deviceIdOf,
  informChange,
  newDevice,
  type ParameterWrite,
} from '../../src/domain/index.ts'
import { ReadinessKeeper } from '../../src/planner/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'
import { startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

const identity = (serial: string) => ({ oui: '0C96BF', productClass: 'CPE', serial })
const idOf = (serial: string) => deviceIdOf(identity(serial))

function cpe(serial: string, more: Partial<Device> = {}): Device {
  return { ...newDevice(idOf(serial), identity(serial), 'cwmp', 1), root: 'Device.', model: 'M1', ...more }
}

function parameter(path: string, value: string): ParameterWrite {
  return { path, value, type: 'string', source: 'cwmp', collectedAt: 1 }
}

const agentOf = (id: DeviceId) => parameter('Device.USPAgent.EndpointID', `os::${id}`)
const discovered = (discoveredFor: string) => ({ lastInformAt: 1, events: [], version: '1.4', discoveredFor })

describe('readiness', () => {
  let store: Store
  let keeper: ReadinessKeeper
  beforeEach(async () => {
    store = await testStore(inject('mongodbUri'))
    keeper = keeperOf(store)
    await keeper.start()
  })
  afterEach(async () => {
    await keeper.stop()
    await store.close()
  })

  const keeperOf = (of: Store) => new ReadinessKeeper({ ...of, clock: systemClock, log: silentLog })
  const readiness = async (id: DeviceId) => (await store.devices.get(id))?.readiness
  const becomes = (id: DeviceId, found: string) => until(async () => (await readiness(id))?.class === found)

  it('follows the record of a device from its first Inform on, without a plan', async () => {
    const { id } = cpe('1')
    await store.devices.commit({ deviceId: id, create: cpe('1') })
    await becomes(id, 'UNKNOWN')
    await store.devices.commit({ deviceId: id, parameters: [agentOf(id)] })
    await becomes(id, 'READY_STANDARD')
    await store.devices.commit({ deviceId: id, parameters: [parameter('Device.USPAgent.SupportedProtocols', 'MQTT')] })
    await becomes(id, 'NEEDS_DATA_MODEL')
    await store.devices.commit({ deviceId: id, dropSubtrees: ['Device.USPAgent.'] })
    await becomes(id, 'UNKNOWN')
    await store.devices.commit({
      deviceId: id,
      set: { softwareVersion: '1.0', 'cwmp.discoveredFor': '1.0', 'cwmp.lastInformAt': 1 },
    })
    await becomes(id, 'NEEDS_DATA_MODEL')
    // Nothing is known of another firmware.
    await store.devices.commit({ deviceId: id, set: { softwareVersion: '2.0' } })
    await becomes(id, 'UNKNOWN')
    await store.devices.commit({ deviceId: id, set: { manufacturer: 'MikroTik' } })
    await becomes(id, 'BRIDGE_ONLY')
  })

  it('costs a periodic Inform nothing', async () => {
    const inform = (at: number) => ({
      identity: identity('1'),
      manufacturer: 'Acme',
      events: [{ code: '2 PERIODIC', commandKey: '' }],
      parameters: [
        { name: 'Device.DeviceInfo.SoftwareVersion', value: '1.0', type: 'string' as const },
        { name: 'Device.DeviceInfo.UpTime', value: String(at), type: 'unsignedInt' as const },
      ],
      version: '1.4',
    })
    const id = idOf('1')
    await store.devices.commit(informChange(undefined, inform(1), 1))
    await becomes(id, 'UNKNOWN')
    const informs = async (from: number) => {
      const before = [...store.commands.values()].reduce((sum, n) => sum + n, 0)
      for (let i = 0; i < 5; i++)
        await store.devices.commit(informChange(await store.devices.get(id), inform(from + i), from + i))
      // Whatever they had begun would have been done by now: a later change is.
      await store.devices.commit({ deviceId: id, parameters: [parameter('Device.X', String(from))] })
      return [...store.commands.values()].reduce((sum, n) => sum + n, 0) - before
    }
    const kept = await readiness(id)
    const withKeeper = await informs(10)
    await keeper.stop()
    expect(await informs(20)).toBe(withKeeper)
    expect(await readiness(id)).toEqual(kept)
  })

  it('of devices that change together is worked out together, and is written only where it differs', async () => {
    const ids = Array.from({ length: 200 }, (_, i) => idOf(`S${i}`))
    await Promise.all(ids.map((id, i) => store.devices.commit({ deviceId: id, create: cpe(`S${i}`) })))
    await until(async () => (await store.fleet.readiness(undefined, 10)).every((row) => row.class === 'UNKNOWN'))
    const revised = await Promise.all(ids.map((id) => store.devices.get(id)))
    await keeper.stop()
    const again = keeperOf(store)
    const before = store.commands.get('find') ?? 0
    await again.sweep()
    expect((store.commands.get('find') ?? 0) - before).toBeLessThan(10)
    expect(await Promise.all(ids.map((id) => store.devices.get(id)))).toEqual(revised)
  })

  it('that was never worked out, or differs from its record, is found by a sweep', async () => {
    await keeper.stop()
    const never = cpe('never')
    const other = cpe('other', {
      readiness: { class: 'UNKNOWN', reasons: ['as it was seen before'], evidence: {}, at: 1 },
    })
    for (const create of [never, other]) {
      await store.devices.commit({ deviceId: create.id, create })
      await store.devices.commit({ deviceId: create.id, parameters: [agentOf(create.id)] })
    }
    const sweeping = keeperOf(store)
    await sweeping.sweep()
    expect(await readiness(never.id)).toMatchObject({ class: 'READY_STANDARD' })
    expect(await readiness(other.id)).toMatchObject({ class: 'READY_STANDARD' })
    // The slow part goes over all devices once a day; what was never judged is found each time.
    const late = cpe('late')
    await store.devices.commit({ deviceId: late.id, create: late })
    await store.devices.commit({ deviceId: other.id, dropParameters: ['Device.USPAgent.EndpointID'] })
    await sweeping.sweep()
    expect(await readiness(late.id)).toMatchObject({ class: 'UNKNOWN' })
    expect(await readiness(other.id)).toMatchObject({ class: 'READY_STANDARD' })
  })

  it('does not bring back a device that was deleted meanwhile', async () => {
    const { id } = cpe('1')
    await store.devices.commit({ deviceId: id, create: cpe('1') })
    await store.devices.delete(id)
    await store.devices.commit({ deviceId: idOf('2'), create: cpe('2') })
    await becomes(idOf('2'), 'UNKNOWN')
    expect(await store.devices.get(id)).toBeUndefined()
  })
})

it('is counted per group and for all devices, by class, model and firmware', async () => {
  const { store, call, stop } = await startServerWithStore(inject('mongodbUri'))
  try {
    const add = async (serial: string, more: Partial<Device>, agent: boolean) => {
      const create = cpe(serial, more)
      await store.devices.commit({ deviceId: create.id, create })
      if (agent) await store.devices.commit({ deviceId: create.id, parameters: [agentOf(create.id)] })
    }
    const cwmp = discovered('1.0')
    await add('1', { manufacturer: 'Acme', softwareVersion: '1.0', cwmp }, true)
    await add('2', { manufacturer: 'Acme', softwareVersion: '1.0', cwmp }, true)
    await add('3', { manufacturer: 'Acme', softwareVersion: '1.0', cwmp, owner: 'usp' }, true)
    await add('4', { manufacturer: 'Acme', softwareVersion: '0.9', cwmp: discovered('0.9') }, false)
    await add('5', { manufacturer: 'Other', softwareVersion: '0.9' }, false)
    const { body: group } = await call<{ id: string }>('POST', '/groups', {
      name: 'acme',
      selector: 'manufacturer==Acme',
    })
    // Another process wrote the devices: their readiness comes with the sweep of the server, or with their members.
    await new ReadinessKeeper({ ...store, clock: systemClock, log: silentLog }).sweep()
    const { status, body } = await call('GET', `/groups/${group.id}/readiness`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ groupId: group.id, name: 'acme', devices: 4, onUsp: 1 })
    expect(body.classes).toEqual([
      {
        class: 'READY_STANDARD',
        devices: 3,
        onUsp: 1,
        reasons: [{ text: 'it shows the Endpoint ID of an Agent', devices: 3 }],
      },
      {
        class: 'NEEDS_DATA_MODEL',
        devices: 1,
        onUsp: 0,
        reasons: [{ text: 'the device has no Device.USPAgent.', devices: 1 }],
      },
    ])
    expect(body.firmwares).toMatchObject([
      { manufacturer: 'Acme', model: 'M1', softwareVersion: '1.0', devices: 3, classes: { READY_STANDARD: 3 } },
      { manufacturer: 'Acme', model: 'M1', softwareVersion: '0.9', devices: 1, classes: { NEEDS_DATA_MODEL: 1 } },
    ])
    expect(Date.parse(String(body.countedAt))).toBeGreaterThan(0)
    const all = await call<{ devices: number; firmwares: unknown[] }>('GET', '/readiness?limit=1')
    expect(all.body).toMatchObject({ devices: 5, truncated: true })
    expect(all.body.firmwares).toHaveLength(1)
    expect((await call('GET', '/groups/none/readiness')).status).toBe(404)
    expect((await call('GET', '/readiness?limit=0')).status).toBe(400)
  } finally {
    await stop()
  }
})
