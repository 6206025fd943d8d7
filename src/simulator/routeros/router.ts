import type { Socket } from 'node:net'
import { type Clock, type Random, systemClock, systemRandom } from '../../base/index.ts'
import { mikrotikSerial } from '../families/index.ts'
import { ApiSession } from './api/session.ts'
import type { RouterFaults } from './basis/faults.ts'
import type { Row } from './basis/table.ts'
import { SshServer } from './console/ssh-server.ts'
import { isRunning } from './menus/life.ts'
import { profileOf, type RouterProfileName } from './profiles/index.ts'
import { SnmpAgent, type SnmpLogin } from './snmp/agent.ts'
import { type RestartKind, RouterState, type RouterUser } from './state/router-state.ts'
import type { RouterStore } from './store/router-store.ts'
import { Listener } from './wire/listener.ts'

export interface RouterOptions {
  profile?: RouterProfileName
  /** Number of the router in its fleet: its serial number, addresses and home follow from it. */
  index?: number
  clock?: Clock
  random?: Random
  /** Beside `admin`, which has no password. A reset forgets them. */
  users?: readonly RouterUser[]
  faults?: RouterFaults
  /** Address that it listens at; default 127.0.0.1. */
  host?: string
  /** Ports; default: any that are free. */
  port?: number
  tlsPort?: number
  /** The console over SSH is open. */
  ssh?: boolean
  sshPort?: number
  /** The SNMP agent is on, for this login. */
  snmp?: SnmpLogin
  snmpPort?: number
  /** Certificate of API-SSL in PEM; absent: the router has no API-SSL. `anonymous`: TLS without a certificate. */
  tls?: { cert: string; key: string } | 'anonymous'
}

/** Time for which a boot takes unless the faults say otherwise. */
const BOOT_MS = 2000
/** Connections that a service takes at once. */
const MAX_SESSIONS = 20
const ANONYMOUS = { ciphers: 'ADH-AES256-GCM-SHA384:@SECLEVEL=0', maxVersion: 'TLSv1.2', dhparam: 'auto' } as const

/** Starts a router and resolves when its ports take connections. */
export async function startRouter(options: RouterOptions = {}): Promise<EmulatedRouter> {
  const router = new EmulatedRouter(options)
  await router.open()
  return router
}

/** A router on the network of this machine: its services over one state. */
export class EmulatedRouter {
  readonly state: RouterState
  readonly #options: RouterOptions
  readonly #sessions = new Set<ApiSession>()
  readonly #plain: Listener
  readonly #tls: Listener | undefined
  readonly #ssh: { listener: Listener; server: SshServer } | undefined
  readonly #snmp: SnmpAgent | undefined
  #cancelBoot: () => void = () => undefined
  #isClosed = false

  constructor(options: RouterOptions) {
    const { index = 0, clock = systemClock, random = systemRandom } = options
    this.#options = options
    this.#plain = new Listener(options.port ?? 0, undefined, (socket) => this.#take(socket, 'api'))
    if (options.tls !== undefined) {
      const tls = options.tls === 'anonymous' ? ANONYMOUS : options.tls
      this.#tls = new Listener(options.tlsPort ?? 0, tls, (socket) => this.#take(socket, 'api-ssl'))
    }
    this.state = new RouterState({
      profile: profileOf(options.profile ?? 'v7.18'),
      index,
      serial: mikrotikSerial(options.profile ?? 'v7.18', index),
      clock,
      random,
      faults: options.faults ?? {},
      users: options.users ?? [],
      upS: 86_400 + index * 97,
    })
    if (options.ssh === true) {
      const server = new SshServer(this.state)
      const listener = new Listener(options.sshPort ?? 0, undefined, (socket) => this.#takeConsole(server, socket))
      this.#ssh = { listener, server }
    }
    const { host = '127.0.0.1', snmp, snmpPort = 0 } = options
    if (snmp !== undefined) this.#snmp = new SnmpAgent(this.state, snmp, host, snmpPort)
    this.state.onRestart = (kind) => this.#restart(kind)
  }

  get port(): number {
    return this.#plain.port
  }

  /** 0 without API-SSL. */
  get tlsPort(): number {
    return this.#tls?.port ?? 0
  }

  /** Port of the console; 0 without SSH. */
  get sshPort(): number {
    return this.#ssh?.listener.port ?? 0
  }

  /** SHA-256 of the host key as OpenSSH shows it; '' without SSH. */
  get sshHostKey(): string {
    return this.#ssh?.server.hostKey ?? ''
  }

  /** 0 without SNMP. */
  get snmpPort(): number {
    return this.#snmp?.port ?? 0
  }

  get serial(): string {
    return this.state.serial
  }

  get store(): RouterStore {
    return this.state.store
  }

  /** May be changed at any time. */
  get faults(): RouterFaults {
    return this.state.faults
  }

  /** Open connections to the API. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** Opens the ports; those of an earlier time again. */
  async open(): Promise<void> {
    const host = this.#options.host ?? '127.0.0.1'
    await this.#plain.open(host)
    await this.#tls?.open(host)
    await this.#ssh?.listener.open(host)
    await this.#snmp?.open()
  }

  /** Closes the ports and all connections. */
  close(): void {
    this.#isClosed = true
    this.#cancelBoot()
    this.#dropAll('rst')
    this.#plain.close()
    this.#tls?.close()
    this.#ssh?.listener.close()
    this.#snmp?.close()
  }

  /** The router loses its power for some time, without a word to anybody. */
  powerCut(): void {
    this.#restart('power')
  }

  /** Cuts all connections; the ports stay open. */
  dropConnections(by: 'fin' | 'rst' = 'rst'): void {
    this.#dropAll(by)
  }

  /** A cable is plugged in or out, or a session of the line comes or goes. */
  setLink(name: string, isUp: boolean): void {
    const row = this.#row('interface', 'name', name)
    const { now } = this.state
    const downs = Number(row.values['~downs'] ?? '0')
    const interfaces = this.store.table('interface')
    const before = interfaces.map((one) => isRunning(one, this.state))
    this.store.set(
      'interface',
      row,
      isUp
        ? { '~link': 'up', '~up': String(now), '~since': String(now) }
        : { '~link': 'down', '~down': String(now), '~downs': String(downs + 1) },
    )
    // Interfaces above it come and go with it.
    interfaces.forEach((one, i) => {
      if (one !== row && isRunning(one, this.state) !== before[i]) this.store.touch('interface', one)
    })
  }

  /** A client of a radio is heard at this level, in dBm, until it is set again. */
  setSignal(mac: string, dbm: number): void {
    this.store.set(this.clientTable, this.#row(this.clientTable, 'mac-address', mac), {
      '~dbm': String(dbm),
      '~spread': '0',
    })
  }

