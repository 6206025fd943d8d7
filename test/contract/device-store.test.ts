import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Device,
  type DeviceId,
  deviceIdOf,
  type EndpointId,
  newDevice,
  type ParameterWrite,
  parseSelector,
  type Selector,
  searchSelector,
} from '../../src/domain/index.ts'
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

  it('take the time of a contact and are read in one step; one that is not there stays so', async () => {
    const id = await create('1')
    const contacted = await stores.devices.contacted(id, 5)
    expect(contacted).toMatchObject({ id, serial: '1', cwmp: { lastInformAt: 5 } })
    expect(await stores.devices.get(id)).toEqual(contacted)
    expect(await stores.devices.contacted(idOf('2'), 5)).toBeUndefined()
    expect(await stores.devices.get(idOf('2'))).toBeUndefined()
  })

  it('have whole facts of CWMP from the first contact on, also where they were known over USP alone', async () => {
    const id = idOf('usp')
    const identity = { oui: '0C96BF', productClass: 'Gateway', serial: 'usp' }
    const { cwmp: _none, ...record } = newDevice(id, identity, 'usp', 1)
    await stores.devices.commit({ deviceId: id, create: record })
    const facts = { lastInformAt: 5, events: [], version: '1.0' }
    expect((await stores.devices.contacted(id, 5))?.cwmp).toEqual(facts)
    expect((await stores.devices.get(id))?.cwmp).toEqual(facts)
    expect((await stores.devices.list({ limit: 10 })).items.map(({ cwmp }) => cwmp)).toContainEqual(facts)
    await stores.devices.commit({ deviceId: id, set: { 'cwmp.events': ['2 PERIODIC'] } })
    expect((await stores.devices.get(id))?.cwmp).toEqual({ ...facts, events: ['2 PERIODIC'] })
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

  const reports = (values: Record<string, string>): ParameterWrite[] =>
    Object.entries(values).map(([path, value]) => ({
      path,
      value,
      type: 'string',
      source: 'cwmp',
      collectedAt: 1_000_000,
    }))
  const found = async (selector: Selector) =>
    (await stores.devices.list({ selector, limit: 9 })).items.map(({ serial }) => serial)

  it('have facts that follow their parameters in the same commit', async () => {
    const id = await create('1')
    const rows = {
      'Device.IP.Interface.1.LowerLayers': 'Device.PPP.Interface.1',
      'Device.IP.Interface.1.IPv4Address.1.IPAddress': '100.64.3.9',
      'Device.PPP.Interface.1.Username': 'Ana@isp.example',
      'Device.PPP.Interface.1.ConnectionStatus': 'Connected',
      'Device.Optical.Interface.1.OpticalSignalLevel': '-26500',
      'Device.Optical.Interface.1.Stats.BytesSent': '1',
    }
    await stores.devices.commit({ deviceId: id, parameters: reports(rows) })
    expect(await stores.devices.get(id)).toMatchObject({
      wan: { state: 'Connected', ipAddress: '100.64.3.9', pppUser: 'Ana@isp.example' },
      optical: { rxPowerDbm: -26.5, health: 'warning' },
    })
    // A report of a source, one that moves the connection to another row of parameters, and a row that is gone.
    const level = reports({ 'Device.Optical.Interface.1.OpticalSignalLevel': '-19000' })
    await stores.devices.commit({ deviceId: id, parameters: level })
    const route = reports({ 'Device.Routing.Router.1.IPv4Forwarding.1.Interface': 'Device.IP.Interface.2' })
    const address = reports({ 'Device.IP.Interface.2.IPv4Address.1.IPAddress': '100.64.4.4' })
    await stores.devices.commit({ deviceId: id, parameters: [...route, ...address] })
    const { wan, optical } = (await stores.devices.get(id)) ?? {}
    expect([optical?.rxPowerDbm, optical?.health, wan?.ipAddress, wan?.pppUser]).toEqual([
      -19,
      'good',
      '100.64.4.4',
      undefined,
    ])
    await stores.devices.commit({ deviceId: id, dropSubtrees: ['Device.Optical.'] })
    expect((await stores.devices.get(id))?.optical ?? {}).toEqual({})
  })

  it('have facts at the end of a large read, not of each part of it', async () => {
    const id = await create('1')
    const parts = [{ 'Device.Hosts.Host.1.Active': 'true' }, { 'Device.Hosts.Host.2.Active': 'true' }]
    for (const part of parts) await stores.devices.commit({ deviceId: id, parameters: reports(part), facts: 'later' })
    expect((await stores.devices.get(id))?.lan).toBeUndefined()
    await stores.devices.commit({ deviceId: id, facts: 'all' })
    expect((await stores.devices.get(id))?.lan?.activeHosts).toBe(2)
  })

  it('have facts by a tree that is known, as by the stored one', async () => {
    const id = await create('1')
    const parts = [{ 'Device.Hosts.Host.1.Active': 'true' }, { 'Device.Hosts.Host.2.Active': 'true' }]
    for (const part of parts) await stores.devices.commit({ deviceId: id, parameters: reports(part), facts: 'later' })
    const record = (await stores.devices.get(id)) as Device
    const parameters = parts.flatMap(reports)
    await stores.devices.commit({ deviceId: id, facts: 'all', tree: { record, parameters } })
    expect((await stores.devices.get(id))?.lan?.activeHosts).toBe(2)
  })

  it('are written with the instance map that belongs to their parameters, or not at all', async () => {
    const id = await create('1')
    const instanceMap = { version: 1, map: { version: 1 as const, tables: {} }, models: ['A'], bootstrapAt: 0 }
    await stores.devices.commit({ deviceId: id, set: { label: 'a' }, instanceMap })
    expect(await stores.instanceMaps.get(id)).toEqual(instanceMap)
    const again = { deviceId: id, set: { label: 'b' }, instanceMap }
    await expect(stores.devices.commit(again)).rejects.toMatchObject(CONFLICT)
    const later = { ...instanceMap, version: 3 }
    await expect(stores.devices.commit({ ...again, instanceMap: later })).rejects.toMatchObject(CONFLICT)
    expect((await stores.devices.get(id))?.label).toBe('a')
    const next = { ...instanceMap, version: 2, models: ['B'] }
    await stores.devices.commit({ ...again, instanceMap: next })
    expect(await stores.instanceMaps.get(id)).toEqual(next)
    expect((await stores.devices.get(id))?.label).toBe('b')
  })

  it('keep every fact of reports that are committed at the same time', async () => {
    const id = await create('1')
    const at = 'Device.DeviceInfo.'
    const values = {
      UpTime: '100',
      'ProcessStatus.CPUUsage': '7',
      'MemoryStatus.Total': '100',
      'MemoryStatus.Free': '25',
    }
    await Promise.all(
      Object.entries(values).map(([name, value]) =>
        stores.devices.commit({ deviceId: id, parameters: reports({ [at + name]: value }) }),
      ),
    )
    expect((await stores.devices.get(id))?.system).toMatchObject({
      upSince: 900_000,
      cpuPercent: 7,
      memoryUsedPercent: 75,
    })
  })

  it('are found by what a person knows of them, exactly and by its beginning', async () => {
    const id = await create('ABC123', { tags: ['North'] })
    await create('9', { tags: ['south'] })
    const rows = {
      'Device.NAT.InterfaceSetting.1.Interface': 'Device.IP.Interface.1',
      'Device.IP.Interface.1.LowerLayers': 'Device.PPP.Interface.1, Device.Ethernet.Link.1',
      'Device.IP.Interface.1.IPv4Address.1.IPAddress': '100.64.3.9',
      'Device.PPP.Interface.1.Username': 'Ana@isp.example',
      'Device.Ethernet.Link.1.MACAddress': '0c:96:bf:0a:0b:0c',
      'Device.WiFi.SSID.1.SSID': 'Casa de Ana',
    }
    await stores.devices.commit({ deviceId: id, parameters: reports(rows) })
    const texts = ['abc123', 'ABC', 'ana@isp', '100.64.3.9', '100.64.', 'casa', 'NORTH', id]
    const macs = ['0C:96:BF:0A:0B:0C', '0c-96-bf-0a', '0c96.bf0a.0b0c', '0C96BF0A0B0C', '0c:96:bf:0a']
    for (const text of [...texts, ...macs]) expect(await found(searchSelector(text)), text).toEqual(['ABC123'])
    expect(await found(searchSelector('isp.example'))).toEqual([])
    await stores.devices.commit({ deviceId: id, set: { tags: ['east'] } })
    expect(await found(searchSelector('north'))).toEqual([])
    expect(await found(parseSelector('search==EAST;optical.health!=good'))).toEqual(['ABC123'])
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
