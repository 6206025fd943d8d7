import { type Home, homeOf } from '../../families/index.ts'
import { partOf } from '../basis/text.ts'
import { POLICIES } from '../menus/access.ts'
import { isFrom } from '../menus/life.ts'
import type { RouterStore } from '../store/router-store.ts'
import type { RouterFacts } from './profile.ts'

/** A store that is filled with the configuration of delivery, and the home that it stands in. */
export class Filling {
  readonly store: RouterStore
  readonly facts: RouterFacts
  readonly home: Home
  readonly isV7: boolean

  constructor(store: RouterStore, facts: RouterFacts) {
    this.store = store
    this.facts = facts
    this.home = homeOf(facts.serial, facts.profile.board.oui, facts.index, '192.168.88.')
    this.isV7 = isFrom(facts.profile.version, 7)
  }

  add(table: string, values: Record<string, string>): void {
    this.store.add(table, values)
  }

  /** A number from 0 to below 1 that stays the same for this router and purpose. */
  part(purpose: string): number {
    return partOf(`${this.facts.serial}|${purpose}`)
  }

  /** An interface with a load in bytes per second. */
  interface(type: string, name: string, values: Record<string, string>, load: readonly [rx: number, tx: number]): void {
    const scale = 0.5 + this.part(`load ${name}`)
    this.add('interface', {
      name,
      type,
      disabled: 'false',
      '~rx': String(Math.round(load[0] * scale)),
      '~tx': String(Math.round(load[1] * scale)),
      '~up': String(this.facts.now - 60_000),
      ...values,
    })
  }
}

/** Name, hardware, packages, users and services. */
export function fillSystem(filling: Filling, identity = 'MikroTik'): void {
  const { facts } = filling
  const { board, version, packages } = facts.profile
  const built = '2025-02-06 09:10:26'
  filling.add('/system/resource', {
    'build-time': isFrom(version, 7, 10) ? built : 'Feb/06/2025 09:10:26',
    'factory-software': filling.isV7 ? '7.8' : '6.44.6',
    'total-memory': String(board.memory),
    cpu: board.cpu,
    'cpu-count': String(board.cpuCount),
    'cpu-frequency': String(board.cpuMhz),
    'free-hdd-space': String(Math.floor(board.disk * 0.7)),
    'total-hdd-space': String(board.disk),
    'write-sect-total': String(Math.floor(filling.part('flash') * 90_000)),
    'bad-blocks': '0',
    'architecture-name': board.architecture,
    'board-name': board.name,
  })
  filling.add('/system/identity', { name: identity })
  filling.add('/system/clock', {
    'time-zone-autodetect': 'true',
    'time-zone-name': 'Europe/Riga',
    'gmt-offset': '+02:00',
  })
  filling.add('/system/note', { note: '', 'show-at-login': 'false' })
  filling.add('/system/ntp/client', { enabled: 'true', mode: 'unicast', servers: '203.0.113.123', vrf: 'main' })
  filling.add('/system/package/update', { channel: 'stable', status: '' })
  for (const name of packages)
    filling.add('/system/package', { name, 'build-time': built, scheduled: '', size: '12288', disabled: 'false' })
  if (facts.profile.parts.includes('board')) fillBoard(filling)
  if (facts.profile.parts.includes('cloud'))
    filling.add('/system/license', {
      'system-id': systemIdOf(filling),
      level: 'p1',
      'next-renewal-at': '',
      'deadline-at': '',
    })
  fillUsers(filling)
  fillServices(filling)
  filling.add('/tr069-client', {
    enabled: 'false',
    'acs-url': '',
    username: '',
    password: '',
    'periodic-inform-enabled': 'true',
    'periodic-inform-interval': '1d',
    'check-certificate': 'yes',
    'connection-request-username': '',
    'connection-request-password': '',
    'connection-request-port': '7547',
    'provisioning-code': '',
  })
  filling.add('/snmp', { enabled: 'false', contact: '', location: '', 'engine-id': '', 'trap-version': '1' })
  filling.add('/snmp/community', {
    name: 'public',
    addresses: '::/0',
    security: 'none',
    'read-access': 'true',
    'write-access': 'false',
    disabled: 'false',
  })
  filling.add('/system/logging', { topics: 'info', prefix: '', action: 'memory', disabled: 'false' })
}

