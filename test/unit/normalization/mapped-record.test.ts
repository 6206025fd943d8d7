import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import {
  type DeviceChange,
  type DeviceId,
  deviceIdOf,
  newDevice,
  type ParameterWrite,
  type StoredInstanceMap,
} from '../../../src/domain/index.ts'
import { Normalization, RowSets } from '../../../src/normalization/index.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores, type MemoryStores } from '../../support/memory-stores.ts'
import { tr098Router } from '../../support/tr098-router.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: '1' }
const ID: DeviceId = deviceIdOf(IDENTITY)
const LAN = 'InternetGatewayDevice.LANDevice.1.'
const NETWORK = `${LAN}WLANConfiguration.1.`
const HOSTS = `${LAN}Hosts.Host.`

let clock: ManualClock
let stores: MemoryStores
let normalization: Normalization
/** Reads of the store since the last commit began. */
let reads: string[]
/** The answer to a read of a list comes after this. */
let listed: Promise<void>

beforeEach(() => {
  clock = createManualClock()
  stores = createMemoryStores(clock)
  reads = []
  listed = Promise.resolve()
  const counted: MemoryStores['parameters'] = {
    getMany: (id, paths) => stores.parameters.getMany(id, paths),
    inObjects: (id, objects) => {
      reads.push(...objects)
      return stores.parameters.inObjects(id, objects)
    },
    objects: (id, prefix, limit) => stores.parameters.objects(id, prefix, limit),
    list: async (id, prefix, limit, cursor) => {
      reads.push(prefix)
      const page = await stores.parameters.list(id, prefix, limit, cursor)
      await listed
      return page
    },
  }
  const devices = { ...stores.devices, commit }
  const rowSets = new RowSets(stores.mappingRows, silentLog)
  normalization = new Normalization({ ...stores, devices, parameters: counted, rowSets, clock, log: silentLog })
})

function commit(change: DeviceChange): Promise<void> {
  return normalization.changes.around(change, (completed) => stores.devices.commit(completed))
}

function own(values: readonly { path: string; value: string }[]): ParameterWrite[] {
  return values.map(({ path, value }) => ({ path, value, type: 'string', source: 'cwmp', collectedAt: clock.now() }))
}

async function discovered(): Promise<void> {
  const device = {
    ...newDevice(ID, IDENTITY, 'cwmp', 1),
    root: 'InternetGatewayDevice.' as const,
    softwareVersion: '1',
  }
  await commit({ deviceId: ID, create: device })
  await commit({ deviceId: ID, more: true, parameters: own(tr098Router()) })
  await end()
}

async function end(more: Pick<DeviceChange, 'tree' | 'facts'> = {}): Promise<void> {
  const discovery = { outcome: 'complete' as const, unread: [], at: clock.now() }
  await commit({ deviceId: ID, set: { 'cwmp.discovery': discovery, 'cwmp.discoveredFor': '1' }, ...more })
}

const recorded = async () => (await stores.devices.get(ID)) ?? newDevice(ID, IDENTITY, 'cwmp', 1)

/** Discovers a device whose tree is known at the end; resolves with the changes of the end as they were written. */
async function known(parameters: ParameterWrite[]): Promise<DeviceChange[]> {
  const device = {
    ...newDevice(ID, IDENTITY, 'cwmp', 1),
    root: 'InternetGatewayDevice.' as const,
    softwareVersion: '1',
  }
  await commit({ deviceId: ID, create: device })
  await commit({ deviceId: ID, more: true, parameters })
  const writes: DeviceChange[] = []
  const { commit: write } = stores.devices
  stores.devices.commit = (change) => {
    writes.push(change)
    return write(change)
  }
  reads = []
  await end({ tree: { record: device, parameters } })
  stores.devices.commit = write
  return writes
}

/** The maps that are put by themselves from now on. */
function countPuts(): Pick<StoredInstanceMap, 'version' | 'pending'>[] {
  const puts: Pick<StoredInstanceMap, 'version' | 'pending'>[] = []
  const { put } = stores.instanceMaps
  stores.instanceMaps.put = (id, stored) => {
    puts.push({ version: stored.version, ...(stored.pending === undefined ? {} : { pending: stored.pending }) })
    return put(id, stored)
  }
  return puts
}

