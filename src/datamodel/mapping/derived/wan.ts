import { isFalse } from '../booleans.ts'
import { hasEthernetLink, linkKind } from '../rules/wan.ts'
import { IP, PPP, ROUTE_181, VLAN, WAN, WCD } from '../tree/linked.ts'
import type { Derived, DerivedContext } from './derived.ts'
import { always, enabledLikeEnable, ownerOf, refers, withoutDot } from './shared.ts'

const INTERFACE = 'Device.IP.Interface.{i}.'
const ADDRESS = `${INTERFACE}IPv4Address.{i}.`
const LINK = 'Device.Ethernet.Link.{i}.'
const CLIENT = 'Device.DHCPv4.Client.{i}.'
const NAT = 'Device.NAT.InterfaceSetting.{i}.'
const MAPPING = 'Device.NAT.PortMapping.{i}.'
const SERVER = 'Device.DNS.Client.Server.{i}.'
const SHAPER = 'Device.QoS.Shaper.{i}.'
const IP_INTERFACES = 'Device.IP.Interface.'

/** Derived parameters that IP and PPP connections have alike. */
const BOTH = [IP, PPP].flatMap((from): Derived[] => [
  { to: `${INTERFACE}LowerLayers`, from, value: (context) => withoutDot(belowInterface(context)) },
  always(`${INTERFACE}Type`, from, 'Normal'),
  always(`${INTERFACE}IPv4Enable`, from, 'true'),
  always(`${INTERFACE}Router`, from, 'Device.Routing.Router.1'),
  always(`${INTERFACE}IPv4AddressNumberOfEntries`, from, '1'),
  { to: `${ADDRESS}Enable`, from, needs: ['ExternalIPAddress'], value: ({ object, tree }) => hasAddress(object, tree) },
  {
    to: `${ADDRESS}Status`,
    from,
    needs: ['ConnectionStatus'],
    value: ({ object, tree }) => whileConnected(tree.value(`${object}ConnectionStatus`)),
  },
  refers(`${NAT}Interface`, from, IP_INTERFACES),
  { to: `${NAT}Status`, from, needs: ['NATEnabled'], value: enabledLikeEnable },
  {
    to: `${MAPPING}Interface`,
    from: `${from}PortMapping.{i}.`,
    instead: 'delete the row and add it with the other interface: the device has a table for each connection',
    value: ({ object, links }) => withoutDot(links.rowIn(connectionOf(object), IP_INTERFACES)),
  },
  always(`${MAPPING}AllInterfaces`, `${from}PortMapping.{i}.`, 'false'),
  { to: `${MAPPING}Status`, from: `${from}PortMapping.{i}.`, needs: ['PortMappingEnabled'], value: enabledLikeEnable },
  refers(`${SERVER}Interface`, from, IP_INTERFACES),
  { to: `${SERVER}Status`, from, needs: ['DNSEnabled'], value: enabledLikeEnable },
  always(`${ROUTE_181}Enable`, from, 'true'),
  {
    to: `${ROUTE_181}Status`,
    from,
    needs: ['ConnectionStatus'],
    value: ({ object, tree }) => whileConnected(tree.value(`${object}ConnectionStatus`)),
  },
  {
    to: `${ROUTE_181}StaticRoute`,
    from,
    needs: ['AddressingType'],
    value: ({ object, tree }) => String(tree.value(`${object}AddressingType`) === 'Static'),
  },
  always(`${ROUTE_181}DestIPAddress`, from, ''),
  always(`${ROUTE_181}DestSubnetMask`, from, ''),
  refers(`${ROUTE_181}Interface`, from, IP_INTERFACES),
  always(`${ROUTE_181}ForwardingPolicy`, from, '-1'),
  always(`${ROUTE_181}ForwardingMetric`, from, '-1'),
  refers(`${SHAPER}Interface`, from, IP_INTERFACES),
  { to: `${SHAPER}Enable`, from, needs: ['ShapingRate'], value: isShaped },
  always(`${VLAN}Enable`, from, 'true'),
  { to: `${VLAN}LowerLayers`, from, value: (context) => withoutDot(ethernetLink(context)) },
])

