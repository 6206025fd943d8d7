import { describe, expect, it } from 'vitest'
import { type ContextFacts, readBy, refusedBy, writtenBy } from '../../../../support/transform-context.ts'

const IGD = 'InternetGatewayDevice.'
const LAN = `${IGD}LANDevice.1.`
const CONNECTION = `${IGD}WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.`
const BRIDGED = `${IGD}WANDevice.1.WANConnectionDevice.3.WANIPConnection.1.`
const VOICE = `${IGD}Services.VoiceService.1.`

/** A device with one LAN, two networks and one routed connection. */
const rows: ContextFacts['rows'] = {
  [LAN]: ['Device.IP.Interface.1.', 'Device.Ethernet.Link.1.'],
  [`${LAN}LANEthernetInterfaceConfig.1.`]: ['Device.Ethernet.Interface.2.', 'Device.Bridging.Bridge.1.Port.2.'],
  [`${LAN}WLANConfiguration.1.`]: ['Device.WiFi.SSID.1.', 'Device.WiFi.Radio.1.', 'Device.Bridging.Bridge.1.Port.3.'],
  [`${LAN}WLANConfiguration.5.`]: ['Device.WiFi.SSID.2.', 'Device.WiFi.Radio.2.', 'Device.Bridging.Bridge.1.Port.4.'],
  [`${LAN}Hosts.Host.1.`]: ['Device.Hosts.Host.1.', 'Device.DHCPv4.Server.Pool.1.Client.3.'],
  [`${IGD}WANDevice.1.`]: ['Device.Ethernet.Interface.1.'],
  [CONNECTION]: ['Device.IP.Interface.2.', 'Device.PPP.Interface.1.', 'Device.Ethernet.Link.2.'],
  [`${IGD}QueueManagement.Policer.3.`]: ['Device.QoS.Policer.3.'],
  [`${IGD}QueueManagement.App.2.`]: ['Device.QoS.App.2.'],
  [`${IGD}QueueManagement.Queue.1.`]: ['Device.QoS.Queue.1.'],
  [`${IGD}SoftwareModules.ExecEnv.1.`]: ['Device.SoftwareModules.ExecEnv.1.'],
  [`${IGD}SoftwareModules.ExecEnv.2.`]: ['Device.SoftwareModules.ExecEnv.2.'],
  [`${VOICE}Capabilities.Codecs.2.`]: ['Device.Services.VoiceService.1.Capabilities.Codec.2.'],
  [`${IGD}Layer2Bridging.Bridge.1.`]: ['Device.Bridging.Bridge.2.'],
  [`${IGD}Layer2Bridging.Bridge.1.Port.1.`]: ['Device.Bridging.Bridge.2.Port.1.'],
}
const source = `${IGD}Any.1.Reference`
const at = (from: string, raw: ContextFacts['raw'] = {}): ContextFacts => ({ from, raw, rows })
const shows = (shown: string) =>
  at(source, { [source]: shown, [`${LAN}LANHostConfigManagement.IPInterface.1.Enable`]: '1' })

