import { BlockList, isIP, isIPv4 } from 'node:net'
import type { Clock, Random } from '../../../base/index.ts'
import type { RouterFaults } from '../basis/faults.ts'
import type { RouterView } from '../basis/view.ts'
import type { Menu } from '../menus/menu.ts'
import { menusOf, type RouterProfile } from '../profiles/profile.ts'
import { RouterStore } from '../store/router-store.ts'

/** A login of a router. */
export interface RouterUser {
  name: string
  password: string
  /** `full`, `write`, `read`, or the policies themselves. */
  group: string | readonly string[]
}

/** A user as one connection has it. */
export interface SessionUser {
  name: string
  policies: ReadonlySet<string>
}

/** The reason for which a router goes down. */
export type RestartKind = 'reboot' | 'reset' | 'power'

const MAX_LOG = 100

/** A backup: all tables, and the password that it is encrypted with. */
interface SavedBackup {
  tables: ReturnType<RouterStore['save']>
  password: string
}

/** The router behind its services: tables, menus, users, time. */
export class RouterState implements RouterView {
  readonly profile: RouterProfile
  readonly serial: string
  readonly store = new RouterStore()
  readonly clock: Clock
  readonly random: Random
  readonly faults: RouterFaults
  /** Called with the words of each sentence that reaches the API, before it is answered. */
  onSentence: (words: readonly string[]) => void = () => undefined
  /** Called when the router goes down. */
  onRestart: (kind: RestartKind) => void = () => undefined
  /** RouterOS version that runs after the next boot. */
  nextVersion: string | undefined
  /** Tables of a backup that are loaded at the next boot. */
  nextTables: ReturnType<RouterStore['save']> | undefined
  /** Backups by file name. */
  readonly backups = new Map<string, SavedBackup>()
  /** Backups that servers have, by URL. */
  readonly served = new Map<string, SavedBackup>()
  reboots = 0
  #version: string
  #bootedAt: number
  #menus: ReadonlyMap<string, Menu>
  readonly #index: number

  constructor(options: {
    profile: RouterProfile
    index: number
    serial: string
    clock: Clock
    random: Random
    faults: RouterFaults
    users: readonly RouterUser[]
    /** Seconds since its boot that the router shows at first. */
    upS: number
  }) {
    this.profile = options.profile
    this.serial = options.serial
    this.clock = options.clock
    this.random = options.random
    this.faults = options.faults
    this.#index = options.index
    this.#version = options.profile.version
    this.#bootedAt = options.clock.now() - options.upS * 1000
    this.#menus = menusOf(options.profile, this.#version)
    this.#fill()
    for (const user of options.users) this.#addUser(user)
  }

  get now(): number {
    return this.clock.now()
  }

  get upS(): number {
    return (this.clock.now() - this.#bootedAt) / 1000
  }

  get version(): string {
    return this.#version
  }

  /** Menus of this version by path. */
  get menus(): ReadonlyMap<string, Menu> {
    return this.#menus
  }

  /** Returns the rest of a boot: the router runs from now on. */
  boot(): void {
    this.reboots++
    this.#version = this.nextVersion ?? this.#version
    if (this.nextTables !== undefined) this.store.load(this.nextTables)
    this.#flash()
    this.nextVersion = undefined
    this.nextTables = undefined
    this.#menus = menusOf(this.profile, this.#version)
    if (this.#menus.has('/interface/wifi')) this.store.rename('/interface/wifiwave2', '/interface/wifi')
    this.#bootedAt = this.clock.now()
    for (const table of ['/log', '/user/active'])
      for (const row of [...this.store.table(table)]) this.store.remove(table, row)
    this.store.renumber()
    this.log('system,info', 'router rebooted')
  }

  /** The boot loader is of the version that was written last; the one of the running version waits to be written. */
  #flash(): void {
    const [row] = this.store.table('/system/routerboard')
    if (row === undefined) return
    this.store.set('/system/routerboard', row, {
      'current-firmware': row.values['~next'] ?? row.values['current-firmware'],
      'upgrade-firmware': this.#version,
      '~next': undefined,
    })
  }

  /** Loads the configuration of delivery; users stay only where that is wanted. */
  reset(keepsUsers: boolean): void {
    const users = keepsUsers ? this.store.save(['/user', '/user/group']) : undefined
    this.store.load(new Map())
    this.#fill()
    if (users !== undefined) this.store.load(new Map([...this.store.save(), ...users]))
  }

  /** Returns the user with this name when `fits` says so of the password and it may come from this address. */
  userOf(name: string, address: string, fits: (password: string) => boolean): SessionUser | undefined {
    const row = this.store.find('/user', 'name', name)
    if (row === undefined || row.values.disabled === 'true' || !fits(row.values.password ?? '')) return undefined
    if (!isAllowed(row.values.address, address)) return undefined
    const group = this.store.find('/user/group', 'name', row.values.group ?? '')
    const policies = (group?.values.policy ?? '').split(',').filter((policy) => !policy.startsWith('!'))
    this.store.set('/user', row, { '~login': String(this.now) })
    return { name, policies: new Set(policies) }
  }

  /** Notes a login; the returned function notes its end. */
  loggedIn(name: string, address: string, via: string): () => void {
    const row = this.store.add('/user/active', {
      name,
      address,
      via,
      group: '',
      radius: 'false',
      '~since': String(this.now),
      dynamic: 'true',
    })
    this.log('system,info,account', `user ${name} logged in from ${address} via ${via}`)
    return () => this.store.remove('/user/active', row)
  }

  /** Returns true for a client of a service whose address may come in. */
  admits(service: string, address: string): boolean {
    const row = this.store.find('/ip/service', 'name', service)
    return row?.values.disabled !== 'true' && isAllowed(row?.values.address, address)
  }

  log(topics: string, message: string): void {
    const rows = this.store.table('/log')
    if (rows.length >= MAX_LOG && rows[0] !== undefined) this.store.remove('/log', rows[0])
    this.store.add('/log', { topics, message, '~at': String(this.now) })
  }

  #fill(): void {
    const facts = {
      serial: this.serial,
      index: this.#index,
      profile: this.profile,
      now: this.now,
      version: this.#version,
    }
    this.profile.fill(this.store, facts)
  }

  #addUser({ name, password, group }: RouterUser): void {
    const groupName = typeof group === 'string' ? group : `${name}-group`
    if (typeof group !== 'string')
      this.store.add('/user/group', { name: groupName, policy: group.join(','), skin: 'default' })
    const row = this.store.find('/user', 'name', name)
    const values = { name, password, group: groupName, address: '', disabled: 'false' }
    if (row === undefined) this.store.add('/user', values)
    else this.store.set('/user', row, values)
  }
}

/** True where a list of networks is empty or has the address. */
function isAllowed(list: string | undefined, address: string): boolean {
  if (list === undefined || list === '') return true
  const plain = address.replace(/^::ffff:/, '')
  const allowed = new BlockList()
  for (const part of list.split(',')) {
    const [network = '', bits] = part.split('/')
    if (isIP(network) === 0) continue
    allowed.addSubnet(network, Number(bits ?? (isIPv4(network) ? 32 : 128)), isIPv4(network) ? 'ipv4' : 'ipv6')
  }
  return allowed.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
}
