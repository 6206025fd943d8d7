import type { Row } from '../basis/table.ts'
import { writeDuration } from '../basis/text.ts'
import type { RouterView } from '../basis/view.ts'
import {
  bool,
  duration,
  iface,
  int,
  listOf,
  mac,
  mark,
  nameOf,
  off,
  oneOf,
  type Property,
  ro,
  secret,
  text,
} from './kinds.ts'
import { counter, dateOf, isFrom, isRunning, running, rxBytes, rxPackets, swing, txBytes, txPackets } from './life.ts'
import { type Live, list, type Menu } from './menu.ts'

const TABLE = 'interface'

const COUNTERS: Record<string, Live> = {
  'rx-byte': rxBytes,
  'tx-byte': txBytes,
  'rx-packet': rxPackets,
  'tx-packet': txPackets,
  'rx-drop': () => '0',
  'tx-drop': () => '0',
  'tx-queue-drop': () => '0',
  'rx-error': counter('~rx', 90_000_000),
  'tx-error': () => '0',
}

/** Those of the hardware of a port. */
const PORT_COUNTERS: Record<string, Live> = {
  'rx-bytes': rxBytes,
  'tx-bytes': txBytes,
  'rx-packet': rxPackets,
  'tx-packet': txPackets,
  'rx-unicast': rxPackets,
  'tx-unicast': txPackets,
  'rx-multicast': counter('~rx', 60_000),
  'tx-multicast': counter('~tx', 60_000),
  'rx-broadcast': counter('~rx', 50_000),
  'tx-broadcast': counter('~tx', 50_000),
  'rx-drop': () => '0',
  'tx-drop': () => '0',
  'rx-fcs-error': () => '0',
}

const READ_COUNTERS = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, ro]))

const UNIQUE_NAME = {
  key: 'name',
  unique: { by: ['name'], text: 'failure: already have interface with such name' },
} as const

/** Properties and behaviour that interfaces of all types have. */
export function interfaceMenu(
  path: string,
  type: string,
  own: Record<string, Property>,
  parts: Partial<Menu> = {},
): Menu {
  const { live, ...rest } = parts
  return list(
    path,
    { name: text(63), ...own, running: ro, disabled: off, dynamic: mark },
    {
      table: TABLE,
      where: ['type', type],
      ...UNIQUE_NAME,
      ...rest,
      live: { running, ...live },
    },
  )
}

const LINK_MODES = [
  '10M-baseT-half',
  '10M-baseT-full',
  '100M-baseT-half',
  '100M-baseT-full',
  '1G-baseT-half',
  '1G-baseT-full',
  '2.5G-baseT',
  '2.5G-baseX',
  '5G-baseT',
  '10G-baseT',
  '10G-baseSR-LR',
  '10G-baseCR',
]
const OLD_MODES = [
  '10M-half',
  '10M-full',
  '100M-half',
  '100M-full',
  '1000M-half',
  '1000M-full',
  '2500M-full',
  '10000M-full',
]