const stored = async (path: string) => (await stores.parameters.getMany(ID, [path]))[0]
const numbers = async () => (await stores.instanceMaps.get(ID))?.map.tables

const mappedPaths = async (object: string) =>
  (await stores.parameters.list(ID, object, 100)).items.map(({ path }) => path)

describe('the record of a TR-098 device', () => {
  it('gets the values of TR-181 when its discovery ends, with their sources', async () => {
    await discovered()
    expect(await stored('Device.WiFi.SSID.1.SSID')).toMatchObject({
      source: 'cwmp',
      from: { path: `${NETWORK}SSID`, value: (await stored(`${NETWORK}SSID`))?.value },
    })
    expect((await stored('Device.WiFi.SSIDNumberOfEntries'))?.from).toEqual({})
  })

  it('follows a changed value, and reads what that needs alone', async () => {
    await discovered()
    reads = []
    await commit({ deviceId: ID, parameters: own([{ path: `${NETWORK}SSID`, value: 'New' }]) })
    expect(await stored('Device.WiFi.SSID.1.SSID')).toMatchObject({ value: 'New' })
    expect(reads.length).toBeGreaterThan(0)
    expect(reads.every((object) => object.startsWith(NETWORK) || object.startsWith('Device.WiFi.'))).toBe(true)
  })

  it('gets the same values from a tree that is known as from one that is read, with the numbers in one commit', async () => {
    await discovered()
    const read = await mappedPaths('Device.')
    const [device, map] = [await stores.devices.get(ID), await stores.instanceMaps.get(ID)]
    await stores.devices.delete(ID)
    const writes = await known(own(tr098Router()))
    expect(reads).toEqual([])
    expect(await mappedPaths('Device.')).toEqual(read)
    expect(await stores.devices.get(ID)).toEqual(device)
    expect(await stores.instanceMaps.get(ID)).toEqual({ ...map, version: 1 })
    expect(writes.filter(({ instanceMap }) => instanceMap !== undefined)).toHaveLength(1)
  })

  it('gets its numbers before values that do not fit into one commit with them', async () => {
    const network = (n: number) => ({ path: `${LAN}WLANConfiguration.${n}.SSID`, value: `net-${n}` })
    const many = Array.from({ length: 500 }, (_, i) => network(i + 1))
    const maps = countPuts()
    const writes = await known(own(many))
    expect(maps).toEqual([{ version: 1, pending: true }])
    expect(writes.length).toBeGreaterThan(2)
    const map = await stores.instanceMaps.get(ID)
    expect(map).toMatchObject({ version: 2 })
    expect(map?.pending).toBeUndefined()
    const { items } = await stores.parameters.list(ID, 'Device.WiFi.SSID.', 10_000)
    const mapped = new Set(items.flatMap(({ value, from }) => (from === undefined ? [] : [value])))
    expect(many.filter(({ value }) => !mapped.has(value))).toEqual([])
  })

  it('takes no known tree where another server has mapped it', async () => {
    await known(own(tr098Router()))
    const before = await stores.instanceMaps.get(ID)
    await expect(end({ tree: { record: await recorded(), parameters: [] } })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await stores.instanceMaps.get(ID)).toEqual(before)
    expect(await stored('Device.WiFi.SSID.1.SSID')).toBeDefined()
  })

  it('reads nothing for a change without a counterpart in TR-181, and for one without parameters', async () => {
    await discovered()
    reads = []
    await commit({ deviceId: ID, parameters: own([{ path: 'InternetGatewayDevice.X_ACME_Own', value: '1' }]) })
    await commit({ deviceId: ID, set: { 'cwmp.lastInformAt': 5 } })
    expect(reads).toEqual([])
  })

  it('drops mapped values with the row that they come from, and keeps the numbers of the others', async () => {
    await discovered()
    const before = await numbers()
    const rows = before?.['Device.Hosts.Host.'] ?? []
    expect(rows.length).toBeGreaterThan(1)
    await commit({ deviceId: ID, dropSubtrees: [`${HOSTS}1.`] })
    const [first, second] = rows
    expect(await stored(`Device.Hosts.Host.${first?.n}.PhysAddress`)).toBeUndefined()
    expect(await stored(`Device.Hosts.Host.${second?.n}.PhysAddress`)).toBeDefined()
    expect((await numbers())?.['Device.Hosts.Host.']?.find(({ n }) => n === second?.n)?.key).toBe(second?.key)
  })

  it('keeps its numbers through discoveries, and gives them anew after a BOOTSTRAP', async () => {
    await discovered()
    const before = await stores.instanceMaps.get(ID)
    await end()
    expect(await stores.instanceMaps.get(ID)).toEqual(before)
    await commit({ deviceId: ID, set: { 'cwmp.lastBootstrapAt': clock.now() } })
    await end()
    const after = await stores.instanceMaps.get(ID)
    expect(after).toMatchObject({ bootstrapAt: clock.now() })
    expect(after?.version).toBeGreaterThan(before?.version ?? 0)
    expect(after?.pending).toBeUndefined()
  })

  it('maps a tree that was stored before there was a mapping', async () => {
    const device = {
      ...newDevice(ID, IDENTITY, 'cwmp', 1),
      root: 'InternetGatewayDevice.' as const,
      softwareVersion: '1',
    }
    await stores.devices.commit({ deviceId: ID, create: device })
    const set = { 'cwmp.discoveredFor': '1' }
    await stores.devices.commit({ deviceId: ID, set, parameters: own(tr098Router()) })
    const adopting = normalization.stored.adopt()
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(1000)
    }
    await adopting
    expect(await stored('Device.WiFi.SSID.1.SSID')).toMatchObject({ from: { path: `${NETWORK}SSID` } })
  })

  it('maps a tree again in its place among the changes of the device', async () => {
    await discovered()
    await stores.devices.commit({ deviceId: ID, dropParameters: ['Device.WiFi.SSID.1.SSID'] })
    let answer = () => {}
    listed = new Promise((resolve) => {
      answer = resolve
    })
    const again = commit({ deviceId: ID, mapAgain: true, facts: 'all' })
    const change = commit({ deviceId: ID, parameters: own([{ path: `${NETWORK}SSID`, value: 'Later' }]) })
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    answer()
    await Promise.all([again, change])
    expect(await stored('Device.WiFi.SSID.1.SSID')).toMatchObject({ value: 'Later' })
  })

  it('lets others have their turns while it maps a large tree', async () => {
    await discovered()
    const names = ['SSID', 'Channel', 'BSSID', 'Status']
    const large = Array.from({ length: 20_000 }, (_, i) => ({
      path: `${LAN}WLANConfiguration.${2 + (i >> 2)}.${names[i & 3]}`,
      value: '1',
    }))
    await stores.devices.commit({ deviceId: ID, parameters: own(large) })
    let turns = 0
    let isOver = false
    const mapping = commit({ deviceId: ID, mapAgain: true, facts: 'all' }).finally(() => {
      isOver = true
    })
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    await mapping
    // Each parameter is entered once and looked at once.
    expect(turns).toBeGreaterThan((2 * 20_000) / 2_000)
  })

  it('maps a tree whose rows come and go with each Inform again only now and then', async () => {
    await discovered()
    let whole = 0
    for (let i = 0; i < 20; i++) {
      reads = []
      const path = `${HOSTS}${100 + i}.MACAddress`
      await commit({ deviceId: ID, parameters: own([{ path, value: `02:00:00:00:01:${10 + i}` }]) })
      if (reads.includes('')) whole++
    }
    expect(whole).toBeLessThan(3)
    clock.advance(3_600_000)
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    const rows = (await numbers())?.['Device.Hosts.Host.'] ?? []
    expect(rows.filter(({ key }) => key.startsWith('0200000001'))).toHaveLength(20)
  })

  it('takes the mapped values away when new firmware shows TR-181 itself', async () => {
    await discovered()
    await commit({ deviceId: ID, set: { root: 'Device.' } })
    expect(await stored('Device.WiFi.SSID.1.SSID')).toBeUndefined()
    expect(await stored(`${NETWORK}SSID`)).toBeDefined()
  })

  it('keeps what a USP Agent shows under a path until its own tree shows something newer', async () => {
    await discovered()
    const path = 'Device.WiFi.SSID.1.SSID'
    clock.advance(10)
    const shown: ParameterWrite = { path, value: 'USP', type: 'string', source: 'usp', collectedAt: clock.now() }
    await commit({ deviceId: ID, parameters: [shown] })
    await commit({ deviceId: ID, mapAgain: true })
    expect(await stored(path)).toEqual({ deviceId: ID, ...shown })
    clock.advance(10)
    await stores.devices.commit({ deviceId: ID, parameters: own([{ path: `${NETWORK}SSID`, value: 'CWMP' }]) })
    await commit({ deviceId: ID, mapAgain: true })
    expect(await stored(path)).toMatchObject({ value: 'CWMP', source: 'cwmp', from: { path: `${NETWORK}SSID` } })
  })

  it('keeps its objects when a USP Agent says that a row of its own is gone', async () => {
    await discovered()
    const row = 'Device.NAT.PortMapping.1.'
    const path = `${row}ExternalPort`
    const object = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.PortMapping.1.'
    expect(await stored(path)).toMatchObject({ from: { path: `${object}ExternalPort` } })
    const shown = { path, value: '443', type: 'string' as const, source: 'usp' as const, collectedAt: clock.now() }
    await commit({ deviceId: ID, dropParameters: await mappedPaths(row), parameters: [shown] })
    await commit({ deviceId: ID, dropSubtrees: [row] })
    expect(await stored(`${object}ExternalPort`)).toBeDefined()
    await commit({ deviceId: ID, mapAgain: true })
    expect(await stored(path)).toBeDefined()
    await commit({ deviceId: ID, dropSubtrees: [row] })
    expect(await stored(`${object}ExternalPort`)).toBeUndefined()
  })

  it('names the parameter of TR-181 in the event of a changed value', async () => {
    await discovered()
    const path = `${NETWORK}SSID`
    const event = {
      type: 'parameter.changed',
      at: 1,
      deviceId: ID,
      protocol: 'cwmp',
      data: { path, value: 'N' },
    } as const
    await commit({ deviceId: ID, events: [event], parameters: own([{ path, value: 'N' }]) })
    const mapped = async () => (await stores.events.since(undefined, 9)).at(-1)?.data.mapped
    expect(await mapped()).toEqual([{ path: 'Device.WiFi.SSID.1.SSID', value: 'N' }])
    // With a new row the whole tree is mapped.
    clock.advance(3_600_000)
    const host = { path: `${HOSTS}77.MACAddress`, value: '02:00:00:00:02:77' }
    const again = { ...event, data: { path, value: 'M' } }
    await commit({ deviceId: ID, events: [again], parameters: own([{ path, value: 'M' }, host]) })
    expect(await mapped()).toEqual([{ path: 'Device.WiFi.SSID.1.SSID', value: 'M' }])
  })
})

