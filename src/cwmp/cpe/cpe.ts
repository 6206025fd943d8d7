import type { Agent } from 'node:http'
import { type Clock, errorText, type Log, type Random, sleep } from '../../base/index.ts'
import type { TreeView } from '../../datamodel/index.ts'
import {
  type CwmpMessage,
  decodeEnvelope,
  encodeEnvelope,
  type ParameterValue,
  type RequestOf,
  type RpcName,
} from '../wire/index.ts'
import { ConnectionRequestListener } from './connection-request.ts'
import { CpeHttpClient } from './http-client.ts'
import { sessionRetryWaitMs } from './retry.ts'
import { CpeFault, type CpeQuirks, CpeRpcs } from './rpcs.ts'

export interface CpeIdentity {
  manufacturer: string
  oui: string
  productClass: string
  serial: string
}

export interface CpeOptions {
  view: TreeView
  root: 'Device.' | 'InternetGatewayDevice.'
  identity: CpeIdentity
  /** Connections of a whole fleet may share one. */
  httpAgent: Agent
  quirks: CpeQuirks
  /** All waits are divided by this; 1 = as in the field. */
  timeScale: number
  clock: Clock
  random: Random
  log: Log
  /** The box restarts: `reset` means with factory settings. The box calls `stop` and later `start` again. */
  onRestart(reset: boolean): void
  /** A new firmware was fetched from this URL; answers the version it brings. */
  onDownload(url: string): string
  /** A command-like parameter was set: `true`, or what it is to be done with. */
  onCommand(path: string, value: string): void
  /** Why a command cannot take this value; undefined: it can. */
  refusesCommand(path: string, value: string): string | undefined
}

/** What survives a reboot (cwmp events and attributes). */
export interface CpeState {
  events: { code: string; commandKey: string }[]
  transfer?: { commandKey: string; start: string; complete: string }
  notifications: [string, number][]
}

/** What a box did, to prove that nothing was done twice. */
export interface CpeCounters {
  sessions: number
  failedSessions: number
  rpcs: Partial<Record<RpcName, number>>
}

const URN = 'urn:dslforum-org:cwmp-1-2'
const INFORM_PARAMETERS = {
  'Device.': [
    'RootDataModelVersion',
    'DeviceInfo.HardwareVersion',
    'DeviceInfo.SoftwareVersion',
    'DeviceInfo.ProvisioningCode',
    'ManagementServer.ParameterKey',
    'ManagementServer.ConnectionRequestURL',
    'ManagementServer.AliasBasedAddressing',
  ],
  'InternetGatewayDevice.': [
    'DeviceSummary',
    'DeviceInfo.SpecVersion',
    'DeviceInfo.HardwareVersion',
    'DeviceInfo.SoftwareVersion',
    'DeviceInfo.ProvisioningCode',
    'ManagementServer.ParameterKey',
    'ManagementServer.ConnectionRequestURL',
    'WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress',
  ],
}
/** Changed by the ACS itself: not notified; these are always active (TR-069 A.3.2.4). */
const FORCED_ACTIVE = ['DeviceInfo.SoftwareVersion', 'DeviceInfo.ProvisioningCode']

/** The CWMP client of a simulated box, after TR-069 3.2-3.7. */
export class Cpe {
  readonly counters: CpeCounters = { sessions: 0, failedSessions: 0, rpcs: {} }
  readonly #options: CpeOptions
  readonly #rpcs: CpeRpcs
  readonly #http: CpeHttpClient
  readonly #listener: ConnectionRequestListener
  #events: CpeState['events'] = []
  #transfer: CpeState['transfer']
  #running = false
  #inSession = false
  #again = false
  #failures = 0
  #requests = 0
  #cancelTimer: (() => void) | undefined
  #afterSession: (() => void) | undefined
  #unlisten: (() => void) | undefined