describe('object paths in values', () => {
  it.each([
    ['pathRef', '', ''],
    ['pathRef', `${IGD}SoftwareModules.ExecEnv.1`, 'Device.SoftwareModules.ExecEnv.1'],
    ['pathRef', `${IGD}SoftwareModules.ExecEnv.1.`, 'Device.SoftwareModules.ExecEnv.1'],
    ['pathRef', 'SoftwareModules.ExecEnv.1', 'Device.SoftwareModules.ExecEnv.1'],
    [
      'pathRef',
      `${IGD}SoftwareModules.ExecEnv.1, ${IGD}SoftwareModules.ExecEnv.9,${IGD}SoftwareModules.ExecEnv.2`,
      'Device.SoftwareModules.ExecEnv.1,Device.SoftwareModules.ExecEnv.2',
    ],
    ['pathRef', `${IGD}SoftwareModules.ExecEnv.9`, undefined],
    ['pathRef', 'no path at all', undefined],
    ['pathRef', `${IGD}LANInterfaces.WLANConfiguration.5`, 'Device.WiFi.SSID.2'],
    ['ifRef', CONNECTION, 'Device.IP.Interface.2'],
    ['ifRef', CONNECTION.slice(0, -1), 'Device.IP.Interface.2'],
    ['ifRef', `${LAN}LANHostConfigManagement.IPInterface.1`, 'Device.IP.Interface.1'],
    ['ifRef', `${LAN}WLANConfiguration.5.`, 'Device.WiFi.SSID.2'],
    ['ifRef', `${IGD}SoftwareModules.ExecEnv.2`, 'Device.SoftwareModules.ExecEnv.2'],
    ['ifRef', BRIDGED, undefined],
    ['ifRef', '', ''],
    ['wanConnRef', CONNECTION, 'Device.IP.Interface.2'],
    ['wanConnRef', `${LAN}LANHostConfigManagement.`, 'Device.IP.Interface.1'],
    ['wanConnRef', BRIDGED, undefined],
    ['wanConnRef', '', ''],
    ['qosIfRef', '', ''],
    ['qosIfRef', 'WAN', ''],
    ['qosIfRef', 'Local', ''],
    ['qosIfRef', CONNECTION, 'Device.IP.Interface.2'],
    ['qosIfRef', `${LAN}LANEthernetInterfaceConfig.1`, 'Device.Ethernet.Interface.2'],
    ['hostL1Ref', `${LAN}LANEthernetInterfaceConfig.1`, 'Device.Ethernet.Interface.2'],
    ['hostL1Ref', `${LAN}WLANConfiguration.5.`, 'Device.WiFi.Radio.2'],
    ['hostL1Ref', `${IGD}LANInterfaces.WLANConfiguration.1`, 'Device.WiFi.Radio.1'],
    ['hostL1Ref', '', ''],
    ['hostL1Ref', 'eth0', undefined],
  ])('%s reads %j as %j', (name, raw, value) => {
    expect(readBy(name, raw, at(source))).toBe(value)
  })

  it.each([
    ['pathRef', 'Device.SoftwareModules.ExecEnv.1', '', `${IGD}SoftwareModules.ExecEnv.1`],
    ['pathRef', 'Device.SoftwareModules.ExecEnv.1.', '', `${IGD}SoftwareModules.ExecEnv.1`],
    ['pathRef', 'Device.SoftwareModules.ExecEnv.1', CONNECTION, `${IGD}SoftwareModules.ExecEnv.1.`],
    ['pathRef', '', CONNECTION, ''],
    ['ifRef', 'Device.IP.Interface.2', '', CONNECTION.slice(0, -1)],
    ['ifRef', 'Device.IP.Interface.2', CONNECTION, CONNECTION],
    ['ifRef', 'Device.IP.Interface.1', '', `${LAN}LANHostConfigManagement.IPInterface.1`],
    ['wanConnRef', 'Device.IP.Interface.1', '', `${LAN}LANHostConfigManagement`],
    ['qosIfRef', '', CONNECTION, ''],
    ['qosIfRef', 'Device.Ethernet.Interface.2', '', `${LAN}LANEthernetInterfaceConfig.1`],
  ])('%s writes %j, where the device shows %j, as %j', (name, value, shown, written) => {
    expect(writtenBy(name, value, shows(shown))).toBe(written)
  })

  it.each(['pathRef', 'ifRef', 'wanConnRef', 'qosIfRef'])('%s refuses a row that no object is behind', (name) => {
    const refused = refusedBy(name, 'Device.IP.Interface.99', shows(''))
    expect(refused?.message).toMatch(/"Device.IP.Interface.99" names no object/)
    expect(refused?.source).toBe(source)
  })

  it('refuses the words of queues, which the source path takes', () => {
    expect(refusedBy('qosIfRef', 'LAN', shows(''))?.message).toMatch(/word of the device/)
  })
})

describe('numbers and names of rows in values', () => {
  it.each([
    ['DefaultPolicer', '3', 'Device.QoS.Policer.3'],
    ['Classification.1.ClassApp', '2', 'Device.QoS.App.2'],
    ['QueueStats.1.Queue', '1', 'Device.QoS.Queue.1'],
    ['Flow.1.AppIdentifier', '2', 'Device.QoS.App.2'],
    ['DefaultPolicer', '-1', ''],
    ['DefaultPolicer', '4294967295', ''],
    ['DefaultPolicer', '9', undefined],
    ['DefaultPolicer', 'odd', undefined],
  ])('instRef of %s reads %j as %j', (leaf, raw, value) => {
    expect(readBy('instRef', raw, at(`${IGD}QueueManagement.${leaf}`))).toBe(value)
  })

  it('instRef writes the number of the row, and none in the way of the device', () => {
    const from = `${IGD}QueueManagement.DefaultPolicer`
    expect(writtenBy('instRef', 'Device.QoS.Policer.3', at(from))).toBe('3')
    expect(writtenBy('instRef', '', at(from))).toBe('-1')
    expect(writtenBy('instRef', '', at(from, { [from]: '4294967295' }))).toBe('4294967295')
    expect(refusedBy('instRef', 'Device.QoS.Policer.9', at(from))?.message).toMatch(/names no object/)
  })

  it('codecRef finds the codec by its name', () => {
    const from = `${VOICE}VoiceProfile.1.Line.1.Codec.List.1.Codec`
    const raw = {
      [`${VOICE}Capabilities.Codecs.1.Codec`]: 'G.729',
      [`${VOICE}Capabilities.Codecs.2.Codec`]: 'G.711ALaw',
    }
    expect(readBy('codecRef', 'G.711ALaw', at(from, raw))).toBe('Device.Services.VoiceService.1.Capabilities.Codec.2')
    expect(readBy('codecRef', 'G.722', at(from, raw))).toBeUndefined()
  })

  it('hostSource names the lease of a host that has one', () => {
    const from = `${LAN}Hosts.Host.1.AddressSource`
    expect(readBy('hostSource', 'DHCP', at(from))).toBe('Device.DHCPv4.Server.Pool.1.Client.3')
    expect(readBy('hostSource', 'Static', at(from))).toBe('')
    expect(readBy('hostSource', 'DHCP', at(`${LAN}Hosts.Host.2.AddressSource`))).toBe('')
  })

  it('paramRef keeps a path without a row as it is', () => {
    const upTime = `${IGD}DeviceInfo.UpTime`
    const facts = { ...at(source), parameters: { [upTime]: 'Device.DeviceInfo.UpTime' } }
    expect(readBy('paramRef', upTime, facts)).toBe('Device.DeviceInfo.UpTime')
    expect(readBy('paramRef', `${IGD}X_VENDOR.Value`, facts)).toBe(`${IGD}X_VENDOR.Value`)
    expect(readBy('paramRef', CONNECTION, facts)).toBe('Device.IP.Interface.2.')
    expect(readBy('paramRef', '', facts)).toBe('')
    expect(writtenBy('paramRef', 'Device.DeviceInfo.UpTime', facts)).toBe(upTime)
    expect(writtenBy('paramRef', `${IGD}X_VENDOR.Value`, facts)).toBe(`${IGD}X_VENDOR.Value`)
  })
})

