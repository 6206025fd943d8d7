import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredInstanceMap } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores, createDevice } from '../support/both-stores.ts'

const NETWORK = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.'
const first: StoredInstanceMap = {
  version: 1,
  map: { version: 1, tables: { 'Device.WiFi.SSID.': [{ n: 1, key: NETWORK }] } },
  family: 'huawei',
  models: ['HG8245'],
  bootstrapAt: 7,
  pending: true,
}

describe.each(BOTH_STORES)('instance maps %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are given back as they were put', async () => {
    const id = await createDevice(stores, '1')
    expect(await stores.instanceMaps.get(id)).toBeUndefined()
    expect(await stores.instanceMaps.put(id, first)).toBe(true)
    expect(await stores.instanceMaps.get(id)).toEqual(first)
  })

  it('are put under the version before alone, so that two writers never give a number twice', async () => {
    const id = await createDevice(stores, '1')
    expect(await stores.instanceMaps.put(id, { ...first, version: 2 })).toBe(false)
    expect(await stores.instanceMaps.put(id, first)).toBe(true)
    expect(await stores.instanceMaps.put(id, first)).toBe(false)
    const { family: _family, pending: _pending, ...rest } = first
    const second = { ...rest, version: 2, bootstrapAt: 8 }
    const both = await Promise.all([stores.instanceMaps.put(id, second), stores.instanceMaps.put(id, second)])
    expect(both.filter(Boolean)).toHaveLength(1)
    expect(await stores.instanceMaps.get(id)).toEqual(second)
  })

  it('go with the record of their device', async () => {
    const id = await createDevice(stores, '1')
    await stores.instanceMaps.put(id, first)
    await stores.devices.delete(id)
    expect(await stores.instanceMaps.get(id)).toBeUndefined()
  })
})
