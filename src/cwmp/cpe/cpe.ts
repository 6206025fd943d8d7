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

/** Connection requests that are taken, and nonces that hold, per this time. */
const LISTENER_WINDOW_MS = 60_000
const SESSION_TIMEOUT_S = 60

/** The CWMP client of a simulated box, after TR-069 3.2-3.7: what is due, when the next session is, and what outlives a power cut. */
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
  /** Of which start a session or a listener is: what outlives its power cut is nothing to the next. */
  #life = 0
  #running = false
  /** The listener is up, and sessions can begin. */
  #ready = false
  #inSession = false
  #again = false
  #leaving = false
  #failures = 0
  #requests = 0
  /** What the Inform under way tells. */
  #telling: { events: DueEvent[]; changed: string[] } = { events: [], changed: [] }
  /** Transfers that were over when the session began: what ends later is told in the next, after the boot it needs. */
  #tellable = new Set<Transfer>()
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

  /** What requests do besides being answered. */
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

  /** Boots: `1 BOOT` is due (`0 BOOTSTRAP` too when told), the listener is up, the first session begins. */
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
    // The first one ever is no change of another.
    const by = this.#raw('ManagementServer.ConnectionRequestURL') === '' ? 'acs' : 'device'
    this.#options.view.tree.put(`${this.#options.root}ManagementServer.ConnectionRequestURL`, url, by)
    this.#ready = true
    this.#transfers.run()
    this.#begin()
  }

  /** Ends at once: power off, or EnableCWMP false. Pending events stay for the next start. */
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

  /** CWMP is switched off: the session under way comes to its end first. */
  leave(): void {
    if (this.#inSession) this.#leaving = true
    else this.stop()
  }

  get running(): boolean {
    return this.#running
  }

  /** Factory settings: nothing is due but what the next start brings. */
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
    // What the ACS sets itself it is not told (A.3.2.4).
    if (by === 'acs') return
    const notification = this.#notifications.note(path)
    if (notification === undefined) return
    this.#push('4 VALUE CHANGE', '')
    if (notification !== 'active') return
    const throttleS = this.#number('ManagementServer.DefaultActiveNotificationThrottle', 0)
    this.#timers.throttled(throttleS * 1000, () => this.#begin())
  }

  /** Another ACS has heard nothing yet (events, 0 BOOTSTRAP). */
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
    // Also with no event left: the ACS may have had more to ask (3.2.1.1).
    if (error !== undefined) return this.#retryLater()
    if (this.#again && !this.#events.empty) this.#timers.retry(10, () => this.#begin())
  }

  #onFailure(error: unknown): void {
    this.#failures++
    this.counters.failedSessions++
    this.#events.failed()
    const { log, identity } = this.#options
    log.debug({ serial: identity.serial, reason: errorText(error) }, 'CWMP session failed')
  }

  /** TR-069 3.2.1.1: the wait grows with every failure; a new event ends it. */
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

  /** Takes a moment, then tells (event 8). */
  #diagnose(object: string): void {
    this.#timers.once(2000, () => {
      if (!finishDiagnostics(this.#options.view, object)) return
      this.#push('8 DIAGNOSTICS COMPLETE', '')
      this.#begin()
    })
  }

  /** Runs once the session is over: reboots do not cut the answer off. */
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
    this.#tellable = new Set(this.#transfers.toTell())
    await new CpeSession(this.#host(), new URL(this.#raw('ManagementServer.URL'))).run()
  }

  /** What one session asks of the box. */
  #host(): SessionHost {
    return {
      version: this.#options.version,
      sessionTimeoutS: SESSION_TIMEOUT_S,
      post: (url, body) => this.#post(url, body),
      inform: () => this.#inform(),
      informed: () => {
        this.#events.delivered(this.#telling.events)
        this.#notifications.delivered(this.#telling.changed)
        this.#options.onState()
      },
      next: () => this.#next(),
      answer: (name, body) => this.#answer(name, body),
    }
  }

  #inform(): RequestOf<'Inform'> {
    const { view, root, identity, clock, quirks } = this.#options
    this.#telling = { events: this.#events.next(), changed: this.#notifications.changed() }
    return informOf({
      view,
      root,
      identity,
      ...this.#telling,
      retryCount: this.#failures,
      now: clock.now(),
      quirks,
    })
  }

  /** Finished transfers are the requests a CPE has. */
  #next(): OwnRequest | undefined {
    const waiting = this.#transfers.toTell()
    const transfer = waiting.find((candidate) => this.#tellable.has(candidate))
    const body = transfer === undefined ? undefined : transferCompleteOf(transfer)
    if (transfer === undefined || body === undefined) return undefined
    return {
      message: { kind: 'request', name: 'TransferComplete', body },
      answered: () => {
        this.#events.transferConfirmed(transfer.commandKey, waiting.length === 1)
        this.#transfers.confirmed(transfer)
      },
      // Not confirmed, so told again in the next session.
      refused: () => void this.#tellable.delete(transfer),
    }
  }

  async #post(url: URL, body: string): Promise<AcsAnswer> {
    const { quirks, clock, timeScale, random } = this.#options
    const life = this.#life
    if (quirks.answerDelayMs !== undefined) await sleep(clock, quirks.answerDelayMs / Math.max(1, timeScale / 10))
    const drop = quirks.dropAfterRequests
    if (drop !== undefined && ++this.#requests > drop && random.fraction() < 0.1)
      throw new Error('the box dropped the connection')
    const login = { username: this.#raw('ManagementServer.Username'), password: this.#raw('ManagementServer.Password') }
    if (life !== this.#life) throw new Error('the box is off')
    const answer = await this.#http.post(url, login, body)
    if (life !== this.#life) throw new Error('the box is off')
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
