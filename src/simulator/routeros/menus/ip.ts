import type { Row } from '../basis/table.ts'
import { writeDuration } from '../basis/text.ts'
import type { RouterView } from '../basis/view.ts'
import {
  bool,
  domain,
  duration,
  iface,
  int,
  ip,
  ips,
  listOf,
  mac,
  mark,
  matcher,
  nameOf,
  off,
  oneOf,
  ports,
  prefix,
  ranges,
  ro,
  text,
} from './kinds.ts'
import { counter, isFrom, isRunning } from './life.ts'
import { list, type Menu, single } from './menu.ts'

const NAMED = { key: 'name', unique: { by: ['name'], text: 'failure: already have such name' } } as const

/** Returns the menus below `/ip`, and those of queues. */
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
    list(
      '/ip/dhcp-client',
      {
        ...(isFrom(version, 7, 22) ? { name: text(63) } : {}),
        interface: iface,
        'add-default-route': oneOf('yes', 'no', 'special-classless'),
        'default-route-distance': int(1, 255),
        'use-peer-dns': oneOf('yes', 'no', 'exclusively'),
        'use-peer-ntp': bool,
        'dhcp-options': text(255),
        script: text(),
        status: ro,
        address: ro,
        gateway: ro,
        'dhcp-server': ro,
        'primary-dns': ro,
        'secondary-dns': ro,
        'expires-after': ro,
        invalid: ro,
        dynamic: ro,
        disabled: off,
      },
      {
        required: ['interface'],
        unique: { by: ['interface'], text: 'failure: dhcp-client on that interface already exists' },
        live: {
          status: (row, router) => clientStatus(row, router),
          invalid: () => 'false',
          dynamic: ({ values }) => values.dynamic ?? 'false',
          ...leased({
            address: '~address',
            gateway: '~gateway',
            'dhcp-server': '~server',
            'primary-dns': '~dns1',
            'secondary-dns': '~dns2',
          }),
          'expires-after': (row, router) =>
            clientStatus(row, router) === 'bound' ? writeDuration(86_400 - (router.upS % 43_200)) : undefined,
        },
        complete: (values) => {
          values['add-default-route'] ??= 'yes'
          values['use-peer-dns'] ??= 'yes'
          values['use-peer-ntp'] ??= 'true'
          if (isV7) values['default-route-distance'] ??= '1'
        },
      },
    ),
    list(
      '/ip/dhcp-server',
      {
        name: text(63),
        interface: iface,
        'address-pool': nameOf('/ip/pool'),
        'lease-time': duration(),
        'lease-script': text(),
        authoritative: oneOf('yes', 'no', 'after-2sec-delay', 'after-10sec-delay'),
        'add-arp': bool,
        invalid: ro,
        dynamic: ro,
        disabled: off,
      },
      {
        ...NAMED,
        required: ['interface'],
        live: { invalid: () => 'false', dynamic: () => 'false' },
        complete: (values) => {
          values['lease-time'] ??= isV7 ? '30m' : '10m'
          values['address-pool'] ??= 'static-only'
          values.authoritative ??= 'yes'
        },
      },
    ),
    list(
      '/ip/dhcp-server/network',
      {
        address: prefix,
        gateway: ips,
        netmask: int(0, 32),
        'dns-server': ips,
        'ntp-server': ips,
        'wins-server': ips,
        domain,
        dynamic: ro,
      },
      { required: ['address'], live: { dynamic: () => 'false' } },
    ),
    list(
      '/ip/dhcp-server/lease',
      {
        address: text(63),
        'mac-address': mac,
        'client-id': text(255),
        'address-lists': text(255),
        server: text(63),
        'dhcp-option': text(255),
        'lease-time': duration(),
        'rate-limit': text(63),
        'block-access': bool,
        status: ro,
        'expires-after': ro,
        'last-seen': ro,
        'active-address': ro,
        'active-mac-address': ro,
        'active-client-id': ro,
        'active-server': ro,
        'host-name': ro,
        radius: ro,
        dynamic: ro,
        blocked: ro,
        disabled: off,
      },
      {
        required: ['address', 'mac-address'],
        unique: { by: ['address', 'server'], text: 'failure: already have lease for this IP address' },
        live: {
          dynamic: ({ values }) => values.dynamic ?? 'false',
          radius: () => 'false',
          blocked: ({ values }) => values['block-access'] ?? 'false',
          status: (row) => (isBound(row) ? 'bound' : 'waiting'),
          'expires-after': (row, { upS }) =>
            isBound(row) ? writeDuration(1800 - (Math.floor(upS + row.id * 37) % 900)) : undefined,
          'last-seen': (row, { upS }) => (isBound(row) ? writeDuration(Math.floor(upS + row.id * 37) % 900) : 'never'),
          'active-address': (row) => (isBound(row) ? row.values.address : undefined),
          'active-mac-address': (row) => (isBound(row) ? row.values['mac-address'] : undefined),
          'active-server': (row) => (isBound(row) ? row.values.server : undefined),
        },
        complete: (values, { store }) => {
          values.server ??= store.table('/ip/dhcp-server')[0]?.values.name ?? 'all'
          values['block-access'] ??= 'false'
        },
      },
    ),
    list(
      '/ip/pool',
      {
        name: text(63),
        ranges,
        'next-pool': text(63),
        ...(isFrom(version, 7, 18) ? { total: ro, used: ro, available: ro } : {}),
      },
      { ...NAMED, required: ['name', 'ranges'], live: poolUse },
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
    firewall(
      '/ip/firewall/nat',
      ['srcnat', 'dstnat'],
      [
        'accept',
        'add-dst-to-address-list',
        'add-src-to-address-list',
        'dst-nat',
        'jump',
        'log',
        'masquerade',
        'netmap',
        'passthrough',
        'redirect',
        'return',
        'same',
        'src-nat',
      ],
    ),
    firewall(
      '/ip/firewall/filter',
      ['input', 'forward', 'output'],
      [
        'accept',
        'add-dst-to-address-list',
        'add-src-to-address-list',
        'drop',
        'fasttrack-connection',
        'jump',
        'log',
        'passthrough',
        'reject',
        'return',
        'tarpit',
      ],
    ),
    list(
      '/ip/firewall/address-list',
      { list: text(63), address: text(255), timeout: duration(), 'creation-time': ro, dynamic: ro, disabled: off },
      { required: ['list', 'address'], live: { dynamic: ({ values }) => values.dynamic ?? 'false' } },
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
    list(
      '/queue/simple',
      {
        name: text(63),
        target: text(255),
        parent: text(63),
        'max-limit': text(63),
        'limit-at': text(63),
        priority: text(16),
        rate: ro,
        bytes: ro,
        packets: ro,
        dropped: ro,
        dynamic: ro,
        disabled: off,
      },
      {
        ...NAMED,
        isOrdered: true,
        required: ['target'],
        live: {
          rate: () => '0/0',
          bytes: (row, router) => `${counter('~rx')(row, router)}/${counter('~tx')(row, router)}`,
          packets: () => '0/0',
          dropped: () => '0/0',
          dynamic: () => 'false',
        },
      },
    ),
  ]
}

