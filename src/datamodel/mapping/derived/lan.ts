import { booleanIn, isTrue } from '../booleans.ts'
import { BRIDGE, HOST, LAN, POOL_098, PORT, USB, WAN, WLAN } from '../tree/linked.ts'
import { numberOf, tableOfRow } from '../tree/links.ts'
import type { Derived, DerivedContext } from './derived.ts'
import { always, enabledLikeEnable, ownerOf, refers, withoutDot } from './shared.ts'

const INTERFACE = 'Device.IP.Interface.{i}.'
const LINK = 'Device.Ethernet.Link.{i}.'
const BRIDGE_181 = 'Device.Bridging.Bridge.{i}.'
const BRIDGE_PORT = `${BRIDGE_181}Port.{i}.`
const POOL = 'Device.DHCPv4.Server.Pool.{i}.'
const RELAY = 'Device.DHCPv4.Relay.Forwarding.{i}.'
const CLIENT = `${POOL}Client.{i}.`
const IP_INTERFACES = 'Device.IP.Interface.'

/** Derived parameters of the LAN side: IP interfaces, bridges, DHCP pools, ports and hosts. */
export const LAN_DERIVED: readonly Derived[] = [
  always(`${INTERFACE}Enable`, LAN, 'true'),
  {
    to: `${INTERFACE}Status`,
    from: LAN,
    needs: ['LANHostConfigManagement.IPInterface.{i}.Enable'],
    value: ({ object, row, tree, evaluate }) => {
      const addresses = tree.children(`${object}LANHostConfigManagement.IPInterface.`)
      return addresses.some((n) => isTrue(evaluate(`${row}IPv4Address.${n}.Enable`))) ? 'Up' : 'Down'
    },
  },
  refers(`${INTERFACE}LowerLayers`, LAN, 'Device.Ethernet.Link.'),
  always(`${INTERFACE}Type`, LAN, 'Normal'),
  always(`${INTERFACE}IPv4Enable`, LAN, 'true'),
  always(`${INTERFACE}Router`, LAN, 'Device.Routing.Router.1'),
  always(`${LINK}Enable`, LAN, 'true'),
  always(`${LINK}Status`, LAN, 'Up'),
  { to: `${LINK}LowerLayers`, from: LAN, value: managementPort },
  always(`${BRIDGE_181}Enable`, LAN, 'true'),
  always(`${BRIDGE_181}Status`, LAN, 'Enabled'),
  always(`${BRIDGE_181}Standard`, LAN, '802.1D-2004'),
  { to: `${BRIDGE_181}PortNumberOfEntries`, from: LAN, value: portCount },
  { to: `${BRIDGE_181}PortNumberOfEntries`, from: BRIDGE, value: portCount },
  always(`${BRIDGE_PORT}ManagementPort`, LAN, 'true'),
  always(`${BRIDGE_PORT}ManagementPort`, BRIDGE, 'true'),
  always(`${BRIDGE_PORT}ManagementPort`, `${BRIDGE}Port.{i}.`, 'false'),
  { to: `${BRIDGE_PORT}LowerLayers`, from: LAN, value: otherPorts },
  { to: `${BRIDGE_PORT}LowerLayers`, from: BRIDGE, value: otherPorts },
  always(`${BRIDGE_PORT}Enable`, LAN, 'true'),
  { to: `${BRIDGE_PORT}Status`, from: LAN, value: () => 'Up' },
  ...[PORT, USB, WLAN].flatMap((from): Derived[] => [
    always(`${BRIDGE_PORT}ManagementPort`, from, 'false'),
    { to: `${BRIDGE_PORT}LowerLayers`, from, value: (context) => withoutDot(lowerLayer(context)) },
    always(`${BRIDGE_PORT}Enable`, from, 'true'),
    {
      to: `${BRIDGE_PORT}Status`,
      from,
      needs: ['Status'],
      value: (context) => context.evaluate(`${lowerLayer(context) ?? ''}Status`),
    },
  ]),
  refers(`${POOL}Interface`, LAN, IP_INTERFACES),
  {
    to: `${POOL}Interface`,
    from: POOL_098,
    value: ({ object, links }) => withoutDot(links.rowIn(ownerOf(object, '.LANDevice.'), IP_INTERFACES)),
  },
  { to: `${POOL}Status`, from: LAN, needs: ['LANHostConfigManagement.DHCPServerEnable'], value: enabledLikeEnable },
  { to: `${POOL}Status`, from: POOL_098, needs: ['Enable'], value: enabledLikeEnable },
  { to: `${POOL}Order`, from: LAN, value: defaultPoolOrder },
  {
    to: `${RELAY}Interface`,
    from: POOL_098,
    value: ({ object, links }) => withoutDot(links.rowIn(ownerOf(object, '.LANDevice.'), IP_INTERFACES)),
  },
  {
    to: `${RELAY}Enable`,
    from: POOL_098,
    needs: ['Enable'],
    value: ({ object, tree }) => booleanIn(tree.value(`${object}Enable`))?.toString(),
  },
  always('Device.Ethernet.Interface.{i}.Upstream', PORT, 'false'),
  always('Device.Ethernet.Interface.{i}.Upstream', WAN, 'true'),
  {
    to: 'Device.Ethernet.Interface.{i}.Enable',
    from: WAN,
    value: ({ object, tree }) =>
      tree.value(`${object}WANEthernetInterfaceConfig.Enable`) === undefined ? 'true' : undefined,
  },
  always('Device.USB.Interface.{i}.Upstream', USB, 'false'),
  {
    to: 'Device.Hosts.Host.{i}.Layer3Interface',
    from: HOST,
    value: ({ object, links }) => withoutDot(links.rowIn(ownerOf(object, '.LANDevice.'), IP_INTERFACES)),
  },
  {
    to: 'Device.Hosts.Host.{i}.AssociatedDevice',
    from: HOST,
    value: ({ row, links }) => {
      for (const object of links.objectsOf(row)) {
        const station = links.rowsOf(object).find((other) => other.includes('.AssociatedDevice.'))
        if (station !== undefined) return withoutDot(station)
      }
      return ''
    },
  },
  {
    to: 'Device.Hosts.Host.{i}.IPv4AddressNumberOfEntries',
    from: HOST,
    needs: ['IPAddress'],
    value: ({ object, tree }) => ((tree.value(`${object}IPAddress`) ?? '') === '' ? '0' : '1'),
  },
  ...([60, 61, 77] as const).map(
    (tag, i): Derived => ({ ...always(`${CLIENT}Option.{i}.Tag`, HOST, String(tag)), slot: i + 1 }),
  ),
]

