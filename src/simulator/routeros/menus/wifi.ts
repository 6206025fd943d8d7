import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { interfaceMenu } from './interface.ts'
import { bool, iface, int, mac, mark, off, oneOf, ro, text } from './kinds.ts'
import { bitsPerSecond, bytePair, isFrom, isRunning, packetPair, signalOf, sinceStart } from './life.ts'
import { type Live, list, type Menu, single } from './menu.ts'
import { dotted, effective, GROUP_NAMES, GROUPS, type Group, inherited, references } from './wifi-profiles.ts'

/**
 * Returns the menus of radios below `/interface/wifi`, or below `/interface/wifiwave2` in versions before 7.13. The rows
 * of both are interfaces of the type `wifi`.
 */
export function wifiMenus(root: '/interface/wifi' | '/interface/wifiwave2', version: string): Menu[] {
  const showsEffective = isFrom(version, 7, 15)
  const path = (name: string) => `${root}/${name}`
  const derive = (row: Row, router: RouterView) => inherited(root, row, router)
  const profile = (name: Group, own: readonly Group[]) =>
    list(
      path(name),
      { name: text(63), ...GROUPS[name], ...dotted(own), ...references(own), disabled: off },
      { key: 'name', ...UNIQUE },
    )
  const properties = {
    'default-name': ro,
    mtu: int(32, 2290),
    l2mtu: ro,
    'mac-address': mac,
    'arp-timeout': text(16),
    'radio-mac': ro,
    'master-interface': iface,
    ...references(GROUP_NAMES),
    ...dotted(GROUP_NAMES),
    master: ro,
    bound: ro,
    inactive: ro,
    network: mark,
    cap: ro,
    dynamic: mark,
  }
  const live: Record<string, Live> = {
    master: ({ values }) => String(values['master-interface'] === undefined),
    bound: () => 'true',
    inactive: (row, router) => String(!isRunning(row, router)),
    running: (row, router) => String(isRunning(row, router) && clientsOf(root, row, router).length > 0),
  }
  return [
    interfaceMenu(root, 'wifi', properties, {
      live,
      required: ['master-interface'],
      complete: completeVirtual,
      ...(showsEffective ? { derive } : {}),
      monitor: (row, router) => stateOf(root, row, router),
    }),
    ...(showsEffective
      ? []
      : [
          interfaceMenu(path('actual-configuration'), 'wifi', properties, {
            live,
            isFixed: true,
            isReading: true,
            derive,
          }),
        ]),
    profile('configuration', ['channel', 'security', 'datapath']),
    profile('channel', []),
    profile('security', []),
    profile('datapath', []),
    list(
      path('radio'),
      {
        'radio-mac': ro,
        'phy-id': ro,
        'tx-chains': ro,
        'rx-chains': ro,
        bands: ro,
        ciphers: ro,
        countries: ro,
        '2g-channels': ro,
        '5g-channels': ro,
        '6g-channels': ro,
        'hw-type': ro,
        'hw-caps': ro,
        interface: ro,
        'current-country': ro,
        'current-channels': ro,
        'current-max-reg-power': ro,
        local: mark,
      },
      {
        isReading: true,
        isFixed: true,
        live: {
          'current-country': ({ values }, router) => {
            const row = router.store.find('interface', 'name', values.interface ?? '')
            return row === undefined ? undefined : effective(root, row, router)['configuration.country']
          },
        },
      },
    ),
    list(
      path('registration-table'),
      {
        interface: ro,
        ssid: ro,
        'mac-address': ro,
        uptime: ro,
        'last-activity': ro,
        signal: ro,
        'auth-type': ro,
        band: ro,
        'tx-rate': ro,
        'rx-rate': ro,
        'tx-bits-per-second': ro,
        'rx-bits-per-second': ro,
        packets: ro,
        bytes: ro,
        'vlan-id': ro,
        authorized: ro,
      },
      {
        isReading: true,
        live: {
          ssid: ({ values }, router) => {
            const row = router.store.find('interface', 'name', values.interface ?? '')
            return row === undefined ? undefined : effective(root, row, router)['configuration.ssid']
          },
          uptime: sinceStart,
          'last-activity': () => '20ms',
          signal: (row, router) => String(signalOf(row, router)),
          'tx-rate': (row, router) => rateOf(row, router, 'tx'),
          'rx-rate': (row, router) => rateOf(row, router, 'rx'),
          'tx-bits-per-second': (row, router) => String(bitsPerSecond(row, '~tx', router)),
          'rx-bits-per-second': (row, router) => String(bitsPerSecond(row, '~rx', router)),
          packets: packetPair,
          bytes: bytePair,
          authorized: () => 'true',
        },
      },
    ),
    list(
      path('access-list'),
      {
        'mac-address': mac,
        action: oneOf('accept', 'reject', 'query-radius'),
        interface: text(63),
        'signal-range': text(16),
        'vlan-id': int(1, 4095, 'none'),
        disabled: off,
      },
      { isOrdered: true },
    ),
    single(path('cap'), {
      enabled: bool,
      'discovery-interfaces': text(255),
      'caps-man-addresses': text(255),
      certificate: text(63),
      'current-caps-man-address': ro,
      'current-caps-man-identity': ro,
    }),
    single(path('capsman'), {
      enabled: bool,
      interfaces: text(255),
      'package-path': text(255),
      'upgrade-policy': oneOf('none', 'require-same-version', 'suggest-same-version'),
    }),
    list(
      path('capsman/remote-cap'),
      {
        address: ro,
        identity: ro,
        'board-name': ro,
        serial: ro,
        version: ro,
        'base-mac': ro,
        state: ro,
        'common-name': ro,
      },
      { isReading: true },
    ),
    list(
      path('provisioning'),
      {
        action: oneOf('none', 'create-enabled', 'create-disabled', 'create-dynamic-enabled'),
        'master-configuration': text(63),
        'slave-configurations': text(255),
        'supported-bands': text(63),
        'name-format': text(63),
        'radio-mac': mac,
        disabled: off,
      },
      { isOrdered: true },
    ),
  ]
}