/** Derived parameters of the WAN side: links, connections, NAT, DNS, routes and shapers. */
export const WAN_DERIVED: readonly Derived[] = [
  ...BOTH,
  always('Device.DSL.Line.{i}.Upstream', WAN, 'true'),
  refers('Device.DSL.Channel.{i}.LowerLayers', WAN, 'Device.DSL.Line.'),
  ...(['ATM', 'PTM'] as const).map(
    (kind): Derived => ({
      to: `Device.${kind}.Link.{i}.LowerLayers`,
      from: WCD,
      value: ({ object, links }) => withoutDot(links.rowIn(wanOf(object), 'Device.DSL.Channel.')),
    }),
  ),
  {
    to: 'Device.DSL.Diagnostics.ADSLLineTest.Interface',
    from: WAN,
    needs: ['WANDSLDiagnostics.LoopDiagnosticsState'],
    value: ({ object, links }) => withoutDot(links.rowIn(object, 'Device.DSL.Line.')),
  },
  {
    to: 'Device.ATM.Diagnostics.F5Loopback.Interface',
    from: WCD,
    needs: ['WANATMF5LoopbackDiagnostics.DiagnosticsState'],
    value: ({ object, links }) => withoutDot(links.rowIn(object, 'Device.ATM.Link.')),
  },
  always(`${LINK}Enable`, WCD, 'true'),
  {
    to: `${LINK}Status`,
    from: WCD,
    needs: [
      'WANEthernetLinkConfig.EthernetLinkStatus',
      'WANDSLLinkConfig.LinkStatus',
      'WANPTMLinkConfig.LinkStatus',
      `${WAN}WANEthernetInterfaceConfig.Status`,
      `${WAN}WANCommonInterfaceConfig.PhysicalLinkStatus`,
    ],
    value: (context) => context.evaluate(`${belowLink(context) ?? ''}Status`),
  },
  { to: `${LINK}LowerLayers`, from: WCD, value: (context) => withoutDot(belowLink(context)) },
  always(`${ADDRESS}AddressingType`, PPP, 'IPCP'),
  always(`${ADDRESS}SubnetMask`, PPP, '255.255.255.255'),
  {
    to: 'Device.PPP.Interface.{i}.LowerLayers',
    from: PPP,
    value: (context) => withoutDot(context.links.rowIn(context.object, VLANS) ?? linkBelow(context)),
  },
  always('Device.PPP.Interface.{i}.IPCPEnable', PPP, 'true'),
  refers(`${CLIENT}Interface`, IP, IP_INTERFACES),
  { to: `${CLIENT}Status`, from: IP, needs: ['AddressingType'], value: enabledLikeEnable },
  { to: `${CLIENT}DHCPStatus`, from: IP, needs: ['ConnectionStatus', 'ExternalIPAddress'], value: dhcpStatus },
  always(`${SERVER}Type`, PPP, 'IPCP'),
  {
    to: `${SERVER}Type`,
    from: IP,
    needs: ['AddressingType', 'DNSOverrideAllowed'],
    value: ({ object, tree }) =>
      tree.value(`${object}AddressingType`) === 'Static' || isFalse(tree.value(`${object}DNSOverrideAllowed`))
        ? 'Static'
        : 'DHCPv4',
  },
  always(`${ROUTE_181}Origin`, PPP, 'IPCP'),
  {
    to: `${ROUTE_181}Origin`,
    from: IP,
    needs: ['AddressingType'],
    value: ({ object, tree }) => (tree.value(`${object}AddressingType`) === 'Static' ? 'Static' : 'DHCPv4'),
  },
  refers(`${SHAPER}Interface`, WAN, 'Device.Ethernet.Interface.'),
  { to: `${SHAPER}Enable`, from: WAN, needs: ['WANEthernetInterfaceConfig.ShapingRate'], value: isShaped },
]

const VLANS = 'Device.Ethernet.VLANTermination.'

function wanOf(object: string): string {
  return ownerOf(object, '.WANDevice.')
}

function wcdOf(object: string): string {
  return ownerOf(object, '.WANConnectionDevice.')
}

function connectionOf(object: string): string {
  return object.slice(0, object.indexOf('PortMapping.'))
}

function whileConnected(status: string | undefined): string | undefined {
  return status === undefined ? undefined : status === 'Connected' ? 'Enabled' : 'Disabled'
}

function hasAddress(object: string, tree: DerivedContext['tree']): string | undefined {
  const address = tree.value(`${object}ExternalIPAddress`)
  return address === undefined ? undefined : String(address !== '' && address !== '0.0.0.0')
}

/** The Ethernet link of a connection: its own, for several share the WANConnectionDevice. */
function ethernetLink({ object, links }: DerivedContext): string | undefined {
  return links.rowIn(object, 'Device.Ethernet.Link.')
}

/** The link below a PPP or IP interface, a VLAN aside. */
function linkBelow(context: DerivedContext): string | undefined {
  const wcd = wcdOf(context.object)
  return hasEthernetLink(context.tree, wcd)
    ? ethernetLink(context)
    : context.links.rowIn(wcd, `Device.${linkKind(context.tree, wcd) ?? 'ATM'}.Link.`)
}

function belowInterface(context: DerivedContext): string | undefined {
  const { object, links } = context
  return links.rowIn(object, 'Device.PPP.Interface.') ?? links.rowIn(object, VLANS) ?? linkBelow(context)
}

/** The link or port below an Ethernet link of the WAN. */
function belowLink({ object, links, tree }: DerivedContext): string | undefined {
  const kind = linkKind(tree, object)
  if (kind !== undefined) return links.rowIn(object, `Device.${kind}.Link.`)
  const wan = wanOf(object)
  return links.rowIn(wan, 'Device.Ethernet.Interface.') ?? links.rowIn(wan, 'Device.DSL.Channel.')
}

function dhcpStatus({ object, tree }: DerivedContext): string | undefined {
  const status = tree.value(`${object}ConnectionStatus`)
  if (status === undefined) return undefined
  if (status === 'Connected') return hasAddress(object, tree) === 'true' ? 'Bound' : 'Init'
  return status === 'Connecting' ? 'Selecting' : 'Init'
}

function isShaped({ row, evaluate }: DerivedContext): string | undefined {
  const rate = evaluate(`${row}ShapingRate`)
  return rate === undefined ? undefined : String(rate !== '-1')
}