describe('keys of Layer2Bridging', () => {
  const BRIDGING = `${IGD}Layer2Bridging.`
  const port = `${BRIDGING}Bridge.1.Port.1.PortInterface`
  const raw = {
    [`${BRIDGING}Bridge.1.BridgeKey`]: '7',
    [port]: '11',
    [`${BRIDGING}AvailableInterface.1.AvailableInterfaceKey`]: '11',
    [`${BRIDGING}AvailableInterface.1.InterfaceReference`]: `${LAN}LANEthernetInterfaceConfig.1`,
    [`${BRIDGING}AvailableInterface.2.AvailableInterfaceKey`]: '12',
    [`${BRIDGING}AvailableInterface.2.InterfaceReference`]: `${LAN}WLANConfiguration.5.`,
    [`${BRIDGING}AvailableInterface.3.AvailableInterfaceKey`]: '13',
    [`${BRIDGING}AvailableInterface.3.InterfaceReference`]: CONNECTION,
  }

  it.each([
    ['bridgeIfRef', '11', 'Device.Ethernet.Interface.2'],
    ['bridgeIfRef', '12', 'Device.WiFi.SSID.2'],
    ['bridgeIfRef', '13', 'Device.Ethernet.Link.2'],
    ['bridgeIfRef', '14', undefined],
    ['bridgeIfRef', '', ''],
    ['filterIf', '11', 'Device.Bridging.Bridge.2.Port.1'],
    ['filterIf', '12', 'Device.Bridging.Bridge.1.Port.4'],
    ['filterIf', 'AllInterfaces', undefined],
    ['filterIf', 'LANInterfaces', undefined],
    ['bridgeKeyRef', '7', 'Device.Bridging.Bridge.2'],
    ['bridgeKeyRef', '-1', ''],
    ['bridgeKeyRef', '8', undefined],
  ])('%s reads %j as %j', (name, key, value) => {
    expect(readBy(name, key, at(port, raw))).toBe(value)
  })

  it.each([
    ['bridgeIfRef', 'Device.WiFi.SSID.2', '12'],
    ['bridgeIfRef', 'Device.Ethernet.Link.2.', '13'],
    ['bridgeIfRef', '', ''],
    ['filterIf', 'Device.Bridging.Bridge.2.Port.1', '11'],
    ['filterIf', 'Device.Bridging.Bridge.1.Port.4', '12'],
    ['bridgeKeyRef', 'Device.Bridging.Bridge.2', '7'],
    ['bridgeKeyRef', '', '-1'],
  ])('%s writes %j as %j', (name, value, key) => {
    expect(writtenBy(name, value, at(port, raw))).toBe(key)
  })

  it.each([
    ['bridgeIfRef', 'Device.WiFi.SSID.9', /no interface that the device can bridge/],
    ['filterIf', 'Device.Bridging.Bridge.9.Port.1', /no bridge port/],
    ['bridgeKeyRef', 'Device.Bridging.Bridge.9', /no bridge that/],
  ])('%s refuses %j', (name, value, message) => {
    expect(refusedBy(name, value, at(port, raw))?.message).toMatch(message)
  })
})
