import { type Clock, errorText, type Log, ProtocolError, type Random } from '../../base/index.ts'
import { type AgentTransport, type ControllerLink, retryWaitMs } from '../mtp/index.ts'
import type { Codec, Msg, Notify } from '../wire/index.ts'
import type { ControllerAddress, ControllerRow } from './controller-rows.ts'
import { NotifyOutbox } from './outbox.ts'
import type { NotifyStore } from './owed.ts'
import { untilPeriodicMs } from './periodic.ts'

/** The Agent behind a channel. */
export interface ChannelHost {
  /** Returns a msg_id that no Message had before, over restarts too. */
  nextMsgId(): string
  /** Returns the OnBoardRequest of this Agent. */
  onBoardRequest(): Notify
  /** The link is open and the connect Record is on its way. */
  onConnected(channel: ControllerChannel): void
  /** Answers a request through the channel. Never rejects. */
  onRequest(channel: ControllerChannel, msg: Extract<Msg, { kind: 'request' }>): Promise<void>
  /** PeriodicNotifInterval has passed. */
  onPeriodic(channel: ControllerChannel): void
}

interface ChannelOptions {
  /** Endpoint ID of the Agent. */
  endpointId: string
  transport: AgentTransport
  codec: Codec
  /** For all waits. */
  clock: Clock
  /** For dates. */
  wallClock: Clock
  random: Random
  log: Log
  /** Keeps owed notifications over a restart; undefined: a restart loses them. */
  notifyStore?: NotifyStore | undefined
}

/** Requests of one Controller under way at once; further ones are refused with 7005 (resources exceeded). */
const MAX_REQUESTS = 256

type Body = Parameters<Codec['encodeRecord']>[0]['body']

/**
 * The connection of an Agent to one Controller: dials with the retry policy, reads Records, repeats notifications until
 * they are acknowledged.
 */
export class ControllerChannel {
  readonly row: string
  readonly outbox: NotifyOutbox
  readonly #host: ChannelHost
  readonly #options: ChannelOptions
  #settings: ControllerRow
  /** The address that is dialled; undefined while the channel is closed. */
  #address: ControllerAddress | undefined
  /** Endpoint ID that is dialled. */
  #controllerId = ''
  #link: ControllerLink | undefined
  /** Counts attempts to connect: callbacks of an earlier attempt compare it and return. */
  #life = 0
  #attempt = 0
  #onBoarding: string | undefined
  #cancelRetry: (() => void) | undefined
  #cancelPeriodic: (() => void) | undefined
  #cancelOnBoard: (() => void) | undefined
  /** The msg_id of requests under way. */
  readonly #processing = new Set<string>()

