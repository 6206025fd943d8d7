import { describe, expect, it } from 'vitest'
import { mapTree } from '../../../support/map-tree.ts'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { tr098Router } from '../../../support/tr098-router.ts'

const mapping = compiled()
const { tree, map, device } = mappedDevice(tr098Router(), mapping)
const time = { at: Date.UTC(2026, 0, 1) }
const read = (path: string) => device.evaluate(path, tree, time)?.value

describe('a TR-098 router in TR-181', () => {
  it('has its radio networks, each with the radio of its band', () => {
    expect([1, 2, 3, 4].map((n) => read(`Device.WiFi.SSID.${n}.SSID`))).toEqual([
      'Home',
      'Guest',
      'Home 5G',
      'Guest 5G',
    ])
    expect([1, 2, 3, 4].map((n) => read(`Device.WiFi.SSID.${n}.LowerLayers`))).toEqual([
      'Device.WiFi.Radio.1',
      'Device.WiFi.Radio.1',
      'Device.WiFi.Radio.2',
      'Device.WiFi.Radio.2',
    ])
    expect([1, 2].map((n) => read(`Device.WiFi.Radio.${n}.OperatingFrequencyBand`))).toEqual(['2.4GHz', '5GHz'])
    expect([1, 2].map((n) => read(`Device.WiFi.Radio.${n}.Channel`))).toEqual(['6', '44'])
    expect(read('Device.WiFi.AccessPoint.3.SSIDReference')).toBe('Device.WiFi.SSID.3')
    expect(read('Device.WiFi.RadioNumberOfEntries')).toBe('2')
  })

  it('adds up and joins what several networks of a radio say', () => {
    expect(read('Device.WiFi.Radio.1.Stats.BytesSent')).toBe('3000')
    expect(read('Device.WiFi.Radio.2.Status')).toBe('Up')
    expect(read('Device.WiFi.Radio.2.Enable')).toBe('true')
  })

  it('has the internet connection with its PPP user and address', () => {
    expect(read('Device.PPP.Interface.1.Username')).toBe('customer@isp.example')
    expect(read('Device.IP.Interface.3.IPv4Address.1.IPAddress')).toBe('203.0.113.7')
    expect(read('Device.IP.Interface.3.IPv4Address.1.AddressingType')).toBe('IPCP')
    expect(read('Device.IP.Interface.3.LowerLayers')).toBe('Device.PPP.Interface.1')
    expect(read('Device.PPP.Interface.1.LowerLayers')).toBe('Device.Ethernet.Link.3')
    expect(read('Device.Ethernet.Link.3.LowerLayers')).toBe('Device.Ethernet.Interface.1')
    expect(read('Device.Ethernet.Interface.1.Upstream')).toBe('true')
    expect(read('Device.NAT.InterfaceSetting.2.Interface')).toBe('Device.IP.Interface.3')
  })

  it('numbers LAN before WAN interfaces, and WAN before LAN ports', () => {
    expect(read('Device.IP.Interface.1.IPv4Address.1.IPAddress')).toBe('192.168.1.1')
    expect(read('Device.IP.Interface.2.IPv4Address.1.IPAddress')).toBe('100.64.0.9')
    expect(read('Device.Ethernet.Interface.2.Status')).toBe('Up')
    expect(read('Device.Ethernet.Interface.3.Status')).toBe('Down')
    expect(read('Device.IP.InterfaceNumberOfEntries')).toBe('3')
  })

  it('leaves a bridged connection under its own path', () => {
    const path = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.3.WANPPPConnection.1.Name'
    expect(device.targetsOf(path)).toEqual([])
    expect(mapTree(device, tree, time).silent).toContain(path)
  })

  it('has hosts by their MAC address, with lease and radio', () => {
    expect(read('Device.Hosts.Host.1.PhysAddress')).toBe('aa:bb:cc:00:00:01')
    expect(read('Device.Hosts.Host.1.HostName')).toBe('phone')
    expect(read('Device.Hosts.Host.1.AssociatedDevice')).toBe('Device.WiFi.AccessPoint.3.AssociatedDevice.1')
    expect(read('Device.Hosts.Host.1.Layer3Interface')).toBe('Device.IP.Interface.1')
    expect(read('Device.DHCPv4.Server.Pool.1.Client.1.Chaddr')).toBe('aa:bb:cc:00:00:01')
    expect(read('Device.DHCPv4.Server.Pool.1.Client.1.Option.1.Tag')).toBe('60')
  })

  it('makes a row of each DNS server, and a default route of each connection with a gateway', () => {
    expect([1, 2, 3].map((n) => read(`Device.DNS.Client.Server.${n}.DNSServer`))).toEqual([
      '100.64.0.2',
      '9.9.9.9',
      '149.112.112.112',
    ])
    expect(read('Device.DNS.Client.Server.3.Interface')).toBe('Device.IP.Interface.3')
    expect(read('Device.Routing.Router.1.IPv4Forwarding.1001.GatewayIPAddress')).toBe('203.0.113.1')
    expect(read('Device.Routing.Router.1.IPv4Forwarding.1001.Interface')).toBe('Device.IP.Interface.3')
    expect(read('Device.Routing.Router.1.IPv4Forwarding.1.DestIPAddress')).toBe('10.20.0.0')
    expect(read('Device.Routing.Router.1.IPv4ForwardingNumberOfEntries')).toBe('3')
  })

  it('has a bridge of its LAN ports and networks', () => {
    expect(read('Device.Ethernet.Link.1.LowerLayers')).toBe('Device.Bridging.Bridge.1.Port.1')
    expect(read('Device.Bridging.Bridge.1.Port.1.ManagementPort')).toBe('true')
    expect(read('Device.Bridging.Bridge.1.Port.1.LowerLayers')?.split(',')).toHaveLength(8)
    expect(read('Device.Bridging.Bridge.1.Port.2.LowerLayers')).toBe('Device.Ethernet.Interface.2')
    expect(read('Device.Bridging.Bridge.1.Port.6.LowerLayers')).toBe('Device.WiFi.SSID.1')
  })

  it('says where each value came from', () => {
    expect(device.evaluate('Device.PPP.Interface.1.Username', tree, time)).toMatchObject({
      source: 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Username',
      raw: 'customer@isp.example',
      type: 'string',
    })
  })

  it('finds what depends on a parameter, and what a parameter needs', () => {
    const connection = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.'
    expect(device.targetsOf(`${connection}ConnectionStatus`).sort()).toEqual([
      'Device.IP.Interface.3.IPv4Address.1.Status',
      'Device.IP.Interface.3.LastChange',
      'Device.IP.Interface.3.Status',
      'Device.PPP.Interface.1.ConnectionStatus',
      'Device.PPP.Interface.1.LastChange',
      'Device.PPP.Interface.1.Status',
      'Device.Routing.Router.1.IPv4Forwarding.1001.Status',
    ])
    expect(device.sourcesOf('Device.WiFi.Radio.2.Channel', tree)).toEqual([
      'InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.Channel',
      'InternetGatewayDevice.LANDevice.1.WLANConfiguration.6.Channel',
      'InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.Enable',
      'InternetGatewayDevice.LANDevice.1.WLANConfiguration.6.Enable',
    ])
  })

  it('maps nearly all of its tree', () => {
    const mapped = mapTree(device, tree, time)
    expect(mapped.values.length).toBeGreaterThan(tree.values.size)
    expect(mapped.unmapped.length).toBeLessThan(tree.values.size / 8)
    expect(new Set(mapped.values.map(({ path }) => path)).size).toBe(mapped.values.length)
  })

  it('keeps its numbers as plain data', () => {
    expect(JSON.parse(JSON.stringify(map))).toEqual(map)
    expect(JSON.stringify(map).length).toBeLessThan(12_000)
  })
})
