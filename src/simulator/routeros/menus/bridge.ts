import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { interfaceMenu } from './interface.ts'
import { bool, iface, int, mac, mark, off, oneOf, ro, text } from './kinds.ts'
import { isRunning } from './life.ts'
import { list, type Menu } from './menu.ts'

const TABLE = 'interface'

/** Returns the menus of bridges, their ports, VLANs and hosts. */
export function bridgeMenus(): Menu[] {
  return [
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
  ]
}

function isPortUp(row: Row, router: RouterView): boolean {
  const port = router.store.find(TABLE, 'name', row.values.interface ?? '')
  return row.values.disabled !== 'true' && port !== undefined && isRunning(port, router)
}
