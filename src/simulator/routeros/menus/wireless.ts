import type { Row } from '../basis/table.ts'
import type { RouterView } from '../basis/view.ts'
import { interfaceMenu } from './interface.ts'
import { bool, iface, int, listOf, mac, mark, nameOf, off, oneOf, ro, secret, text } from './kinds.ts'
import { bytePair, isRunning, packetPair, signalOf, sinceStart, swing } from './life.ts'
import { list, type Menu } from './menu.ts'

const BANDS = [
  '2ghz-b',
  '2ghz-onlyg',
  '2ghz-b/g',
  '2ghz-onlyn',
  '2ghz-g/n',
  '2ghz-b/g/n',
  '5ghz-a',
  '5ghz-onlyn',
  '5ghz-a/n',
  '5ghz-onlyac',
  '5ghz-a/n/ac',
  '5ghz-n/ac',
]
const WIDTHS = [
  '20mhz',
  '20/40mhz-Ce',
  '20/40mhz-eC',
  '20/40mhz-XX',
  '20/40/80mhz-Ceee',
  '20/40/80mhz-XXXX',
  '10mhz',
  '5mhz',
]
const TABLE = '/interface/wireless/registration-table'

/** Returns the menus of radios with the legacy driver. */
export function wirelessMenus(): Menu[] {
  return [
    interfaceMenu(
      '/interface/wireless',
      'wlan',
      {
        'default-name': ro,
        mtu: int(32, 2290),
        'mac-address': mac,
        arp: oneOf('enabled', 'disabled', 'proxy-arp', 'reply-only'),
        'master-interface': iface,
        'interface-type': ro,
        'radio-name': text(63),
        mode: oneOf('ap-bridge', 'bridge', 'station', 'station-bridge', 'wds-slave', 'alignment-only'),
        ssid: text(32),
        frequency: int(2312, 6100, 'auto'),
        band: oneOf(...BANDS),
        'channel-width': oneOf(...WIDTHS),
        'scan-list': text(255),
        'wireless-protocol': oneOf('any', '802.11', 'nstreme', 'nv2', 'unspecified'),
        'security-profile': nameOf('/interface/wireless/security-profiles'),
        'hide-ssid': bool,
        country: text(63),
        installation: oneOf('any', 'indoor', 'outdoor'),
        'tx-power': int(-30, 40),
        'tx-power-mode': oneOf('default', 'card-rates', 'all-rates-fixed', 'manual-table'),
        'default-forwarding': bool,
        'default-authentication': bool,
        'max-station-count': int(1, 2007),
        'vlan-mode': oneOf('no-tag', 'use-tag', 'use-service-tag'),
        'vlan-id': int(1, 4095),
        'wps-mode': oneOf('disabled', 'push-button', 'push-button-virtual-only'),
        'bridge-mode': oneOf('enabled', 'disabled'),
      },
      {
        required: ['master-interface'],
        live: { running: (row, router) => String(isRunning(row, router) && clientsOf(row, router) > 0) },
        complete: (values, { store }) => {
          if (values.type !== undefined || values.name !== undefined) return
          values.name = `wlan${store.table('interface').filter(({ values: { type } }) => type === 'wlan').length + 1}`
          values['security-profile'] ??= 'default'
          values.mode ??= 'ap-bridge'
        },
        monitor: statusOf,
      },
    ),
    list(
      '/interface/wireless/security-profiles',
      {
        name: text(63),
        mode: oneOf('none', 'dynamic-keys', 'static-keys-optional', 'static-keys-required'),
        'authentication-types': listOf('wpa-psk', 'wpa2-psk', 'wpa-eap', 'wpa2-eap'),
        'unicast-ciphers': listOf('aes-ccm', 'tkip'),
        'group-ciphers': listOf('aes-ccm', 'tkip'),
        'wpa-pre-shared-key': secret,
        'wpa2-pre-shared-key': secret,
        'management-protection': oneOf('allowed', 'disabled', 'required'),
        'supplicant-identity': text(63),
        default: ro,
      },
      {
        key: 'name',
        unique: { by: ['name'], text: 'failure: already have security profile with such name' },
        required: ['name'],
        complete: (values) => {
          values.mode ??= 'none'
          values['authentication-types'] ??= ''
        },
      },
    ),
    list(
      TABLE,
      {
        interface: ro,
        'radio-name': ro,
        'mac-address': ro,
        ap: ro,
        wds: ro,
        bridge: ro,
        'rx-rate': ro,
        'tx-rate': ro,
        packets: ro,
        bytes: ro,
        uptime: ro,
        'last-activity': ro,
        'signal-strength': ro,
        'signal-to-noise': ro,
        'signal-strength-ch0': ro,
        'signal-strength-ch1': ro,
        'tx-signal-strength': ro,
        'tx-ccq': ro,
        'authentication-type': ro,
        encryption: ro,
        'last-ip': ro,
        '802.1x-port-enabled': ro,
        comment: ro,
      },
      {
        isReading: true,
        live: {
          ap: () => 'false',
          wds: () => 'false',
          bridge: () => 'false',
          'rx-rate': (row, router) => rateOf(row, router, 0.8),
          'tx-rate': (row, router) => rateOf(row, router, 1),
          packets: packetPair,
          bytes: bytePair,
          uptime: sinceStart,
          'last-activity': () => '20ms',
          'signal-strength': (row, router) => `${signalOf(row, router)}@1Mbps`,
          'signal-strength-ch0': (row, router) => String(signalOf(row, router) - 2),
          'signal-strength-ch1': (row, router) => String(signalOf(row, router) - 4),
          'tx-signal-strength': (row, router) => String(signalOf(row, router) + 4),
          'signal-to-noise': (row, router) => String(signalOf(row, router) + 104),
          'tx-ccq': (row, { now }) => String(Math.round(swing(`ccq${row.id}`, 84, 9, now))),
          '802.1x-port-enabled': () => 'true',
        },
      },
    ),
    list(
      '/caps-man/registration-table',
      {
        interface: ro,
        ssid: ro,
        'mac-address': ro,
        'rx-rate': ro,
        'tx-rate': ro,
        'rx-signal': ro,
        uptime: ro,
        packets: ro,
        bytes: ro,
      },
      { isReading: true },
    ),
    list(
      '/interface/wireless/access-list',
      {
        'mac-address': mac,
        interface: text(63),
        'signal-range': text(16),
        authentication: bool,
        forwarding: bool,
        disabled: off,
        dynamic: mark,
      },
      { isOrdered: true },
    ),
  ]
}

