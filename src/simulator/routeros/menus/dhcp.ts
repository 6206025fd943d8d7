import type { Row } from '../basis/table.ts'
import { writeDuration } from '../basis/text.ts'
import type { RouterView } from '../basis/view.ts'
import { bool, domain, duration, iface, int, ips, mac, nameOf, off, oneOf, prefix, ranges, ro, text } from './kinds.ts'
import { isFrom, isRunning } from './life.ts'
import { list, type Menu } from './menu.ts'

const NAMED = { key: 'name', unique: { by: ['name'], text: 'failure: already have such name' } } as const

/** Returns the menus of DHCP: clients, servers, leases and pools. */
export function dhcpMenus(version: string): Menu[] {
  const isV7 = isFrom(version, 7)
  return [
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
  ]
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