/** Returns the menus of interfaces that every router has. */
export function interfaceMenus(version: string): Menu[] {
  const isV7 = isFrom(version, 7)
  const hasLinkModes = isFrom(version, 7, 12)
  return [
    list(
      '/interface',
      {
        name: text(63),
        'default-name': ro,
        type: ro,
        mtu: int(68, 65_535, 'auto'),
        'actual-mtu': ro,
        l2mtu: ro,
        'max-l2mtu': ro,
        'mac-address': ro,
        ...(isV7 ? { vrf: ro } : {}),
        'last-link-down-time': ro,
        'last-link-up-time': ro,
        'link-downs': ro,
        ...READ_COUNTERS,
        running: ro,
        disabled: off,
        inactive: mark,
        dynamic: mark,
        slave: mark,
      },
      {
        table: TABLE,
        isFixed: true,
        ...UNIQUE_NAME,
        live: {
          ...COUNTERS,
          running,
          'actual-mtu': ({ values }) => (values.mtu === 'auto' ? '1500' : (values.mtu ?? '1500')),
          'last-link-up-time': dateOf('~up'),
          'last-link-down-time': dateOf('~down'),
          'link-downs': ({ values }) => values['~downs'] ?? '0',
          ...(isV7 ? { vrf: () => 'main' } : {}),
          slave: (row, { store }) =>
            String(store.find('/interface/bridge/port', 'interface', row.values.name ?? '') !== undefined),
        },
        monitor: trafficOf,
      },
    ),
    interfaceMenu(
      '/interface/ethernet',
      'ether',
      {
        'default-name': ro,
        mtu: int(68, 65_535),
        l2mtu: int(64, 65_535),
        'mac-address': mac,
        'orig-mac-address': ro,
        arp: oneOf('enabled', 'disabled', 'proxy-arp', 'reply-only', 'local-proxy-arp'),
        'auto-negotiation': bool,
        advertise: listOf(...(hasLinkModes ? LINK_MODES : OLD_MODES)),
        ...(hasLinkModes ? {} : { 'full-duplex': bool }),
        speed: hasLinkModes ? oneOf(...LINK_MODES) : oneOf('10Mbps', '100Mbps', '1Gbps', '2.5Gbps', '5Gbps', '10Gbps'),
        'poe-out': ro,
        'combo-mode': oneOf('auto', 'copper', 'sfp'),
        'fec-mode': oneOf('auto', 'off', 'fec74', 'fec91'),
        'loop-protect': oneOf('default', 'on', 'off'),
        'loop-protect-status': ro,
        switch: ro,
        ...Object.fromEntries(Object.keys(PORT_COUNTERS).map((name) => [name, ro])),
        slave: mark,
      },
      {
        isFixed: true,
        live: {
          ...PORT_COUNTERS,
          'loop-protect-status': () => 'off',
          switch: () => 'switch1',
          slave: (row, { store }) =>
            String(store.find('/interface/bridge/port', 'interface', row.values.name ?? '') !== undefined),
        },
        monitor: linkOf,
      },
    ),
    interfaceMenu(
      '/interface/bridge',
      'bridge',
      {
        mtu: int(68, 65_535, 'auto'),
        'actual-mtu': ro,
        l2mtu: ro,
        arp: oneOf('enabled', 'disabled', 'proxy-arp', 'reply-only', 'local-proxy-arp'),
        'mac-address': ro,
        'protocol-mode': oneOf('none', 'rstp', 'stp', 'mstp'),
        'admin-mac': mac,
        'auto-mac': bool,
        'vlan-filtering': bool,
        pvid: int(1, 4094),
        'frame-types': oneOf('admit-all', 'admit-only-untagged-and-priority-tagged', 'admit-only-vlan-tagged'),
        priority: text(8),
        'igmp-snooping': bool,
        'dhcp-snooping': bool,
      },
      {
        live: {
          'actual-mtu': () => '1500',
          'mac-address': ({ values }) => values['admin-mac'] ?? values['mac-address'],
        },
        complete: (values) => {
          values.mtu ??= 'auto'
          values['protocol-mode'] ??= 'rstp'
          values['vlan-filtering'] ??= 'false'
          values['auto-mac'] ??= 'true'
        },
      },
    ),
    list(
      '/interface/bridge/port',
      {
        interface: iface,
        bridge: iface,
        priority: text(8),
        'path-cost': int(1, 200_000_000),
        edge: oneOf('auto', 'yes', 'no', 'yes-discover', 'no-discover'),
        horizon: text(8),
        hw: bool,
        pvid: int(1, 4094),
        'frame-types': oneOf('admit-all', 'admit-only-untagged-and-priority-tagged', 'admit-only-vlan-tagged'),
        'ingress-filtering': bool,
        status: ro,
        role: ro,
        inactive: ro,
        disabled: off,
        dynamic: mark,
      },
      {
        required: ['bridge', 'interface'],
        unique: { by: ['interface'], text: 'failure: device already added as bridge port' },
        live: {
          status: (row, router) => (isPortUp(row, router) ? 'in-bridge' : 'inactive'),
          role: (row, router) => (isPortUp(row, router) ? 'designated-port' : 'disabled-port'),
          inactive: (row, router) => String(!isPortUp(row, router)),
        },
        complete: (values) => {
          values.pvid ??= '1'
          values['frame-types'] ??= 'admit-all'
          values.hw ??= 'true'
        },
      },
    ),
    list(
      '/interface/bridge/vlan',
      {
        bridge: iface,
        'vlan-ids': text(255),
        tagged: text(255),
        untagged: text(255),
        'current-tagged': ro,
        'current-untagged': ro,
        disabled: off,
        dynamic: mark,
      },
      {
        required: ['bridge', 'vlan-ids'],
        live: {
          'current-tagged': ({ values }) => values.tagged,
          'current-untagged': ({ values }) => values.untagged,
        },
      },
    ),
    list(
      '/interface/bridge/host',
      {
        'mac-address': ro,
        vid: ro,
        'on-interface': ro,
        bridge: ro,
        age: ro,
        dynamic: mark,
        local: mark,
        external: mark,
        invalid: mark,
        disabled: mark,
      },
      { isReading: true },
    ),
    interfaceMenu(
      '/interface/vlan',
      'vlan',
      {
        mtu: int(68, 65_535),
        l2mtu: ro,
        'mac-address': ro,
        arp: oneOf('enabled', 'disabled', 'proxy-arp', 'reply-only', 'local-proxy-arp'),
        'vlan-id': int(1, 4094),
        interface: iface,
        'use-service-tag': bool,
      },
      {
        required: ['interface', 'vlan-id'],
        complete: (values, { store }) => {
          values.mtu ??= '1500'
          values.name ??= `vlan${values['vlan-id']}`
          values['mac-address'] ??= store.find(TABLE, 'name', values.interface ?? '')?.values['mac-address'] ?? ''
        },
      },
    ),
    interfaceMenu(
      '/interface/pppoe-client',
      'pppoe-out',
      {
        'max-mtu': int(64, 65_535, 'auto'),
        'max-mru': int(64, 65_535, 'auto'),
        mrru: text(8),
        interface: iface,
        user: text(255),
        password: secret,
        profile: text(63),
        'keepalive-timeout': int(0, 3600, 'disabled'),
        'service-name': text(255),
        'ac-name': text(255),
        'add-default-route': oneOf('yes', 'no'),
        'default-route-distance': int(1, 255),
        'dial-on-demand': oneOf('yes', 'no'),
        'use-peer-dns': oneOf('yes', 'no', 'exclusively'),
        allow: listOf('pap', 'chap', 'mschap1', 'mschap2'),
        ...(isV7 ? { 'host-uniq': text(255) } : {}),
        invalid: mark,
      },
      {
        required: ['interface'],
        live: { running: (row, router) => String(sessionOf(row, router) === 'connected') },
        // A new client waits to be enabled.
        complete: (values, { store }) => {
          if (values.type === undefined) values.disabled ??= 'true'
          values.name ??= `pppoe-out${store.table(TABLE).filter(({ values: { type } }) => type === 'pppoe-out').length + 1}`
          values.profile ??= 'default'
          values['add-default-route'] ??= 'no'
          values['use-peer-dns'] ??= 'no'
          values['keepalive-timeout'] ??= '10'
          values['max-mtu'] ??= 'auto'
          values['max-mru'] ??= 'auto'
        },
        monitor: pppoeOf,
      },
    ),
    list('/interface/list', { name: text(63), include: text(255), exclude: text(255), builtin: mark }, { key: 'name' }),
    list(
      '/interface/list/member',
      { list: nameOf('/interface/list'), interface: iface, disabled: off, dynamic: mark },
      { required: ['list', 'interface'] },
    ),
    ...(isV7
      ? [
          interfaceMenu('/interface/wireguard', 'wg', {
            mtu: int(68, 65_535),
            'listen-port': int(0, 65_535),
            'private-key': secret,
            'public-key': ro,
          }),
          list('/interface/wireguard/peers', {
            name: text(63),
            interface: iface,
            'public-key': text(64),
            'endpoint-address': text(255),
            'endpoint-port': int(0, 65_535),
            'allowed-address': text(255),
            'private-key': secret,
            'preshared-key': secret,
            'persistent-keepalive': duration(),
            'last-handshake': ro,
            disabled: off,
          }),
        ]
      : []),
    list(
      '/ppp/active',
      { name: ro, service: ro, 'caller-id': ro, address: ro, uptime: ro, 'session-id': ro, radius: mark },
      { isReading: true },
    ),
  ]
}

