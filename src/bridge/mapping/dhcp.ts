import { isIPv4 } from 'node:net'
import { parseList, parsePrefix } from '../../routeros/index.ts'
import {
  addresses,
  atMost,
  integer,
  inverted,
  ipv4,
  isTrue,
  mac,
  oneOf,
  prefixAddress,
  prefixMask,
  secondsUpTo,
  wordIn,
} from './conversions.ts'
import type { DerivedRows, ObjectMapping, SourceRow, Text } from './declaration.ts'
import { firstOf, fixed, kept, keptReference, notDynamic, rowsWith, shown, shownDate, shownFrom } from './parameters.ts'
import { IP_INTERFACE } from './tables.ts'

const MAX_INT = 2 ** 31 - 1
const STATUS = shownFrom(['disabled', 'invalid'], ([disabled, invalid]) =>
  isTrue(disabled) ? 'Disabled' : isTrue(invalid) ? 'Error_Misconfigured' : 'Enabled',
)
/** States of a client by the first word of RouterOS. */
const CLIENT_STATES: Readonly<Record<string, string>> = {
  bound: 'Bound',
  searching: 'Selecting',
  requesting: 'Requesting',
  renewing: 'Renewing',
  rebinding: 'Rebinding',
}

const CLIENT: ObjectMapping = {
  object: 'Device.DHCPv4.Client.{i}.',
  needs: ['/ip/dhcp-client'],
  source: { menu: '/ip/dhcp-client' },
  table: { key: firstOf('interface'), mayChange: notDynamic },
  parameters: {
    Enable: kept('disabled', inverted),
    Interface: keptReference('interface', [IP_INTERFACE]),
    Status: STATUS,
    DHCPStatus: shownFrom(['status'], ([status]) => wordIn(CLIENT_STATES, /^[a-z]+/.exec(status ?? '')?.[0]) ?? 'Init'),
    IPAddress: shown('address', prefixAddress),
    SubnetMask: shown('address', prefixMask),
    IPRouters: shown('gateway', addresses(4)),
    DNSServers: shownFrom(['primary-dns', 'secondary-dns'], (servers) =>
      servers.filter((server) => server !== undefined && isIPv4(server)).join(','),
    ),
    DHCPServer: shown('dhcp-server', ipv4),
    LeaseTimeRemaining: shownFrom(['expires-after'], ([left]) => {
      return left === 'never' ? '-1' : String(secondsUpTo(left, MAX_INT) ?? 0)
    }),
  },
}

/** A server with its pool, and the network that the pool lies in. */
const POOLS: DerivedRows = {
  readings: {
    servers: {
      menu: '/ip/dhcp-server',
      properties: ['.id', 'name', 'interface', 'address-pool', 'lease-time', 'disabled', 'invalid', 'dynamic'],
    },
    networks: {
      menu: '/ip/dhcp-server/network',
      properties: ['address', 'gateway', 'dns-server', 'domain', 'netmask'],
    },
    pools: { menu: '/ip/pool', properties: ['name', 'ranges'] },
  },
  stays: { '/ip/dhcp-server': ['name'] },
  rows: ({ servers = [], networks = [], pools = [] }) =>
    servers.map((server, order) => {
      const ranges = parseList(pools.find(({ name }) => name === server['address-pool'])?.ranges ?? '') ?? []
      const [first = '', last = first] = (ranges[0] ?? '').split('-')
      const network = networks.find(({ address }) => contains(address, first)) ?? {}
      return {
        ...server,
        '.menu': '/ip/dhcp-server',
        order: String(order + 1),
        first,
        last: ranges.length > 1 ? ((ranges.at(-1) ?? '').split('-').at(-1) ?? '') : last,
        ranges: String(ranges.length),
        ...present({
          network: network.address,
          gateway: network.gateway,
          'dns-server': network['dns-server'],
          domain: network.domain,
        }),
      }
    }),
}

const POOL = 'Device.DHCPv4.Server.Pool.{i}.'

const SERVER: ObjectMapping = {
  object: 'Device.DHCPv4.Server.',
  needs: ['/ip/dhcp-server'],
  source: { readings: {}, rows: () => [{}] },
  parameters: { Enable: fixed('true') },
}

const SERVER_POOLS: ObjectMapping = {
  object: POOL,
  needs: ['/ip/dhcp-server', '/ip/dhcp-server/network', '/ip/pool'],
  source: POOLS,
  table: { key: firstOf('name'), called: firstOf('name'), mayChange: notDynamic },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: STATUS,
    Order: shown('order', integer(1, 65535)),
    Interface: keptReference('interface', [IP_INTERFACE]),
    MinAddress: shown('first', ipv4),
    MaxAddress: shown('last', ipv4),
    SubnetMask: shown('network', prefixMask),
    DNSServers: shown('dns-server', addresses(4)),
    DomainName: shown('domain', { read: (text) => (text ?? '').slice(0, 64) }),
    IPRouters: shown('gateway', addresses(4)),
    LeaseTime: shownFrom(['lease-time'], ([time]) => String(secondsUpTo(time, MAX_INT) ?? -1)),
  },
}

