import { beforeEach, expect, it } from 'vitest'
import { silentLog, systemClock } from '../../../src/base/index.ts'
import { type DeviceId, deviceIdOf, type MappingRowSet, newDevice } from '../../../src/domain/index.ts'
import { Normalization, RowSets } from '../../../src/normalization/index.ts'
import { createMemoryStores, type MemoryStores } from '../../support/memory-stores.ts'

const FROM = 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load'
const TO = 'Device.DeviceInfo.X_EXAMPLE_Load'
const SERIALS = ['1', '2', '3']

let stores: MemoryStores
let broken: DeviceId | undefined
/** True: the server ends with its first write of an instance map. */
let isDead = false
let hasWritten = false
beforeEach(() => {
  stores = createMemoryStores(systemClock)
  broken = undefined
  isDead = false
  hasWritten = false
})

const idOf = (serial: string) => deviceIdOf({ oui: '00256D', productClass: 'Box', serial })
const set = (id: string, to = TO): MappingRowSet => ({
  id,
  name: id,
  reason: 'test',
  scope: { productClass: 'Box' },
  rows: [{ from: FROM, to }],
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
})
const put = (one: MappingRowSet) => stores.mappingRows.put(one, { type: 'mappingRows.changed', at: 1, data: {} })

/** A server over the stores. */
async function server(): Promise<Normalization> {
  const rowSets = new RowSets(stores.mappingRows, silentLog)
  await rowSets.start()
  const get: MemoryStores['devices']['get'] = async (id) => {
    if (id === broken) throw new Error('the record cannot be read')
    return stores.devices.get(id)
  }
  // As in the store, each change is completed before it is written.
  const commit: MemoryStores['devices']['commit'] = (change) =>
    normalization.changes.around(change, async (completed) => {
      if (isDead) throw new Error('the server was killed')
      await stores.devices.commit(completed)
    })
  const devices = { ...stores.devices, get, commit }
  const instanceMaps: MemoryStores['instanceMaps'] = {
    ...stores.instanceMaps,
    async put(deviceId, stored) {
      // The first write ends the process: nothing after it is done.
      if (hasWritten) throw new Error('the server was killed')
      hasWritten = isDead
      return stores.instanceMaps.put(deviceId, stored)
    },
  }
  const normalization = new Normalization({
    ...stores,
    devices,
    instanceMaps,
    rowSets,
    clock: systemClock,
    log: silentLog,
  })
  return normalization
}

async function discovered(at: Normalization): Promise<void> {
  for (const serial of SERIALS) {
    const identity = { oui: '00256D', productClass: 'Box', serial }
    const deviceId = idOf(serial)
    await stores.devices.commit({
      deviceId,
      create: { ...newDevice(deviceId, identity, 'cwmp', 1), root: 'InternetGatewayDevice.' },
    })
    const parameters = [
      { path: FROM, value: `load ${serial}`, type: 'string' as const, source: 'cwmp' as const, collectedAt: 1 },
    ]
    const discovery = { at: 1, outcome: 'complete' as const, unread: [] }
    await at.changes.around({ deviceId, parameters, set: { 'cwmp.discovery': discovery } }, (completed) =>
      stores.devices.commit(completed),
    )
  }
}

const values = async (path = TO) =>
  (await Promise.all(SERIALS.map((serial) => stores.parameters.getMany(idOf(serial), [path])))).map(
    ([found]) => found?.value,
  )
const ALL = ['load 1', 'load 2', 'load 3']
const NONE = [undefined, undefined, undefined]

