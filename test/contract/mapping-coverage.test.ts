import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Device, deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

function device(model: string, softwareVersion: string): Device {
  const identity = { oui: '0C96BF', productClass: 'Gateway', serial: '1' }
  const made = newDevice(deviceIdOf(identity), identity, 'cwmp', 1)
  return { ...made, manufacturer: 'Acme', model, softwareVersion, root: 'InternetGatewayDevice.' }
}

describe.each(BOTH_STORES)('the coverage of models %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('has what no row maps and what gave no value, by path without numbers, the most frequent first', async () => {
    const coverage = stores.mappingCoverage
    await coverage.note(device('X1', '1.0'), {
      at: 5,
      parameters: 10,
      mapped: 7,
      unmapped: ['IGD.WANDevice.1.X_A', 'IGD.WANDevice.2.X_A', 'IGD.X_B'],
      silent: [{ path: 'IGD.WANDevice.1.RXPower', value: 'N/A' }],
    })
    await coverage.note(device('X1', '1.0'), { at: 6, parameters: 12, mapped: 11, unmapped: ['IGD.X_B'], silent: [] })
    expect(await coverage.list({ limit: 9 })).toEqual({
      items: [
        {
          id: 'Acme|X1|1.0|InternetGatewayDevice.',
          manufacturer: 'Acme',
          model: 'X1',
          softwareVersion: '1.0',
          root: 'InternetGatewayDevice.',
          trees: 2,
          at: 6,
          parameters: 12,
          mapped: 11,
          unmapped: [
            { path: 'IGD.X_B', trees: 2 },
            { path: 'IGD.WANDevice.{i}.X_A', trees: 1 },
          ],
          silent: [{ path: 'IGD.WANDevice.{i}.RXPower', trees: 1, sample: 'N/A' }],
        },
      ],
    })
  })

  it('is apart for each firmware, page by page, and bounded for each', async () => {
    const many = Array.from({ length: 1000 }, (_, n) => `IGD.X_${n}`)
    const note = { at: 1, parameters: 1000, mapped: 0, unmapped: many, silent: [] }
    for (const version of ['2.0', '1.0', '3.0']) await stores.mappingCoverage.note(device('X1', version), note)
    const first = await stores.mappingCoverage.list({ limit: 2 })
    expect(first.items.map(({ softwareVersion }) => softwareVersion)).toEqual(['1.0', '2.0'])
    expect(first.items[0]?.unmapped).toHaveLength(300)
    const rest = await stores.mappingCoverage.list({ limit: 2, cursor: first.next ?? '' })
    expect(rest.items.map(({ softwareVersion }) => softwareVersion)).toEqual(['3.0'])
  })
})
