import { AppError, type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import type { RouterIdentity } from '../../domain/index.ts'
import { enrolmentCheck, RouterConnection, type RouterOsError } from '../../routeros/index.ts'
import type { Codec, NotifyFile } from '../../usp/index.ts'
import type { PollSlots } from '../changes/poll-slots.ts'
import type { AuditTrail } from '../commands/audit-trail.ts'
import type { Restart } from '../commands/command.ts'
import type { Confirmations } from '../commands/confirmations.ts'
import { type BridgeMetrics, NO_METRICS } from '../metrics/bridge-metrics.ts'
import type { MqttHub } from '../mqtt/mqtt-hub.ts'
import type { ServedRouter } from '../mqtt/served-router.ts'
import { SnmpReadings } from '../snmp/snmp-readings.ts'
import { BridgedAgent } from './bridged-agent.ts'
import type { OpenRouter } from './open-router.ts'
import { RightsWatch } from './rights-watch.ts'
import { readIdentity } from './router-identity.ts'
import { levelOf, RouterParts } from './router-parts.ts'
import type { AgentProof, FoundState, RouterRow, RouterRows } from './router-rows.ts'
import { troubleText } from './trouble.ts'

/**
 * The state of a router: its login cannot be opened; it is not reached; it is reached, and runs no Agent because
 * its row says so, or because something is wrong; its Agent has no link, or has one.
 */
export type RouterPhase = 'needsLogin' | 'unreached' | 'watched' | 'unserved' | 'unlinked' | 'linked'

/** The parts that the supervisors of all routers share. */
export interface SupervisorDeps {
  folder: string
  rows: RouterRows
  open: OpenRouter
  /** Names that routers may load firmware from, and send backups to. */
  firmwareHosts: readonly string[]
  backupHosts: readonly string[]
  /**
   * Claims an Endpoint ID for a router, for good; resolves with the address of the other router of this bridge that has
   * it.
   */
  claim(endpointId: string, row: RouterRow): Promise<string | undefined>
  notifies: NotifyFile
  slots: PollSlots
  /** Publishes routers over MQTT; absent without a broker. */
  mqtt?: Pick<MqttHub, 'show' | 'booted' | 'leave'> | undefined
  confirmations: Confirmations
  audit: AuditTrail
  /** Absent: nothing is counted. */
  metrics?: BridgeMetrics
  codec: Codec
  clock: Clock
  random: Random
  log: Log
}

/** A router whose connection is gone keeps its links for this time. */
const GRACE_MS = 5000
const RETRY_MS = 5000
const MAX_RETRY_MS = 300_000
/** Certificates are looked at for renewal so often. */
const RENEW_MS = 3_600_000
/** Findings that are about rights of the account and about the device mode. */
const LACKS: ReadonlySet<string> = new Set(['missingRight', 'deviceMode', 'flagged'])
const MAX_LACKS = 30
const MAX_LACK = 500
/** A time of boot that differs by more is another boot: the router's clock may run differently from that of the bridge. */
const BOOT_STEP_MS = 60_000
/** The same after a restart that the bridge has asked for: the router shows its uptime in seconds. */
const RESTART_STEP_MS = 1500

/**
 * Keeps one router served: connects, finds its identity, runs its Agent, and reports its state. Whatever goes wrong with
 * the router or its files is tried again with growing pauses, and concerns no other router.
 */
export class RouterSupervisor {
  readonly #deps: SupervisorDeps
  readonly #connection: RouterConnection
  readonly #watch: RightsWatch
  readonly #log: Log
  #row: RouterRow
  #parts: RouterParts
  #snmp: SnmpReadings | undefined
  /** The ways to the router that were tried last. */
  #ways: readonly string[] = []
  #agent: BridgedAgent | undefined
  #served: ServedRouter | undefined
  #bootedAt: number | undefined
  #restart: Restart | undefined
  #isUp = false
  #isReached = false
  #error: string | undefined
  #identity: RouterIdentity | undefined
  /** Sentences that name what was missing when the router was looked at; undefined: not yet. */
  #lacks: string[] | undefined
  #isUnfit = false
  #reported = ''
  #failures = 0
  /** Notifications of Agents that have ended. */
  #notifies = 0
  /** Work on the Agent, one after the other. */
  #work: Promise<void> = Promise.resolve()
  #cancelRetry: (() => void) | undefined
  #cancelGrace: (() => void) | undefined
  #cancelRenewal: (() => void) | undefined
  #cancelFollow: (() => void) | undefined
  #stopped = false

  constructor(row: RouterRow, deps: SupervisorDeps) {
    this.#row = row
    this.#deps = deps
    const { clock, random, open } = deps
    this.#log = deps.log
    this.#connection = new RouterConnection({
      open: (signal) =>
        open(this.#row, signal, (ways) => {
          this.#ways = ways
        }),
      clock,
      random,
      log: this.#log,
      onUp: () => this.#onUp(),
      onDown: (error) => this.#onDown(error),
    })
    this.#watch = new RightsWatch(this.#connection, () => this.#report())
    this.#snmp = this.#newSnmp()
    this.#parts = this.#newParts()
  }

  get isReached(): boolean {
    return this.#isReached
  }

  get isLinked(): boolean {
    return this.links > 0
  }

  /** Links of its Agent that are open. */
  get links(): number {
    return this.#agent?.linkCount ?? 0
  }

  /** Notifications of its Agents so far. */
  get notifies(): number {
    return this.#notifies + (this.#agent?.notifies ?? 0)
  }

  /** Bytes of the files of its Agent. */
  get bytes(): BridgedAgent['bytes'] | undefined {
    return this.#agent?.bytes
  }

  get phase(): RouterPhase {
    if (this.#row.login === undefined) return 'needsLogin'
    if (!this.#isReached) return 'unreached'
    if (this.#row.agent === false) return 'watched'
    if (this.#agent === undefined) return 'unserved'
    return this.isLinked ? 'linked' : 'unlinked'
  }

  /** Begins after a pause, so that not all routers of a bridge are connected to at once. */
  start(delayMs: number): void {
    this.#deps.mqtt?.show(this.#row, false, undefined)
    if (this.#row.login === undefined) {
      this.#error = 'the login of the router cannot be opened by this bridge: send it again'
      return this.#report()
    }
    this.#connection.start(delayMs)
  }

  /** Takes the row as it is now; false when it needs another connection. */
  update(row: RouterRow): boolean {
    if (connectionOf(row) !== connectionOf(this.#row)) return false
    const isOther = (row.policy === 'L0') !== (this.#row.policy === 'L0')
    const isSwitched = (row.agent === false) !== (this.#row.agent === false)
    this.#row = row
    // Other rights are needed from now on.
    if (isOther) this.#lacks = undefined
    if (isSwitched) void this.#enqueue(() => (row.agent === false ? this.#end() : this.#serve()))
    // The report of a revision has the rights that are missing for it.
    if (isOther && this.#isUp) void this.#enqueue(() => this.#look())
    else this.#report()
    return true
  }

  /** The Controllers of the bridge are other ones: its Agent goes to them after a pause, so that not all go at once. */
  followControllers(delayMs: number): void {
    this.#cancelFollow?.()
    this.#cancelFollow = this.#deps.clock.after(delayMs, () => {
      void this.#enqueue(async () => this.#agent?.follow(this.#deps.rows.controllers))
    })
  }

  /** Ends the Agent and the connection. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#deps.mqtt?.leave(this.#row.id)
    this.#snmp?.stop()
    for (const cancel of [this.#cancelRetry, this.#cancelGrace, this.#cancelRenewal, this.#cancelFollow]) cancel?.()
    await this.#enqueue(() => this.#end())
    await this.#connection
      .close()
      .catch((error: unknown) => this.#log.debug({ reason: errorText(error) }, 'not closed'))
  }

  #newParts(): RouterParts {
    const { firmwareHosts, backupHosts, confirmations, audit, metrics = NO_METRICS, clock, random } = this.#deps
    return new RouterParts({
      router: this.#watch,
      name: this.#row.address,
      policy: { level: () => levelOf(this.#row.policy), firmwareHosts, backupHosts },
      confirmations,
      audit,
      metrics,
      snmp: this.#snmp,
      clock,
      random,
      log: this.#log,
      onRestart: (restart) => {
        this.#restart = restart
      },
    })
  }

  /** The readings over SNMP that the row asks for; undefined: none. */
  #newSnmp(): SnmpReadings | undefined {
    const { address: host, snmp: use = 'off', snmpPort: port, login } = this.#row
    if (use === 'off') return undefined
    return new SnmpReadings({
      settings: { use, host, port, login: login?.snmp },
      serial: () => this.#identity?.serial,
      clock: this.#deps.clock,
      onChange: () => this.#report(),
    })
  }

  #onUp(): void {
    this.#isUp = true
    this.#cancelGrace?.()
    this.#cancelGrace = undefined
    this.#watch.clear()
    this.#failures = 0
    void this.#enqueue(() => this.#serve())
  }

  #onDown(error: RouterOsError): void {
    this.#isUp = false
    this.#error = troubleText(error, this.#row)
    this.#cancelRetry?.()
    if (!this.#isReached) return this.#report()
    this.#cancelGrace ??= this.#deps.clock.after(GRACE_MS, () => {
      this.#cancelGrace = undefined
      if (this.#isUp) return
      this.#isReached = false
      this.#agent?.setReached(false)
      this.#report()
    })
  }

  /** Runs work after all before it. Never rejects: what fails is tried again. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#failed(error))
    return this.#work
  }

  #failed(error: unknown): void {
    this.#error = troubleText(error, this.#row)
    this.#log.warn({ reason: errorText(error) }, 'a router cannot be served; it is tried again')
    this.#report()
    // A refusal waits for a person.
    const isDecided = error instanceof AppError && error.code === 'conflict'
    const wait = isDecided ? MAX_RETRY_MS : Math.min(RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS)
    this.#cancelRetry?.()
    this.#cancelRetry = this.#deps.clock.after(wait * (0.75 + this.#deps.random.fraction() / 2), () => {
      if (this.#isUp) void this.#enqueue(() => this.#serve())
    })
  }

  /** Brings the Agent up, as far as it is not. */
  async #serve(): Promise<void> {
    if (this.#stopped || !this.#isUp) return
    this.#parts.own.renew()
    const stated = await readIdentity(this.#parts.own, this.#deps.clock.now())
    this.#isReached = true
    if (stated === undefined)
      throw new AppError(
        'invalid',
        `${this.#row.address} states no OUI and serial number, by which its Agent would be known`,
      )
    await this.#look()
    const { identity, bootedAt } = stated
    const before = this.#identity
    if (before !== undefined && before.endpointId !== identity.endpointId) await this.#end()
    // An identity that belongs to another row is not reported either: the server would bind a device by it.
    this.#identity = undefined
    await this.#claim(identity.endpointId)
    this.#identity = identity
    if (this.#row.agent === false) {
      await this.#end()
      this.#finished()
      return
    }
    this.#report()
    const proof = await this.#deps.rows.proofOf(this.#row.id, identity.endpointId)
    if (this.#stopped) return
    if (this.#agent === undefined) await this.#begin(identity, proof)
    else {
      await this.#parts.settle()
      this.#agent.renew(proof)
      await this.#agent.follow(this.#deps.rows.controllers)
      const step = this.#restart === undefined ? BOOT_STEP_MS : RESTART_STEP_MS
      const isOther = Math.abs(bootedAt - (this.#bootedAt ?? bootedAt)) > step
      if (isOther || before?.softwareVersion !== identity.softwareVersion) {
        this.#agent.reboot(this.#takeRestart())
        this.#deps.mqtt?.booted(this.#row.id)
      }
    }
    this.#bootedAt = bootedAt
    if (this.#isUp) this.#agent?.setReached(true)
    this.#finished()
    this.#renewLater()
  }

  #finished(): void {
    this.#error = undefined
    this.#failures = 0
    // The ways name what SNMP answers, also while nothing is read there.
    void this.#snmp?.read()
    this.#report()
  }

  /** Looks at what the account lacks for its work, once. */
  async #look(): Promise<void> {
    if (this.#lacks !== undefined) return
    const purpose = this.#row.policy === 'L0' ? 'watch' : 'manage'
    const { findings } = await enrolmentCheck(this.#connection, { user: this.#row.login?.username ?? '', purpose })
    this.#isUnfit = findings.some(({ code, severity }) => code === 'missingRight' && severity === 'error')
    this.#lacks = findings.filter(({ code }) => LACKS.has(code)).map(({ message }) => message.slice(0, MAX_LACK))
    this.#report()
  }

  async #begin(identity: RouterIdentity, proof: AgentProof | undefined): Promise<void> {
    const agent = await BridgedAgent.open({
      ...this.#deps,
      identity,
      parts: this.#parts,
      controllers: this.#deps.rows.controllers,
      log: this.#log,
    })
    try {
      await this.#parts.settle()
    } catch (error) {
      await agent.stop(this.#log)
      this.#parts = this.#newParts()
      throw error
    }
    this.#agent = agent
    this.#served = this.#parts.servedAs(identity)
    agent.start(proof, this.#takeRestart())
    this.#log.info({ endpointId: identity.endpointId }, 'the Agent of a router is up')
  }

  #takeRestart(): Restart | undefined {
    const restart = this.#restart
    this.#restart = undefined
    return restart
  }

  async #claim(endpointId: string): Promise<void> {
    const other = await this.#deps.claim(endpointId, this.#row)
    if (other !== undefined)
      throw new AppError('conflict', `${this.#row.address} is the same router as ${other}: delete one of the two`)
  }

  async #end(): Promise<void> {
    const agent = this.#agent
    this.#agent = undefined
    this.#served = undefined
    this.#bootedAt = undefined
    if (!this.#stopped) this.#deps.mqtt?.show(this.#row, this.#isReached, undefined)
    if (agent === undefined) return
    this.#notifies += agent.notifies
    await agent.stop(this.#log)
    this.#parts = this.#newParts()
  }

  #renewLater(): void {
    this.#cancelRenewal?.()
    this.#cancelRenewal = this.#deps.clock.after(RENEW_MS, () => {
      void this.#enqueue(async () => {
        const { endpointId } = this.#identity ?? {}
        if (endpointId !== undefined && this.#agent !== undefined)
          this.#agent.renew(await this.#deps.rows.proofOf(this.#row.id, endpointId))
        // A server that was put back to a state from before hears it again.
        this.#reported = ''
        this.#report()
        this.#renewLater()
      })
    })
  }

  /** Reports the state when it has changed. */
  #report(): void {
    if (this.#stopped) return
    this.#deps.mqtt?.show(this.#row, this.#isReached, this.#served)
    const words = this.#snmp === undefined ? [] : [this.#snmp.words]
    const ways = [...this.#ways, ...words].map((way) => way.slice(0, MAX_LACK))
    const state: FoundState = {
      reachable: this.#isReached,
      ...(this.#identity === undefined ? {} : { identity: this.#identity }),
      missingRights: [...(this.#lacks ?? []), ...this.#watch.missing].slice(0, MAX_LACKS),
      ...(this.#isUnfit ? { unfit: true } : {}),
      ...(ways.length === 0 ? {} : { ways }),
      ...(this.#error === undefined ? {} : { lastError: this.#error }),
      ...(this.#row.login === undefined ? { needsLogin: true } : {}),
      revision: this.#row.revision,
    }
    const text = JSON.stringify(state)
    if (text === this.#reported) return
    this.#reported = text
    this.#deps.rows.report(this.#row.id, state)
  }
}

/** The parts of a row that a connection depends on. */
function connectionOf({ address, port, transport, fingerprint, login, snmp, snmpPort }: RouterRow): string {
  return JSON.stringify([address, port, transport, fingerprint, login, snmp, snmpPort])
}
