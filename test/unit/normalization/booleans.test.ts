import { describe, expect, it } from 'vitest'
import { type OwnTreeDevice, startOwnTreeDevice } from '../../support/own-tree-device.ts'

// The device reports all its values as strings.
const IGD = 'InternetGatewayDevice.'
const WLAN = `${IGD}LANDevice.1.WLANConfiguration.1.`
const NAT = `${IGD}WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.NATEnabled`
const SOURCES = {
  'Device.WiFi.SSID.1.Enable': `${WLAN}Enable`,
  'Device.WiFi.AccessPoint.1.SSIDAdvertisementEnabled': `${WLAN}SSIDAdvertisementEnabled`,
  'Device.NAT.InterfaceSetting.1.Enable': NAT,
}

function showing(value: string): Promise<OwnTreeDevice> {
  return startOwnTreeDevice('tr098-router', Object.fromEntries(Object.values(SOURCES).map((path) => [path, value])))
}

const isOn = (paths: readonly string[]) => paths.map((path) => ({ path, value: 'true' }))

describe.each([
  ['0', '1'],
  ['false', 'true'],
  ['FALSE', 'TRUE'],
  ['False', 'True'],
  ['Disabled', 'Enabled'],
])('a boolean that the device has as the string %s', (off, on) => {
  it('is written so by its path of TR-181', async () => {
    const device = await showing(off)
    const result = await device.run({ verb: 'set', values: isOn(Object.keys(SOURCES)) })
    expect(result.outcome).toBe('done')
    expect(Object.values(SOURCES).map((path) => device.values.get(path))).toEqual([on, on, on])
  })

  it('is written so by its own path, alone and with others', async () => {
    const alone = await showing(off)
    await alone.run({ verb: 'set', values: isOn([NAT]) })
    expect(alone.values.get(NAT)).toBe(on)
    const both = await showing(off)
    await both.run({ verb: 'set', values: isOn([NAT, 'Device.WiFi.SSID.1.Enable']) })
    expect(both.values.get(NAT)).toBe(on)
  })
})

it('sends a value by an own path as it is where the request gives its type, or where it is no boolean', async () => {
  const device = await showing('0')
  await device.run({ verb: 'set', values: [{ path: NAT, value: 'true', type: 'string' }] })
  expect(device.values.get(NAT)).toBe('true')
  await device.run({ verb: 'set', values: [{ path: `${WLAN}SSID`, value: 'true' }] })
  expect(device.values.get(`${WLAN}SSID`)).toBe('true')
})
