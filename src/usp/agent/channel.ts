import { errorText, ProtocolError } from '../../base/index.ts'
import { type Dialled, dial, retryWaitMs } from '../mtp/index.ts'
import type { Msg, Notify } from '../wire/index.ts'
import type { UspAgent } from './agent.ts'
import { NotifyOutbox, type Worth } from './outbox.ts'

/** An Agent's way to one Controller: dialling with the retry policy, records, notifications until they are acknowledged. */
export class ControllerChannel {
  readonly row: string
  readonly #agent: UspAgent
  readonly #outbox: NotifyOutbox
  #mtp: string | undefined
  #target = ''
  /** Where it dials, and whom, as the rows said when it was opened. */
  #address = { host: '', port: 80, path: '', tls: false }
  #controller = ''
  #deaf = false
  #link: Dialled | undefined
  /** Of which opening a link or a timer is; what belongs to an earlier one is nothing any more. */
  #life = 0
  #attempt = 0
  #messages = 0
  #onBoarding: string | undefined
  #cancelRetry: (() => void) | undefined
  #cancelPeriodic: (() => void) | undefined
  #cancelOnBoard: (() => void) | undefined
  readonly #processing = new Set<string>()

  constructor(agent: UspAgent, row: string) {
    this.#agent = agent
    this.row = row
    const { clock, random, timeScale } = agent.options
    this.#outbox = new NotifyOutbox({
      clock,
      random,
      timeScale,
      retryPolicy: () => ({
        minimumS: this.#number(`${row}USPNotifRetryMinimumWaitInterval`, 5),
        multiplier: this.#number(`${row}USPNotifRetryIntervalMultiplier`, 2000),
      }),
      send: (msgId, body) => this.send({ msgId, kind: 'request', name: 'notify', body }),
      nextId: () => agent.nextMsgId(),
    })
  }

  /** Endpoint ID of the Controller that it was opened for. */
  get controllerId(): string {
    return this.#controller
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  /** Dials what the rows name now; nothing when that is done already. */
  open(mtp: string): void {
    const target = this.#targetOf(mtp)
    if (this.#mtp !== undefined && target === this.#target) return
    this.close(true)
    this.#mtp = mtp
    this.#target = target
    const at = (name: string) => this.#agent.view.get(`${mtp}WebSocket.${name}`) ?? ''
    const port = this.#number(`${mtp}WebSocket.Port`, 80)
    this.#address = { host: at('Host'), port, path: at('Path'), tls: at('EnableEncryption') === 'true' }
    this.#controller = this.#agent.view.get(`${this.row}EndpointID`) ?? ''
    this.#attempt = 0
    this.#schedulePeriodic()
    this.#dial(++this.#life)
  }

  /** Leaves; notifications that wait are sent when the channel is opened again. */
  close(graceful: boolean): void {
    this.#life++
    this.#mtp = undefined
    this.#cancelRetry?.()
    this.#cancelPeriodic?.()
    const link = this.#link
    this.#link = undefined
    if (link === undefined) return
    if (!graceful) return link.terminate()
    link.send(this.#record({ kind: 'disconnect', reason: 'leaving', reasonCode: 0 }))
    link.close(1000)
  }

  /** Its row is gone; the link stays, is dialled again when it breaks, and nothing that comes over it is read. */
  deafen(): void {
    this.#deaf = true
    this.#cancelPeriodic?.()
    this.#cancelOnBoard?.()
    this.#outbox.stop()
  }

  /** Ends for good: the Controller's row is gone, or the Agent's power. */
  stop(graceful: boolean): void {
    this.close(graceful)
    this.#cancelOnBoard?.()
    this.#outbox.stop()
  }

  /** Sends a Message to the Controller, unless the link is down. */
  send(msg: Msg): void {
    const { codec } = this.#agent.options
    this.#link?.send(codec.encode(this.#controller, this.#ownId(), msg))
  }

  /** Sends a notification; one with `worth` again until it has its answer. */
  notify(notify: Notify, worth: Worth | undefined): void {
    this.#outbox.notify(notify, worth)
  }

  /** One OnBoardRequest at a time, until it is acknowledged; again after OnBoardingRestartTime while nobody calls onboarding complete. */
  onBoard(): void {
    if (this.#onBoarding !== undefined && this.#outbox.has(this.#onBoarding))
      return this.#outbox.again(this.#onBoarding)
    const worth = { forMs: undefined, wanted: () => true }
    this.#onBoarding = this.#outbox.notify(this.#agent.onBoardRequest(), worth, () => this.#onBoarded())
  }

  /** PeriodicNotifInterval has changed: counted from now. */
  restartPeriodic(): void {
    if (this.#mtp !== undefined) this.#schedulePeriodic()
  }

  #onBoarded(): void {
    const { clock, timeScale } = this.#agent.options
    const seconds = this.#number(`${this.row}OnBoardingRestartTime`, 0)
    this.#cancelOnBoard?.()
    if (seconds === 0) return
    this.#cancelOnBoard = clock.after((seconds * 1000) / timeScale, () => {
      if (this.#agent.view.get(`${this.row}OnBoardingComplete`) !== 'true') this.onBoard()
    })
  }

  #targetOf(mtp: string): string {
    const names = ['Host', 'Port', 'Path', 'EnableEncryption'].map((name) => `${mtp}WebSocket.${name}`)
    return [`${this.row}EndpointID`, ...names].map((path) => this.#agent.view.get(path) ?? '').join('|')
  }

  #ownId(): string {
    return this.#agent.options.quirks.wrongEndpointId ?? this.#agent.options.endpointId
  }

  #number(path: string, otherwise: number): number {
    const value = Number(this.#agent.view.get(path))
    return Number.isFinite(value) && value > 0 ? value : otherwise
  }

  #dial(life: number): void {
    dial({
      url: this.#address,
      endpointId: this.#ownId(),
      timeoutMs: 10_000,
      keepAliveS: this.#number(`${this.#mtp}WebSocket.KeepAliveInterval`, 60),
      trusted: this.#agent.options.trusted(),
      onRecord: (bytes) => life === this.#life && this.#onRecord(bytes),
      onClose: () => this.#onClose(life),
    }).then(
      (link) => this.#onOpen(life, link),
      () => this.#again(life),
    )
  }

  #onOpen(life: number, link: Dialled): void {
    if (life !== this.#life) return link.terminate()
    this.#link = link
    this.#attempt = 0
    this.#messages = 0
    if (this.#agent.options.quirks.neverOnboards === true) return
    link.send(this.#record({ kind: 'websocketConnect' }))
    if (!this.#deaf) this.#agent.onConnected(this)
  }

  #onClose(life: number): void {
    if (life !== this.#life) return
    this.#link = undefined
    this.#again(life)
  }

  #again(life: number): void {
    if (life !== this.#life) return
    const { clock, random, timeScale } = this.#agent.options
    const wait = retryWaitMs(
      ++this.#attempt,
      this.#number(`${this.#mtp}WebSocket.SessionRetryMinimumWaitInterval`, 5),
      this.#number(`${this.#mtp}WebSocket.SessionRetryIntervalMultiplier`, 2000),
      random.fraction(),
    )
    this.#cancelRetry?.()
    this.#cancelRetry = clock.after(wait / timeScale, () => life === this.#life && this.#dial(life))
  }

  #schedulePeriodic(): void {
    const { clock, timeScale } = this.#agent.options
    this.#cancelPeriodic?.()
    const seconds = this.#number(`${this.row}PeriodicNotifInterval`, 300)
    this.#cancelPeriodic = clock.after((seconds * 1000) / timeScale, () => {
      this.#schedulePeriodic()
      this.#agent.event(this.row, 'Device.LocalAgent.', 'Periodic!', {})
    })
  }

  #record(body: Parameters<UspAgent['options']['codec']['encodeRecord']>[0]['body']): Uint8Array {
    return this.#agent.options.codec.encodeRecord({ toId: this.#controller, fromId: this.#ownId(), body })
  }

  /** Records for others, or of others, are ignored; what cannot be read closes the link (R-E2E.1). */
  #onRecord(bytes: Uint8Array): void {
    if (this.#deaf) return
    const { codec, quirks, log, random } = this.#agent.options
    if (quirks.dropsLinkAfter !== undefined && ++this.#messages > quirks.dropsLinkAfter && random.fraction() < 0.2)
      return this.#link?.terminate()
    try {
      const record = codec.decodeRecord(bytes)
      if (record.toId !== this.#ownId() || record.fromId !== this.#controller) return
      if (record.body.kind === 'session')
        return this.#link?.send(
          this.#record({ kind: 'disconnect', reason: 'session context is not supported', reasonCode: 7106 }),
        )
      // TLS inside is legal with a session context only (R-E2E.41).
      if (record.body.kind === 'noSession' && !record.secured) this.#onMsg(codec.decodeMsg(record.body.payload))
      // Whoever says goodbye and stays is to be greeted anew (R-MTP.8).
      if (record.body.kind === 'disconnect') this.#link?.send(this.#record({ kind: 'websocketConnect' }))
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error({ err: error }, 'simulated Agent failed')
      const msgId = error instanceof ProtocolError ? error.context.msgId : undefined
      if (typeof msgId === 'string')
        this.send({ msgId, kind: 'error', body: { err_code: 7004, err_msg: errorText(error), param_errs: [] } })
      else if (error instanceof ProtocolError && error.code === '7100') this.#link?.close(1003)
    }
  }

  #onMsg(msg: Msg): void {
    if (msg.kind === 'response' && msg.name === 'notify_resp') return this.#outbox.acknowledge(msg.msgId, msg.body)
    if (msg.kind !== 'request') return
    if (this.#agent.options.quirks.neverOnboards === true) return
    // A request that is still being worked on is not begun again (R-MSG.4).
    if (this.#processing.has(msg.msgId)) return
    this.#processing.add(msg.msgId)
    this.#agent
      .onRequest(this, msg)
      .catch((err: unknown) => this.#agent.options.log.error({ err }, 'simulated Agent failed'))
      .finally(() => this.#processing.delete(msg.msgId))
  }
}
