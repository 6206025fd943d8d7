import { expect, it } from 'vitest'
import { SnmpReads } from '../../../../src/bridge/snmp/snmp-reads.ts'
import type { RouterTelemetry } from '../../../../src/routeros/index.ts'
import { AgentError } from '../../../../src/usp/index.ts'

const PORT = 'Device.Ethernet.Interface.2.'
const CPU = 'Device.DeviceInfo.ProcessStatus.CPUUsage'
const READING: RouterTelemetry = {
  name: 'by-snmp',
  version: '7.18 (stable)',
  upSeconds: 77,
  cpuLoad: 3,
  memoryTotal: 1024n * 1024n,
  memoryUsed: 1024n,
  interfaces: [
    { name: 'ether1', isUp: true, receivedBytes: 2n ** 63n, sentBytes: 5n, receiveErrors: 1, sendErrors: 2 },
    { name: '02:00:00:00:00:01', isUp: true, receivedBytes: 1n, sentBytes: 1n },
  ],
  health: [
    { name: 'cpu-temperature', value: 41.6, unit: 'C' },
    { name: 'voltage', value: 24.1, unit: 'V' },
  ],
  clients: [],
  optics: [],
}

/** The values that the connection reads, which may fail, and a reading over SNMP, which may be none. */
function world(isPreferred: boolean, values: Record<string, string>) {
  const state = { fails: false, reading: READING as RouterTelemetry | undefined, now: 0, asked: [] as string[] }
  const fail = () => {
    if (state.fails) throw new AgentError(7006, 'the account may not read it')
  }
  const reads = new SnmpReads(
    {
      supported: async () => {
        throw new AgentError(7003, 'not here')
      },
      instances: async () => {
        fail()
        return [PORT]
      },
      get: async (paths) => {
        state.asked.push(...paths)
        fail()
        return new Map(paths.flatMap((path) => (values[path] === undefined ? [] : [[path, values[path]]])))
      },
    },
    { isPreferred, read: async () => state.reading },
    () => state.now,
  )
  const get = async (...paths: string[]) => {
    const viaSnmp = new Set<string>()
    return { values: Object.fromEntries(await reads.get(paths, viaSnmp)), viaSnmp: [...viaSnmp] }
  }
  return { state, reads, get }
}

const ROW = { [`${PORT}Name`]: 'ether1', [`${PORT}MACAddress`]: '02:00:00:00:00:01' }

it('what is measured comes from SNMP where that is preferred, and nothing else does', async () => {
  const { get, state } = world(true, { ...ROW, [CPU]: '50', 'Device.DeviceInfo.HostName': 'own' })
  const bytes = `${PORT}Stats.BytesReceived`
  const found = await get(CPU, bytes, `${PORT}Name`, `${PORT}MACAddress`, 'Device.DeviceInfo.HostName')
  expect(found.values).toEqual({ ...ROW, [CPU]: '3', [bytes]: String(2n ** 63n), 'Device.DeviceInfo.HostName': 'own' })
  expect(found.viaSnmp.sort()).toEqual([CPU, bytes].sort())
  expect(state.asked).not.toContain(CPU)
  state.reading = undefined
  expect((await get(CPU)).values).toEqual({ [CPU]: '50' })
})

it('auto takes from SNMP what the connection does not read, by the names that it has shown before', async () => {
  const { get, reads, state } = world(false, { ...ROW, [CPU]: '50' })
  const paths = [`${PORT}Name`, `${PORT}Stats.BytesSent`]
  expect(await get(CPU)).toEqual({ values: { [CPU]: '50' }, viaSnmp: [] })
  expect((await get(...paths)).values).toEqual({ [`${PORT}Name`]: 'ether1', [`${PORT}Stats.BytesSent`]: '5' })
  await reads.instances('Device.Ethernet.Interface.')
  state.fails = true
  expect(await get(CPU, 'Device.DeviceInfo.UpTime')).toMatchObject({
    values: { [CPU]: '3', 'Device.DeviceInfo.UpTime': '77' },
  })
  expect((await get(...paths)).values).toEqual({ [`${PORT}Name`]: 'ether1', [`${PORT}Stats.BytesSent`]: '5' })
  expect(await reads.instances('Device.Ethernet.Interface.')).toEqual([PORT])
})

it('an answer that SNMP cannot give fails as it did', async () => {
  const { get, reads, state } = world(false, ROW)
  state.fails = true
  await expect(get('Device.DNS.Client.Enable')).rejects.toThrow(/may not read/)
  await expect(get(CPU, 'Device.DNS.Client.Enable')).rejects.toThrow(/may not read/)
  await expect(reads.instances('Device.Ethernet.Interface.')).rejects.toThrow(/may not read/)
  await expect(reads.instances('Device.DNS.Client.Server.')).rejects.toThrow(/may not read/)
  state.reading = undefined
  await expect(get(CPU)).rejects.toThrow(/may not read/)
})

it('a port that has another name by now has the counters of that', async () => {
  const values: Record<string, string> = { ...ROW }
  const { get, state } = world(true, values)
  const path = `${PORT}Stats.BytesSent`
  expect((await get(path)).values).toEqual({ [path]: '5' })
  values[`${PORT}Name`] = 'uplink'
  state.now = 61_000
  expect((await get(path)).values).toEqual({})
})
