import { describe, expect, it } from 'vitest'
import { buildInstanceMap, DeviceMapping, RawTree } from '../../../../src/datamodel/index.ts'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { type TreeValue, under } from '../../../support/tr098-router.ts'

const mapping = compiled()
const IGD = 'InternetGatewayDevice.'
const LAN = `${IGD}LANDevice.1.`
const WAN = `${IGD}WANDevice.`

function reader(values: readonly TreeValue[]): (path: string) => string | undefined {
  const { device, tree } = mappedDevice(values, mapping)
  return (path) => device.evaluate(path, tree, { at: 0 })?.value
}

const dsl = (n: number, encapsulation: string) => [
  ...under(`${WAN}${n}.WANCommonInterfaceConfig.`, { WANAccessType: 'DSL', PhysicalLinkStatus: 'Up' }),
  ...under(`${WAN}${n}.WANDSLInterfaceConfig.`, {
    Enable: true,
    Status: 'Up',
    UpstreamCurrRate: 10240,
    DownstreamCurrRate: 51200,
    DownstreamNoiseMargin: 95,
    LinkEncapsulationUsed: encapsulation,
  }),
]

describe('a DSL line', () => {
  it('has a line, a channel, and the ATM or PTM link that its encapsulation asks for', () => {
    const wcd = `${WAN}1.WANConnectionDevice.1.`
    const links = [
      ...under(`${wcd}WANDSLLinkConfig.`, { Enable: true, LinkType: 'EoA', DestinationAddress: 'PVC: 8/35' }),
      ...under(`${wcd}WANPTMLinkConfig.`, { Enable: true, LinkStatus: 'Up' }),
      ...under(`${wcd}WANPPPConnection.1.`, {
        Username: 'u',
        ConnectionType: 'IP_Routed',
        MACAddress: '02:00:00:00:00:01',
      }),
    ]
    const info = under(`${IGD}DeviceInfo.`, { ModemFirmwareVersion: 'A2pv6' })
    const ptm = reader([...dsl(1, 'G.993.2_Annex_K_PTM'), ...links, ...info])
    expect(ptm('Device.DSL.Line.1.LinkStatus')).toBe('Up')
    expect(ptm('Device.DSL.Line.1.FirmwareVersion')).toBe('A2pv6')
    expect(ptm('Device.DSL.Channel.1.DownstreamCurrRate')).toBe('51200')
    expect(ptm('Device.DSL.Channel.1.LowerLayers')).toBe('Device.DSL.Line.1')
    expect(ptm('Device.PTM.Link.1.LowerLayers')).toBe('Device.DSL.Channel.1')
    expect(ptm('Device.ATM.Link.1.Enable')).toBeUndefined()
    expect(ptm('Device.Ethernet.Link.1.LowerLayers')).toBe('Device.PTM.Link.1')
    expect(ptm('Device.PPP.Interface.1.LowerLayers')).toBe('Device.Ethernet.Link.1')
    const atm = reader([...dsl(1, 'G.992.3_Annex_K_ATM'), ...links])
    expect(atm('Device.ATM.Link.1.DestinationAddress')).toBe('8/35')
    expect(atm('Device.Ethernet.Link.1.LowerLayers')).toBe('Device.ATM.Link.1')
    expect(atm('Device.PTM.Link.1.Enable')).toBeUndefined()
  })

  it('has no Ethernet link below PPP over ATM', () => {
    const wcd = `${WAN}1.WANConnectionDevice.1.`
    const read = reader([
      ...dsl(1, 'G.992.3_Annex_K_ATM'),
      ...under(`${wcd}WANDSLLinkConfig.`, { LinkType: 'PPPoA', DestinationAddress: 'PVC:8/48' }),
      ...under(`${wcd}WANPPPConnection.1.`, { Username: 'u' }),
    ])
    expect(read('Device.PPP.Interface.1.LowerLayers')).toBe('Device.ATM.Link.1')
    expect(read('Device.Ethernet.LinkNumberOfEntries')).toBeUndefined()
  })

  it('stands beside an Ethernet WAN that is numbered before the LAN ports, and leaves POTS alone', () => {
    const read = reader([
      ...dsl(1, 'G.993.2_Annex_K_PTM'),
      ...under(`${WAN}2.WANCommonInterfaceConfig.`, { WANAccessType: 'X_EXAMPLE_Fiber', PhysicalLinkStatus: 'Up' }),
      ...under(`${WAN}3.WANCommonInterfaceConfig.`, { WANAccessType: 'POTS', PhysicalLinkStatus: 'Down' }),
      ...under(`${LAN}LANEthernetInterfaceConfig.1.`, { Status: 'NoLink' }),
    ])
    expect(read('Device.DSL.LineNumberOfEntries')).toBe('1')
    expect(read('Device.Ethernet.InterfaceNumberOfEntries')).toBe('2')
    expect([1, 2].map((n) => read(`Device.Ethernet.Interface.${n}.Upstream`))).toEqual(['true', 'false'])
    expect(read('Device.Ethernet.Interface.1.Status')).toBe('Up')
    expect(read('Device.Ethernet.Interface.1.Enable')).toBe('true')
  })
})

