import { errorText, sleep } from '../../base/index.ts'
import type { TreeChange } from '../../tree/index.ts'
import type { CwmpMessage, RequestOf, RpcName } from '../wire/index.ts'
import { ConnectionRequestListener } from './connection-request.ts'
import { finishDiagnostics } from './diagnostics.ts'
import { type DueEvent, EventQueue } from './events.ts'
import { type AcsAnswer, CpeHttpClient } from './http-client.ts'
import { forcedActive, informOf } from './inform.ts'
import { Notifications } from './notifications.ts'
import type { CpeCounters, CpeOptions, CpeState } from './options.ts'
import { sessionRetryWaitMs } from './retry.ts'
import { ConnectionCut, type CpeEffects, CpeFault, CpeRpcs } from './rpcs.ts'
import { CpeSession, type OwnRequest, type SessionHost } from './session.ts'
import { CpeTimers } from './timers.ts'
import { type Transfer, Transfers, transferCompleteOf } from './transfers.ts'

/** Time in which a number of connection requests is accepted, and for which a nonce is valid. */
const LISTENER_WINDOW_MS = 60_000
const SESSION_TIMEOUT_S = 60

/**
 * The CWMP client of a simulated device (TR-069 3.2 to 3.7): keeps the events that are due, starts sessions, and saves
 * what a power cut must not lose.
 */
