import type { Filling } from './fill.ts'

/** Features that the mode `home` switches off. */
const NOT_AT_HOME = new Set([
  'container',
  'fetch',
  'scheduler',
  'traffic-gen',
  'proxy',
  'sniffer',
  'bandwidth-test',
  'email',
  'hotspot',
  'romon',
  'socks',
  'partitions',
  'install-any-version',
])

const FEATURES = [...NOT_AT_HOME, 'ipsec', 'pptp', 'smb', 'l2tp', 'zerotier', 'routerboard']

/** Fills the device mode of a router, and returns the filling. */
export function withDeviceMode(filling: Filling, mode: 'home' | 'advanced'): Filling {
  const denied = (name: string) =>
    mode === 'home'
      ? NOT_AT_HOME.has(name)
      : ['container', 'traffic-gen', 'partitions', 'routerboard', 'install-any-version'].includes(name)
  filling.add('/system/device-mode', {
    mode,
    ...Object.fromEntries(FEATURES.map((name) => [name, String(!denied(name))])),
    flagged: 'false',
    'flagging-enabled': 'true',
    'attempt-count': '0',
    'allowed-versions': '7.13+,6.49.8+',
  })
  return filling
}

/** Radios get their settings from the manager: the interfaces have no network of their own, and no rows of clients. */
export function manage({ store }: Filling): void {
  for (const row of store.table('interface').filter(({ values }) => values.type === 'wifi'))
    store.set('interface', row, {
      configuration: undefined,
      'configuration.ssid': undefined,
      'configuration.manager': 'capsman',
      cap: 'CAPsMAN',
    })
  for (const row of [...store.table('/interface/wifi/registration-table')])
    store.remove('/interface/wifi/registration-table', row)
  const [cap] = store.table('/interface/wifi/cap')
  if (cap !== undefined)
    store.set('/interface/wifi/cap', cap, {
      enabled: 'true',
      'discovery-interfaces': 'bridge',
      'current-caps-man-address': '192.168.88.254',
      'current-caps-man-identity': 'capsman',
    })
}
