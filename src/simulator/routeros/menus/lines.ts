import type { Row } from '../basis/table.ts'
import { writeDuration } from '../basis/text.ts'
import type { RouterView } from '../basis/view.ts'
import { interfaceMenu } from './interface.ts'
import { bool, duration, iface, int, listOf, mark, nameOf, off, oneOf, ro, secret, text } from './kinds.ts'
import { isFrom, isRunning } from './life.ts'
import { list, type Menu } from './menu.ts'

const TABLE = 'interface'

/** Returns the menus of VLANs, lines over PPP, tunnels, and lists of interfaces. */
export function lineMenus(version: string): Menu[] {
  const isV7 = isFrom(version, 7)
  return [
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
        // A new client waits to be enabled.
        disabled: { ...off, initial: 'true' },
        invalid: mark,
      },
      {
        required: ['interface'],
        live: { running: (row, router) => String(sessionOf(row, router) === 'connected') },
        complete: (values, { store }) => {
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
    list(
      '/ppp/active',
      { name: ro, service: ro, 'caller-id': ro, address: ro, uptime: ro, 'session-id': ro, radius: mark },
      { isReading: true },
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
  ]
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
