import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Device, type DeviceId, parseSelector, type Readiness } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores, createDevice } from '../support/both-stores.ts'

describe.each(BOTH_STORES)('the fleet %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  const create = (serial: string, more: Partial<Device> = {}): Promise<DeviceId> => createDevice(stores, serial, more)
  const ready = { class: 'READY_STANDARD', reasons: [] as string[], evidence: {}, at: 1 } satisfies Readiness

  it('is counted by owner and by links, of all devices or of those that match', async () => {
    expect(await stores.fleet.presence(undefined)).toEqual({ cwmp: 0, usp: 0, uspLinked: 0 })
    await create('1', { tags: ['t'] })
    await create('2')
    await create('3', { owner: 'usp', tags: ['t'], usp: { linked: true } as NonNullable<Device['usp']> })
    expect(await stores.fleet.presence(undefined)).toEqual({ cwmp: 2, usp: 1, uspLinked: 1 })
    expect(await stores.fleet.presence(parseSelector('tags==t'))).toEqual({ cwmp: 1, usp: 1, uspLinked: 1 })
  })

  it('is counted by readiness, model and firmware, the rows of most devices first', async () => {
    await create('1', { readiness: { ...ready, reasons: ['a'] }, model: 'X1', softwareVersion: '1.0' })
    await create('2', { model: 'X2' })
    await create('3', { model: 'X2' })
    const rows = [
      { reasons: [], owner: 'cwmp', model: 'X2', devices: 2 },
      { class: 'READY_STANDARD', reasons: ['a'], owner: 'cwmp', model: 'X1', softwareVersion: '1.0', devices: 1 },
    ]
    expect(await stores.fleet.readiness(undefined, 9)).toEqual(rows)
    expect(await stores.fleet.readiness(undefined, 1)).toEqual(rows.slice(0, 1))
    expect(await stores.fleet.readiness(parseSelector('model==X1'), 9)).toEqual(rows.slice(1))
  })

  it('streams the devices whose readiness is not known, in batches', async () => {
    const without = [await create('1'), await create('2'), await create('3')]
    await create('4', { readiness: ready })
    const batches: DeviceId[][] = []
    for await (const batch of stores.fleet.withoutReadiness(2)) batches.push(batch)
    expect(batches.map(({ length }) => length)).toEqual([2, 1])
    expect(batches.flat().sort()).toEqual(without)
  })

  it('reports each change of a device that landed, until its listener is removed', async () => {
    const seen: DeviceId[] = []
    const end = stores.fleet.onChanged(({ deviceId }) => seen.push(deviceId))
    const id = await create('1')
    const change = { deviceId: id, set: { manufacturer: 'Acme' }, guard: { revision: 9 } }
    await expect(stores.devices.commit(change)).rejects.toMatchObject({ code: 'conflict' })
    expect(seen).toEqual([id])
    end()
    await create('2')
    expect(seen).toEqual([id])
  })
})
