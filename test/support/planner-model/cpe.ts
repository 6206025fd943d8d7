import {
  type Device,
  type DeviceChange,
  type DeviceId,
  type DevicePatch,
  type DisconnectReason,
  type EndpointId,
  newDevice,
  parseDeviceId,
} from '../../../src/domain/index.ts'
import { type DataModel, ENDPOINT, INTERVAL, OWN_INTERVAL } from './data-model.ts'
import type { Server } from './server.ts'
import type { World } from './world.ts'

/** A USP link as both ends have it. `leftover`: its Controller row is gone, and the Agent keeps the socket. */
interface Link {
  server: Server
  connectedAt: number
  sinceMs: number
  leftover: boolean
}

const REDIAL_MS = 5000
/** An Agent that does not answer is marked as silent after this, and its link is closed after twice as much. */
const SILENT_MS = 300_000

/** A CPE with its Agent on the network: its sessions, its link, its answers, and what servers record of them. */
export class Cpe {
  readonly id: DeviceId
  readonly model: DataModel
  /** It connects over CWMP. */
  here = true
  /** ok: dials and answers. deaf: keeps its link and answers nothing. dead: gone. */
  agent: 'ok' | 'deaf' | 'dead' = 'ok'
  link: Link | undefined
  /** A CWMP session is open in this step. */
  session: Server | undefined
  /** The answers of its next operations with an effect are lost; the effect itself is there or not. */
  readonly loses: ('done' | 'notDone' | undefined)[] = []
  subscribed = false
  /** Its record was deleted while it held what a plan had written, and no plan has brought it back since. */
  forgotten = false
  /** Number of times that its record was deleted. */
  deletions = 0
  /** Events of its next Inform. */
  #tells = { boot: false, bootstrap: false }
  /** The event of the next Inform is lost: the process dies right behind the commit. */
  #unheard = false
  #informAtMs: number
  #restUntilMs = -1
  #dialAtMs = 0
  #refused = false
  readonly #world: World

  constructor(world: World, id: DeviceId, model: DataModel) {
    this.#world = world
    this.id = id
    this.model = model
    this.#informAtMs = world.random.below(300_000)
  }

  get record(): Device | undefined {
    return this.#world.stores.inside.devices.get(this.id)
  }

  /** Its Agent answers over the link. */
  get answers(): boolean {
    return this.link !== undefined && this.agent === 'ok' && !this.link.leftover
  }

