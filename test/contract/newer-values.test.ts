import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceId, ParameterWrite } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores, createDevice } from '../support/both-stores.ts'

const PORT = 'Device.Ethernet.Interface.1.'

describe.each(BOTH_STORES)('values that are to be newer, %s', (_name, open) => {
  let store: BothStores
  let id: DeviceId
  beforeAll(async () => {
    store = await open()
    id = await createDevice(store, 'NEWER')
  })
  afterAll(() => store.close())

  const write = (
    path: string,
    value: string,
    collectedAt: number,
    source: 'usp' | 'mqtt' = 'mqtt',
  ): ParameterWrite => ({
    path,
    value,
    type: 'string',
    source,
    collectedAt,
  })
  const read = async (...paths: string[]) =>
    (await store.parameters.getMany(id, paths)).map(({ value, source, collectedAt }) => [value, source, collectedAt])

  it('are written where nothing is stored, also in an object that is not there', async () => {
    const parameters = [write(`${PORT}Name`, 'ether1', 100), write(`${PORT}Status`, 'Up', 100)]
    await store.devices.commit({ deviceId: id, parameters, onlyNewer: true })
    expect(await read(`${PORT}Name`, `${PORT}Status`)).toEqual([
      ['ether1', 'mqtt', 100],
      ['Up', 'mqtt', 100],
    ])
  })

  it('change what was collected earlier, and leave what was collected later or at the same time', async () => {
    await store.devices.commit({ deviceId: id, parameters: [write(`${PORT}Status`, 'Dormant', 200, 'usp')] })
    const parameters = [
      write(`${PORT}Name`, 'ether1-wan', 150),
      write(`${PORT}Status`, 'Down', 150),
      write(`${PORT}Alias`, 'wan', 150),
    ]
    await store.devices.commit({ deviceId: id, parameters, onlyNewer: true })
    await store.devices.commit({ deviceId: id, parameters: [write(`${PORT}Status`, 'Down', 200)], onlyNewer: true })
    expect(await read(`${PORT}Name`, `${PORT}Status`, `${PORT}Alias`)).toEqual([
      ['ether1-wan', 'mqtt', 150],
      ['Dormant', 'usp', 200],
      ['wan', 'mqtt', 150],
    ])
  })

  it('may be committed together with other changes of the same objects', async () => {
    const commits = Array.from({ length: 20 }, (_, i) =>
      store.devices.commit({
        deviceId: id,
        parameters: [write(`${PORT}Stats.BytesSent`, String(i), 300 + i)],
        ...(i % 2 === 0 ? { onlyNewer: true } : {}),
        events: [{ type: 'device.notified', at: i, deviceId: id, data: {} }],
      }),
    )
    await Promise.all(commits)
    expect(await read(`${PORT}Stats.BytesSent`)).toEqual([['19', 'mqtt', 319]])
  })
})