  constructor(options: CpeOptions) {
    this.#options = options
    this.#http = new CpeHttpClient({
      agent: options.httpAgent,
      keepCookies: options.quirks.noCookies !== true,
      timeoutMs: 30_000,
    })
    this.#listener = new ConnectionRequestListener({
      random: options.random,
      login: () => ({
        username: this.#raw('ManagementServer.ConnectionRequestUsername'),
        password: this.#raw('ManagementServer.ConnectionRequestPassword'),
      }),
      accept: () => this.#onConnectionRequest(),
    })
    const notifications = new Map<string, number>(FORCED_ACTIVE.map((name) => [options.root + name, 2]))
    this.#rpcs = new CpeRpcs(
      options.view,
      options.quirks,
      {
        reboot: (commandKey) =>
          this.#after(() => {
            this.#push('M Reboot', commandKey)
            options.onRestart(false)
          }),
        factoryReset: () => this.#after(() => options.onRestart(true)),
        download: (request) => this.#download(request),
        scheduleInform: (delayS, commandKey) =>
          this.#schedule(delayS * 1000, () => {
            this.#push('3 SCHEDULED', '')
            this.#push('M ScheduleInform', commandKey)
          }),
        command: (path, value) => options.onCommand(path, value),
        diagnose: (object) => this.#diagnose(object),
        refuses: (path, value) => options.refusesCommand(path, value),
      },
      notifications,
    )
  }

  /** Boots: `1 BOOT` is due (and `0 BOOTSTRAP` when told), the listener is up, the first session begins. */
  async start(bootstrap: boolean): Promise<void> {
    this.#running = true
    const url = await this.#listener.start()
    if (!this.#running) return this.#listener.stop()
    this.#options.view.tree.put(`${this.#options.root}ManagementServer.ConnectionRequestURL`, url)
    this.#unlisten = this.#options.view.tree.onChange((change) => this.#onChange(change.path, change.by))
    if (bootstrap) {
      // A bootstrap discards what was due before it.
      this.#events = []
      this.#transfer = undefined
      this.#push('0 BOOTSTRAP', '')
    }
    this.#push('1 BOOT', '')
    this.#begin()
  }

  /** Ends at once: power off, or EnableCWMP false. Pending events stay for the next start. */
  stop(): void {
    this.#running = false
    this.#cancelTimer?.()
    this.#unlisten?.()
    this.#listener.stop()
    this.#http.abort()
  }

  get running(): boolean {
    return this.#running
  }

  /** A session now, with this event. */
  inform(code: string): void {
    this.#push(code, '')
    this.#begin()
  }

  saveState(): CpeState {
    const kept = this.#events.filter((event) => event.code !== '6 CONNECTION REQUEST')
    return {
      events: kept,
      notifications: [...this.#rpcs.notifications],
      ...(this.#transfer === undefined ? {} : { transfer: this.#transfer }),
    }
  }

  loadState(state: CpeState): void {
    this.#events = [...state.events]
    this.#transfer = state.transfer
    for (const [path, value] of state.notifications) this.#rpcs.notifications.set(path, value)
  }

  #raw(name: string): string {
    return this.#options.view.tree.raw(this.#options.root + name) ?? ''
  }

  #push(code: string, commandKey: string): void {
    const single = !code.startsWith('M ')
    if (single && this.#events.some((event) => event.code === code)) return
    this.#events.push({ code, commandKey })
  }

  #onConnectionRequest(): boolean {
    if (!this.#running) return false
    this.#push('6 CONNECTION REQUEST', '')
    this.#begin()
    return true
  }

  #onChange(path: string, by: string): void {
    const own = this.#options.view.fromCanonical(path)
    if (by === 'acs' || this.#rpcs.notifications.get(own) !== 2) return
    this.#push('4 VALUE CHANGE', '')
    this.#begin()
  }

  #begin(): void {
    if (!this.#running) return
    this.#cancelTimer?.()
    if (this.#inSession) {
      this.#again = true
      return
    }
    this.#inSession = true
    this.#again = false
    this.#session()
      .then(() => this.#onSessionEnd(undefined))
      .catch((error: unknown) => this.#onSessionEnd(error))
  }

  #onSessionEnd(error: unknown): void {
    this.#inSession = false
    this.counters.sessions++
    const after = this.#afterSession
    this.#afterSession = undefined
    if (error === undefined) {
      this.#failures = 0
    } else {
      this.#failures++
      this.counters.failedSessions++
      this.#events = this.#events.filter((event) => event.code !== '6 CONNECTION REQUEST')
      if (this.#running)
        this.#options.log.debug(
          { serial: this.#options.identity.serial, reason: errorText(error) },
          'CWMP session failed',
        )
    }
    if (after !== undefined) return after()
    if (!this.#running) return
    if (error !== undefined) {
      const wait = sessionRetryWaitMs(
        this.#failures,
        this.#number('ManagementServer.CWMPRetryMinimumWaitInterval', 5),
        this.#number('ManagementServer.CWMPRetryIntervalMultiplier', 2000),
        this.#options.random.fraction(),
      )
      return this.#schedule(wait, () => undefined)
    }
    if (this.#again || this.#transfer !== undefined) return this.#schedule(10, () => undefined)
    this.#scheduleNext()
  }

  #scheduleNext(): void {
    if (this.#raw('ManagementServer.PeriodicInformEnable') !== 'true') return
    const interval = this.#number('ManagementServer.PeriodicInformInterval', 300)
    this.#schedule(interval * 1000, () => this.#push('2 PERIODIC', ''))
  }

  #number(name: string, otherwise: number): number {
    const value = Number(this.#raw(name))
    return Number.isFinite(value) && value > 0 ? value : otherwise
  }

  #schedule(delayMs: number, due: () => void): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#options.clock.after(delayMs / this.#options.timeScale, () => {
      due()
      this.#begin()
    })
  }

  /** Runs once the session is over: reboots do not cut the answer off. */
  #after(work: () => void): void {
    this.#afterSession = work
  }

  /** Runs for a moment, leaves its results beside its state, and comes to tell (TR-069 3.7.1.5, event 8). */
  #diagnose(object: string): void {
    const { view, clock, timeScale } = this.#options
    const state = `${object}DiagnosticsState`
    const put = (name: string, value: string) => {
      if (view.get(object + name) !== undefined) view.tree.put(view.toCanonical(object + name), value)
    }
    clock.after(2000 / timeScale, () => {
      if (!this.#running || view.get(state) !== 'Requested') return
      const unknownHost = view.get(`${object}Host`)?.endsWith('.invalid') === true
      const repetitions = view.get(`${object}NumberOfRepetitions`) ?? '1'
      put('SuccessCount', unknownHost ? '0' : repetitions)
      put('FailureCount', unknownHost ? repetitions : '0')
      put('AverageResponseTime', unknownHost ? '0' : '12')
      put('DiagnosticsState', unknownHost ? 'Error_CannotResolveHostName' : 'Complete')
      this.#push('8 DIAGNOSTICS COMPLETE', '')
      this.#begin()
    })
  }

  #download(request: RequestOf<'Download'>): void {
    this.#after(() => {
      const start = new Date(this.#options.clock.now()).toISOString().replace(/\.\d+/, '')
      const version = this.#options.onDownload(request.URL)
      this.#options.view.tree.put(`${this.#options.root}DeviceInfo.SoftwareVersion`, version)
      this.#transfer = { commandKey: request.CommandKey, start, complete: start }
      this.#push('7 TRANSFER COMPLETE', '')
      this.#push('M Download', request.CommandKey)
      this.#options.onRestart(false)
    })
  }

  async #session(): Promise<void> {
    const url = new URL(this.#raw('ManagementServer.URL'))
    this.#http.begin()
    this.#requests = 0
    const sent = this.#events.slice(0, 64)
    const inform = encodeEnvelope(URN, { id: '1' }, { kind: 'request', name: 'Inform', body: this.#inform(sent) })
    const reply = this.#expect(await this.#post(url, inform))
    if (reply?.kind !== 'response' || reply.name !== 'Inform')
      throw new Error(`the Inform was answered with ${reply?.kind ?? 'nothing'}`)
    // Delivery is confirmed by InformResponse, of transfers by their own response.
    this.#events = this.#events.filter(
      (event) => !sent.includes(event) || event.code === '7 TRANSFER COMPLETE' || event.code === 'M Download',
    )
    await this.#reportTransfer(url)
    let answer = await this.#post(url, '')
    while (answer.status === 200 && answer.body.length > 0) {
      const { message, header } = decodeEnvelope(answer.body, answer.contentType)
      if (message.kind !== 'request') throw new Error('the ACS asked nothing')
      answer = await this.#post(
        url,
        encodeEnvelope(URN, header.id === undefined ? {} : { id: header.id }, this.#answer(message.name, message.body)),
      )
    }
    if (answer.status !== 204 && answer.status !== 200) throw new Error(`the ACS answered ${answer.status}`)
  }

  async #reportTransfer(url: URL): Promise<void> {
    const transfer = this.#transfer
    if (transfer === undefined) return
    const body = {
      CommandKey: transfer.commandKey,
      FaultStruct: { FaultCode: 0, FaultString: '' },
      StartTime: transfer.start,
      CompleteTime: transfer.complete,
    }
    const reply = this.#expect(
      await this.#post(url, encodeEnvelope(URN, { id: '2' }, { kind: 'request', name: 'TransferComplete', body })),
    )
    if (reply?.kind !== 'response') throw new Error('the TransferComplete was not confirmed')
    this.#transfer = undefined
    this.#events = this.#events.filter((event) => event.code !== '7 TRANSFER COMPLETE' && event.code !== 'M Download')
  }

  async #post(url: URL, body: string): Promise<{ status: number; body: Buffer; contentType: string | undefined }> {
    const { quirks, clock, timeScale, random } = this.#options
    if (!this.#running) throw new Error('the box is off')
    if (quirks.answerDelayMs !== undefined) await sleep(clock, quirks.answerDelayMs / Math.max(1, timeScale / 10))
    if (
      quirks.dropAfterRequests !== undefined &&
      ++this.#requests > quirks.dropAfterRequests &&
      random.fraction() < 0.3
    )
      throw new Error('the box dropped the connection')
    const login = { username: this.#raw('ManagementServer.Username'), password: this.#raw('ManagementServer.Password') }
    const answer = await this.#http.post(url, login, body)
    if (!this.#running) throw new Error('the box is off')
    return answer
  }

  #expect(answer: { status: number; body: Buffer; contentType: string | undefined }): CwmpMessage | undefined {
    if (answer.status !== 200)
      throw new Error(`the ACS answered ${answer.status} ${answer.body.toString().slice(0, 200)}`)
    return decodeEnvelope(answer.body, answer.contentType).message
  }

  #answer(name: RpcName, body: unknown): Exclude<CwmpMessage, { kind: 'unknown' }> {
    try {
      const response = this.#rpcs.answer(name, body)
      this.counters.rpcs[name] = (this.counters.rpcs[name] ?? 0) + 1
      return { kind: 'response', ...response } as Exclude<CwmpMessage, { kind: 'unknown' }>
    } catch (error) {
      if (error instanceof CpeFault) return { kind: 'fault', fault: error.fault }
      this.#options.log.error({ err: error, rpc: name }, 'simulated CPE failed')
      return { kind: 'fault', fault: { code: 9002, text: 'Internal error', parameters: [] } }
    }
  }

  #inform(events: CpeState['events']): RequestOf<'Inform'> {
    const { root, identity, clock, view } = this.#options
    const paths = new Set(INFORM_PARAMETERS[root].map((name) => root + name))
    if (events.some((event) => event.code === '4 VALUE CHANGE'))
      for (const [path, kind] of this.#rpcs.notifications) if (kind > 0) paths.add(path)
    const parameters: ParameterValue[] = []
    for (const path of paths) {
      const value = view.get(path)
      if (value !== undefined)
        parameters.push({
          name: path,
          value,
          type: this.#options.quirks.emptyTypes === true ? '' : (view.parameter(path)?.type ?? 'string'),
        })
    }
    return {
      DeviceId: {
        Manufacturer: identity.manufacturer,
        OUI: identity.oui,
        ProductClass: identity.productClass,
        SerialNumber: identity.serial,
      },
      Event: events.map((event) => ({ EventCode: event.code, CommandKey: event.commandKey })),
      MaxEnvelopes: 1,
      CurrentTime: new Date(clock.now()).toISOString().replace(/\.\d+/, ''),
      RetryCount: this.#failures,
      ParameterList: parameters,
    }
  }
}
