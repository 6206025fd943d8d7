import { describe, expect, it } from 'vitest'
import { bearsFacts, type DeviceFacts, factsFrom, type ParameterWrite, storable } from '../../../src/domain/index.ts'

const facts = (values: Record<string, string>): DeviceFacts =>
  factsFrom(Object.entries(values).map(([name, value]) => ({ name, value })))

describe('facts of a device', () => {
  const info = (root: string) => ({
    [`${root}DeviceInfo.Manufacturer`]: 'Acme',
    [`${root}DeviceInfo.ModelName`]: 'H1',
    [`${root}DeviceInfo.SoftwareVersion`]: '1.2',
    [`${root}DeviceInfo.HardwareVersion`]: 'B',
    [`${root}DeviceInfo.UpTime`]: '77',
    [`${root}ManagementServer.PeriodicInformInterval`]: '300',
  })
  const same = {
    manufacturer: 'Acme',
    model: 'H1',
    softwareVersion: '1.2',
    hardwareVersion: 'B',
    upTimeS: '77',
    informIntervalS: '300',
  }

  it('are the same from both roots', () => {
    expect(facts({ ...info('Device.'), 'Device.RootDataModelVersion': '2.12' })).toEqual({
      root: 'Device.',
      ...same,
      dataModelVersion: '2.12',
    })
    const summary = 'InternetGatewayDevice:1.14[](Baseline:1, EthernetLAN:1)'
    expect(facts({ ...info('InternetGatewayDevice.'), 'InternetGatewayDevice.DeviceSummary': summary })).toEqual({
      root: 'InternetGatewayDevice.',
      ...same,
      dataModelVersion: '1.14',
    })
  })

  it('can be told by few parameters of a tree', () => {
    expect(
      [
        'Device.DeviceInfo.UpTime',
        'InternetGatewayDevice.DeviceSummary',
        'Device.IP.Interface.1.IPv4Address.2.IPAddress',
        'Device.WiFi.SSID.1.SSID',
      ].map(bearsFacts),
    ).toEqual([true, true, true, false])
  })
})

describe('the external address, TR-098', () => {
  const wan = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.'
  const ip = `${wan}1.WANIPConnection.1.ExternalIPAddress`
  const ppp = `${wan}2.WANPPPConnection.1.ExternalIPAddress`
  const fallback = 'InternetGatewayDevice.Layer3Forwarding.DefaultConnectionService'

  it('is the one that an Inform brings', () => {
    expect(facts({ [ppp]: '10.1.2.3' }).ipAddress).toBe('10.1.2.3')
  })

  it.each(['', '.'])('is that of the default connection, named with or without its dot (%j)', (dot) => {
    const values = { [ip]: '10.0.0.9', [ppp]: '198.51.100.7', [fallback]: `${wan}2.WANPPPConnection.1${dot}` }
    expect(facts(values).ipAddress).toBe('198.51.100.7')
  })

  it.each(['', '0.0.0.0', '127.0.0.1', '169.254.7.7', 'fe80::1'])('is not %j', (unset) => {
    expect(facts({ [ip]: unset }).ipAddress).toBeUndefined()
    expect(facts({ [ip]: unset, [ppp]: '198.51.100.7' }).ipAddress).toBe('198.51.100.7')
  })
})

describe('the external address, TR-181', () => {
  const address = (n: number) => `Device.IP.Interface.${n}.IPv4Address.1.IPAddress`
  const both = { [address(1)]: '192.168.1.1', [address(2)]: '100.64.0.9' }
  const route = (n: number, more: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(more).map(([name, value]) => [`Device.Routing.Router.1.IPv4Forwarding.${n}.${name}`, value]),
    )

  it('is that of the interface with the default route', () => {
    const all = { DestIPAddress: '', DestSubnetMask: '0.0.0.0', Enable: '1', Interface: 'Device.IP.Interface.2' }
    const lan = { DestIPAddress: '192.168.1.0', DestSubnetMask: '255.255.255.0', Interface: 'Device.IP.Interface.1' }
    expect(facts({ ...both, ...route(1, lan), ...route(2, all) }).ipAddress).toBe('100.64.0.9')
    expect(facts({ ...both, ...route(2, { ...all, Enable: 'false' }) }).ipAddress).toBeUndefined()
  })

  it('is that of the interface behind which NAT is done, where no route tells', () => {
    const nat = {
      'Device.NAT.InterfaceSetting.1.Enable': 'true',
      'Device.NAT.InterfaceSetting.1.Interface': 'Device.IP.Interface.2.',
    }
    expect(facts({ ...both, ...nat }).ipAddress).toBe('100.64.0.9')
  })

  it('is a public one without any mark, and never one that may be of the LAN', () => {
    expect(facts({ [address(1)]: '192.168.1.1', [address(3)]: '203.0.113.4' }).ipAddress).toBe('203.0.113.4')
    for (const inside of ['10.1.1.1', '172.16.0.1', '172.31.9.9', '192.168.0.1', '100.127.0.1'])
      expect(facts({ [address(1)]: inside }).ipAddress).toBeUndefined()
  })
})

describe('what the record may keep of a value', () => {
  const write = (path: string, value: string): ParameterWrite => ({
    path,
    value,
    type: 'string',
    source: 'cwmp',
    collectedAt: 1,
  })
  const kept = (path: string, value: string) => storable(write(path, value))?.value

  it('is the value', () => {
    expect(kept('Device.WiFi.SSID.1.SSID', 'home')).toBe('home')
    expect(kept('Device.DeviceInfo.ProvisioningCode', '')).toBe('')
  })

  it.each(['', '****', 'in the clear'])('is nothing of a secret, shown as %j', (shown) => {
    expect(kept('InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.KeyPassphrase', shown)).toBe('')
    expect(kept('Device.ManagementServer.Password', shown)).toBe('')
  })

  it('is nothing under a name with characters that nobody sees', () => {
    for (const path of ['Device.X.a\nb', 'Device.X.\u202etxet', 'Device.X.a\u200bb', 'Device.X.a\u2028b'])
      expect(kept(path, 'x')).toBeUndefined()
  })

  it('is not a row of stars, an empty SSID, or a file', () => {
    expect(kept('Device.X_ACME_Code', '********')).toBeUndefined()
    expect(kept('InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID', '')).toBeUndefined()
    expect(kept('Device.X_ACME_Log', 'x'.repeat(65_537))).toBeUndefined()
  })
})
