import { type Clock, errorText, type Log, ProtocolError, type Random } from '../../base/index.ts'
import { type AgentTransport, type ControllerLink, retryWaitMs } from '../mtp/index.ts'
import type { Codec, Msg, Notify } from '../wire/index.ts'
import type { ControllerAddress, ControllerRow } from './controller-rows.ts'
import { NotifyOutbox, type Worth } from './outbox.ts'

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
  random: Random
  log: Log
}

type Body = Parameters<Codec['encodeRecord']>[0]['body']

/**
 * The connection of an Agent to one Controller: dials with the retry policy, reads Records, repeats notifications until
 * they are acknowledged.
 */
export class ControllerChannel {
  readonly row: string
  readonly #host: ChannelHost
  readonly #options: ChannelOptions
  readonly #outbox: NotifyOutbox
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
  readonly #processing = new Set<string>()

  constructor(host: ChannelHost, settings: ControllerRow, options: ChannelOptions) {
    this.#host = host
    this.#options = options
    this.#settings = settings
    this.row = settings.row
    this.#outbox = new NotifyOutbox({
      clock: options.clock,
      random: options.random,
      retryPolicy: () => ({ minimumS: this.#settings.notifyMinimumS, multiplier: this.#settings.notifyMultiplier }),
      send: (msgId, body) => this.send({ msgId, kind: 'request', name: 'notify', body }),
      nextId: () => host.nextMsgId(),
    })
  }

  get connected(): boolean {
    return this.#link !== undefined
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
    if (before.periodicS !== settings.periodicS) this.#schedulePeriodic()
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
    this.#outbox.stop()
  }

  /** Sends a Message when the link is open; drops it otherwise. */
  send(msg: Msg): void {
    const { codec, endpointId } = this.#options
    this.#link?.send(codec.encode(this.#controllerId, endpointId, msg))
  }

  /** Sends a notification, and again until it is acknowledged when `worth` is given. */
  notify(notify: Notify, worth: Worth | undefined): void {
    this.#outbox.notify(notify, worth)
  }

  /**
   * Sends an OnBoardRequest, one at a time; repeats it after OnBoardingRestartTime while onboarding is not complete.
   */
  onBoard(): void {
    if (this.#onBoarding !== undefined && this.#outbox.has(this.#onBoarding))
      return this.#outbox.again(this.#onBoarding)
    const worth = { forMs: undefined, wanted: () => true }
    this.#onBoarding = this.#outbox.notify(this.#host.onBoardRequest(), worth, () => this.#onBoarded())
  }

  #onBoarded(): void {
    const { onboardingRestartS } = this.#settings
    this.#cancelOnBoard?.()
    if (onboardingRestartS === 0) return
    this.#cancelOnBoard = this.#options.clock.after(onboardingRestartS * 1000, () => {
      if (!this.#settings.isOnboarded) this.onBoard()
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
        () => this.#again(life, address),
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
    this.#cancelPeriodic = this.#options.clock.after(this.#settings.periodicS * 1000, () => {
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
      if (record.body.kind === 'session')
        return this.#link?.send(
          this.#record({ kind: 'disconnect', reason: 'session context is not supported', reasonCode: 7106 }),
        )
      // TLS in a Record is legal in a session context only (R-E2E.41).
      if (record.body.kind === 'noSession' && !record.secured) this.#onMsg(codec.decodeMsg(record.body.payload))
      // A Controller that disconnects and keeps the link is connected to again (R-MTP.8).
      if (record.body.kind === 'disconnect') this.#link?.send(this.#record({ kind: 'websocketConnect' }))
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error({ err: error }, 'the Agent failed on a Record')
      const msgId = error instanceof ProtocolError ? error.context.msgId : undefined
      if (typeof msgId === 'string')
        this.send({ msgId, kind: 'error', body: { err_code: 7004, err_msg: errorText(error), param_errs: [] } })
      else if (error instanceof ProtocolError && error.code === '7100') this.#link?.refuse()
    }
  }

  #onMsg(msg: Msg): void {
    if (msg.kind === 'response' && msg.name === 'notify_resp') return this.#outbox.acknowledge(msg.msgId, msg.body)
    if (msg.kind !== 'request') return
    // A request that is under way is not begun again (R-MSG.4).
    if (this.#processing.has(msg.msgId)) return
    this.#processing.add(msg.msgId)
    void this.#host.onRequest(this, msg).finally(() => this.#processing.delete(msg.msgId))
  }
}

/** Returns true when two addresses are dialled the same way. */
function isSame(a: ControllerAddress, b: ControllerAddress): boolean {
  return a.host === b.host && a.port === b.port && a.path === b.path && a.tls === b.tls
}