describe('a change of rows soon after the tree was mapped', () => {
  const CONNECTION = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.'
  const values = (object: string, names: Record<string, string>) =>
    own(Object.entries(names).map(([name, value]) => ({ path: object + name, value })))
  const host = (n: number, mac: string) =>
    values(`${HOSTS}${n}.`, { MACAddress: mac, HostName: `of ${mac}`, Active: '1' })
  const hosts = async () => {
    const { items } = await stores.parameters.list(ID, 'Device.Hosts.Host.', 1_000)
    return items.flatMap(({ path, value }) => (path.endsWith('.PhysAddress') ? [[path, value]] : []))
  }
  const [A, B, C] = ['02:00:00:00:00:0A', '02:00:00:00:00:0B', '02:00:00:00:00:0C'] as const

  /** A device with three hosts whose tree was mapped just now. */
  async function mapped() {
    await discovered()
    await commit({ deviceId: ID, dropSubtrees: [HOSTS] })
    clock.advance(3_600_000)
    await commit({ deviceId: ID, parameters: [...host(1, A), ...host(2, B), ...host(3, C)] })
    reads = []
  }

  it('brings the rows with their derived parameters and numbers of entries', async () => {
    await mapped()
    const mapping = `${CONNECTION}PortMapping.9.`
    await commit({ deviceId: ID, parameters: values(mapping, { PortMappingEnabled: '1', ExternalPort: '8443' }) })
    expect(reads).not.toContain('')
    const { items } = await stores.parameters.list(ID, 'Device.NAT.', 1_000)
    const row = items.find(({ from }) => from?.path === `${mapping}ExternalPort`)?.path.replace('ExternalPort', '')
    expect(row).toBeDefined()
    for (const name of ['Interface', 'AllInterfaces', 'Status'])
      expect(await stored(`${row}${name}`), name).toBeDefined()
    const rows = items.filter(({ path }) => /PortMapping\.\d+\.ExternalPort$/.test(path)).length
    expect(await stored('Device.NAT.PortMappingNumberOfEntries')).toMatchObject({ value: String(rows) })
  })

  it('keeps each host under its number when all have moved', async () => {
    await mapped()
    const before = new Map((await hosts()).map(([path = '', mac = '']) => [mac, path]))
    await commit({ deviceId: ID, dropSubtrees: [HOSTS] })
    await commit({ deviceId: ID, parameters: [...host(1, C), ...host(2, A)] })
    expect(reads).not.toContain('')
    expect(new Map((await hosts()).map(([path = '', mac = '']) => [mac, path]))).toEqual(
      new Map([
        [A, before.get(A)],
        [C, before.get(C)],
      ]),
    )
    const name = before.get(C)?.replace('PhysAddress', 'HostName') ?? ''
    expect(await stored(name)).toMatchObject({ value: `of ${C}`, from: { path: `${HOSTS}1.HostName` } })
    expect(await stored('Device.Hosts.HostNumberOfEntries')).toMatchObject({ value: '2' })
  })

  it('moves what it does not bring itself along with the row', async () => {
    await mapped()
    const row = (await hosts()).find(([, mac]) => mac === B)?.[0]?.replace('PhysAddress', '') ?? ''
    const D = '02:00:00:00:00:0D'
    await commit({ deviceId: ID, parameters: own([{ path: `${HOSTS}2.MACAddress`, value: D }]) })
    const moved = (await hosts()).find(([, mac]) => mac === D)?.[0]?.replace('PhysAddress', '') ?? ''
    expect(moved).not.toBe(row)
    expect(await stored(`${moved}HostName`)).toMatchObject({ from: { path: `${HOSTS}2.HostName` } })
    expect(await mappedPaths(row)).toEqual([])
  })
})