describe('connections', () => {
  it('share an Ethernet link when their MAC addresses are equal', () => {
    const wcd = `${WAN}1.WANConnectionDevice.1.`
    const mac = (n: number) => ({ MACAddress: `02:00:00:00:00:0${n}`, ConnectionType: 'IP_Routed' })
    const read = reader([
      ...under(`${wcd}WANIPConnection.1.`, mac(1)),
      ...under(`${wcd}WANIPConnection.2.`, mac(2)),
      ...under(`${wcd}WANPPPConnection.1.`, mac(1)),
    ])
    expect([1, 2, 3].map((n) => read(`Device.IP.Interface.${n}.LowerLayers`))).toEqual([
      'Device.Ethernet.Link.1',
      'Device.Ethernet.Link.2',
      'Device.PPP.Interface.1',
    ])
    expect(read('Device.PPP.Interface.1.LowerLayers')).toBe('Device.Ethernet.Link.1')
  })

  it('are shaped where they have a rate, and were once', () => {
    const path = `${WAN}1.WANConnectionDevice.1.WANIPConnection.1.`
    const shaped = new RawTree(under(path, { ShapingRate: 5_000_000 }))
    const free = new RawTree(under(path, { ShapingRate: -1 }))
    const map = buildInstanceMap(mapping, shaped, {}, undefined)
    const enable = (tree: RawTree, previous = map) =>
      new DeviceMapping(mapping, buildInstanceMap(mapping, tree, {}, previous), undefined).evaluate(
        'Device.QoS.Shaper.1.Enable',
        tree,
        { at: 0 },
      )?.value
    expect([enable(shaped), enable(free)]).toEqual(['true', 'false'])
    expect(enable(free, { version: 1, tables: {} })).toBeUndefined()
  })

  it('have no default route of their own where the device lists one over them', () => {
    const connection = `${WAN}1.WANConnectionDevice.1.WANIPConnection.1`
    const values = (destination: string) => [
      ...under(`${connection}.`, { DefaultGateway: '10.0.0.1', AddressingType: 'Static' }),
      ...under(`${IGD}Layer3Forwarding.Forwarding.3.`, { DestIPAddress: destination, Interface: connection }),
    ]
    const route = 'Device.Routing.Router.1.IPv4Forwarding.'
    const listed = reader(values('0.0.0.0'))
    expect(listed(`${route}1000.GatewayIPAddress`)).toBeUndefined()
    expect(listed(`${route}3.DestIPAddress`)).toBe('')
    const other = reader(values('10.9.0.0'))
    expect(other(`${route}1000.GatewayIPAddress`)).toBe('10.0.0.1')
    expect(other(`${route}1000.StaticRoute`)).toBe('true')
    expect(other(`${route}3.Interface`)).toBe('Device.IP.Interface.1')
  })
})

