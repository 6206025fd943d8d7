import { describe, expect, it } from 'vitest'
import { type OwnTreeDevice, startOwnTreeDevice } from '../../support/own-tree-device.ts'

const LAN = 'InternetGatewayDevice.LANDevice.1.'
const WAN = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.'
const OBJECTS = [
  'Device.',
  'Device.DeviceInfo.',
  'Device.DHCPv4.',
  'Device.Ethernet.Interface.',
  'Device.Hosts.',
  'Device.IP.',
  'Device.Optical.',
  'Device.PPP.Interface.',
  'Device.PPP.Interface.1.',
  'Device.Routing.',
  'Device.Services.',
  'Device.WiFi.',
  'Device.WiFi.AccessPoint.1.AssociatedDevice.',
  'Device.X_NoSuch.',
]

/** The own paths that the last requests asked for, and forgets them. */
function asked(device: OwnTreeDevice): string[] {
  return device.asked.splice(0).flatMap((request) => ('paths' in request ? request.paths : []))
}

const shows = ({ values }: OwnTreeDevice, path: string) =>
  path.endsWith('.') ? [...values.keys()].some((name) => name.startsWith(path)) : values.has(path)

describe.each(['huawei-hg8145v5', 'tr098-router', 'zte-f670l', 'ctcom-f460-epon'])('an object of %s', (name) => {
  it('is read by names that the device has shown', async () => {
    const device = await startOwnTreeDevice(name)
    for (const object of OBJECTS) {
      await device.run({ verb: 'get', paths: [object] })
      expect(
        asked(device).filter((path) => !shows(device, path)),
        object,
      ).toEqual([])
    }
  })

  it('is subscribed to by the parameters behind it', async () => {
    const device = await startOwnTreeDevice(name)
    for (const object of ['Device.WiFi.', 'Device.Hosts.', 'Device.IP.Interface.', 'Device.PPP.Interface.1.']) {
      const result = await device.run({
        verb: 'subscribe',
        id: 's',
        notifType: 'ValueChange',
        paths: [object],
        enable: true,
      })
      const names = asked(device)
      expect(result.outcome, object).toBe('done')
      expect(names.length, object).toBeGreaterThan(0)
      expect(
        names.filter((path) => !device.values.has(path)),
        object,
      ).toEqual([])
    }
  })
})

describe('a parameter that the record does not have', () => {
  const LOAD = 'Device.DeviceInfo.ProcessStatus.CPUUsage'

  it('is asked for in objects that the device has shown alone', async () => {
    const device = await startOwnTreeDevice('tr098-router')
    const own = (path: string) => path.slice(0, path.lastIndexOf('.') + 1)
    for (const path of [LOAD, 'Device.Optical.Interface.1.OpticalSignalLevel', 'Device.WiFi.SSID.1.Alias']) {
      await device.run({ verb: 'get', paths: [path] })
      expect(
        asked(device).filter((name) => !shows(device, own(name))),
        path,
      ).toEqual([])
    }
  })

  it('is found where a known object has it by now', async () => {
    const device = await startOwnTreeDevice('realtek-v2802dac')
    const name = `${LAN}WLANConfiguration.1.MACAddressControlEnabled`
    expect(device.values.has(name)).toBe(false)
    device.values.set(name, '1')
    const path = 'Device.WiFi.AccessPoint.1.MACAddressControlEnabled'
    const { results } = await device.run({ verb: 'get', paths: [path] })
    expect(results).toMatchObject([{ path, from: { path: name, value: '1' } }])
  })
})

/** Is read beside counters: it shows whether they began anew. */
const UPTIME = 'InternetGatewayDevice.DeviceInfo.UpTime'

it('objects of one request are read once where their sources lie in one another', async () => {
  const device = await startOwnTreeDevice('huawei-hg8145v5')
  const own = `${LAN}Hosts.Host.1.NoSuch`
  const paths = ['Device.WiFi.SSID.', 'Device.WiFi.', 'Device.Hosts.', own]
  const { results } = await device.run({ verb: 'get', paths })
  expect(asked(device)).toEqual([UPTIME, own, 'InternetGatewayDevice.LANDevice.'])
  expect(results).toContainEqual(expect.objectContaining({ path: own, error: expect.anything() }))
})

it('a subscription to the hosts is not one to the networks and their keys', async () => {
  const device = await startOwnTreeDevice('huawei-hg8145v5')
  await device.run({ verb: 'subscribe', id: 's', notifType: 'ValueChange', paths: ['Device.Hosts.'], enable: true })
  const names = asked(device)
  expect(names).toContain(`${LAN}Hosts.Host.1.Active`)
  // The address of a host is also that of a station.
  expect(names.filter((path) => !/\.(Hosts|AssociatedDevice)\./.test(path))).toEqual([])
})

describe('a row that is new', () => {
  const USER = `${WAN}7.WANPPPConnection.1.Username`
  const connection = { [USER]: 'new@isp', [`${WAN}7.WANPPPConnection.1.ConnectionType`]: 'IP_Routed' }

  it.each(['Device.PPP.Interface.', 'Device.PPP.', 'Device.PPP.Interface.*.Username', 'Device.'])(
    'below an object that is new is found by a read of %s',
    async (path) => {
      const device = await startOwnTreeDevice('huawei-hg8145v5')
      for (const [name, value] of Object.entries(connection)) device.values.set(name, value)
      const { results } = await device.run({ verb: 'get', paths: [path] })
      expect(results).toContainEqual(
        expect.objectContaining({ value: 'new@isp', from: { path: USER, value: 'new@isp' } }),
      )
    },
  )

  it('in a table that was empty is found by a read of the object that the table is in', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5')
    const address = '02:00:00:00:00:77'
    const [network = ''] = [1, 2, 5, 6]
      .map((n) => `${LAN}WLANConfiguration.${n}.`)
      .filter((object) => !shows(device, `${object}AssociatedDevice.`))
    device.values.set(`${network}AssociatedDevice.1.AssociatedDeviceMACAddress`, address)
    const { results: rows } = await device.run({
      verb: 'instances',
      paths: ['Device.WiFi.AccessPoint.'],
      firstLevelOnly: true,
    })
    const row = rows.find(({ from }) => from?.path === network)?.path
    const other = await startOwnTreeDevice('huawei-hg8145v5')
    other.values.set(`${network}AssociatedDevice.1.AssociatedDeviceMACAddress`, address)
    const { results } = await other.run({ verb: 'get', paths: [`${row}AssociatedDevice.`] })
    expect(asked(other)).toEqual([UPTIME, network])
    expect(results).toContainEqual(expect.objectContaining({ value: address }))
  })

  it('of the routes is found although there was none', async () => {
    const device = await startOwnTreeDevice('huawei-hg8145v5', {
      'InternetGatewayDevice.Layer3Forwarding.DefaultConnectionService': `${WAN}2.WANPPPConnection.1`,
    })
    const route = 'InternetGatewayDevice.Layer3Forwarding.Forwarding.1.'
    device.values.set(`${route}DestIPAddress`, '198.51.100.0')
    const { results } = await device.run({ verb: 'get', paths: ['Device.Routing.Router.1.IPv4Forwarding.'] })
    expect(results).toContainEqual(expect.objectContaining({ value: '198.51.100.0' }))
  })
})