const UNIQUE = { unique: { by: ['name'], text: 'failure: already have such name' } } as const

function completeVirtual(values: Record<string, string>, { store }: RouterView): void {
  if (values.type === undefined || values.name !== undefined) return
  const count = store.table('interface').filter(({ values: { type } }) => type === 'wifi').length
  values.name = `wifi${count + 1}`
  const master = store.find('interface', 'name', values['master-interface'] ?? '')
  values['mac-address'] ??= `0A${(master?.values['mac-address'] ?? '00:00:00:00:00:00').slice(2)}`
}

function clientsOf(root: string, row: Row, { store }: RouterView): Row[] {
  return store.table(`${root}/registration-table`).filter(({ values }) => values.interface === row.values.name)
}

function stateOf(root: string, row: Row, router: RouterView): Record<string, string> {
  if (row.values.disabled === 'true') return { state: 'disabled' }
  const values = effective(root, row, router)
  const clients = String(clientsOf(root, row, router).length)
  const first = /^\d+/.exec(values['channel.frequency'] ?? '')?.[0] ?? values['~frequency'] ?? '2412'
  const band = values['channel.band']?.split('-')[1] ?? 'ax'
  return {
    state: 'running',
    channel: `${first}/${band}${extensionOf(values['channel.width'] ?? values['~width'] ?? '20mhz')}`,
    'registered-peers': clients,
    'authorized-peers': clients,
    'tx-power': values['configuration.tx-power'] ?? '20',
  }
}

function extensionOf(width: string): string {
  if (width.includes('160')) return '/Ceeeeeee'
  if (width.includes('80')) return '/Ceee'
  if (width.endsWith('eC')) return '/eC'
  return width.includes('40') ? '/Ce' : ''
}

/** Newer versions write a unit, older ones plain bits per second. */
function rateOf(row: Row, router: RouterView, direction: 'tx' | 'rx'): string {
  const share = Math.max(0.1, Math.min(1, (signalOf(row, router) + 95) / 50))
  const top = Number(row.values['~top'] ?? '1201000000')
  const bits = Math.round((top * share * (direction === 'tx' ? 1 : 0.8)) / 100_000) * 100_000
  return isFrom(router.version, 7, 18) ? `${bits / 1e6}Mbps` : String(bits)
}
