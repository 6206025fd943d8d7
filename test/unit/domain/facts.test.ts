import { describe, expect, it } from 'vitest'
import {
  bearsFacts,
  type Device,
  type DeviceFacts,
  deviceIdOf,
  factsFrom,
  newDevice,
  type ParameterWrite,
  storable,
  withDerivedFields,
} from '../../../src/domain/index.ts'

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
      ['Device.DeviceInfo.UpTime', 'InternetGatewayDevice.DeviceSummary', 'Device.WiFi.SSID.1.SSID'].map(bearsFacts),
    ).toEqual([true, true, false])
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

describe('the external address of a record', () => {
  const identity = { oui: '00256D', productClass: 'Box', serial: '1' }
  const deviceId = deviceIdOf(identity)
  const none = { set: {}, unset: [] }
  const device: Device = { ...newDevice(deviceId, identity, 'cwmp', 1), ipAddress: '10.0.0.9' }
  const connected: Device = { ...device, ipAddress: '203.0.113.7', wan: { ipAddress: '203.0.113.7' } }

  it('is that of the internet connection as soon as one is known', () => {
    const set = { 'wan.ipAddress': '203.0.113.7' }
    expect(withDerivedFields(device, { deviceId }, { set, unset: [] }, 2).set).toMatchObject({
      ...set,
      ipAddress: '203.0.113.7',
    })
  })

  it('is not that of another connection which an Inform names', () => {
    const inform = { deviceId, set: { ipAddress: '10.0.0.9' } }
    expect(withDerivedFields(connected, inform, none, 2).set).not.toHaveProperty('ipAddress')
    expect(withDerivedFields(device, { deviceId, set: { ipAddress: '10.0.0.8' } }, none, 2).set).toMatchObject({
      ipAddress: '10.0.0.8',
    })
  })

  it('is the one before while the connection has none', () => {
    const lost = withDerivedFields(connected, { deviceId }, { set: {}, unset: ['wan.ipAddress'] }, 2)
    expect(lost.set ?? {}).not.toHaveProperty('ipAddress')
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