function clientsOf({ values: { name } }: Row, { store }: RouterView): number {
  return store.table(TABLE).filter(({ values }) => values.interface === name).length
}

function rateOf(row: Row, router: RouterView, share: number): string {
  const steps = [6.5, 13, 26, 52, 65, 130]
  const at = Math.floor(((signalOf(row, router) + 95) / 50) * share * steps.length)
  const rate = steps[Math.max(0, Math.min(steps.length - 1, at))]
  return `${rate}Mbps-20MHz/${rate === 130 ? '2S' : '1S'}`
}

function statusOf(row: Row, router: RouterView): Record<string, string> {
  const { values } = row
  if (values.disabled === 'true') return { status: 'disabled' }
  const frequency =
    values.frequency === undefined || values.frequency === 'auto' ? (values['~frequency'] ?? '2437') : values.frequency
  const standard = values.band?.startsWith('5ghz') === true ? 'ac' : 'gn'
  const width = values['channel-width'] ?? '20mhz'
  const extension = width.includes('80') ? '/20-Ceee' : width.includes('40') ? '/20-Ce' : '/20'
  const clients = String(clientsOf(row, router))
  return {
    status: 'running-ap',
    channel: `${frequency}${extension}/${standard}`,
    'wireless-protocol': '802.11',
    'noise-floor': String(Math.round(swing(`noise${row.id}`, -108, 2, router.now))),
    'overall-tx-ccq': '84',
    'registered-clients': clients,
    'authenticated-clients': clients,
    'current-tx-powers': '6Mbps:20(20/23)',
    'notify-external-fdb': 'false',
  }
}
