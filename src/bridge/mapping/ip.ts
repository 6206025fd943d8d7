import { isIPv4 } from 'node:net'
import { integer, inverted, isTrue, prefixAddress, prefixMask } from './conversions.ts'
import type { DerivedRows, ObjectMapping, Text } from './declaration.ts'
import { COUNTERS, INTERFACE_STATUS, stats } from './ethernet.ts'
import { allOf, always, firstOf, fixed, kept, notDynamic, orElse, reference, shown, shownFrom } from './parameters.ts'
import { IP_INTERFACE, LINKS } from './tables.ts'

/** Interfaces that have an address, or a client of DHCP or PPP. */
export const IP_INTERFACES: DerivedRows = {
  readings: {
    interfaces: {
      menu: '/interface',
      properties: [
        '.id',
        'name',
        'default-name',
        'type',
        'disabled',
        'running',
        'dynamic',
        'mtu',
        'actual-mtu',
        ...COUNTERS,
      ],
    },
    addresses: { menu: '/ip/address', properties: ['interface', 'actual-interface'] },
    dhcp: { menu: '/ip/dhcp-client', properties: ['interface'] },
    ppp: { menu: '/interface/pppoe-client', properties: ['name'] },
  },
  stays: { '/interface': ['name'] },
  rows({ interfaces = [], addresses = [], dhcp = [], ppp = [] }) {
    const names = new Set([
      ...addresses.map((row) => row['actual-interface'] ?? row.interface),
      ...dhcp.map((row) => row.interface),
      ...ppp.map((row) => row.name),
    ])
    return interfaces.flatMap((row) => (names.has(row.name) ? [{ ...row, '.menu': '/interface' }] : []))
  },
}

const IP_INTERFACE_ROWS: ObjectMapping = {
  object: IP_INTERFACE,
  needs: ['/interface', '/ip/address'],
  source: IP_INTERFACES,
  table: { key: firstOf('default-name', 'name'), called: firstOf('name') },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: INTERFACE_STATUS,
    Name: shown('name'),
    LowerLayers: reference('name', LINKS),
    IPv4Enable: fixed('true'),
    MaxMTUSize: {
      ...shownFrom(['actual-mtu', 'mtu'], ([actual, mtu]) => {
        const bytes = integer(64, 65535)
        const context = { now: 0 }
        return bytes.read(mtu, context) ?? bytes.read(actual, context)
      }),
      write: { properties: (value) => ({ mtu: value }) },
    },
    Type: shownFrom(['type'], ([type]) =>
      type === 'loopback'
        ? 'Loopback'
        : /^(gre|eoip|ipip|6to4|wg|l2tp|pptp|sstp|ovpn)/.test(type ?? '')
          ? 'Tunnel'
          : 'Normal',
    ),
    Loopback: shownFrom(['type'], ([type]) => String(type === 'loopback')),
    ...stats(),
  },
}

/** An address that a client of DHCP or PPP has stays the same row when it changes. */
const ADDRESSES: ObjectMapping = {
  object: 'Device.IP.Interface.{i}.IPv4Address.{i}.',
  needs: ['/interface', '/ip/address'],
  source: { menu: '/ip/address' },
  joins: { on: { menu: '/interface', match: { own: 'interface', theirs: 'name' } } },
  table: {
    key: {
      from: ['dynamic', 'address'],
      of: ({ dynamic, address }) => (isTrue(dynamic) ? 'dynamic' : address),
    },
    parent: firstOf('actual-interface', 'interface'),
    mayChange: notDynamic,
  },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: shownFrom(['disabled', 'invalid'], ([disabled, invalid]) =>
      isTrue(disabled) ? 'Disabled' : isTrue(invalid) ? 'Error_Misconfigured' : 'Enabled',
    ),
    IPAddress: shown('address', prefixAddress),
    SubnetMask: shown('address', prefixMask),
    AddressingType: shownFrom(['dynamic', 'on:type'], ([dynamic, type]) => {
      if (!isTrue(dynamic)) return 'Static'
      if (/^(pppoe|ppp|l2tp|pptp|sstp|ovpn)/.test(type ?? '')) return 'IPCP'
      return type === 'lte' ? '3GPP-NAS' : 'DHCP'
    }),
  },
}