  constructor(host: ChannelHost, settings: ControllerRow, options: ChannelOptions) {
    this.#host = host
    this.#options = options
    this.#settings = settings
    this.row = settings.row
    this.outbox = new NotifyOutbox({
      controller: settings.row,
      store: options.notifyStore,
      clock: options.clock,
      wallClock: options.wallClock,
      random: options.random,
      log: options.log,
      retryPolicy: () => ({ minimumS: this.#settings.notifyMinimumS, multiplier: this.#settings.notifyMultiplier }),
      send: (msgId, body) => this.send({ msgId, kind: 'request', name: 'notify', body }),
      nextId: () => host.nextMsgId(),
    })
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  /** True when the Controller is enabled, whether it is connected or not. */
  get isEnabled(): boolean {
    return this.#settings.isEnabled
  }

  /** True when the Controller has called onboarding complete. */
  get isOnboarded(): boolean {
    return this.#settings.isOnboarded
  }

  /**
   * Takes the row as it is now: dials what it names, or leaves when it names nothing. Without a change it does nothing.
   */
  apply(settings: ControllerRow): void {
    const before = this.#settings
    this.#settings = settings
    const { address, endpointId } = settings
    if (address === undefined) return this.close(true)
    if (this.#address === undefined || !isSame(this.#address, address) || this.#controllerId !== endpointId)
      return this.#open(address, endpointId)
    if (before.periodicS !== settings.periodicS || before.periodicTimeMs !== settings.periodicTimeMs)
      this.#schedulePeriodic()
  }

  #open(address: ControllerAddress, controllerId: string): void {
    this.close(true)
    this.#address = address
    this.#controllerId = controllerId
    this.#attempt = 0
    this.#schedulePeriodic()
    this.#dial(++this.#life, address)
  }

  /**
   * Closes the link; `graceful` sends a disconnect Record. Notifications that wait are sent when the channel is opened
   * again.
   */
  close(graceful: boolean): void {
    this.#life++
    this.#address = undefined
    this.#cancelRetry?.()
    this.#cancelPeriodic?.()
    const link = this.#link
    this.#link = undefined
    if (graceful) link?.leave(this.#record({ kind: 'disconnect', reason: 'leaving', reasonCode: 0 }))
    else link?.cut()
  }

  /** Ends the channel: its row is deleted, or the Agent stops. */
  stop(graceful: boolean): void {
    this.close(graceful)
    this.#cancelOnBoard?.()
    this.outbox.stop()
  }

  /**
   * Sends a Message when the link is open. Returns false, and drops it, otherwise. In place of a response that the
   * Controller could not read, 7005 (resources exceeded) is sent.
   */
  send(msg: Msg): boolean {
    const { codec } = this.#options
    const payload = codec.encodeMsg(msg)
    if (msg.kind === 'response' && !codec.isReadable(payload))
      return this.#refuse(msg.msgId, 'the response is too large: ask for less at once')
    return this.#link?.send(this.#record({ kind: 'noSession', payload })) ?? false
  }

  /**
   * Sends an OnBoardRequest, one at a time; repeats it after OnBoardingRestartTime while onboarding is not complete
   * (R-NOT.5, R-NOT.6).
   */
  async onBoard(): Promise<void> {
    const worth = { forMs: undefined, wanted: () => true }
    if (this.#onBoarding !== undefined && this.outbox.has(this.#onBoarding)) this.outbox.again(this.#onBoarding)
    else this.#onBoarding = await this.outbox.add(this.#host.onBoardRequest(), worth, () => this.#onBoarded())
    this.outbox.flush()
  }

  /** Closes the link over an MTP row and connects anew, with the waits of the first attempt (WebSocket.Reset()). */
  reset(mtp: string): void {
    if (this.#address?.mtp === mtp) this.#open(this.#address, this.#controllerId)
  }

  #onBoarded(): void {
    const { onboardingRestartS } = this.#settings
    this.#cancelOnBoard?.()
    if (onboardingRestartS === 0) return
    this.#cancelOnBoard = this.#options.clock.after(onboardingRestartS * 1000, () => {
      if (!this.#settings.isOnboarded) void this.onBoard()
    })
  }

  #dial(life: number, address: ControllerAddress): void {
    const { endpointId, transport } = this.#options
    const { host, port, path, tls, keepAliveS } = address
    const target = { row: this.row, controllerId: this.#controllerId, endpointId, host, port, path, tls, keepAliveS }
    transport
      .dial(target, {
        onRecord: (bytes) => life === this.#life && this.#onRecord(bytes),
        onClose: () => this.#onClose(life, address),
      })
      .then(
        (link) => this.#onOpen(life, link),
        (error: unknown) => {
          this.#options.log.debug({ controller: this.#controllerId, reason: errorText(error) }, 'not connected')
          this.#again(life, address)
        },
      )
  }

  #onOpen(life: number, link: ControllerLink): void {
    if (life !== this.#life) return link.cut()
    this.#link = link
    this.#attempt = 0
    link.send(this.#record({ kind: 'websocketConnect' }))
    this.#host.onConnected(this)
  }

  #onClose(life: number, address: ControllerAddress): void {
    if (life !== this.#life) return
    this.#link = undefined
    this.#again(life, address)
  }

  #again(life: number, address: ControllerAddress): void {
    if (life !== this.#life) return
    const { clock, random } = this.#options
    const { retryMinimumS, retryMultiplier } = this.#settings.address ?? address
    const wait = retryWaitMs(++this.#attempt, retryMinimumS, retryMultiplier, random.fraction())
    this.#cancelRetry?.()
    this.#cancelRetry = clock.after(wait, () => life === this.#life && this.#dial(life, address))
  }

  #schedulePeriodic(): void {
    this.#cancelPeriodic?.()
    const { clock, wallClock } = this.#options
    const { periodicS, periodicTimeMs } = this.#settings
    this.#cancelPeriodic = clock.after(untilPeriodicMs(wallClock.now(), periodicS, periodicTimeMs), () => {
      this.#schedulePeriodic()
      this.#host.onPeriodic(this)
    })
  }

  #record(body: Body): Uint8Array {
    return this.#options.codec.encodeRecord({ toId: this.#controllerId, fromId: this.#options.endpointId, body })
  }

  /** Ignores Records for or from other Endpoints; closes the link over bytes that are no Record (R-E2E.1, R-MTP.5). */
  #onRecord(bytes: Uint8Array): void {
    const { codec, log, endpointId } = this.#options
    try {
      const record = codec.decodeRecord(bytes)
      if (record.toId !== endpointId || record.fromId !== this.#controllerId) return
      if (record.body.kind === 'session') return this.#refuseSession(record.secured)
      // TLS in a Record is legal in a session context only (R-E2E.41).
      if (record.body.kind === 'noSession' && !record.secured) this.#onMsg(codec.decodeMsg(record.body.payload))
      // A Controller that disconnects and keeps the link is connected to again (R-MTP.8).
      if (record.body.kind === 'disconnect') this.#link?.send(this.#record({ kind: 'websocketConnect' }))
    } catch (error) {
      if (!(error instanceof ProtocolError)) return log.error({ err: error }, 'the Agent failed on a Record')
      const { msgId } = error.context
      const body = { err_code: Number(error.code), err_msg: errorText(error), param_errs: [] }
      if (typeof msgId === 'string') this.send({ msgId, kind: 'error', body })
      else if (error.code === '7100') this.#link?.refuse()
    }
  }

  /** Our disconnect Record ends what the Controller knows of us, so that we connect again (R-MTP.7, R-MTP.8). */
  #refuseSession(secured: boolean): void {
    const why = secured
      ? { reason: 'a secure session is not supported', reasonCode: 7102 }
      : { reason: 'session context is not supported', reasonCode: 7106 }
    this.#link?.send(this.#record({ kind: 'disconnect', ...why }))
    this.#link?.send(this.#record({ kind: 'websocketConnect' }))
  }

  #onMsg(msg: Msg): void {
    if (msg.kind === 'response' && msg.name === 'notify_resp') return this.outbox.acknowledge(msg.msgId)
    if (msg.kind !== 'request') return
    // A request that is under way is not begun again (R-MSG.4).
    if (this.#processing.has(msg.msgId)) return
    if (this.#processing.size >= MAX_REQUESTS)
      return void this.#refuse(msg.msgId, `more than ${MAX_REQUESTS} requests at once`)
    this.#processing.add(msg.msgId)
    void this.#host.onRequest(this, msg).finally(() => this.#processing.delete(msg.msgId))
  }

  #refuse(msgId: string, err_msg: string): boolean {
    const body = { err_code: 7005, err_msg, param_errs: [] }
    return this.send({ msgId, kind: 'error', body })
  }
}

/** Returns true when two addresses are dialled the same way. */
function isSame(a: ControllerAddress, b: ControllerAddress): boolean {
  return a.host === b.host && a.port === b.port && a.path === b.path && a.tls === b.tls
}
