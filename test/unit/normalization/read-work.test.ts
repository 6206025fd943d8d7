import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DeviceMapping } from '../../../src/datamodel/index.ts'
import { type OwnTreeDevice, startOwnTreeDevice } from '../../support/own-tree-device.ts'

const TABLE = 'Device.NAT.PortMapping.'
const LINE = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.PortMapping.'

let device: OwnTreeDevice
beforeEach(async () => {
  device = await startOwnTreeDevice('tr098-router')
  device.reads.length = 0
  device.written.length = 0
})
afterEach(() => vi.restoreAllMocks())

function timesOf(texts: Iterable<string>): Map<string, number> {
  const times = new Map<string, number>()
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1)
  return times
}

describe('the work for a read by TR-181 paths', () => {
  it('reads no object of the stored tree twice, the change with its answers included', async () => {
    const { results } = await device.runAndRecord({ verb: 'get', paths: [TABLE] })
    expect(results.length).toBeGreaterThan(500)
    const rows = timesOf(device.reads.filter((object) => object.startsWith(LINE)))
    expect(rows.size).toBeGreaterThan(50)
    // The second change of the same answers begins in the middle of an object that the first one wrote.
    expect([...rows.values()].filter((times) => times > 1).length).toBeLessThanOrEqual(device.written.length)
    expect(device.reads.filter((prefix) => prefix === '')).toHaveLength(1)
  })

  it('evaluates each parameter once', async () => {
    await device.run({ verb: 'get', paths: [TABLE] })
    const evaluate = vi.spyOn(DeviceMapping.prototype, 'evaluate')
    await device.run({ verb: 'get', paths: [TABLE] })
    // The state of a row is derived from whether it is on.
    const isCounted = (path: string) => path.startsWith(TABLE) && !path.endsWith('.Enable')
    const times = timesOf(evaluate.mock.calls.map(([path]) => path).filter(isCounted))
    expect(times.size).toBeGreaterThan(500)
    expect(new Set(times.values())).toEqual(new Set([1]))
  })

  it('sees what was written since the stored tree was read', async () => {
    const path = `${TABLE}1.Description`
    await device.runAndRecord({ verb: 'get', paths: [path] })
    device.values.set(`${LINE}1.PortMappingDescription`, 'other')
    await device.runAndRecord({ verb: 'get', paths: [`${LINE}1.PortMappingDescription`] })
    expect(device.written.at(-1)?.parameters).toContainEqual(expect.objectContaining({ path, value: 'other' }))
    const { results } = await device.runAndRecord({ verb: 'get', paths: [path] })
    expect(results).toMatchObject([{ path, value: 'other' }])
  })

  it('derives the facts anew that its values can change alone, however many values there are', async () => {
    await device.runAndRecord({ verb: 'get', paths: ['Device.Hosts.Host.', TABLE] })
    expect(device.written.length).toBeGreaterThan(2)
    expect(device.written.map(({ facts }) => facts)).not.toContain('all')
    const hosts = device.written.filter(({ parameters = [] }) =>
      parameters.some(({ path }) => path.endsWith('.PhysAddress')),
    )
    expect(hosts.map(({ facts }) => facts)).toEqual(hosts.map(() => undefined))
  })
})