describe('DHCP pools', () => {
  it('are the one of the LAN, then the conditional ones in their order, with a relay for those served elsewhere', () => {
    const management = `${LAN}LANHostConfigManagement.`
    const pool = (n: number, order: number, local: boolean) =>
      under(`${management}DHCPConditionalServingPool.${n}.`, {
        PoolOrder: order,
        Enable: true,
        MinAddress: `10.0.${n}.2`,
        MaxAddress: `10.0.${n}.9`,
        LocallyServed: local,
        DHCPServerIPAddress: local ? '' : '10.9.9.9',
        'DHCPStaticAddress.4.Yiaddr': `10.0.${n}.4`,
      })
    const read = reader([
      ...under(management, { DHCPServerEnable: true, MinAddress: '192.168.1.2', MaxAddress: '192.168.1.9' }),
      ...pool(1, 2, true),
      ...pool(2, 1, false),
      ...under(`${LAN}Hosts.Host.1.`, {
        MACAddress: 'aa:bb:cc:00:00:01',
        IPAddress: '10.0.1.5',
        AddressSource: 'DHCP',
      }),
      ...under(`${LAN}Hosts.Host.2.`, {
        MACAddress: 'aa:bb:cc:00:00:02',
        IPAddress: '10.7.7.7',
        AddressSource: 'DHCP',
      }),
    ])
    const pools = 'Device.DHCPv4.Server.Pool.'
    expect([1, 2, 3].map((n) => read(`${pools}${n}.MinAddress`))).toEqual(['192.168.1.2', '10.0.2.2', '10.0.1.2'])
    expect([1, 2, 3].map((n) => read(`${pools}${n}.Order`))).toEqual(['3', '1', '2'])
    expect(read(`${pools}3.StaticAddress.4.Yiaddr`)).toBe('10.0.1.4')
    expect(read('Device.DHCPv4.Relay.Forwarding.1.DHCPServerIPAddress')).toBe('10.9.9.9')
    expect(read('Device.DHCPv4.Relay.Forwarding.2.DHCPServerIPAddress')).toBeUndefined()
    expect(read(`${pools}3.Client.1.Chaddr`)).toBe('aa:bb:cc:00:00:01')
    expect(read(`${pools}1.Client.1.Chaddr`)).toBe('aa:bb:cc:00:00:02')
    expect(read('Device.Hosts.Host.1.DHCPClient')).toBe(`${pools}3.Client.1`)
  })
})

describe('bridges of Layer2Bridging', () => {
  it('keep their numbers, and the LAN whose port they hold has none of its own', () => {
    const bridging = `${IGD}Layer2Bridging.`
    const values = [
      ...under(`${LAN}LANEthernetInterfaceConfig.1.`, { Status: 'Up' }),
      ...under(`${IGD}LANDevice.2.LANEthernetInterfaceConfig.1.`, { Status: 'Up' }),
      ...under(bridging, {
        'Bridge.4.BridgeKey': 0,
        'Bridge.4.BridgeName': 'main',
        'Bridge.4.Port.2.PortEnable': true,
        'Bridge.4.Port.2.PortInterface': 9,
        'Bridge.4.VLAN.1.VLANID': 7,
        'AvailableInterface.1.AvailableInterfaceKey': 9,
        'AvailableInterface.1.InterfaceReference': `${LAN}LANEthernetInterfaceConfig.1`,
      }),
    ]
    const read = reader(values)
    expect(read('Device.Bridging.Bridge.4.Name')).toBe('main')
    expect(read('Device.Bridging.Bridge.4.Port.2.LowerLayers')).toBe('Device.Ethernet.Interface.1')
    expect(read('Device.Bridging.Bridge.4.Port.3.ManagementPort')).toBe('true')
    expect(read('Device.Bridging.Bridge.4.VLAN.1.VLANID')).toBe('7')
    expect(read('Device.Bridging.Bridge.5.Port.1.LowerLayers')).toBe('Device.Bridging.Bridge.5.Port.2')
    expect(read('Device.Ethernet.Link.1.LowerLayers')).toBe('Device.Bridging.Bridge.4.Port.3')
    expect(read('Device.Ethernet.Link.2.LowerLayers')).toBe('Device.Bridging.Bridge.5.Port.1')
    expect(read('Device.Bridging.BridgeNumberOfEntries')).toBe('2')
  })
})

