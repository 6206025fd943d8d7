import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { interfaceMenu } from './interface.ts'
import { bool, duration, int, listOf, mac, mark, oneOf, ro } from './kinds.ts'
import { counter, isFrom, isRunning, rxBytes, rxPackets, swing, txBytes, txPackets } from './life.ts'
import type { Live, Menu } from './menu.ts'

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

/** Returns the menu of the ports of a board. */
export function ethernetMenus(version: string): Menu[] {
  const hasLinkModes = isFrom(version, 7, 12)
  return [
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