function firewall(path: string, chains: readonly string[], actions: readonly string[]): Menu {
  return list(
    path,
    {
      chain: text(63),
      action: oneOf(...actions),
      protocol: oneOf('tcp', 'udp', 'icmp', 'gre', 'ipsec-esp', 'ipsec-ah', 'igmp', 'ospf', 'udp-lite', 'all'),
      'src-address': matcher,
      'dst-address': matcher,
      'src-address-list': text(63),
      'dst-address-list': text(63),
      'src-port': ports,
      'dst-port': ports,
      'in-interface': iface,
      'in-interface-list': text(63),
      'out-interface': iface,
      'out-interface-list': text(63),
      'ipsec-policy': text(63),
      'connection-state': listOf('established', 'related', 'new', 'invalid', 'untracked'),
      'connection-nat-state': text(63),
      'to-addresses': ranges,
      'to-ports': ports,
      'jump-target': text(63),
      'reject-with': text(63),
      'hw-offload': bool,
      log: bool,
      'log-prefix': text(63),
      bytes: ro,
      packets: ro,
      invalid: ro,
      dynamic: ro,
      disabled: off,
    },
    {
      isOrdered: true,
      required: ['chain'],
      live: {
        bytes: counter('~rx'),
        packets: counter('~rx', 700),
        dynamic: ({ values }) => values.dynamic ?? 'false',
        invalid: ({ values }, { store }) =>
          String(
            ['in-interface', 'out-interface'].some((name) => {
              const value = values[name]?.replace(/^!/, '')
              return value !== undefined && value !== '' && store.find('interface', 'name', value) === undefined
            }),
          ),
      },
      complete: (values) => {
        values.action ??= 'accept'
        values.log ??= 'false'
        values['log-prefix'] ??= ''
        if (values.action === 'masquerade' && values.chain === 'dstnat') values.chain = chains[0] ?? ''
      },
    },
  )
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

function clientStatus(row: Row, router: RouterView): string {
  const { values } = row
  if (values.disabled === 'true') return 'stopped'
  const lower = router.store.find('interface', 'name', values.interface ?? '')
  if (lower === undefined || !isRunning(lower, router)) return 'stopped'
  return values['~address'] === undefined ? 'searching...' : 'bound'
}

function leased(names: Record<string, string>): Menu['live'] {
  return Object.fromEntries(
    Object.entries(names).map(([name, key]) => [
      name,
      (row: Row, router: RouterView) => (clientStatus(row, router) === 'bound' ? row.values[key] : undefined),
    ]),
  )
}

function isBound({ values }: Row): boolean {
  return values['~bound'] === 'true' && values.disabled !== 'true'
}

const poolUse: Menu['live'] = {
  total: ({ values }) => String(sizeOf(values.ranges)),
  used: (_, { store }) => String(store.table('/ip/dhcp-server/lease').filter(isBound).length),
  available: ({ values }, { store }) =>
    String(sizeOf(values.ranges) - store.table('/ip/dhcp-server/lease').filter(isBound).length),
}

function sizeOf(value = ''): number {
  const number = (ip: string) => ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  return value.split(',').reduce((sum, range) => {
    const [from = '', to = from] = range.split('-')
    return sum + number(to) - number(from) + 1
  }, 0)
}
