import { errorText } from '../../base/index.ts'
import type { CwmpMessage, RequestOf } from '../wire/index.ts'
import { ConnectionRequestListener } from './connection-request.ts'
import { type AcsRequest, CpeFault, type CpeMethods, NoAnswer } from './cpe-methods.ts'
import type { ValueChange } from './cpe-model.ts'
import type { HttpAnswer } from './cpe-transport.ts'
import { type DueEvent, EventQueue } from './events.ts'
import { CpeHttpClient } from './http-client.ts'
import { forcedActive, informOf } from './inform.ts'
import { Notifications } from './notifications.ts'
import type { CpeCounters, CpeOptions, CpeState } from './options.ts'
import { sessionRetryWaitMs } from './retry.ts'
import { CpeRpcs } from './rpcs.ts'
import { CpeSession, type OwnRequest, type SessionHost } from './session.ts'
import { CpeTimers } from './timers.ts'
import { type Transfer, Transfers, transferCompleteOf } from './transfers.ts'

/** Time in which a number of connection requests is accepted, and for which a nonce is valid. */
const LISTENER_WINDOW_MS = 60_000
const SESSION_TIMEOUT_S = 60
/** The values of a DiagnosticsState with which a run has ended. */
const DIAGNOSED = /^(Completed?|Error.*)$/

/**
 * The CWMP client of a device (TR-069 3.2 to 3.7): keeps the events that are due, starts sessions, and saves what a
 * power cut must not lose.
 */
export class Cpe {
  readonly counters: CpeCounters = { sessions: 0, failedSessions: 0, rpcs: {} }
  readonly #options: CpeOptions
  readonly #methods: CpeMethods
  readonly #http: CpeHttpClient
  readonly #listener: ConnectionRequestListener
  readonly #events = new EventQueue()
  readonly #notifications: Notifications
  readonly #transfers: Transfers
  readonly #timers: CpeTimers
  /** Counts starts: sessions and listeners of an earlier start compare it and return. */
  #life = 0
  #running = false
  /** True when the listener is open and sessions can begin. */
  #ready = false
  #inSession = false
  #again = false
  #leaving = false
  #failures = 0
  /** The content of the Inform under way. */
  #informing: { events: DueEvent[]; changed: string[] } = { events: [], changed: [] }
  /**
   * Transfers that had ended when the session began. The others are reported in the next session, after the boot that
   * they need.
   */
  #reportable = new Set<Transfer>()
  #afterSession: (() => void) | undefined
  #unlisten: (() => void) | undefined