it('maps the devices whose rows have changed, and takes away what the rows before gave', async () => {
  const one = await server()
  await discovered(one)
  await one.remapping.run()
  expect((await stores.mappingRows.remapping()).run).toBe(0)
  await put(set('a'))
  await one.remapping.run()
  expect(await values()).toEqual(ALL)
  expect(await stores.mappingRows.remapping()).toMatchObject({ wanted: 1, done: 1, looked: 3, mapped: 3, failed: 0 })
  await stores.mappingRows.delete('a', { type: 'mappingRows.changed', at: 1, data: {} })
  await put(set('b', 'Device.DeviceInfo.X_EXAMPLE_Other'))
  await one.remapping.run()
  expect(await values()).toEqual(NONE)
  expect(await values('Device.DeviceInfo.X_EXAMPLE_Other')).toEqual(ALL)
})

it('goes on at another server where it was cut off, and maps nothing twice', async () => {
  const one = await server()
  await discovered(one)
  await put(set('a'))
  one.remapping.end()
  await one.remapping.run()
  expect(await stores.mappingRows.remapping()).toMatchObject({ wanted: 1, done: 0 })
  const other = await server()
  await other.remapping.run()
  expect(await values()).toEqual(ALL)
  await put({ ...set('c'), scope: { productClass: 'Other' } })
  await other.remapping.run()
  expect(await stores.mappingRows.remapping()).toMatchObject({ done: 2, looked: 3, mapped: 0 })
})

it('counts a device that cannot be mapped, goes on with the others, and maps it with its next change', async () => {
  const one = await server()
  await discovered(one)
  await put(set('a'))
  const deviceId = idOf('2')
  broken = deviceId
  await one.remapping.run()
  expect(await values()).toEqual(['load 1', undefined, 'load 3'])
  expect(await stores.mappingRows.remapping()).toMatchObject({ done: 1, mapped: 2, failed: 1 })
  broken = undefined
  const other = await server()
  const own = { path: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Other', type: 'string' as const, value: '' }
  const parameters = [{ ...own, source: 'cwmp' as const, collectedAt: 2 }]
  await other.changes.around({ deviceId, parameters }, (completed) => stores.devices.commit(completed))
  expect(await values()).toEqual(ALL)
  expect((await stores.instanceMaps.get(deviceId))?.pending).toBeUndefined()
})

it('stores a change of a device whose tree cannot be mapped', async () => {
  const one = await server()
  await discovered(one)
  const deviceId = idOf('2')
  const stored = await stores.instanceMaps.get(deviceId)
  if (stored === undefined) throw new Error('no map')
  await stores.instanceMaps.put(deviceId, { ...stored, version: stored.version + 1, pending: true })
  broken = deviceId
  const other = await server()
  const parameters = [{ path: FROM, value: 'new', type: 'string' as const, source: 'cwmp' as const, collectedAt: 2 }]
  await other.changes.around({ deviceId, parameters }, (completed) => stores.devices.commit(completed))
  expect(await values(FROM)).toEqual(['load 1', 'new', 'load 3'])
})

it('tries a device that could not be mapped once more before it ends', async () => {
  const one = await server()
  await discovered(one)
  await put(set('a'))
  broken = idOf('2')
  const { noteRemapping } = stores.mappingRows
  stores.mappingRows.noteRemapping = (work) => {
    broken = undefined
    return noteRemapping.call(stores.mappingRows, work)
  }
  await (await server()).remapping.run()
  expect(await values()).toEqual(ALL)
  expect(await stores.mappingRows.remapping()).toMatchObject({ done: 1, mapped: 3, failed: 0 })
})

it('maps a tree again whose numbers were stored, and whose values were lost with the server', async () => {
  const one = await server()
  await discovered(one)
  await put(set('a'))
  isDead = true
  await expect(one.remapping.run()).rejects.toThrow('killed')
  isDead = false
  hasWritten = false
  expect(await values()).toEqual(NONE)
  expect((await stores.instanceMaps.get(idOf('1')))?.rows).toBeDefined()
  const other = await server()
  await other.remapping.run()
  expect(await values()).toEqual(ALL)
  for (const serial of SERIALS) expect((await stores.instanceMaps.get(idOf(serial)))?.pending).toBeUndefined()
})
