import { instancesOf, itemsOf, type RawLookup } from '../tree/raw-tree.ts'
import {
  type Connection,
  connectionDevices,
  exists,
  macKey,
  type RuleContext,
  routedConnections,
  topTable,
} from './rule-tree.ts'

/** WANDevice: a DSL line or an Ethernet interface, by WANAccessType; none for POTS. Optical and vendor words are Ethernet. */
export function wanDeviceRows({ tree, numbers }: RuleContext): void {
  for (const wan of topTable(tree, 'WANDevice')) {
    const type = tree.value(`${wan}WANCommonInterfaceConfig.WANAccessType`)
    if (type === 'POTS') continue
    const isDsl = type === 'DSL' || (type === undefined && exists(tree, `${wan}WANDSLInterfaceConfig.`))
    // '' stands for DeviceInfo, which tells the modem firmware of every line.
    if (isDsl) numbers.row('Device.DSL.Line.', wan, [wan, ''])
    else numbers.row('Device.Ethernet.Interface.', wan, [wan])
  }
}

/** Link types that carry no Ethernet frames (TR-098 WANDSLLinkConfig.LinkType). */
const WITHOUT_ETHERNET = new Set(['IPoA', 'PPPoA', 'CIP'])

/** Returns the kind of link that a WANConnectionDevice has over DSL: both objects there, the line's encapsulation decides. */
export function linkKind(tree: RawLookup, wcd: string): 'ATM' | 'PTM' | undefined {
  const type = tree.value(`${wcd}WANDSLLinkConfig.LinkType`)
  const atm = exists(tree, `${wcd}WANDSLLinkConfig.`) && type !== 'Unconfigured'
  const ptm = exists(tree, `${wcd}WANPTMLinkConfig.`)
  if (atm && ptm) {
    const wan = wcd.slice(0, wcd.indexOf('WANConnectionDevice.'))
    return tree.value(`${wan}WANDSLInterfaceConfig.LinkEncapsulationUsed`)?.includes('PTM') === true ? 'PTM' : 'ATM'
  }
  return atm ? 'ATM' : ptm ? 'PTM' : undefined
}

/** Returns true when a WANConnectionDevice has an Ethernet link above its ATM or PTM link. */
export function hasEthernetLink(tree: RawLookup, wcd: string): boolean {
  const type = tree.value(`${wcd}WANDSLLinkConfig.LinkType`)
  return linkKind(tree, wcd) !== 'ATM' || type === undefined || !WITHOUT_ETHERNET.has(type)
}

/** ATM and PTM links, then one Ethernet link for each MAC address of the connections of a WANConnectionDevice. */
export function linkRows({ tree, numbers }: RuleContext): void {
  const connections = routedConnections(tree)
  for (const wcd of connectionDevices(tree)) {
    const kind = linkKind(tree, wcd)
    if (kind !== undefined) numbers.row(`Device.${kind}.Link.`, wcd, [wcd])
    if (!hasEthernetLink(tree, wcd)) continue
    for (const members of groupsByMac(
      tree,
      connections.filter((connection) => connection.wcd === wcd),
    )) {
      const key = members.find((object) => numbers.knows(ETHERNET_LINKS, object)) ?? members[0]
      if (key !== undefined) numbers.row(ETHERNET_LINKS, key, [wcd, ...members])
    }
  }
}

const ETHERNET_LINKS = 'Device.Ethernet.Link.'

/** Connections with equal MAC addresses, or with none, share a link. */
function groupsByMac(tree: RawLookup, connections: readonly Connection[]): string[][] {
  const groups = new Map<string, string[]>()
  const unknown: string[] = []
  for (const { object } of connections) {
    const mac = macKey(tree.value(`${object}MACAddress`))
    if (mac === undefined) unknown.push(object)
    else groups.set(mac, [...(groups.get(mac) ?? []), object])
  }
  const found = [...groups.values()]
  if (unknown.length === 0) return found
  if (found[0] === undefined) return [unknown]
  found[0].push(...unknown)
  return found
}

/** Routed connections: an IP interface each, a PPP interface or a DHCP client, and a NAT setting. */
export function connectionRows({ tree, numbers }: RuleContext): void {
  for (const { object, kind } of routedConnections(tree)) {
    numbers.row('Device.IP.Interface.', object, [object])
    if (kind === 'ppp') numbers.row('Device.PPP.Interface.', object, [object])
    else numbers.row('Device.DHCPv4.Client.', object, [object])
    numbers.row('Device.NAT.InterfaceSetting.', object, [object])
  }
}

/** Port mappings of all routed connections in one table; each item of a list of DNS servers is a row. */
export function serviceRows({ tree, numbers }: RuleContext): void {
  for (const { object } of routedConnections(tree)) {
    for (const mapping of instancesOf(tree, `${object}PortMapping.`))
      numbers.row('Device.NAT.PortMapping.', mapping, [mapping])
    const servers = itemsOf(tree.value(`${object}DNSServers`)).filter((server) => server !== '0.0.0.0')
    for (const position of servers.slice(0, MAX_SERVERS).keys())
      numbers.row('Device.DNS.Client.Server.', `${object}#${position}`, [object])
  }
}

const MAX_SERVERS = 8
const ROUTES = 'Device.Routing.Router.1.IPv4Forwarding.'
/** Routes that follow from a connection are numbered from here, those of Layer3Forwarding keep their own numbers. */
const FIRST_DEFAULT_ROUTE = 1000
const LAYER_3 = 'InternetGatewayDevice.Layer3Forwarding.'

/**
 * A default route for each routed connection with a gateway, and for the one that DefaultConnectionService names,
 * unless Forwarding has one over the same interface.
 */
export function defaultRouteRows({ tree, numbers }: RuleContext): void {
  const named = withDot(tree.value(`${LAYER_3}DefaultConnectionService`))
  const routed = new Set<string>()
  for (const route of instancesOf(tree, `${LAYER_3}Forwarding.`))
    if (isUnset(tree.value(`${route}DestIPAddress`))) routed.add(withDot(tree.value(`${route}Interface`)))
  for (const { object } of routedConnections(tree)) {
    if (routed.has(object)) continue
    const isNamed = object === named
    if (!isNamed && isUnset(tree.value(`${object}DefaultGateway`))) continue
    // '' stands for DefaultConnectionService, which is written to move the default connection.
    numbers.row(ROUTES, object, isNamed ? [object, ''] : [object], { least: FIRST_DEFAULT_ROUTE })
  }
}

/** Returns a path with the dot at its end that devices leave out now and then. */
function withDot(path: string | undefined): string {
  return path === undefined || path === '' || path.endsWith('.') ? (path ?? '') : `${path}.`
}

function isUnset(address: string | undefined): boolean {
  return address === undefined || address.trim() === '' || address === '0.0.0.0'
}

/** A shaper for each WAN interface and connection that is or was shaped. */
export function shaperRows({ tree, numbers }: RuleContext): void {
  const add = (object: string, rate: string | undefined) => {
    if (rate === undefined) return
    if ((rate !== '-1' && rate !== '') || numbers.knows('Device.QoS.Shaper.', object))
      numbers.row('Device.QoS.Shaper.', object, [object])
  }
  for (const wan of topTable(tree, 'WANDevice')) add(wan, tree.value(`${wan}WANEthernetInterfaceConfig.ShapingRate`))
  for (const { object } of routedConnections(tree)) add(object, tree.value(`${object}ShapingRate`))
}
