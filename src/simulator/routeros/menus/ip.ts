import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { bool, domain, duration, iface, int, ip, ips, mac, mark, off, oneOf, prefix, ro, text } from './kinds.ts'
import { isFrom, isRunning } from './life.ts'
import { list, type Menu, single } from './menu.ts'

/** Returns the menus of addresses, routes, neighbours, names and services. */
export function ipMenus(version: string): Menu[] {
  const isV7 = isFrom(version, 7)
  return [
    list(
      '/ip/address',
      {
        address: prefix,
        network: ip,
        interface: iface,
        'actual-interface': ro,
        invalid: ro,
        dynamic: ro,
        disabled: off,
      },
      {
        required: ['address', 'interface'],
        unique: { by: ['address', 'interface'], text: 'failure: already have such address' },
        live: {
          'actual-interface': ({ values }) => values.interface,
          invalid: ({ values }, { store }) =>
            String(store.find('interface', 'name', values.interface ?? '') === undefined),
          dynamic: ({ values }) => values.dynamic ?? 'false',
        },
        complete: (values) => {
          values.network = networkOf(values.address ?? '')
        },
      },
    ),
    list(
      '/ip/route',
      {
        'dst-address': prefix,
        'pref-src': ip,
        gateway: text(255),
        'gateway-status': ro,
        'immediate-gw': ro,
        'check-gateway': oneOf('none', 'arp', 'ping', 'bfd'),
        distance: int(1, 255),
        scope: int(0, 255),
        'target-scope': int(0, 255),
        ...(isV7
          ? { 'routing-table': text(63), blackhole: bool }
          : { 'routing-mark': text(63), type: oneOf('unicast', 'blackhole', 'unreachable', 'prohibit') }),
        active: mark,
        inactive: mark,
        static: mark,
        connect: mark,
        dhcp: mark,
        vpn: mark,
        bgp: mark,
        ospf: mark,
        rip: mark,
        ecmp: mark,
        dynamic: mark,
        disabled: off,
      },
      {
        live: {
          active: (row, router) => String(isActive(row, router)),
          inactive: (row, router) => String(isV7 && !isActive(row, router)),
          ...(isV7
            ? { 'immediate-gw': (row: Row, router: RouterView) => immediateOf(row, router) }
            : {
                'gateway-status': (row: Row, router: RouterView) =>
                  `${row.values.gateway} ${isActive(row, router) ? 'reachable' : 'unreachable'}`,
              }),
        },
        complete: (values) => {
          values['dst-address'] ??= '0.0.0.0/0'
          values.distance ??= '1'
          values.scope ??= '30'
          values['target-scope'] ??= '10'
          if (values.dynamic !== 'true') values.static = 'true'
          if (isV7) values['routing-table'] ??= 'main'
        },
      },
    ),
    list(
      '/ip/arp',
      {
        address: ip,
        'mac-address': mac,
        interface: iface,
        published: ro,
        invalid: mark,
        dhcp: ro,
        dynamic: ro,
        complete: ro,
        status: ro,
        disabled: off,
      },
      {
        required: ['address', 'interface'],
        live: {
          dynamic: ({ values }) => values.dynamic ?? 'false',
          published: () => 'false',
          complete: ({ values }) => String(values['mac-address'] !== undefined),
          dhcp: ({ values }, { store }) =>
            String(store.find('/ip/dhcp-server/lease', 'address', values.address ?? '') !== undefined),
        },
      },
    ),
    list(
      '/ip/neighbor',
      {
        interface: ro,
        address: ro,
        'mac-address': ro,
        identity: ro,
        platform: ro,
        version: ro,
        board: ro,
        unpack: ro,
        age: ro,
        'interface-name': ro,
        'discovered-by': ro,
      },
      { isReading: true, isFixed: true },
    ),
    single(
      '/ip/dns',
      {
        servers: ips,
        'dynamic-servers': ro,
        'use-doh-server': text(255),
        'verify-doh-cert': bool,
        'allow-remote-requests': bool,
        'max-udp-packet-size': int(50, 65_507),
        'cache-size': int(64, 4_294_967),
        'cache-max-ttl': duration(),
        'cache-used': ro,
      },
      {
        live: {
          'dynamic-servers': ({ values }) => values['~dynamic'] ?? '',
          'cache-used': (_, { upS }) => String(28 + (Math.floor(upS / 60) % 40)),
        },
      },
    ),
    list(
      '/ip/dns/static',
      {
        name: domain,
        regexp: text(255),
        ...(isV7 || isFrom(version, 6, 47)
          ? { type: oneOf('A', 'AAAA', 'CNAME', 'FWD', 'MX', 'NS', 'NXDOMAIN', 'SRV', 'TXT') }
          : {}),
        address: ip,
        cname: domain,
        'forward-to': text(255),
        text: text(255),
        ttl: duration(),
        dynamic: ro,
        disabled: off,
      },
      {
        live: { dynamic: () => 'false' },
        complete: (values) => {
          values.ttl ??= '1d'
        },
        isOrdered: true,
      },
    ),
    list(
      '/ip/service',
      {
        name: ro,
        port: int(1, 65_535),
        address: text(255),
        certificate: text(63),
        'tls-version': oneOf('any', 'only-1.2'),
        vrf: text(63),
        'max-sessions': int(1, 1000),
        invalid: ro,
        disabled: off,
      },
      { isFixed: true, key: 'name', live: { invalid: () => 'false' } },
    ),
  ]
}

/** Returns the first address of a network. */
export function networkOf(address: string): string {
  const [plain = '', bits = '32'] = address.split('/')
  const number = plain.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(number / size) * size
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')
}

/** True where the row's gateway, an interface or an address in the network of one, can be reached. */
function isActive(row: Row, router: RouterView): boolean {
  const { values } = row
  if (values.disabled === 'true') return false
  if (values.blackhole === 'true') return true
  const name = interfaceOf(row, router)
  const lower = name === undefined ? undefined : router.store.find('interface', 'name', name)
  return lower !== undefined && isRunning(lower, router)
}

function interfaceOf({ values }: Row, { store }: RouterView): string | undefined {
  const gateway = values.gateway?.split('%') ?? []
  const named = gateway[1] ?? gateway[0] ?? ''
  if (store.find('interface', 'name', named) !== undefined) return named
  const addresses = store.table('/ip/address')
  const reaches = (prefix: string) => networkOf(prefix) === networkOf(`${named}/${prefix.split('/')[1]}`)
  const direct = addresses.find(({ values: { address = '' } }) => reaches(address))
  if (direct !== undefined) return direct.values.interface
  return store.table('/ip/dhcp-client').find(({ values }) => values['~gateway'] === named)?.values.interface
}

function immediateOf(row: Row, router: RouterView): string | undefined {
  const name = interfaceOf(row, router)
  if (name === undefined) return undefined
  const { gateway = '' } = row.values
  return gateway === name ? name : `${gateway}%${name}`
}
