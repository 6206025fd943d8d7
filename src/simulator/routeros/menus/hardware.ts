import { bool, oneOf, ro, text } from './kinds.ts'
import { isFrom, swing } from './life.ts'
import { type Live, list, type Menu, single } from './menu.ts'

/** Returns the menus of RouterBOARD hardware; CHR and x86 have none of them. */
export function boardMenus(version: string): Menu[] {
  return [
    single(
      '/system/routerboard',
      {
        routerboard: ro,
        'board-name': ro,
        model: ro,
        ...(isFrom(version, 7) ? { revision: ro } : {}),
        'serial-number': ro,
        'firmware-type': ro,
        'factory-firmware': ro,
        'current-firmware': ro,
        'upgrade-firmware': ro,
      },
      { isReading: true },
    ),
    single('/system/routerboard/settings', {
      'auto-upgrade': bool,
      'boot-device': text(63),
      'cpu-frequency': text(16),
      'protected-routerboot': oneOf('enabled', 'disabled'),
    }),
    single('/system/license', { 'software-id': ro, nlevel: ro, features: ro }, { isReading: true }),
  ]
}

/** Returns the menu of sensors: rows since 7, one row with a column each before. */
export function healthMenus(version: string): Menu[] {
  if (!isFrom(version, 7))
    return [
      single(
        '/system/health',
        { voltage: ro, temperature: ro, 'cpu-temperature': ro, 'power-consumption': ro, 'fan1-speed': ro },
        {
          isReading: true,
          live: {
            voltage: sensor('voltage'),
            temperature: sensor('temperature'),
            'cpu-temperature': sensor('cpu-temperature'),
          },
        },
      ),
    ]
  const value: Live = (row, router) =>
    sensor(row.values.name ?? '')({ ...row, values: { [row.values.name ?? '']: row.values.value ?? '' } }, router)
  return [
    list(
      '/system/health',
      { name: ro, value: ro, type: ro },
      { isReading: true, isFixed: true, key: 'name', live: { value } },
    ),
  ]
}

/** Returns the menus of cloud hosted routers. */
export function cloudMenus(): Menu[] {
  return [
    single(
      '/system/license',
      { 'system-id': ro, level: ro, 'next-renewal-at': ro, 'deadline-at': ro },
      { isReading: true },
    ),
  ]
}

/** Returns the menu of the device mode; its update waits for a person at the device. */
export function deviceModeMenus(): Menu[] {
  const features = [
    'container',
    'fetch',
    'scheduler',
    'traffic-gen',
    'ipsec',
    'pptp',
    'smb',
    'l2tp',
    'proxy',
    'sniffer',
    'zerotier',
    'bandwidth-test',
    'email',
    'hotspot',
    'romon',
    'socks',
    'partitions',
    'routerboard',
    'install-any-version',
  ]
  return [
    single(
      '/system/device-mode',
      {
        mode: ro,
        ...Object.fromEntries(features.map((name) => [name, ro])),
        flagged: ro,
        'flagging-enabled': ro,
        'attempt-count': ro,
        'allowed-versions': ro,
      },
      { isReading: true },
    ),
  ]
}

/** A level that moves a little; a text that is no number stays. */
function sensor(name: string): Live {
  return ({ values }, { now }) => {
    const value = values[name]
    if (value === undefined || value === '' || Number.isNaN(Number(value))) return value
    const isWhole = !value.includes('.')
    const level = swing(name, Number(value), isWhole ? Number(value) / 40 : 0.1, now)
    return isWhole ? String(Math.round(level)) : level.toFixed(1)
  }
}