  constructor(options: CpeOptions) {
    const { clock, wallClock, random, model, transport, listenHost, methods = (standard) => standard } = options
    this.#options = options
    this.#http = new CpeHttpClient(transport)
    this.#listener = new ConnectionRequestListener({
      host: listenHost,
      windowMs: LISTENER_WINDOW_MS,
      clock,
      random,
      login: () => ({
        username: this.#own('ManagementServer.ConnectionRequestUsername'),
        password: this.#own('ManagementServer.ConnectionRequestPassword'),
      }),
      accept: () => this.#onConnectionRequest(),
    })
    this.#notifications = new Notifications(forcedActive(model.root))
    this.#timers = new CpeTimers(clock)
    this.#transfers = new Transfers(clock, wallClock, {
      fetch: (transfer) => options.onDownload(transfer),
      ended: (transfer, restart) => this.#onTransferEnded(transfer, restart),
      changed: () => options.onState(),
    })
    this.#methods = methods(this.#standardMethods())
  }

  #standardMethods(): CpeMethods {
    const options = this.#options
    const { model, identity } = options
    const rpcs = new CpeRpcs(
      model,
      {
        reboot: (commandKey) => {
          this.#push('M Reboot', commandKey)
          options.onRestart(false)
        },
        factoryReset: () => options.onRestart(true),
        download: (request) => this.#download(request),
        scheduleInform: (delayS, commandKey) => this.#scheduleInform(delayS, commandKey),
        attributesChanged: () => options.onState(),
      },
      this.#notifications,
      options.vendorFiles,
    )
    return {
      answer: async (request) => rpcs.answer(request),
      inform: (facts) => informOf(model, identity, facts),
    }
  }

  /**
   * Boots: `1 BOOT` is due, and with `bootstrap` also `0 BOOTSTRAP`. Resolves when the listener is open; the first
   * session begins then.
   */
  async start(bootstrap: boolean): Promise<void> {
    const life = ++this.#life
    this.#running = true
    this.#leaving = false
    this.#failures = 0
    this.#afterSession = undefined
    this.#notifications.boot()
    if (bootstrap) {
      this.forget()
      this.#events.bootstrap()
    }
    this.#events.boot()
    this.#options.onState()
    this.#unlisten?.()
    const { model } = this.#options
    this.#unlisten = model.changes((change) => this.#onChange(change))
    const url = await this.#listener.start()
    if (life !== this.#life) return
    this.#options.onState()
    // The first URL ever is not a change.
    const by = this.#own('ManagementServer.ConnectionRequestURL') === '' ? 'acs' : 'device'
    model.put(`${model.root}ManagementServer.ConnectionRequestURL`, url, by)
    this.#ready = true
    this.#transfers.run()
    this.#begin()
  }

  /** Ends at once: power off, or EnableCWMP false. Events that are due stay for the next start. */
  stop(): void {
    this.#life++
    this.#running = false
    this.#ready = false
    this.#inSession = false
    this.#timers.stop()
    this.#transfers.stop()
    this.#unlisten?.()
    this.#unlisten = undefined
    this.#listener.stop()
    this.#http.abort()
  }

  /** Ends because CWMP was switched off: after the session under way. */
  leave(): void {
    if (this.#inSession) this.#leaving = true
    else this.stop()
  }

  get running(): boolean {
    return this.#running
  }

  /** Restores factory settings: events, transfers and attributes are deleted. */
  forget(): void {
    this.#notifications.reset()
    this.#transfers.load([])
    this.#events.load([])
  }

  saveState(): CpeState {
    return {
      events: this.#events.save(),
      notifications: this.#notifications.save(),
      transfers: this.#transfers.save(),
      listener: this.#listener.address,
    }
  }

  loadState(state: CpeState): void {
    this.#events.load(state.events)
    this.#notifications.load(state.notifications)
    this.#transfers.load(state.transfers)
    this.#listener.address = state.listener
  }

  /** Returns a value of the model by its name below the root; '' when there is none. */
  #own(name: string): string {
    const { model } = this.#options
    return model.own(model.root + name) ?? ''
  }

  #number(name: string, otherwise: number): number {
    const value = Number(this.#own(name))
    return Number.isFinite(value) && value > 0 ? value : otherwise
  }

  #push(code: string, commandKey: string): void {
    this.#events.push(code, commandKey)
    this.#options.onState()
  }

  #onConnectionRequest(): boolean {
    if (!this.#running || this.#own('ManagementServer.HTTPConnectionRequestEnable') === 'false') return false
    this.#push('6 CONNECTION REQUEST', '')
    this.#begin()
    return true
  }

  #onChange({ path, value, by }: ValueChange): void {
    const management = `${this.#options.model.root}ManagementServer.`
    if (path === `${management}URL`) return this.#onNewAcs()
    if (path.startsWith(`${management}PeriodicInform`) && !this.#inSession) this.#schedulePeriodic()
    // A change that the ACS made is not notified to it (TR-069 A.3.2.4).
    if (by === 'acs') return
    if (path.endsWith('.DiagnosticsState') && DIAGNOSED.test(value)) this.#onDiagnosed()
    const notification = this.#notifications.note(path)
    if (notification === undefined) return
    this.#push('4 VALUE CHANGE', '')
    if (notification !== 'active') return
    const throttleS = this.#number('ManagementServer.DefaultActiveNotificationThrottle', 0)
    this.#timers.throttled(throttleS * 1000, () => this.#begin())
  }

  /** A new ACS has had no event yet: `0 BOOTSTRAP` is due (TR-069 3.7.1.5). */
  #onNewAcs(): void {
    this.#events.bootstrap()
    this.#options.onState()
    this.#begin()
  }

  #begin(): void {
    if (!this.#ready || this.#leaving) return
    this.#timers.cancelRetry()
    if (this.#inSession) {
      this.#again = true
      return
    }
    this.#inSession = true
    this.#again = false
    const life = this.#life
    this.#session().then(
      () => this.#onSessionEnd(life, undefined),
      (error: unknown) => this.#onSessionEnd(life, error),
    )
  }

  #onSessionEnd(life: number, error: unknown): void {
    if (life !== this.#life) return
    this.#http.end()
    this.#inSession = false
    this.counters.sessions++
    if (error === undefined) this.#failures = 0
    else this.#onFailure(error)
    const after = this.#afterSession
    this.#afterSession = undefined
    if (this.#leaving) return this.stop()
    if (after !== undefined) return after()
    this.#transfers.run()
    this.#schedulePeriodic()
    // Retried without events too: the ACS may have had more requests (TR-069 3.2.1.1).
    if (error !== undefined) return this.#retryLater()
    if (this.#again && !this.#events.empty) this.#timers.retry(10, () => this.#begin())
  }

  #onFailure(error: unknown): void {
    this.#failures++
    this.counters.failedSessions++
    const reason = errorText(error)
    this.counters.lastFailure = reason
    this.#events.failed()
    const { log, identity } = this.#options
    log.debug({ serial: identity.serial, reason }, 'CWMP session failed')
  }

  /** Retries after a wait that grows with each failure (TR-069 3.2.1.1); a new event ends the wait. */
  #retryLater(): void {
    const wait = sessionRetryWaitMs(
      this.#failures,
      this.#number('ManagementServer.CWMPRetryMinimumWaitInterval', 5),
      this.#number('ManagementServer.CWMPRetryIntervalMultiplier', 2000),
      this.#options.random.fraction(),
    )
    this.#timers.retry(wait, () => this.#begin())
  }

  #schedulePeriodic(): void {
    this.#timers.periodic(
      this.#own('ManagementServer.PeriodicInformEnable') === 'true'
        ? this.#number('ManagementServer.PeriodicInformInterval', 300) * 1000
        : undefined,
      this.#own('ManagementServer.PeriodicInformTime'),
      () => {
        this.#push('2 PERIODIC', '')
        this.#begin()
      },
    )
  }

  #scheduleInform(delayS: number, commandKey: string): void {
    this.#timers.once(delayS * 1000, () => {
      this.#push('3 SCHEDULED', '')
      this.#push('M ScheduleInform', commandKey)
      this.#begin()
    })
  }

  #onDiagnosed(): void {
    this.#push('8 DIAGNOSTICS COMPLETE', '')
    this.#begin()
  }

  #download(request: RequestOf<'Download'>): void {
    if (this.#transfers.full) throw new CpeFault(9004, 'Resources exceeded')
    this.#transfers.add(request)
  }

  #onTransferEnded(transfer: Transfer, restart: boolean): void {
    this.#push('7 TRANSFER COMPLETE', '')
    this.#push('M Download', transfer.commandKey)
    if (!restart) return this.#begin()
    if (this.#inSession) this.#afterSession = () => this.#options.onRestart(false)
    else this.#options.onRestart(false)
  }

  async #session(): Promise<void> {
    this.#http.begin()
    this.#reportable = new Set(this.#transfers.toReport())
    await new CpeSession(this.#host(this.#life), new URL(this.#own('ManagementServer.URL'))).run()
  }

  /** Returns the side of the CPE that a session sees. */
  #host(life: number): SessionHost {
    return {
      version: this.#options.version,
      sessionTimeoutS: SESSION_TIMEOUT_S,
      post: (url, body) => this.#post(life, url, body),
      inform: () => this.#inform(),
      informed: () => {
        this.#events.delivered(this.#informing.events)
        this.#notifications.delivered(this.#informing.changed)
        this.#options.onState()
      },
      next: () => this.#next(),
      answer: (request) => this.#answer(life, request),
    }
  }

  #inform(): RequestOf<'Inform'> {
    this.#informing = { events: this.#events.next(), changed: this.#notifications.changed() }
    const now = this.#options.wallClock.now()
    return this.#methods.inform({ ...this.#informing, retryCount: this.#failures, now })
  }

  /** Returns the next request of the CPE: the TransferComplete of a transfer that has ended. */
  #next(): OwnRequest | undefined {
    const waiting = this.#transfers.toReport()
    const transfer = waiting.find((candidate) => this.#reportable.has(candidate))
    const body = transfer === undefined ? undefined : transferCompleteOf(transfer)
    if (transfer === undefined || body === undefined) return undefined
    return {
      message: { kind: 'request', name: 'TransferComplete', body },
      answered: () => {
        this.#events.transferConfirmed(transfer.commandKey, waiting.length === 1)
        this.#transfers.confirmed(transfer)
      },
      // Not confirmed: it is sent again in the next session.
      refused: () => void this.#reportable.delete(transfer),
    }
  }

  async #post(life: number, url: URL, body: string): Promise<HttpAnswer> {
    const login = { username: this.#own('ManagementServer.Username'), password: this.#own('ManagementServer.Password') }
    if (life !== this.#life) throw new Error('the CPE is off')
    const answer = await this.#http.post(url, login, body)
    if (life !== this.#life) throw new Error('the CPE is off')
    return answer
  }

  async #answer(life: number, request: AcsRequest): Promise<Exclude<CwmpMessage, { kind: 'unknown' }>> {
    const { name } = request
    try {
      const { response, afterSession } = await this.#methods.answer(request)
      if (life === this.#life && afterSession !== undefined) this.#afterSession = afterSession
      this.counters.rpcs[name] = (this.counters.rpcs[name] ?? 0) + 1
      return response
    } catch (error) {
      if (error instanceof NoAnswer) throw error
      if (error instanceof CpeFault) return { kind: 'fault', fault: error.fault }
      this.#options.log.error({ err: error, rpc: name }, 'the CPE failed at a request')
      return { kind: 'fault', fault: { code: 9002, text: 'Internal error', parameters: [] } }
    }
  }
}
