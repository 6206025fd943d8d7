import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Device, type DeviceId, deviceIdOf, type EndpointId, type ParameterWrite } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores, createDevice } from '../support/both-stores.ts'

const CONFLICT = { code: 'conflict' }
const bound = (endpointId: string) => ({ endpointId: endpointId as EndpointId, proof: 'bound' as const, at: 1 })

function idOf(serial: string): DeviceId {
  return deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial })
}

describe.each(BOTH_STORES)('devices %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  const create = (serial: string, more: Partial<Device> = {}): Promise<DeviceId> => createDevice(stores, serial, more)
  const idsOf = async (batchSize: number, after?: string): Promise<DeviceId[][]> => {
    const batches: DeviceId[][] = []
    for await (const batch of stores.devices.ids(undefined, batchSize, after)) batches.push(batch)
    return batches
  }

  it('are created once, and read as they were given', async () => {
    const id = await create('1')
    await expect(create('1')).rejects.toMatchObject(CONFLICT)
    expect(await stores.devices.get(id)).toMatchObject({ id, owner: 'cwmp', serial: '1' })
    expect(await stores.devices.get(idOf('2'))).toBeUndefined()
  })

  it('change under what was read: revision, work, owner', async () => {
    const id = await create('1')
    const { revision = 0 } = (await stores.devices.get(id)) ?? {}
    await stores.devices.commit({ deviceId: id, set: { tags: ['a'] }, newRevision: true as const, guard: { revision } })
    const late = { deviceId: id, set: { tags: ['b'] }, newRevision: true as const, guard: { revision } }
    await expect(stores.devices.commit(late)).rejects.toMatchObject(CONFLICT)
    const work = { deviceId: id, countWork: true as const, guard: { workSeq: 0 } }
    await stores.devices.commit(work)
    await expect(stores.devices.commit(work)).rejects.toMatchObject(CONFLICT)
    const owner = { deviceId: id, set: { tags: ['c'] }, guard: { owner: 'usp' as const } }
    await expect(stores.devices.commit(owner)).rejects.toMatchObject(CONFLICT)
    expect(await stores.devices.get(id)).toMatchObject({ tags: ['a'], revision: revision + 1, work: { seq: 1 } })
  })

  it('that are not there refuse a change, and its events are not appended', async () => {
    const event = { type: 'device.booted' as const, at: 1, deviceId: idOf('1'), data: {} }
    const change = { deviceId: idOf('1'), set: { tags: ['a'] }, events: [event] }
    await expect(stores.devices.commit(change)).rejects.toMatchObject(CONFLICT)
    expect(await stores.events.ofDevice(idOf('1'), undefined, 9)).toEqual([])
  })

  it('share no Endpoint ID, and are found by it', async () => {
    const [one, two] = [await create('1'), await create('2')]
    await stores.devices.commit({ deviceId: one, set: { binding: bound('os::0C96BF-1') } })
    const taken = { deviceId: two, set: { binding: bound('os::0C96BF-1') } }
    await expect(stores.devices.commit(taken)).rejects.toMatchObject(CONFLICT)
    expect((await stores.devices.findByEndpoint('os::0C96BF-1' as EndpointId))?.id).toBe(one)
    expect(await stores.devices.findByEndpoint('os::0C96BF-2' as EndpointId)).toBeUndefined()
  })

  it('are streamed in the order of their ids, in batches, behind a given one', async () => {
    for (const serial of ['3', '1', '2']) await create(serial)
    expect(await idsOf(2)).toEqual([[idOf('1'), idOf('2')], [idOf('3')]])
    expect(await idsOf(2, idOf('1'))).toEqual([[idOf('2'), idOf('3')]])
    expect(await stores.devices.count(undefined, 2)).toBe(2)
  })

  it('take parameters with their record, and lose those that are dropped', async () => {
    const id = await create('1')
    const write = (path: string, more: Partial<ParameterWrite> = {}): ParameterWrite => ({
      path,
      value: '1',
      type: 'string',
      source: 'cwmp',
      collectedAt: 1,
      ...more,
    })
    const first = [write('Device.A.1.B', { type: 'int', writable: true }), write('Device.A.2.B'), write('Device.C')]
    await stores.devices.commit({ deviceId: id, parameters: first })
    // A write without a type or without the right to write keeps the stored one.
    const again = write('Device.A.1.B', { type: 'unknown', value: '2' })
    await stores.devices.commit({ deviceId: id, parameters: [again] })
    expect(await stores.parameters.getMany(id, ['Device.A.1.B', 'Device.None'])).toMatchObject([
      { path: 'Device.A.1.B', value: '2', type: 'int', writable: true },
    ])
    await stores.devices.commit({ deviceId: id, dropSubtrees: ['Device.A.1.'], dropParameters: ['Device.C'] })
    expect((await stores.parameters.list(id, '', 9)).items.map(({ path }) => path)).toEqual(['Device.A.2.B'])
    expect(await stores.devices.delete(id)).toBe(true)
    expect(await stores.devices.delete(id)).toBe(false)
    expect((await stores.parameters.list(id, '', 9)).items).toEqual([])
  })

  it('whose links an instance held are unlinked, with the reason', async () => {
    const id = await create('1')
    const usp = { 'usp.linked': true, 'usp.answering': true, 'usp.instance': 'a', 'usp.connectedAt': 5 } as const
    await stores.devices.commit({ deviceId: id, set: usp })
    const linked: unknown[] = []
    for await (const batch of stores.devices.linkedTo('a', 9)) linked.push(...batch)
    expect(linked).toEqual([{ id, connectedAt: 5 }])
    expect(await stores.devices.unlinkAll('b', [], 9)).toBe(0)
    expect(await stores.devices.unlinkAll(undefined, ['a'], 9)).toBe(0)
    expect(await stores.devices.unlinkAll('a', [], 9)).toBe(1)
    const lastDisconnect = { at: 9, reason: 'goingAway' }
    expect((await stores.devices.get(id))?.usp).toMatchObject({ linked: false, answering: false, lastDisconnect })
  })
})
