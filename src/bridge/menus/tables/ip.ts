import { COMMENT, menu, ORDERED, READ, ROWS, read, reads, rowVerb, SINGLE, write } from '../form/menu.ts'
import {
  ADDRESS_RANGE,
  BOOLEAN,
  durationOf,
  eitherOf,
  HOST,
  INTERFACE,
  IPV4,
  IPV6,
  integerOf,
  listOf,
  MAC,
  NAME,
  oneOf,
  optional,
  PORT_LIST,
  PORTS,
  PREFIX,
  textOf,
} from '../form/value-kinds.ts'

/** A flag of a row, in the form of the API. */
const FLAG = oneOf('true', 'false')
const NO_IPV4 = optional(IPV4)
const ADDRESSES = listOf(IPV4, 4)

/** Menus of IP. */
export const IP = {
  '/ip/address': menu(
    {
      ...reads('network', 'actual-interface', 'dynamic', 'invalid'),
      address: write(PREFIX),
      interface: write(INTERFACE),
      disabled: write(BOOLEAN),
      comment: write(COMMENT),
    },
    ROWS,
  ),
  '/ip/arp': menu(
    { address: read(IPV4), 'mac-address': read(MAC), ...reads('interface', 'complete', 'dhcp', 'status', 'dynamic') },
    READ,
  ),
  '/ip/neighbor': menu(reads('interface', 'address', 'mac-address', 'identity', 'platform', 'board', 'version'), READ),
  '/ip/route': menu(
    {
      ...reads('immediate-gw', 'scope', 'pref-src', 'routing-table', 'routing-mark', 'gateway-status', 'blackhole'),
      ...reads('active', 'bgp', 'ospf', 'ecmp', 'dynamic', 'inactive', 'rip'),
      // Routes are searched for by these: there may be a million of others.
      static: read(FLAG),
      connect: read(FLAG),
      dhcp: read(FLAG),
      vpn: read(FLAG),
      ...reads('check-gateway'),
      'dst-address': write(PREFIX),
      gateway: write(eitherOf(IPV4, INTERFACE)),
      distance: write(integerOf(1, 255)),
      disabled: write(BOOLEAN),
      comment: write(COMMENT),
    },
    ROWS,
  ),
  '/ip/dhcp-client': menu(
    {
      ...reads('status', 'address', 'gateway', 'dhcp-server', 'primary-dns', 'secondary-dns', 'expires-after'),
      ...reads('use-peer-dns', 'use-peer-ntp', 'add-default-route', 'default-route-distance', 'name', 'dynamic'),
      ...reads('invalid'),
      interface: write(INTERFACE),
      disabled: write(BOOLEAN),
      comment: write(COMMENT),
    },
    { ...ROWS, renew: rowVerb(2) },
  ),
  '/ip/dhcp-server': menu(
    {
      ...reads('dynamic', 'invalid'),
      name: write(textOf(64, 1)),
      interface: write(INTERFACE),
      'address-pool': write(NAME),
      'lease-time': write(durationOf(60, 315360000)),
      disabled: write(BOOLEAN),
      comment: write(COMMENT),
    },
    ROWS,
  ),
  '/ip/dhcp-server/network': menu(
    {
      ...reads('dynamic'),
      address: write(PREFIX),
      gateway: write(ADDRESSES),
      netmask: write(integerOf(0, 32)),
      'dns-server': write(ADDRESSES),
      'ntp-server': write(ADDRESSES),
      domain: write(optional(HOST)),
      comment: write(COMMENT),
    },
    ROWS,
  ),
  '/ip/dhcp-server/lease': menu(
    {
      ...reads('client-id', 'status', 'active-address', 'active-mac-address', 'active-server', 'host-name'),
      ...reads('expires-after', 'last-seen', 'blocked', 'block-access', 'rate-limit', 'dynamic', 'disabled'),
      address: write(IPV4),
      'mac-address': write(MAC),
      server: write(NAME),
      comment: write(COMMENT),
    },
    ROWS,
  ),
  '/ip/pool': menu(
    {
      ...reads('total', 'used', 'available'),
      name: write(textOf(64, 1)),
      ranges: write(ADDRESS_RANGE),
      comment: write(COMMENT),
    },
    ROWS,
  ),
  '/ip/dns': menu(
    {
      ...reads('dynamic-servers', 'allow-remote-requests', 'cache-size', 'cache-used', 'use-doh-server'),
      servers: write(listOf(eitherOf(IPV4, IPV6), 8)),
    },
    SINGLE,
  ),
  '/ip/dns/static': menu(
    reads('name', 'regexp', 'type', 'address', 'cname', 'ttl', 'disabled', 'dynamic', 'comment'),
    READ,
  ),
  '/ip/firewall/nat': menu(
    {
      ...reads('out-interface', 'out-interface-list', 'bytes', 'packets', 'invalid', 'dynamic'),
      ...reads('src-port', 'log', 'jump-target'),
      chain: write(oneOf('dstnat')),
      action: write(oneOf('dst-nat')),
      protocol: write(oneOf('tcp', 'udp')),
      'src-address': write(NO_IPV4),
      'dst-address': write(NO_IPV4),
      'dst-port': write(PORT_LIST),
      'in-interface': write(optional(INTERFACE)),
      'in-interface-list': write(oneOf('WAN')),
      'to-addresses': write(IPV4),
      'to-ports': write(PORTS),
      disabled: write(BOOLEAN),
      comment: write(COMMENT),
    },
    {
      ...ORDERED,
      unset: rowVerb(1, { 'value-name': oneOf('src-address', 'in-interface', 'in-interface-list') }),
    },
  ),
} as const
