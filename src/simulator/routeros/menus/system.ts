import { dateParts, writeDuration } from '../basis/text.ts'
import { bool, duration, int, ips, listOf, mark, nameOf, off, oneOf, ro, secret, text } from './kinds.ts'
import { dateOf, isFrom, swing } from './life.ts'
import { type Live, list, type Menu, single } from './menu.ts'

const NAMED = { key: 'name', unique: { by: ['name'], text: 'failure: already have such name' } } as const

export const POLICIES = [
  'local',
  'telnet',
  'ssh',
  'ftp',
  'reboot',
  'read',
  'write',
  'policy',
  'test',
  'winbox',
  'password',
  'web',
  'sniff',
  'sensitive',
  'api',
  'romon',
  'rest-api',
] as const

/** Returns the menus below `/system`, `/user` and `/tool` that every router has. */
export function systemMenus(version: string): Menu[] {
  const isIso = isFrom(version, 7, 10)
  return [
    single(
      '/system/resource',
      {
        uptime: ro,
        version: ro,
        'build-time': ro,
        'factory-software': ro,
        'free-memory': ro,
        'total-memory': ro,
        cpu: ro,
        'cpu-count': ro,
        'cpu-frequency': ro,
        'cpu-load': ro,
        'free-hdd-space': ro,
        'total-hdd-space': ro,
        'write-sect-since-reboot': ro,
        'write-sect-total': ro,
        'bad-blocks': ro,
        'architecture-name': ro,
        'board-name': ro,
        platform: ro,
      },
      {
        isReading: true,
        live: {
          uptime: (_, { upS }) => writeDuration(upS),
          version: (_, router) => `${router.version} (stable)`,
          'cpu-load': (_, { now }) => String(Math.round(Math.max(0, swing('cpu', 6, 5, now)))),
          'free-memory': ({ values }, { now }) =>
            String(Math.round(swing('memory', Number(values['total-memory'] ?? 0) * 0.62, 4_000_000, now))),
          'write-sect-since-reboot': (_, { upS }) => String(Math.floor(upS / 30)),
          platform: () => 'MikroTik',
        },
      },
    ),
    single('/system/identity', { name: text(64) }),
    single(
      '/system/clock',
      {
        time: ro,
        date: ro,
        'time-zone-autodetect': bool,
        'time-zone-name': text(63),
        'gmt-offset': ro,
        'dst-active': ro,
      },
      {
        live: {
          time: ({ values }, { now }) => dateParts(now + offsetMs(values['gmt-offset']), isIso).time,
          date: ({ values }, { now }) => dateParts(now + offsetMs(values['gmt-offset']), isIso).date,
          'dst-active': () => 'false',
        },
      },
    ),
    single('/system/note', { note: text(), 'show-at-login': bool }),
    single(
      '/system/ntp/client',
      {
        enabled: bool,
        mode: oneOf('unicast', 'broadcast', 'manycast', 'multicast'),
        servers: text(255),
        vrf: ro,
        status: ro,
      },
      { live: { status: ({ values }) => (values.enabled === 'true' ? 'synchronized' : 'stopped') } },
    ),
    list(
      '/system/package',
      {
        name: ro,
        version: ro,
        'build-time': ro,
        scheduled: ro,
        'git-commit': ro,
        size: ro,
        available: mark,
        disabled: ro,
      },
      { isReading: true, isFixed: true, key: 'name', live: { version: (_, router) => router.version } },
    ),
    single(
      '/system/package/update',
      {
        channel: isFrom(version, 7)
          ? oneOf('stable', 'long-term', 'testing', 'development')
          : oneOf('stable', 'long-term', 'testing', 'development', 'upgrade'),
        'installed-version': ro,
        'latest-version': ro,
        status: ro,
      },
      { live: { 'installed-version': (_, router) => router.version } },
    ),
    list(
      '/system/script',
      {
        name: text(63),
        owner: ro,
        policy: listOf(...POLICIES),
        'dont-require-permissions': bool,
        source: text(),
        'run-count': ro,
        invalid: ro,
      },
      { ...NAMED, required: ['name'] },
    ),
    list(
      '/system/scheduler',
      {
        name: text(63),
        'start-time': text(63),
        'start-date': text(63),
        interval: duration(),
        'on-event': text(),
        owner: ro,
        policy: listOf(...POLICIES),
        'run-count': ro,
        'next-run': ro,
        disabled: off,
      },
      NAMED,
    ),
    list('/system/logging', { topics: text(63), prefix: text(63), action: text(63), invalid: mark, disabled: off }),
    list(
      '/log',
      { time: ro, topics: ro, message: ro },
      { isReading: true, isFixed: true, live: { time: (row, router) => dateOf('~at')(row, router) } },
    ),
    list(
      '/user',
      {
        name: text(63),
        group: nameOf('/user/group'),
        address: text(255),
        password: { ...secret, isHidden: true },
        'last-logged-in': ro,
        expired: ro,
        disabled: off,
      },
      {
        key: 'name',
        unique: { by: ['name'], text: 'failure: user with the same name already exists' },
        required: ['name', 'group'],
        policy: 'policy',
        live: { 'last-logged-in': dateOf('~login'), expired: () => 'false' },
      },
    ),
    list(
      '/user/group',
      { name: text(63), policy: text(255), skin: text(63) },
      { ...NAMED, required: ['name'], policy: 'policy', complete: completePolicy },
    ),
    list(
      '/user/active',
      { when: ro, name: ro, address: ro, via: ro, group: ro, radius: ro },
      { isReading: true, isFixed: true, live: { when: dateOf('~since') } },
    ),
    list(
      '/certificate',
      {
        name: text(63),
        issuer: ro,
        'common-name': text(255),
        'subject-alt-name': text(255),
        'key-size': ro,
        'days-valid': int(1, 36_500),
        trusted: bool,
        fingerprint: ro,
        'invalid-before': ro,
        'invalid-after': ro,
        'private-key': mark,
        expired: mark,
        revoked: mark,
      },
      { ...NAMED, policy: 'policy' },
    ),
    list(
      '/file',
      {
        name: text(255),
        type: ro,
        size: ro,
        'creation-time': ro,
        'last-modified': ro,
        contents: text(60_000),
        'package-name': ro,
        'package-version': ro,
        'package-architecture': ro,
      },
      { key: 'name', policy: 'ftp', live: { 'creation-time': dateOf('~at'), 'last-modified': dateOf('~at') } },
    ),
    list(
      '/tool/netwatch',
      {
        name: text(63),
        host: text(253),
        type: oneOf('simple', 'icmp', 'tcp-conn', 'http-get', 'https-get', 'dns'),
        interval: duration(),
        timeout: duration(),
        'up-script': text(),
        'down-script': text(),
        'test-script': text(),
        status: ro,
        since: ro,
        'done-tests': ro,
        'failed-tests': ro,
        disabled: off,
      },
      {
        required: ['host'],
        live: {
          status: ({ values }) => values['~status'] ?? 'up',
          since: dateOf('~since'),
          'done-tests': (_, { upS }) => String(Math.floor(upS / 10)),
          'failed-tests': () => '0',
        },
      },
    ),
    single(
      '/tr069-client',
      {
        enabled: bool,
        'acs-url': text(255),
        username: text(255),
        password: secret,
        'periodic-inform-enabled': bool,
        'periodic-inform-interval': duration(),
        'client-certificate': text(63),
        'check-certificate': oneOf('yes', 'no'),
        'connection-request-username': text(255),
        'connection-request-password': secret,
        'connection-request-port': int(1, 65_535),
        'provisioning-code': text(64),
        status: ro,
        'last-session-error': ro,
        'retry-count': ro,
      },
      {
        live: {
          status: ({ values }) => (values.enabled === 'true' ? 'running' : 'disabled'),
          'last-session-error': () => '',
          'retry-count': () => '0',
        },
      },
    ),
    single('/snmp', {
      enabled: bool,
      contact: text(255),
      location: text(255),
      'engine-id': ro,
      'trap-target': ips,
      'trap-community': text(63),
      'trap-version': int(1, 3),
    }),
    list(
      '/snmp/community',
      {
        name: text(63),
        addresses: text(255),
        security: oneOf('none', 'authorized', 'private'),
        'read-access': bool,
        'write-access': bool,
        'authentication-protocol': oneOf('MD5', 'SHA1'),
        'encryption-protocol': oneOf('DES', 'AES'),
        'authentication-password': secret,
        'encryption-password': secret,
        disabled: off,
      },
      NAMED,
    ),
    list('/radius', { service: text(63), address: text(63), secret, timeout: duration(), disabled: off }),
    list(
      '/ppp/secret',
      {
        name: text(63),
        password: secret,
        service: oneOf('any', 'async', 'l2tp', 'ovpn', 'pppoe', 'pptp', 'sstp'),
        profile: text(63),
        'remote-address': text(63),
        disabled: off,
      },
      { ...NAMED, required: ['name'] },
    ),
    list(
      '/ppp/profile',
      {
        name: text(63),
        'local-address': text(63),
        'remote-address': text(63),
        'use-encryption': oneOf('yes', 'no', 'default', 'required'),
        'rate-limit': text(63),
        default: mark,
      },
      NAMED,
    ),
  ]
}

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

function offsetMs(offset = '+00:00'): number {
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** Policies that are named are added to those that a group has; one with `!` is taken away. */
function completePolicy(values: Record<string, string>): void {
  const named = (values.policy ?? '').split(',').filter((name) => name !== '')
  const denied = new Set(named.filter((name) => name.startsWith('!')).map((name) => name.slice(1)))
  values.policy = POLICIES.map((name) => (named.includes(name) && !denied.has(name) ? name : `!${name}`)).join(',')
}
