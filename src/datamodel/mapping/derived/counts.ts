import type { Derived } from './derived.ts'

/** Tables outside any other whose rows the instance map holds: the device counts other rows than TR-181 shows. */
const COUNTED: Record<string, string> = {
  'Device.IP.InterfaceNumberOfEntries': 'Device.IP.Interface.',
  'Device.Ethernet.InterfaceNumberOfEntries': 'Device.Ethernet.Interface.',
  'Device.Ethernet.LinkNumberOfEntries': 'Device.Ethernet.Link.',
  'Device.Ethernet.VLANTerminationNumberOfEntries': 'Device.Ethernet.VLANTermination.',
  'Device.USB.InterfaceNumberOfEntries': 'Device.USB.Interface.',
  'Device.Bridging.BridgeNumberOfEntries': 'Device.Bridging.Bridge.',
  'Device.DHCPv4.Server.PoolNumberOfEntries': 'Device.DHCPv4.Server.Pool.',
  'Device.DHCPv4.Relay.ForwardingNumberOfEntries': 'Device.DHCPv4.Relay.Forwarding.',
  'Device.DHCPv4.ClientNumberOfEntries': 'Device.DHCPv4.Client.',
  'Device.WiFi.SSIDNumberOfEntries': 'Device.WiFi.SSID.',
  'Device.WiFi.AccessPointNumberOfEntries': 'Device.WiFi.AccessPoint.',
  'Device.WiFi.RadioNumberOfEntries': 'Device.WiFi.Radio.',
  'Device.Hosts.HostNumberOfEntries': 'Device.Hosts.Host.',
  'Device.DSL.LineNumberOfEntries': 'Device.DSL.Line.',
  'Device.DSL.ChannelNumberOfEntries': 'Device.DSL.Channel.',
  'Device.ATM.LinkNumberOfEntries': 'Device.ATM.Link.',
  'Device.PTM.LinkNumberOfEntries': 'Device.PTM.Link.',
  'Device.PPP.InterfaceNumberOfEntries': 'Device.PPP.Interface.',
  'Device.NAT.InterfaceSettingNumberOfEntries': 'Device.NAT.InterfaceSetting.',
  'Device.NAT.PortMappingNumberOfEntries': 'Device.NAT.PortMapping.',
  'Device.DNS.Client.ServerNumberOfEntries': 'Device.DNS.Client.Server.',
  'Device.QoS.ShaperNumberOfEntries': 'Device.QoS.Shaper.',
  'Device.Optical.InterfaceNumberOfEntries': 'Device.Optical.Interface.',
}

const FORWARDINGS = 'InternetGatewayDevice.Layer3Forwarding.Forwarding.'
const ROUTES = 'Device.Routing.Router.1.IPv4Forwarding.'

/** Numbers of entries, counted from the rows of TR-181; absent where there is no row. */
export const COUNTS: readonly Derived[] = [
  ...Object.entries(COUNTED).map(
    ([to, table]): Derived => ({
      to,
      from: '',
      value: ({ links }) => {
        const { length } = links.rowsIn(table)
        return length === 0 ? undefined : String(length)
      },
    }),
  ),
  {
    to: 'Device.Routing.Router.{i}.IPv4ForwardingNumberOfEntries',
    from: '',
    value: ({ links, tree }) => {
      const count = links.rowsIn(ROUTES).length + tree.children(FORWARDINGS).length
      return count === 0 ? undefined : String(count)
    },
  },
]