const LEASES = '/ip/dhcp-server/lease'
/** The server of a lease; one that belongs to all of them is shown with none. */
const SERVER_OF = firstOf('server', 'active-server')

const RESERVATIONS: ObjectMapping = {
  object: `${POOL}StaticAddress.{i}.`,
  needs: ['/ip/dhcp-server', LEASES],
  source: { menu: LEASES },
  table: {
    key: firstOf('mac-address'),
    parent: SERVER_OF,
    where: rowsWith(['dynamic'], ({ dynamic }) => !isTrue(dynamic)),
  },
  parameters: {
    Enable: shown('disabled', inverted),
    Chaddr: kept('mac-address', mac),
    Yiaddr: kept('address', ipv4),
  },
}

const isBound = rowsWith(['status'], ({ status }) => status === 'bound')
const CLIENT_MAC = firstOf('active-mac-address', 'mac-address')
/** Clients of different servers may have one address of hardware. */
const CLIENT_NAME = {
  from: [...SERVER_OF.from, ...CLIENT_MAC.from],
  of: (row: SourceRow) => `${SERVER_OF.of(row)}|${CLIENT_MAC.of(row)?.toUpperCase()}`,
}

const CLIENTS: ObjectMapping = {
  object: `${POOL}Client.{i}.`,
  needs: ['/ip/dhcp-server', LEASES],
  source: { menu: LEASES },
  table: { key: CLIENT_MAC, called: CLIENT_NAME, parent: SERVER_OF, where: isBound },
  parameters: {
    Chaddr: shownFrom(['active-mac-address', 'mac-address'], ([active, own]) => mac.read(active ?? own, { now: 0 })),
    Active: fixed('true'),
  },
}

const CLIENT_ADDRESSES: ObjectMapping = {
  object: `${POOL}Client.{i}.IPv4Address.{i}.`,
  needs: ['/ip/dhcp-server', LEASES],
  source: { menu: LEASES },
  table: { key: firstOf('active-address', 'address'), parent: CLIENT_NAME, where: isBound },
  parameters: {
    IPAddress: shownFrom(['active-address', 'address'], ([active, own]) => ipv4.read(active ?? own, { now: 0 })),
    LeaseTimeRemaining: shownDate('expires-after', 1),
  },
}

/** Servers that are set, then those that a line has given. */
const DNS_SERVERS: DerivedRows = {
  readings: {
    dns: { menu: '/ip/dns', properties: ['servers', 'dynamic-servers'] },
    dhcp: { menu: '/ip/dhcp-client', properties: ['primary-dns', 'secondary-dns'] },
  },
  rows({ dns = [], dhcp = [] }) {
    const leased = new Set(dhcp.flatMap((row) => [row['primary-dns'], row['secondary-dns']]))
    const of = (list: Text, type: (server: string) => string) =>
      (parseList(list ?? '') ?? []).map((server) => ({ server, type: type(server) }))
    return [
      ...of(dns[0]?.servers, () => 'Static'),
      ...of(dns[0]?.['dynamic-servers'], (server) => (leased.has(server) ? 'DHCPv4' : 'IPCP')),
    ]
  },
}

const DNS: ObjectMapping = {
  object: 'Device.DNS.Client.',
  needs: ['/ip/dns'],
  source: { menu: '/ip/dns' },
  parameters: { Enable: fixed('true'), Status: fixed('Enabled') },
}

const DNS_CLIENT_SERVERS: ObjectMapping = {
  object: 'Device.DNS.Client.Server.{i}.',
  needs: ['/ip/dns'],
  source: DNS_SERVERS,
  table: {
    key: {
      from: ['type', 'server'],
      of: ({ type, server }) => `${type === 'Static' ? 'static' : 'dynamic'}|${server}`,
    },
  },
  parameters: {
    Enable: fixed('true'),
    Status: fixed('Enabled'),
    DNSServer: shown('server', atMost(45)),
    Type: shown('type', oneOf('Static', 'DHCPv4', 'IPCP')),
  },
}

export const DHCP_OBJECTS = [CLIENT, SERVER, SERVER_POOLS, RESERVATIONS, CLIENTS, CLIENT_ADDRESSES]
export const DNS_OBJECTS = [DNS, DNS_CLIENT_SERVERS]

/** Returns true when an IPv4 prefix has an address in it. */
function contains(prefix: Text, address: string): boolean {
  const network = parsePrefix(prefix ?? '')
  if (network === undefined || !isIPv4(network.address) || !isIPv4(address)) return false
  const shift = 2 ** (32 - network.bits)
  return Math.floor(numberOf(network.address) / shift) === Math.floor(numberOf(address) / shift)
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

/** The properties that are there. */
function present(row: Readonly<Record<string, Text>>): SourceRow {
  return Object.fromEntries(Object.entries(row).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