/** Returns the menus of boards with PoE out. */
export function poeMenus(): Menu[] {
  return [
    interfaceMenu(
      '/interface/ethernet/poe',
      'ether',
      {
        'poe-out': oneOf('off', 'auto-on', 'forced-on'),
        'poe-priority': int(0, 99),
        'poe-voltage': oneOf('auto', 'low', 'high'),
        'power-cycle-interval': duration('none'),
        'power-cycle-ping-enabled': bool,
      },
      {
        isFixed: true,
        monitor: (row, { now }) => {
          const mode = row.values['poe-out'] ?? 'off'
          const milliamps = Number(row.values['~poe'] ?? '0')
          const isOn = mode !== 'off' && milliamps > 0
          const power = isOn ? swing(row.values.name ?? '', (milliamps * 24) / 1000, 0.4, now) : 0
          return {
            name: row.values.name ?? '',
            'poe-out': mode,
            'poe-out-status': mode === 'off' ? 'disabled' : isOn ? 'powered-on' : 'waiting-for-load',
            ...(isOn
              ? {
                  'poe-out-voltage': '23.8',
                  'poe-out-current': String(Math.round((power * 1000) / 23.8)),
                  'poe-out-power': power.toFixed(1),
                }
              : {}),
          }
        },
      },
    ),
  ]
}

