import { dateParts, writeDuration } from '../basis/text.ts'
import { POLICIES } from './access.ts'
import { bool, duration, int, ip, listOf, mark, off, oneOf, ro, secret, text } from './kinds.ts'
import { dateOf, isFrom, swing } from './life.ts'
import { list, type Menu, single } from './menu.ts'

const NAMED = { key: 'name', unique: { by: ['name'], text: 'failure: already have such name' } } as const

/** Returns the menus below `/system` and `/tool` that every router has. */
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
        ...(isFrom(version, 7) ? {} : { 'primary-ntp': ip, 'secondary-ntp': ip, 'server-dns-names': text(255) }),
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
      { ...NAMED, feature: 'scheduler' },
    ),
    list('/system/logging', { topics: text(63), prefix: text(63), action: text(63), invalid: mark, disabled: off }),
    list(
      '/log',
      { time: ro, topics: ro, message: ro },
      { isReading: true, isFixed: true, live: { time: (row, router) => dateOf('~at')(row, router) } },
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
  ]
}

function offsetMs(offset = '+00:00'): number {
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}
