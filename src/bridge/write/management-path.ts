import { isIPv4 } from 'node:net'
import { plainAddress } from '../../base/index.ts'
import { isInNetwork, type RouterOs, type RouterRow } from '../../routeros/index.ts'
import type { RouterRows } from './router-rows.ts'

/** The parts of a router that carry the bridge's own connection to it. */
export interface ManagementPath {
  /** Names of interfaces: the one that has the address, and those below it. */
  readonly interfaces: ReadonlySet<string>
  /** Addresses that the bridge connects to, without the length of their prefix. */
  readonly address: string | undefined
  /** Address of the bridge. */
  readonly peer: string | undefined
  /** Destination of the route to the bridge; undefined when it is in a network of the router. */
  readonly route: string | undefined
  /** Ports of the services by which a router is managed. */
  readonly ports: readonly number[]
}

const SERVICES = new Set(['api', 'api-ssl', 'ssh', 'winbox', 'www-ssl'])

/**
 * Finds the parts of a router that carry the connection of the bridge: by the address that it connects to, else, behind
 * a translation of addresses, by the route to the bridge. RouterOsError.
 */
export async function managementPath(router: RouterOs, rows: RouterRows): Promise<ManagementPath> {
  const [address, peer] = [router.remoteAddress, router.localAddress].map((text) => plainAddress(text ?? ''))
  const [addresses, routes, services] = await Promise.all([
    rows.all('/ip/address', ['address', 'interface', 'actual-interface', 'disabled']),
    rows.allIfThere('/ip/route', ['dst-address', 'gateway', 'immediate-gw', 'gateway-status', 'active']),
    rows.allIfThere('/ip/service', ['name', 'port', 'disabled']),
  ])
  const own = addresses.filter((row) => hostOf(row) === address)
  const route = routeTo(peer, routes)
  const connected = addresses.some((row) => peer !== undefined && isInNetwork(peer, row.address ?? ''))
  const first =
    own.length > 0 ? own.map((row) => row['actual-interface'] ?? row.interface ?? '') : interfacesOf(route, addresses)
  return {
    interfaces: new Set(await below(first, peer, rows)),
    address: own.length > 0 ? address : undefined,
    peer,
    route: connected ? undefined : route?.['dst-address'],
    ports: services.flatMap(({ name = '', port, disabled }) =>
      SERVICES.has(name) && disabled !== 'true' && /^\d+$/.test(port ?? '') ? [Number(port)] : [],
    ),
  }
}

function hostOf({ address = '' }: RouterRow): string {
  return address.split('/')[0] ?? ''
}

/** The active route to an address with the longest prefix; the default route for an address that is not of IPv4. */
function routeTo(address: string | undefined, routes: readonly RouterRow[]): RouterRow | undefined {
  const peer = address !== undefined && !isIPv4(address) ? '0.0.0.0' : address
  const length = (row: RouterRow) => Number(row['dst-address']?.split('/')[1] ?? -1)
  return routes
    .filter((row) => row.active === 'true' && peer !== undefined && isInNetwork(peer, row['dst-address'] ?? ''))
    .sort((a, b) => length(b) - length(a))[0]
}

/** The interfaces of the gateway of a route: `10.0.0.1%ether1`, an interface, or an address in a network. */
function interfacesOf(route: RouterRow | undefined, addresses: readonly RouterRow[]): string[] {
  if (route === undefined) return []
  const named =
    /%([^,]+)/.exec(route['immediate-gw'] ?? '')?.[1] ??
    / reachable via\s+(\S+)/.exec(route['gateway-status'] ?? '')?.[1]
  if (named !== undefined) return [named]
  const gateway = route.gateway ?? ''
  if (!isIPv4(gateway)) return [gateway]
  return addresses.flatMap((row) =>
    isInNetwork(gateway, row.address ?? '') ? [row['actual-interface'] ?? row.interface ?? ''] : [],
  )
}

/** The interfaces, and those below them: the one under a VLAN or PPPoE client, the ports of a bridge. */
async function below(first: readonly string[], peer: string | undefined, rows: RouterRows): Promise<string[]> {
  if (first.length === 0) return []
  const [vlans, pppoe, ports, hosts, arp] = await Promise.all([
    rows.allIfThere('/interface/vlan', ['name', 'interface']),
    rows.allIfThere('/interface/pppoe-client', ['name', 'interface']),
    rows.allIfThere('/interface/bridge/port', ['bridge', 'interface']),
    rows.allIfThere('/interface/bridge/host', ['mac-address', 'on-interface', 'bridge']),
    rows.allIfThere('/ip/arp', ['address', 'mac-address']),
  ])
  const mac = arp.find(({ address }) => address === peer)?.['mac-address']
  const found: string[] = []
  const open = [...first]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === '' || found.includes(name)) continue
    found.push(name)
    for (const row of [...vlans, ...pppoe]) if (row.name === name) open.push(row.interface ?? '')
    const members = ports.filter(({ bridge }) => bridge === name).map((row) => row.interface ?? '')
    // The port behind which the bridge was seen, else all of them.
    const seen = hosts.find((host) => host.bridge === name && mac !== undefined && host['mac-address'] === mac)
    open.push(...(seen?.['on-interface'] === undefined ? members : [seen['on-interface']]))
  }
  return found
}
