import { beforeEach, describe, expect, it } from 'vitest'
import { type OwnTreeDevice, startOwnTreeDevice } from '../../support/own-tree-device.ts'

const IGD = 'InternetGatewayDevice.'
const LINE = `${IGD}WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.`
const OWN = `${LINE}Stats.EthernetBytesReceived`
const PORT = `${IGD}LANDevice.1.LANEthernetInterfaceConfig.1.Stats.BytesReceived`
const UP_TIME = `${IGD}DeviceInfo.UpTime`
const STATS = 'Device.PPP.Interface.1.Stats.'
const COUNTER = `${STATS}BytesReceived`
const PORT_COUNTER = 'Device.Ethernet.Interface.2.Stats.BytesReceived'
const WRAP = 2 ** 32
const MINUTE = 60_000

let device: OwnTreeDevice

/** The device shows these values, a minute after the last ones; its uptimes grow along. */
function shows(values: Record<string, number>): void {
  device.clock.advance(MINUTE)
  for (const path of [UP_TIME, `${LINE}Uptime`])
    device.values.set(path, String(Number(device.values.get(path) ?? 0) + 60))
  for (const [path, value] of Object.entries(values)) device.values.set(path, String(value))
}

async function read(path: string, counter = path): Promise<string | undefined> {
  const { results } = await device.runAndRecord({ verb: 'get', paths: [path] })
  expect(await device.stored(counter)).toBe(results.find((outcome) => outcome.path === counter)?.value)
  return device.stored(counter)
}

/** The device has booted, and says so. */
async function boots(): Promise<void> {
  shows({ [UP_TIME]: 5, [`${LINE}Uptime`]: 2, [OWN]: 100, [PORT]: 50 })
  await device.commit({ set: { 'cwmp.lastBootAt': device.clock.now() } })
}

beforeEach(async () => {
  device = await startOwnTreeDevice('tr098-router', { [OWN]: '5000000', [PORT]: '900000' })
})

describe('a counter of 32 bits that is read by its path of TR-181', () => {
  it('wraps, read alone or with its object', async () => {
    shows({ [OWN]: WRAP - 10 })
    expect(await read(COUNTER)).toBe(String(WRAP - 10))
    shows({ [OWN]: 90 })
    expect(await read(COUNTER)).toBe(String(WRAP + 90))
    shows({ [OWN]: 80 })
    expect(await read(STATS, COUNTER)).toBe(String(2 * WRAP + 80))
    shows({ [OWN]: 70 })
    expect(await read('Device.PPP.Interface.', COUNTER)).toBe(String(3 * WRAP + 70))
  })

  it('begins anew after a boot', async () => {
    await read(COUNTER)
    await read(PORT_COUNTER)
    await boots()
    expect(await read(COUNTER)).toBe('100')
    expect(await read(PORT_COUNTER)).toBe('50')
  })

  it('begins anew with its connection', async () => {
    await read(COUNTER)
    shows({ [OWN]: 100, [`${LINE}Uptime`]: 3 })
    expect(await read(COUNTER)).toBe('100')
  })

  it('is read with the uptimes in one request', async () => {
    await read(COUNTER)
    const [request] = device.asked
    expect(request).toEqual({ verb: 'get', paths: expect.arrayContaining([OWN, `${LINE}Uptime`, UP_TIME]) })
    expect(device.asked).toHaveLength(1)
  })
})

describe('a counter of 32 bits that is read without the uptimes', () => {
  it('does not wrap', async () => {
    await read(COUNTER)
    shows({ [OWN]: 100 })
    await device.runAndRecord({ verb: 'get', paths: [OWN] })
    expect(await device.stored(COUNTER)).toBe('100')
  })

  it('keeps what it has wrapped before, until the device boots', async () => {
    shows({ [OWN]: WRAP - 10 })
    await read(COUNTER)
    shows({ [OWN]: 20 })
    await read(COUNTER)
    shows({ [OWN]: 40 })
    await device.runAndRecord({ verb: 'get', paths: [OWN] })
    expect(await device.stored(COUNTER)).toBe(String(WRAP + 40))
    await boots()
    await device.runAndRecord({ verb: 'get', paths: [OWN] })
    expect(await device.stored(COUNTER)).toBe('100')
  })
})