describe('voice', () => {
  it('numbers the lines of all profiles, with their codecs and ports', () => {
    const service = `${IGD}Services.VoiceService.1.`
    const line = (profile: number, n: number) =>
      under(`${service}VoiceProfile.${profile}.Line.${n}.`, {
        Enable: 'Enabled',
        DirectoryNumber: `${profile}${n}`,
        PhyReferenceList: String(n),
        'SIP.AuthUserName': `u${profile}${n}`,
        'VoiceProcessing.EchoCancellationEnable': true,
        'Codec.List.1.Codec': 'G.711ALaw',
        'Codec.List.1.Enable': true,
        'Codec.List.1.Priority': 2,
        'Codec.List.2.Codec': 'G.729',
        'Codec.List.2.Enable': true,
        'Codec.List.2.Priority': 1,
      })
    const read = reader([
      ...under(`${service}Capabilities.`, { 'Codecs.1.Codec': 'G.711ALaw', 'Codecs.2.Codec': 'G.729' }),
      ...under(`${service}VoiceProfile.1.`, { Enable: 'Enabled', 'SIP.ProxyServer': 'sip.example' }),
      ...under(`${service}VoiceProfile.2.`, { Enable: 'Disabled' }),
      ...line(1, 1),
      ...line(1, 2),
      ...line(2, 1),
      ...under(`${service}PhyInterface.1.`, { InterfaceID: 1, PhyPort: 'Phone 1' }),
      ...under(`${service}PhyInterface.2.`, { InterfaceID: 2, PhyPort: 'Phone 2' }),
    ])
    const voice = 'Device.Services.VoiceService.1.'
    expect([1, 2, 3].map((n) => read(`${voice}CallControl.Line.${n}.DirectoryNumber`))).toEqual(['11', '12', '21'])
    expect(read(`${voice}SIP.Client.3.AuthUserName`)).toBe('u21')
    expect(read(`${voice}SIP.Client.3.Network`)).toBe(`${voice}SIP.Network.2`)
    expect(read(`${voice}CallControl.Line.3.Provider`)).toBe(`${voice}SIP.Client.3`)
    expect(read(`${voice}SIP.Network.1.ProxyServer`)).toBe('sip.example')
    expect(read(`${voice}SIP.Network.1.CodecList`)).toBe(`${voice}CodecProfile.2,${voice}CodecProfile.1`)
    expect(read(`${voice}CodecProfile.2.Codec`)).toBe(`${voice}Capabilities.Codec.2`)
    expect(read(`${voice}POTS.FXS.2.Name`)).toBe('Phone 2')
    expect(read(`${voice}POTS.FXS.2.VoiceProcessing.EchoCancellationEnable`)).toBe('true')
  })
})

describe('radios', () => {
  const networks = (rows: Record<number, Record<string, string | number>>) =>
    Object.entries(rows).flatMap(([n, values]) => under(`${LAN}WLANConfiguration.${n}.`, { SSID: `s${n}`, ...values }))
  const bands = (rows: Record<number, Record<string, string | number>>) => {
    const read = reader(networks(rows))
    return Object.keys(rows).map((_, i) => {
      const radio = read(`Device.WiFi.SSID.${i + 1}.LowerLayers`)
      return read(`${radio}.OperatingFrequencyBand`)
    })
  }

  it.each<[string, Record<number, Record<string, string | number>>, (string | undefined)[]]>([
    [
      'a vendor parameter',
      { 1: { X_EXAMPLE_RFBand: 1, Channel: 1 }, 2: { X_EXAMPLE_RFBand: '2.4GHz' } },
      ['5GHz', '2.4GHz'],
    ],
    ['the channel', { 1: { Channel: 11 }, 2: { Channel: 149 } }, ['2.4GHz', '5GHz']],
    [
      'the possible channels',
      { 1: { Channel: 0, PossibleChannels: '36,40,44' }, 2: { PossibleChannels: '1-13' } },
      ['5GHz', '2.4GHz'],
    ],
    ['the standard', { 1: { Channel: 0, Standard: 'ac,n,a' }, 2: { Standard: '11bgn' } }, ['5GHz', '2.4GHz']],
    ['the halves, where no network tells', { 1: {}, 2: {}, 5: {}, 6: {} }, ['2.4GHz', '2.4GHz', '5GHz', '5GHz']],
    [
      'the halves in the other order, where one network tells',
      { 1: { Channel: 36 }, 2: {}, 3: {}, 6: { Channel: 6 }, 7: {}, 8: {} },
      ['5GHz', '5GHz', '5GHz', '2.4GHz', '2.4GHz', '2.4GHz'],
    ],
    ['the only band that few networks tell', { 1: { Channel: 6 }, 2: {}, 3: {} }, ['2.4GHz', '2.4GHz', '2.4GHz']],
    ['nothing, for a single network', { 1: { Channel: 0 } }, [undefined]],
  ])('have the band by %s', (_name, rows, expected) => {
    expect(bands(rows)).toEqual(expected)
  })
})
