import type { Row } from '../basis/table.ts'
import { writeDuration } from '../basis/text.ts'
import type { RouterView } from '../basis/view.ts'
import { interfaceMenu } from './interface.ts'
import { bool, int, listOf, mark, oneOf, ro, secret, text } from './kinds.ts'
import { isFrom, isRunning, swing } from './life.ts'
import { list, type Menu } from './menu.ts'

/** Returns the menus of LTE modems. */
export function lteMenus(version: string): Menu[] {
  const isV7 = isFrom(version, 7)
  return [
    interfaceMenu(
      '/interface/lte',
      'lte',
      {
        'default-name': ro,
        mtu: int(68, 65_535, 'auto'),
        'mac-address': ro,
        band: text(255),
        ...(isV7 ? { 'nr-band': text(255) } : {}),
        'network-mode': listOf('gsm', '3g', 'lte', '5g', 'auto'),
        pin: secret,
        operator: text(16),
        'allow-roaming': bool,
        'apn-profiles': text(255),
        'modem-init': text(255),
      },
      { isFixed: true, monitor: modemOf },
    ),
    list(
      '/interface/lte/apn',
      {
        name: text(63),
        apn: text(100),
        authentication: oneOf('none', 'pap', 'chap'),
        user: text(255),
        password: secret,
        'ip-type': oneOf('ipv4', 'ipv4-ipv6', 'ipv6', 'auto'),
        'add-default-route': bool,
        'default-route-distance': int(1, 255),
        'use-peer-dns': bool,
        default: ro,
        dynamic: mark,
      },
      { key: 'name', unique: { by: ['name'], text: 'failure: already have such name' }, required: ['name'] },
    ),
  ]
}

function modemOf(row: Row, router: RouterView): Record<string, string> {
  const { values } = row
  if (values.disabled === 'true') return { status: 'disabled' }
  const level = (name: string, middle: number, spread: number) => Math.round(swing(name, middle, spread, router.now))
  return {
    status: isRunning(row, router) ? 'connected' : 'searching',
    'pin-status': 'ok',
    'registration-status': 'registered',
    functionality: 'full',
    manufacturer: 'MikroTik',
    model: 'R11e-LTE6',
    revision: 'R11e-LTE6_V039',
    'current-operator': 'LMT',
    roaming: 'false',
    lac: '49',
    'current-cellid': '123459331',
    'enb-id': '482263',
    'sector-id': '3',
    'phy-cellid': '480',
    'access-technology': 'Evolved 3G (LTE)',
    'session-uptime': writeDuration(Math.max(0, router.upS - 20)),
    imei: values['~imei'] ?? '',
    imsi: values['~imsi'] ?? '',
    [isFrom(router.version, 7) ? 'iccid' : 'uicc']: values['~iccid'] ?? '',
    earfcn: '1300',
    'primary-band': 'B3@20Mhz earfcn: 1300 phy-cellid: 480',
    'ca-band': 'B7@20Mhz earfcn: 3050 phy-cellid: 481',
    rssi: String(level('rssi', -67, 3)),
    rsrp: String(level('rsrp', -96, 4)),
    rsrq: String(level('rsrq', -10, 2)),
    sinr: String(level('sinr', 14, 4)),
  }
}