function fillBoard(filling: Filling): void {
  const { facts } = filling
  const { board, version } = facts.profile
  filling.add('/system/routerboard', {
    routerboard: 'true',
    'board-name': board.name,
    model: board.model,
    ...(board.revision === '' ? {} : { revision: board.revision }),
    'serial-number': facts.serial,
    'firmware-type': board.firmwareType,
    'factory-firmware': filling.isV7 ? '7.8' : '6.44.6',
    'current-firmware': version,
    'upgrade-firmware': version,
  })
  filling.add('/system/routerboard/settings', {
    'auto-upgrade': 'false',
    'boot-device': 'nand-if-fail-then-ethernet',
    'cpu-frequency': 'auto',
    'protected-routerboot': 'disabled',
  })
  filling.add('/system/license', {
    'software-id': systemIdOf(filling).slice(0, 9).toUpperCase(),
    nlevel: '4',
    features: '',
  })
}

/** The identity of a router without a serial number: of a license. */
function systemIdOf({ facts: { serial } }: Filling): string {
  let id = ''
  for (let i = 0; i < 11; i++) id += 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789'[Math.floor(partOf(`${serial}${i}`) * 34)]
  return id
}

function fillUsers(filling: Filling): void {
  const without = (...names: string[]) => POLICIES.map((name) => (names.includes(name) ? `!${name}` : name)).join(',')
  filling.add('/user/group', { name: 'read', policy: without('ftp', 'write', 'policy'), skin: 'default' })
  filling.add('/user/group', { name: 'write', policy: without('ftp', 'policy', 'read'), skin: 'default' })
  filling.add('/user/group', { name: 'full', policy: without(), skin: 'default' })
  filling.add('/user', {
    name: 'admin',
    group: 'full',
    password: '',
    address: '',
    disabled: 'false',
    comment: 'system default user',
  })
}

function fillServices(filling: Filling): void {
  const services = [
    ['telnet', '23'],
    ['ftp', '21'],
    ['www', '80'],
    ['ssh', '22'],
    ['www-ssl', '443'],
    ['api', '8728'],
    ['winbox', '8291'],
    ['api-ssl', '8729'],
  ]
  for (const [name = '', port = ''] of services)
    filling.add('/ip/service', {
      name,
      port,
      address: '',
      disabled: String(name === 'www-ssl'),
      ...(name.endsWith('ssl') ? { certificate: 'none', 'tls-version': 'any' } : {}),
      ...(isFrom(filling.facts.profile.version, 7, 16) ? { 'max-sessions': '20' } : {}),
    })
}

/** Rules of delivery, and one port forward that its owner made. */
export function fillFirewall(filling: Filling): void {
  const nat = (values: Record<string, string>) =>
    filling.add('/ip/firewall/nat', { log: 'false', 'log-prefix': '', disabled: 'false', '~rx': '900', ...values })
  const filter = (values: Record<string, string>) =>
    filling.add('/ip/firewall/filter', { log: 'false', 'log-prefix': '', disabled: 'false', '~rx': '5000', ...values })
  nat({
    chain: 'srcnat',
    action: 'masquerade',
    'out-interface-list': 'WAN',
    'ipsec-policy': 'out,none',
    comment: 'defconf: masquerade',
  })
  nat({
    chain: 'dstnat',
    action: 'dst-nat',
    protocol: 'tcp',
    'dst-port': '8443',
    'in-interface-list': 'WAN',
    'to-addresses': '192.168.88.22',
    'to-ports': '443',
    comment: 'camera',
  })
  filter({
    chain: 'input',
    action: 'accept',
    'connection-state': 'established,related,untracked',
    comment: 'defconf: accept established,related,untracked',
  })
  filter({ chain: 'input', action: 'drop', 'connection-state': 'invalid', comment: 'defconf: drop invalid' })
  filter({ chain: 'input', action: 'accept', protocol: 'icmp', comment: 'defconf: accept ICMP' })
  filter({
    chain: 'input',
    action: 'drop',
    'in-interface-list': '!LAN',
    comment: 'defconf: drop all not coming from LAN',
  })
  filter({
    chain: 'forward',
    action: 'accept',
    'connection-state': 'established,related,untracked',
    comment: 'defconf: accept established,related, untracked',
  })
}

/** Sensors, as rows or as columns. */
export function fillHealth(
  filling: Filling,
  sensors: readonly (readonly [name: string, value: string, type: string])[],
): void {
  if (filling.isV7) for (const [name, value, type] of sensors) filling.add('/system/health', { name, value, type })
  else filling.add('/system/health', Object.fromEntries(sensors.map(([name, value]) => [name, value])))
}