  /** A client joins the network of a radio. */
  join(mac: string, radio: string, dbm = -60): void {
    const isOld = this.clientTable.includes('wireless')
    const own = isOld
      ? { 'authentication-type': 'wpa2-psk', encryption: 'aes-ccm' }
      : { 'auth-type': 'wpa2-psk', band: '5ghz-ax' }
    this.store.add(this.clientTable, {
      interface: radio,
      'mac-address': mac,
      ...own,
      '~dbm': String(dbm),
      '~spread': '0',
      '~since': String(this.state.now),
      '~rx': '1000',
      '~tx': '9000',
      dynamic: 'true',
    })
  }

  /** A client leaves its radio. */
  part(mac: string): void {
    this.store.remove(this.clientTable, this.#row(this.clientTable, 'mac-address', mac))
  }

  /** The table of the clients of its radios; empty where it has none. */
  get clientTable(): string {
    const path = ['/interface/wifi', '/interface/wifiwave2', '/interface/wireless'].find((one) =>
      this.state.menus.has(one),
    )
    return `${path}/registration-table`
  }

  #row(table: string, property: string, value: string): Row {
    const row = this.store.find(table, property, value)
    if (row === undefined) throw new Error(`${table} of router ${this.serial} has no row with ${property}=${value}`)
    return row
  }

  #take(socket: Socket, service: 'api' | 'api-ssl'): void {
    // A service that an address may not use takes the connection and says nothing.
    if (this.#sessions.size >= MAX_SESSIONS || !this.state.admits(service, socket.remoteAddress ?? '')) {
      socket.destroy()
      return
    }
    this.#sessions.add(new ApiSession(this.state, socket, service, (session) => this.#sessions.delete(session)))
  }

  #takeConsole(server: SshServer, socket: Socket): void {
    if (this.state.admits('ssh', socket.remoteAddress ?? '')) server.take(socket)
    else socket.destroy()
  }

  #restart(kind: RestartKind): void {
    const { faults, clock } = this.state
    const answer = faults.rebootAnswer ?? 'done'
    this.#cancelBoot()
    this.#dropAll(kind === 'power' ? 'rst' : answer === 'silence' ? 'silence' : 'fin')
    this.#plain.refuse()
    this.#tls?.refuse()
    this.#ssh?.listener.refuse()
    this.#ssh?.server.drop()
    this.#snmp?.close()
    this.#cancelBoot = clock.after(faults.bootMs ?? BOOT_MS, () => {
      this.#dropAll('rst')
      this.state.boot()
      if (!this.#isClosed) this.open().catch(() => this.#restart('power'))
    })
  }

  #dropAll(by: 'fin' | 'rst' | 'silence'): void {
    for (const session of [...this.#sessions]) session.drop(by)
  }
}