const IP: ObjectMapping = {
  object: 'Device.IP.',
  needs: ['/ip/address'],
  source: { menu: '/ip/address' },
  parameters: { IPv4Capable: fixed('true'), IPv4Status: fixed('Enabled') },
}

const MAIN = 'main'

/** A router of TR-181 has all routes. */
const ROUTER: ObjectMapping = {
  object: 'Device.Routing.Router.{i}.',
  needs: ['/ip/route'],
  source: { readings: {}, rows: () => [{ name: MAIN }] },
  table: { key: firstOf('name'), called: firstOf('name') },
  parameters: { Enable: fixed('true'), Status: fixed('Enabled') },
}

/** Query for routes that were made here: those that a routing protocol has learned may be a million, and are not read. */
export const OWN_ROUTES = ['static=true', 'connect=true', 'dhcp=true', 'vpn=true', '#|||']

const ROUTES: ObjectMapping = {
  object: 'Device.Routing.Router.{i}.IPv4Forwarding.{i}.',
  needs: ['/ip/route'],
  source: { menu: '/ip/route', query: OWN_ROUTES },
  table: {
    key: allOf('dst-address', 'gateway', 'distance', 'routing-table', 'routing-mark'),
    parent: always(MAIN),
    mayChange: notDynamic,
  },
  parameters: {
    Enable: kept('disabled', inverted),
    Status: shownFrom(['disabled'], ([disabled]) => (isTrue(disabled) ? 'Disabled' : 'Enabled')),
    Type: shownFrom(['blackhole'], ([blackhole]) => (isTrue(blackhole) ? 'Blackhole' : 'Normal')),
    StaticRoute: shownFrom(['static', 'dynamic'], ([fixedRoute, dynamic]) =>
      String(isTrue(fixedRoute) && !isTrue(dynamic)),
    ),
    DestIPAddress: shownFrom(['dst-address'], ([to]) => (isDefault(to) ? '' : prefixAddress.read(to, { now: 0 }))),
    DestSubnetMask: shownFrom(['dst-address'], ([to]) => (isDefault(to) ? '' : prefixMask.read(to, { now: 0 }))),
    GatewayIPAddress: shownFrom(['gateway'], ([gateway]) => {
      const address = gateway?.split('%')[0] ?? ''
      return isIPv4(address) ? address : ''
    }),
    Interface: {
      from: ['gateway', 'immediate-gw', 'gateway-status'],
      read: ([gateway, immediate, status]) => interfaceOf(gateway, immediate, status),
      refers: [IP_INTERFACE],
    },
    ForwardingMetric: orElse('-1', kept('distance', integer(0, 255))),
    ForwardingPolicy: fixed('-1'),
    Origin: shownFrom(['dhcp', 'ospf', 'rip', 'vpn'], ([dhcp, ospf, rip, vpn]) =>
      isTrue(dhcp) ? 'DHCPv4' : isTrue(ospf) ? 'OSPF' : isTrue(rip) ? 'RIP' : isTrue(vpn) ? 'IPCP' : 'Static',
    ),
  },
}

export const IP_OBJECTS = [IP, IP_INTERFACE_ROWS, ADDRESSES, ROUTER, ROUTES]

function isDefault(destination: Text): boolean {
  return destination === undefined || destination === '0.0.0.0/0'
}

/**
 * The interface of a route: a gateway that is one, `192.0.2.1%ether1`, or `192.0.2.1 reachable via ether1` of version 6.
 */
function interfaceOf(gateway: Text, immediate: Text, status: Text): string {
  if (gateway !== undefined && !isIPv4(gateway)) return gateway.split('%')[1] ?? gateway
  return immediate?.split('%')[1] ?? /\bvia\s+(\S+)/.exec(status ?? '')?.[1] ?? ''
}