/** Returns the management port of the bridge that holds the ports of a LANDevice. */
function managementPort({ object, links }: DerivedContext): string | undefined {
  return withoutDot(links.rowsOf(object).find((row) => row.includes('.Port.')))
}

function portCount({ row, links }: DerivedContext): string {
  return String(links.rowsIn(`${row}Port.`).length)
}

/** The management port of a bridge lies above all its other ports (TR-181 Bridging). */
function otherPorts({ row, links }: DerivedContext): string {
  return links
    .rowsIn(tableOfRow(row))
    .filter((port) => port !== row)
    .map((port) => port.slice(0, -1))
    .join(',')
}

/** The interface behind a port of a bridge that only TR-181 has. */
function lowerLayer({ object, links }: DerivedContext): string | undefined {
  return (
    links.rowIn(object, 'Device.Ethernet.Interface.') ??
    links.rowIn(object, 'Device.USB.Interface.') ??
    links.rowIn(object, 'Device.WiFi.SSID.')
  )
}

/** Order is unique over all pools: the default pool of a LANDevice comes after its conditional ones. */
function defaultPoolOrder({ object, links }: DerivedContext): string {
  let before = 0
  for (const pool of links.rowsIn('Device.DHCPv4.Server.Pool.')) {
    const [source = ''] = links.objectsOf(pool)
    const lan = ownerOf(source, '.LANDevice.')
    if (lan !== object ? ownNumber(lan) < ownNumber(object) : source !== object) before++
  }
  return String(before + 1)
}

function ownNumber(object: string): number {
  return numberOf(object)
}