export class Cpe {
  readonly counters: CpeCounters = { sessions: 0, failedSessions: 0, rpcs: {} }
  readonly #options: CpeOptions
  readonly #rpcs: CpeRpcs
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
  #requests = 0
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
    const { clock, random, quirks, timeScale, root } = options
    this.#options = options
    this.#http = new CpeHttpClient({
      keepCookies: quirks.noCookies !== true,
      newConnections: quirks.newConnections === true,
      authAfter401: quirks.authAfter401 === true,
      trusted: options.trusted,
      timeoutMs: 30_000,
    })
    this.#listener = new ConnectionRequestListener({
      host: options.listenHost,
      windowMs: LISTENER_WINDOW_MS / timeScale,
      clock,
      random,
      login: () => ({
        username: this.#raw('ManagementServer.ConnectionRequestUsername'),
        password: this.#raw('ManagementServer.ConnectionRequestPassword'),
      }),
      accept: () => this.#onConnectionRequest(),
    })
    this.#notifications = new Notifications(forcedActive(root))
    this.#timers = new CpeTimers(clock, timeScale)
    this.#transfers = new Transfers(clock, timeScale, {
      fetch: (transfer) => options.onDownload(transfer),
      ended: (transfer, restart) => this.#onTransferEnded(transfer, restart),
      changed: () => options.onState(),
    })
    this.#rpcs = new CpeRpcs(options.view, quirks, this.#effects(), this.#notifications, () => options.onState())
  }

  /** The effects of requests besides their answers. */
  #effects(): CpeEffects {
    const { quirks, onRestart, onCommand, refusesCommand } = this.#options
    return {
      reboot: (commandKey) =>
        this.#after(() => {
          if (quirks.noRebootEvent !== true) this.#push('M Reboot', commandKey)
          onRestart(false)
        }),
      factoryReset: () => this.#after(() => onRestart(true)),
      download: (request) => this.#download(request),
      scheduleInform: (delayS, commandKey) => this.#scheduleInform(delayS, commandKey),
      command: onCommand,
      diagnose: (object) => this.#diagnose(object),
      refuses: refusesCommand,
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
    this.#unlisten = this.#options.view.tree.onChange((change) => this.#onChange(change))
    const url = await this.#listener.start()
    if (life !== this.#life) return
    this.#options.onState()
    // The first URL ever is not a change.
    const by = this.#raw('ManagementServer.ConnectionRequestURL') === '' ? 'acs' : 'device'
    this.#options.view.tree.put(`${this.#options.root}ManagementServer.ConnectionRequestURL`, url, by)
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

  #raw(name: string): string {
    return this.#options.view.tree.raw(this.#options.root + name) ?? ''
  }

  #number(name: string, otherwise: number): number {
    const value = Number(this.#raw(name))
    return Number.isFinite(value) && value > 0 ? value : otherwise
  }

  #push(code: string, commandKey: string): void {
    this.#events.push(code, commandKey)
    this.#options.onState()
  }

  #onConnectionRequest(): boolean {
    if (!this.#running || this.#raw('ManagementServer.HTTPConnectionRequestEnable') === 'false') return false
    this.#push('6 CONNECTION REQUEST', '')
    this.#begin()
    return true
  }

  #onChange({ path: canonical, by, kind }: TreeChange): void {
    if (kind !== 'value') return
    const path = this.#options.view.fromCanonical(canonical)
    const management = `${this.#options.root}ManagementServer.`
    if (path === `${management}URL`) return this.#onNewAcs()
    if (path.startsWith(`${management}PeriodicInform`) && !this.#inSession) this.#schedulePeriodic()
    // A change that the ACS made is not notified to it (TR-069 A.3.2.4).
    if (by === 'acs') return
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
      this.#raw('ManagementServer.PeriodicInformEnable') === 'true'
        ? this.#number('ManagementServer.PeriodicInformInterval', 300) * 1000
        : undefined,
      this.#raw('ManagementServer.PeriodicInformTime'),
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

  /** Ends a diagnostics run after a moment; `8 DIAGNOSTICS COMPLETE` is due then. */
  #diagnose(object: string): void {
    this.#timers.once(2000, () => {
      if (!finishDiagnostics(this.#options.view, object)) return
      this.#push('8 DIAGNOSTICS COMPLETE', '')
      this.#begin()
    })
  }

  /** Does the work when the session is over, so that a reboot does not cut off the answer. */
  #after(work: () => void): void {
    this.#afterSession = work
  }

  #download(request: RequestOf<'Download'>): void {
    if (this.#transfers.full) throw new CpeFault(9004, 'Resources exceeded')
    this.#transfers.add(request)
  }

  #onTransferEnded(transfer: Transfer, restart: boolean): void {
    this.#push('7 TRANSFER COMPLETE', '')
    this.#push('M Download', transfer.commandKey)
    if (!restart) return this.#begin()
    if (this.#inSession) this.#after(() => this.#options.onRestart(false))
    else this.#options.onRestart(false)
  }

  async #session(): Promise<void> {
    this.#http.begin()
    this.#requests = 0
    this.#reportable = new Set(this.#transfers.toReport())
    await new CpeSession(this.#host(), new URL(this.#raw('ManagementServer.URL'))).run()
  }

  /** Returns the side of the CPE that a session sees. */
  #host(): SessionHost {
    return {
      version: this.#options.version,
      sessionTimeoutS: SESSION_TIMEOUT_S,
      post: (url, body) => this.#post(url, body),
      inform: () => this.#inform(),
      informed: () => {
        this.#events.delivered(this.#informing.events)
        this.#notifications.delivered(this.#informing.changed)
        this.#options.onState()
      },
      next: () => this.#next(),
      answer: (name, body) => this.#answer(name, body),
    }
  }

  #inform(): RequestOf<'Inform'> {
    const { view, root, identity, clock, quirks } = this.#options
    this.#informing = { events: this.#events.next(), changed: this.#notifications.changed() }
    return informOf({
      view,
      root,
      identity,
      ...this.#informing,
      retryCount: this.#failures,
      now: clock.now(),
      quirks,
    })
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

  async #post(url: URL, body: string): Promise<AcsAnswer> {
    const { quirks, clock, timeScale, random } = this.#options
    const life = this.#life
    if (quirks.answerDelayMs !== undefined) await sleep(clock, quirks.answerDelayMs / Math.max(1, timeScale / 10))
    const drop = quirks.dropAfterRequests
    if (drop !== undefined && ++this.#requests > drop && random.fraction() < 0.1)
      throw new Error('the CPE dropped the connection')
    const login = { username: this.#raw('ManagementServer.Username'), password: this.#raw('ManagementServer.Password') }
    if (life !== this.#life) throw new Error('the CPE is off')
    const answer = await this.#http.post(url, login, body)
    if (life !== this.#life) throw new Error('the CPE is off')
    return answer
  }

  #answer(name: RpcName, body: unknown): Exclude<CwmpMessage, { kind: 'unknown' }> {
    try {
      const response = this.#rpcs.answer(name, body)
      this.counters.rpcs[name] = (this.counters.rpcs[name] ?? 0) + 1
      return { kind: 'response', ...response } as Exclude<CwmpMessage, { kind: 'unknown' }>
    } catch (error) {
      if (error instanceof ConnectionCut) throw error
      if (error instanceof CpeFault) return { kind: 'fault', fault: error.fault }
      this.#options.log.error({ err: error, rpc: name }, 'simulated CPE failed')
      return { kind: 'fault', fault: { code: 9002, text: 'Internal error', parameters: [] } }
    }
  }
}
