import { describe, expect, it } from 'vitest'
import { canWrite, MappingRefusal, planAdd, planDelete, planWrite } from '../../../../src/datamodel/index.ts'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { tr098Router, under } from '../../../support/tr098-router.ts'

const LAN = 'InternetGatewayDevice.LANDevice.1.'
const WAN = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.'
const time = { at: 0 }
const mapping = compiled()
const { tree, device } = mappedDevice(tr098Router(), mapping)
const write = (values: Record<string, string>, writable?: (path: string) => boolean | undefined) =>
  planWrite(
    device,
    Object.entries(values).map(([path, value]) => ({ path, value })),
    tree,
    time,
    writable,
  )
const sent = (values: Record<string, string>) =>
  Object.fromEntries(write(values).values.map(({ path, value }) => [path, value]))
const refusal = (action: () => unknown): MappingRefusal => {
  try {
    action()
  } catch (error) {
    if (error instanceof MappingRefusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a write through TR-181', () => {
  it('goes to the source of the parameter', () => {
    expect(sent({ 'Device.WiFi.SSID.3.SSID': 'New', 'Device.PPP.Interface.1.Username': 'a@b' })).toEqual({
      [`${LAN}WLANConfiguration.5.SSID`]: 'New',
      [`${WAN}2.WANPPPConnection.1.Username`]: 'a@b',
    })
  })

  it('sends nothing that the device shows already', () => {
    const plan = write({ 'Device.WiFi.SSID.1.SSID': 'Home', 'Device.WiFi.SSID.1.Enable': '1' })
    expect(plan).toEqual({ values: [], unchanged: ['Device.WiFi.SSID.1.SSID', 'Device.WiFi.SSID.1.Enable'] })
  })

  it('writes a key in every place that the device has', () => {
    expect(sent({ 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase': 'correct horse' })).toEqual({
      [`${LAN}WLANConfiguration.1.KeyPassphrase`]: 'correct horse',
      [`${LAN}WLANConfiguration.1.PreSharedKey.1.KeyPassphrase`]: 'correct horse',
    })
  })

  it('goes to the first enabled network of a radio, and to all where they show different values', () => {
    expect(sent({ 'Device.WiFi.Radio.2.Channel': '36' })).toEqual({ [`${LAN}WLANConfiguration.5.Channel`]: '36' })
    const apart = mappedDevice(
      [...tr098Router(), ...under(`${LAN}WLANConfiguration.6.`, { TransmitPower: 50 })],
      mapping,
    )
    const request = [{ path: 'Device.WiFi.Radio.2.TransmitPower', value: '25' }]
    expect(planWrite(apart.device, request, apart.tree, time).values).toHaveLength(2)
  })

  it('joins the servers of a connection into its list', () => {
    expect(
      sent({ 'Device.DNS.Client.Server.2.DNSServer': '1.1.1.1', 'Device.DNS.Client.Server.3.DNSServer': '1.0.0.1' }),
    ).toEqual({ [`${WAN}2.WANPPPConnection.1.DNSServers`]: '1.1.1.1,1.0.0.1' })
  })

  it('takes an address together with the switch to static addressing, in either order', () => {
    const request = {
      'Device.IP.Interface.2.IPv4Address.1.IPAddress': '198.51.100.2',
      'Device.DHCPv4.Client.1.Enable': 'false',
    }
    const router = mappedDevice(tr098Router(), compiled())
    const plan = planWrite(
      router.device,
      Object.entries(request).map(([path, value]) => ({ path, value })),
      router.tree,
      time,
    )
    expect(plan.values).toEqual([
      { path: `${WAN}1.WANIPConnection.1.AddressingType`, value: 'Static' },
      { path: `${WAN}1.WANIPConnection.1.ExternalIPAddress`, value: '198.51.100.2' },
    ])
    expect(() => write({ 'Device.IP.Interface.2.IPv4Address.1.IPAddress': '198.51.100.2' })).toThrow(/does not allow/)
  })

  it('refuses two values for one parameter of the device', () => {
    for (const request of [
      { 'Device.WiFi.SSID.1.Enable': 'false', 'Device.WiFi.AccessPoint.1.Enable': '1' },
      // The device shows the first one already.
      { 'Device.WiFi.AccessPoint.1.Enable': '1', 'Device.WiFi.SSID.1.Enable': 'false' },
    ]) {
      const error = refusal(() => write(request))
      expect(error.message).toContain('two different values')
      expect(error.source).toBe(`${LAN}WLANConfiguration.1.Enable`)
    }
    expect(sent({ 'Device.WiFi.SSID.1.Enable': '0', 'Device.WiFi.AccessPoint.1.Enable': '0' })).toEqual({
      [`${LAN}WLANConfiguration.1.Enable`]: 'false',
    })
  })

  it('says why it cannot be done, and what can be written instead', () => {
    expect(refusal(() => write({ 'Device.Hosts.Host.1.HostName': 'x' }))).toMatchObject({
      source: `${LAN}Hosts.Host.1.HostName`,
      message: expect.stringContaining('read only'),
    })
    expect(refusal(() => write({ 'Device.IP.Interface.1.Type': 'Loopback' })).message).toContain('follows from')
    expect(refusal(() => write({ 'Device.WiFi.SSID.9.SSID': 'x' })).message).toContain('no place')
    expect(refusal(() => write({ 'Device.Nothing.Here': 'x' })).message).toContain('no place')
  })

  it('names the parameter to write where a value is a copy, and what to do where it follows from others', () => {
    expect(refusal(() => write({ 'Device.DHCPv4.Server.Enable': 'false' }))).toMatchObject({
      source: `${LAN}LANHostConfigManagement.DHCPServerEnable`,
      message: expect.stringContaining('Device.DHCPv4.Server.Pool.1.Enable'),
    })
    expect(() => write({ 'Device.NAT.PortMapping.1.Interface': 'Device.IP.Interface.2' })).toThrow(/delete the row/)
    expect(write({ 'Device.NAT.PortMapping.1.Interface': 'Device.IP.Interface.3' }).values).toEqual([])
  })

  it('moves the default connection by the interface of its route', () => {
    expect(sent({ 'Device.Routing.Router.1.IPv4Forwarding.1001.Interface': 'Device.IP.Interface.2' })).toEqual({
      'InternetGatewayDevice.Layer3Forwarding.DefaultConnectionService': `${WAN}1.WANIPConnection.1`,
    })
    expect(() => write({ 'Device.Routing.Router.1.IPv4Forwarding.1000.Interface': 'Device.IP.Interface.3' })).toThrow(
      /cannot be written/,
    )
  })

  it('refuses a reference to a row of another table', () => {
    const object = 'InternetGatewayDevice.QueueManagement.'
    const { device, tree } = mappedDevice(
      [...tr098Router(), ...under(object, { 'App.1.AppDefaultPolicer': -1, 'Policer.2.PolicerEnable': true })],
      mapping,
    )
    const path = 'Device.QoS.App.1.DefaultPolicer'
    const to = (value: string) => planWrite(device, [{ path, value }], tree, time).values
    expect(to('Device.QoS.Policer.2')).toEqual([{ path: `${object}App.1.AppDefaultPolicer`, value: '2' }])
    expect(() => to('Device.IP.Interface.1')).toThrow(/no row of QoS.Policer/)
  })

  it('is known beforehand to have a place or not', () => {
    expect(canWrite(device, 'Device.WiFi.SSID.1.SSID', tree)).toBe(true)
    expect(canWrite(device, 'Device.WiFi.SSID.1.SSID', tree, () => false)).toBe(false)
    expect(canWrite(device, 'Device.IP.Interface.2.IPv4Address.1.IPAddress', tree)).toBe(true)
    for (const path of ['Device.Hosts.Host.1.HostName', 'Device.WiFi.SSID.1.LowerLayers', 'Device.WiFi.SSID.9.SSID'])
      expect(canWrite(device, path, tree), path).toBe(false)
  })

  it('lets the device itself decide what is writable', () => {
    const standard = `${LAN}WLANConfiguration.1.SSID`
    expect(refusal(() => write({ 'Device.WiFi.SSID.1.SSID': 'x' }, (path) => path !== standard)).source).toBe(standard)
    expect(write({ 'Device.Hosts.Host.1.HostName': 'x' }, () => true).values).toHaveLength(1)
  })
})

describe('rows', () => {
  it('are added in the table of their owner', () => {
    const add = (table: string, initial: Record<string, string> = {}) => planAdd(device, table, initial, tree)
    expect(add('Device.NAT.PortMapping.')).toBe(`${WAN}2.WANPPPConnection.1.PortMapping.`)
    expect(add('Device.NAT.PortMapping.', { Interface: 'Device.IP.Interface.2' })).toBe(
      `${WAN}1.WANIPConnection.1.PortMapping.`,
    )
    expect(add('Device.Routing.Router.1.IPv4Forwarding.')).toBe('InternetGatewayDevice.Layer3Forwarding.Forwarding.')
    expect(add('Device.DHCPv4.Server.Pool.1.StaticAddress.')).toBe(`${LAN}LANHostConfigManagement.DHCPStaticAddress.`)
    expect(add('Device.WiFi.SSID.')).toBe(`${LAN}WLANConfiguration.`)
    expect(add('Device.QoS.Policer.')).toBe('InternetGatewayDevice.QueueManagement.Policer.')
    expect(add('Device.PPP.Interface.', { LowerLayers: 'Device.Ethernet.Link.2' })).toBe(`${WAN}1.WANPPPConnection.`)
  })

  it('that exist in TR-181 alone are neither added nor deleted', () => {
    for (const table of ['Device.WiFi.Radio.', 'Device.NAT.InterfaceSetting.', 'Device.DNS.Client.Server.'])
      expect(() => planAdd(device, table, {}, tree), table).toThrow(MappingRefusal)
    expect(() => planAdd(device, 'Device.PPP.Interface.', {}, tree)).toThrow(/LowerLayers/)
    for (const row of [
      'Device.IP.Interface.1.',
      'Device.WiFi.Radio.1.',
      'Device.DHCPv4.Client.1.',
      'Device.Routing.Router.1.IPv4Forwarding.1001.',
      'Device.DHCPv4.Server.Pool.1.',
    ])
      expect(() => planDelete(device, row, tree), row).toThrow(/cannot be deleted/)
    expect(() => planDelete(device, 'Device.NAT.PortMapping.7.', tree)).toThrow(/no row/)
  })

  it('are deleted with their own object', () => {
    expect(planDelete(device, 'Device.NAT.PortMapping.1.', tree)).toBe(`${WAN}2.WANPPPConnection.1.PortMapping.1.`)
    expect(planDelete(device, 'Device.Routing.Router.1.IPv4Forwarding.1.', tree)).toBe(
      'InternetGatewayDevice.Layer3Forwarding.Forwarding.1.',
    )
    expect(planDelete(device, 'Device.WiFi.SSID.2.', tree)).toBe(`${LAN}WLANConfiguration.2.`)
  })
})