function isPortUp(row: Row, router: RouterView): boolean {
  const port = router.store.find(TABLE, 'name', row.values.interface ?? '')
  return row.values.disabled !== 'true' && port !== undefined && isRunning(port, router)
}

function trafficOf(row: Row, router: RouterView): Record<string, string> {
  const up = isRunning(row, router)
  const { now } = router
  const bits = (load: '~rx' | '~tx') => {
    const bytes = up ? Number(row.values[load] ?? '0') : 0
    return Math.max(0, Math.round(swing(`${row.id}${load}`, bytes * 8, bytes * 3, now)))
  }
  const [rx, tx] = [bits('~rx'), bits('~tx')]
  return {
    name: row.values.name ?? '',
    'rx-packets-per-second': String(Math.round(rx / 5600)),
    'rx-bits-per-second': String(rx),
    'rx-drops-per-second': '0',
    'rx-errors-per-second': '0',
    'tx-packets-per-second': String(Math.round(tx / 5600)),
    'tx-bits-per-second': String(tx),
    'tx-drops-per-second': '0',
    'tx-queue-drops-per-second': '0',
    'tx-errors-per-second': '0',
  }
}

function linkOf(row: Row, router: RouterView): Record<string, string> {
  const { values } = row
  const name = values.name ?? ''
  const isUp = isRunning(row, router)
  const sfp = values['~sfp'] === undefined ? {} : opticsOf(name, router)
  if (!isUp) return { name, status: 'no-link', 'auto-negotiation': 'done', ...sfp }
  return {
    name,
    status: 'link-ok',
    'auto-negotiation': values['auto-negotiation'] === 'false' ? 'disabled' : 'done',
    rate: values['~rate'] ?? '1Gbps',
    'full-duplex': 'true',
    'tx-flow-control': 'false',
    'rx-flow-control': 'false',
    advertising: values.advertise ?? '',
    'link-partner-advertising': values.advertise ?? '',
    ...sfp,
  }
}

function opticsOf(name: string, { now }: RouterView): Record<string, string> {
  return {
    'sfp-module-present': 'true',
    'sfp-rx-loss': 'false',
    'sfp-tx-fault': 'false',
    'sfp-type': 'SFP/SFP+/SFP28',
    'sfp-connector-type': 'LC',
    'sfp-vendor-name': 'Finisar Corp.',
    'sfp-vendor-part-number': 'FTLX1471D3BCL',
    'sfp-vendor-serial': 'AKB1234',
    'sfp-wavelength': '1310',
    'sfp-temperature': String(Math.round(swing(name, 41, 2, now))),
    'sfp-supply-voltage': '3.298',
    'sfp-tx-bias-current': '32',
    'sfp-tx-power': swing(`${name}tx`, -2.064, 0.05, now).toFixed(3),
    'sfp-rx-power': swing(`${name}rx`, -12.5, 0.4, now).toFixed(3),
  }
}

/** `disconnected`, `dialing`, `verifying password...` or `connected`. */
function sessionOf(row: Row, router: RouterView): string {
  const { values } = row
  if (values.disabled === 'true') return 'disconnected'
  const lower = router.store.find(TABLE, 'name', values.interface ?? '')
  if (lower === undefined || !isRunning(lower, router)) return 'dialing'
  if (values['~refused'] === 'true' || values.user === undefined || values.user === '') return 'verifying password...'
  return values['~link'] === 'down' ? 'dialing' : 'connected'
}

function pppoeOf(row: Row, router: RouterView): Record<string, string> {
  const { values } = row
  const status = sessionOf(row, router)
  if (status !== 'connected') return { status }
  const since = Number(values['~since'] ?? '0')
  return {
    status,
    uptime: writeDuration(Math.min(router.upS, (router.now - since) / 1000)),
    'active-links': '1',
    encoding: '',
    'service-name': values['service-name'] ?? '',
    'ac-name': values['ac-name'] === undefined || values['ac-name'] === '' ? 'bras-01' : values['ac-name'],
    'ac-mac': '00:1B:21:3C:9D:F8',
    mtu: '1492',
    mru: '1492',
    'local-address': values['~local'] ?? '100.64.12.7',
    'remote-address': values['~remote'] ?? '100.64.0.1',
  }
}