  /** The server that can talk to it over CWMP now; a connection request is sent where that helps. */
  overCwmp(): Server | undefined {
    if (this.session === undefined && this.model.quirks.wakeable && this.#mayCome) this.#inform()
    return this.session?.dead === true ? undefined : this.session
  }

  /** The server that can talk to its Agent now. */
  overUsp(): Server | undefined {
    return this.answers && this.link?.server.dead === false ? this.link.server : undefined
  }

  /** Breaks the session; another one follows a little later. */
  breakOff(): void {
    this.session = undefined
    this.#restUntilMs = this.#world.monoMs
  }

  /** Its inform interval was changed. */
  informSooner(): void {
    this.#informAtMs = Math.min(this.#informAtMs, this.#world.monoMs + Number(this.model.interval) * 1000)
  }

  boot(): void {
    if (this.model.quirks.renumbers) this.model.renumber()
    this.session = undefined
    this.#tells.boot = true
    this.#informAtMs = this.#world.monoMs
    this.unlink('connectionLost')
  }

  /** `unheard`: the server that takes the Inform dies before anything of it acts on that. */
  factoryReset(unheard: boolean): void {
    this.model.reset()
    this.#world.engine.undone(this.id)
    this.session = undefined
    this.#tells = { boot: true, bootstrap: true }
    this.#unheard = unheard
    this.#informAtMs = this.#world.monoMs
    this.subscribed = false
    this.unlink('connectionLost')
  }

  /** Ends the link, and lets the servers record it. */
  unlink(reason: DisconnectReason): void {
    const { link } = this
    if (link === undefined) return
    this.link = undefined
    this.#dialAtMs = this.#world.monoMs + REDIAL_MS
    if (link.server.dead) return
    const at = this.#world.wallMs
    this.#commit(link.server, {
      deviceId: this.id,
      set: {
        'usp.linked': false,
        'usp.answering': false,
        'usp.disconnectedAt': at,
        'usp.lastDisconnect': { at, reason },
      },
      guard: { uspConnectedAt: link.connectedAt },
      events: [{ type: 'device.disconnected', at, deviceId: this.id, protocol: 'usp', data: { reason } }],
    })
  }

  /** Does what is due by itself: the periodic Inform, the Agent's dialling, the end of a link. */
  step(): void {
    this.session = undefined
    if (this.#informAtMs <= this.#world.monoMs && this.#mayCome) this.#inform()
    this.#tendLink()
    if (this.link === undefined) this.#dial()
  }

  /**
   * The time at which its Agent dials. Periodic Informs are made up for at the end of a step, and need no step of their
   * own.
   */
  get dueMs(): number {
    const dials = this.link === undefined && this.agent === 'ok' && this.model.dials && !this.#refused
    return dials ? this.#dialAtMs : Number.POSITIVE_INFINITY
  }

  get #mayCome(): boolean {
    const { databaseDown, servers, monoMs } = this.#world
    return this.here && !databaseDown && servers.length > 0 && this.#restUntilMs < monoMs
  }

  #inform(): void {
    const world = this.#world
    const server = world.random.pick(world.servers)
    if (server === undefined) return
    const { boot, bootstrap } = this.#tells
    const at = world.wallMs
    const patch: DevicePatch = { 'cwmp.lastInformAt': at, 'cwmp.events': bootstrap ? ['0 BOOTSTRAP'] : ['2 PERIODIC'] }
    const events: NonNullable<DeviceChange['events']> = []
    const told = { at, deviceId: this.id, protocol: 'cwmp', data: {} } as const
    if (boot) patch['cwmp.lastBootAt'] = at
    if (bootstrap) Object.assign(patch, { 'cwmp.lastBootstrapAt': at, 'cwmp.discoveredFor': '' })
    if (bootstrap) events.push({ ...told, type: 'device.bootstrapped' })
    if (boot) events.push({ ...told, type: 'device.booted' })
    if (this.record === undefined) this.#register(server)
    const change = { deviceId: this.id, set: patch, events }
    if (this.#unheard) world.store(change)
    else this.#commit(server, change)
    this.#tells = { boot: false, bootstrap: false }
    this.#informAtMs = world.monoMs + Number(this.model.interval) * 1000
    this.session = server
    if (!this.#unheard) server.contact(this.id, 'cwmp')
    this.#unheard = false
    world.engine.pump(this)
  }

  #register(server: Server): void {
    const at = this.#world.wallMs
    const create: Device = {
      ...newDevice(this.id, parseDeviceId(this.id), 'cwmp', at),
      manufacturer: 'Northbridge',
      root: 'Device.',
      cwmp: { lastInformAt: at, events: [], version: '1.4', informIntervalS: Number(this.model.interval) },
    }
    const events = [{ type: 'device.registered', at, deviceId: this.id, protocol: 'cwmp', data: {} } as const]
    this.#commit(server, { deviceId: this.id, create, events })
  }

  #dial(): void {
    const world = this.#world
    const { databaseDown, servers, monoMs, wallMs } = world
    if (this.agent !== 'ok' || !this.model.dials || monoMs < this.#dialAtMs || databaseDown) return
    const server = world.random.pick(servers)
    if (server === undefined) return
    const device = this.record
    const bound = device?.binding?.endpointId === this.model.endpointId && !world.isContested(this.model.endpointId)
    const proof = world.secrets.prove(this.id, this.model.path)
    if (device === undefined || !bound || proof === 'required') {
      // It is refused, and comes again.
      this.#dialAtMs = monoMs + 30_000
      this.#refused = true
      return
    }
    this.#refused = false
    const connectedAt = Math.max(wallMs, (device.usp?.connectedAt ?? 0) + 1)
    this.link = { server, connectedAt, sinceMs: monoMs, leftover: false }
    this.subscribed = false
    const set: DevicePatch = {
      'usp.linked': true,
      'usp.instance': server.id,
      'usp.connectedAt': connectedAt,
      'usp.lastSeenAt': wallMs,
      'usp.answering': true,
      'usp.weakLink': proof === 'notRequired',
      'usp.versions': '1.3,1.4',
    }
    const event = { type: 'device.connected', at: wallMs, deviceId: this.id, protocol: 'usp', data: {} } as const
    this.#commit(server, { deviceId: this.id, set, events: [event] })
    server.contact(this.id, 'usp')
    world.engine.pump(this)
  }

  #tendLink(): void {
    const { link } = this
    if (link === undefined) return
    const { record } = this
    if (link.server.dead || this.agent === 'dead') return this.unlink('connectionLost')
    // The record was deleted, or bound to another Agent: its server closes the link.
    if (record?.usp?.connectedAt !== link.connectedAt || record.binding?.endpointId !== this.model.endpointId)
      return this.unlink('policy')
    if (!this.model.dials && !this.model.quirks.keepsSocket) return this.unlink('agentClosed')
    link.leftover = !this.model.dials
    if (this.#world.databaseDown) return
    if (this.answers) {
      link.sinceMs = this.#world.monoMs
      if (record.usp.answering !== true) this.#answering(link, true)
      return
    }
    const silentMs = this.#world.monoMs - link.sinceMs
    if (silentMs > 2 * SILENT_MS) this.unlink('notAnswering')
    else if (silentMs > SILENT_MS && record.usp.answering === true) this.#answering(link, false)
  }

  #answering({ server, connectedAt }: Link, answering: boolean): void {
    const type = answering ? 'device.answering' : 'device.silent'
    this.#commit(server, {
      deviceId: this.id,
      set: { 'usp.answering': answering, 'usp.lastSeenAt': this.#world.wallMs },
      guard: { uspConnectedAt: connectedAt },
      events: [{ type, at: this.#world.wallMs, deviceId: this.id, protocol: 'usp', data: {} }],
    })
  }

  #commit(server: Server, change: DeviceChange): void {
    server.say(() => this.#world.store(change))
  }
}

/** A record as the first Inform makes it, with what is needed to judge it where `known`. */
export function recordOf(world: World, cpe: Cpe, known: boolean): DeviceChange[] {
  const at = world.wallMs
  const create: Device = {
    ...newDevice(cpe.id, parseDeviceId(cpe.id), 'cwmp', at),
    manufacturer: 'Northbridge',
    root: 'Device.',
    cwmp: {
      lastInformAt: at,
      events: [],
      version: '1.4',
      informIntervalS: Number(cpe.model.values.get(INTERVAL) ?? OWN_INTERVAL),
      ...(known ? { discoveredFor: '1.0' } : {}),
    },
  }
  const path = ENDPOINT
  const value = cpe.model.endpointId as EndpointId
  const parameters = known ? [{ path, value, type: 'string', source: 'cwmp', collectedAt: at } as const] : []
  return [
    { deviceId: cpe.id, create },
    { deviceId: cpe.id, parameters },
  ]
}
