import { bool, duration, int, ips, mark, nameOf, off, oneOf, ro, secret, text } from './kinds.ts'
import { dateOf } from './life.ts'
import { list, type Menu, single } from './menu.ts'

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

/** Returns the menus of users, certificates and secrets. */
export function accessMenus(): Menu[] {
  return [
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
        'key-usage': text(255),
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

/** Policies that are named are added to those that a group has; one with `!` is taken away. */
function completePolicy(values: Record<string, string>): void {
  const named = (values.policy ?? '').split(',').filter((name) => name !== '')
  const denied = new Set(named.filter((name) => name.startsWith('!')).map((name) => name.slice(1)))
  values.policy = POLICIES.map((name) => (named.includes(name) && !denied.has(name) ? name : `!${name}`)).join(',')
}