describe('the record of a TR-181 device with names of its vendor', () => {
  const OPTICAL = 'Device.Optical.Interface.1.'
  const LEVEL = `${OPTICAL}OpticalSignalLevel`
  const vendor = { path: `${OPTICAL}X_TP_GPON_Config.RXPower`, value: '61' }
  const start = async () => {
    const device = { ...newDevice(ID, IDENTITY, 'cwmp', 1), root: 'Device.' as const, softwareVersion: '1' }
    await commit({ deviceId: ID, create: device })
    await commit({ deviceId: ID, more: true, parameters: own([vendor]) })
    await end()
    expect(await stored(LEVEL)).toMatchObject({ from: { path: vendor.path } })
  }

  it('keeps a value that the device begins to show itself, also beside a new one of the vendor', async () => {
    await start()
    const native = { path: LEVEL, value: '-21000' }
    await commit({ deviceId: ID, parameters: own([native, { ...vendor, value: '16596' }]) })
    expect(await stored(LEVEL)).toMatchObject(native)
    expect((await stored(LEVEL))?.from).toBeUndefined()
    await commit({ deviceId: ID, parameters: own([vendor]) })
    await commit({ deviceId: ID, mapAgain: true })
    expect(await stored(LEVEL)).toMatchObject(native)
  })

  it('keeps a value that the device begins to show itself when the one of the vendor goes', async () => {
    await start()
    const native = { path: LEVEL, value: '-21000' }
    await commit({ deviceId: ID, parameters: own([native]), dropParameters: [vendor.path] })
    expect(await stored(LEVEL)).toMatchObject(native)
  })
})
