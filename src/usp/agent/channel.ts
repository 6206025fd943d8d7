import { errorText, ProtocolError } from '../../base/index.ts'
import { type Dialled, dial, retryWaitMs } from '../mtp/index.ts'
import type { Msg, Notify, NotifyResp } from '../wire/index.ts'
import type { UspAgent } from './agent.ts'

interface Unacknowledged {
  notify: Notify
  attempt: number
  cancel?: () => void
}

const MAX_WAITING = 200

/** An Agent's way to one Controller: dialling with the retry policy, records, notifications until they are acknowledged. */
export class ControllerChannel {
  readonly row: string
  readonly mtp: string
  bootTold = false
  readonly #agent: UspAgent
  readonly #target: string
  #link: Dialled | undefined
  #stopped = false
  #attempt = 0
  #messages = 0
  #nextId = 0
  #cancelRetry: (() => void) | undefined
  #cancelPeriodic: (() => void) | undefined
  readonly #unacknowledged = new Map<string, Unacknowledged>()
  readonly #processing = new Set<string>()

  constructor(agent: UspAgent, row: string, mtp: string) {
    this.#agent = agent
    this.row = row
    this.mtp = mtp
    this.#target = this.#targetNow()
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  /** Whether the rows still name the Controller that this channel was opened to. */
  sameTarget(): boolean {
    return this.#target === this.#targetNow()
  }

  start(): void {
    this.#dial()
  }

  stop(graceful: boolean): void {
    this.#stopped = true
    this.#cancelRetry?.()
    this.#cancelPeriodic?.()
    for (const waiting of this.#unacknowledged.values()) waiting.cancel?.()
    const link = this.#link
    this.#link = undefined
    if (link === undefined) return
    if (!graceful) return link.terminate()
    link.send(this.#record({ kind: 'disconnect', reason: 'leaving', reasonCode: 0 }))
    link.close(1000)
  }

  /** Sends a Message to the Controller, unless the link is down. */
  send(msg: Msg): void {
    const { codec } = this.#agent.options
    this.#link?.send(codec.encode(this.#controllerId(), this.#ownId(), msg))
  }

  /** Sends a notification; one that wants an answer is sent again until it has one (TR-369 11, retry table). */
  notify(notify: Notify, retry: boolean): void {
    const msgId = `a${++this.#nextId}`
    if (retry) {
      if (this.#unacknowledged.size >= MAX_WAITING) return
      this.#unacknowledged.set(msgId, { notify, attempt: 0 })
    }
    this.#deliver(msgId, notify)
  }

  #deliver(msgId: string, notify: Notify): void {
    this.send({ msgId, kind: 'request', name: 'notify', body: notify })
    const waiting = this.#unacknowledged.get(msgId)
    if (waiting === undefined) return
    waiting.attempt++
    const { clock, random, timeScale } = this.#agent.options
    const wait = retryWaitMs(
      waiting.attempt,
      this.#number(`${this.row}USPNotifRetryMinimumWaitInterval`, 5),
      this.#number(`${this.row}USPNotifRetryIntervalMultiplier`, 2000),
      random.fraction(),
    )
    waiting.cancel?.()
    waiting.cancel = clock.after(wait / timeScale, () => this.#deliver(msgId, notify))
  }

  #targetNow(): string {
    const view = this.#agent.view
    return [
      `${this.row}EndpointID`,
      ...['Host', 'Port', 'Path', 'EnableEncryption'].map((name) => `${this.mtp}WebSocket.${name}`),
    ]
      .map((path) => view.get(path) ?? '')
      .join('|')
  }

  #controllerId(): string {
    return this.#agent.view.get(`${this.row}EndpointID`) ?? ''
  }

  #ownId(): string {
    return this.#agent.options.quirks.wrongEndpointId ?? this.#agent.options.endpointId
  }

  #number(path: string, otherwise: number): number {
    const value = Number(this.#agent.view.get(path))
    return Number.isFinite(value) && value > 0 ? value : otherwise
  }

  #dial(): void {
    const view = this.#agent.view
    const at = (name: string) => view.get(`${this.mtp}WebSocket.${name}`) ?? ''
    dial({
      url: {
        host: at('Host'),
        port: this.#number(`${this.mtp}WebSocket.Port`, 80),
        path: at('Path'),
        tls: at('EnableEncryption') === 'true',
      },
      endpointId: this.#ownId(),
      timeoutMs: 10_000,
      keepAliveS: this.#number(`${this.mtp}WebSocket.KeepAliveInterval`, 60),
      trusted: this.#agent.options.trusted(),
      onRecord: (bytes) => this.#onRecord(bytes),
      onClose: () => this.#onClose(),
    }).then(
      (link) => this.#onOpen(link),
      () => this.#again(),
    )
  }

  #onOpen(link: Dialled): void {
    if (this.#stopped) return link.terminate()
    this.#link = link
    this.#attempt = 0
    this.#messages = 0
    if (this.#agent.options.quirks.neverOnboards === true) return
    link.send(this.#record({ kind: 'websocketConnect' }))
    this.#schedulePeriodic()
    this.#agent.onConnected(this)
  }

  #onClose(): void {
    this.#link = undefined
    this.#cancelPeriodic?.()
    if (!this.#stopped) this.#again()
  }

  #again(): void {
    if (this.#stopped) return
    const { clock, random, timeScale } = this.#agent.options
    const wait = retryWaitMs(
      ++this.#attempt,
      this.#number(`${this.mtp}WebSocket.SessionRetryMinimumWaitInterval`, 5),
      this.#number(`${this.mtp}WebSocket.SessionRetryIntervalMultiplier`, 2000),
      random.fraction(),
    )
    this.#cancelRetry = clock.after(wait / timeScale, () => this.#dial())
  }

  #schedulePeriodic(): void {
    const { clock, timeScale } = this.#agent.options
    this.#cancelPeriodic?.()
    this.#cancelPeriodic = clock.after(
      (this.#number(`${this.row}PeriodicNotifInterval`, 300) * 1000) / timeScale,
      () => {
        this.#agent.event(this.row, 'Device.LocalAgent.', 'Periodic!', {})
        this.#schedulePeriodic()
      },
    )
  }

  #record(body: Parameters<UspAgent['options']['codec']['encodeRecord']>[0]['body']): Uint8Array {
    return this.#agent.options.codec.encodeRecord({ toId: this.#controllerId(), fromId: this.#ownId(), body })
  }

  /** Records for others, or of others, are ignored; what cannot be read closes the link (section 6). */
  #onRecord(bytes: Uint8Array): void {
    const { codec, quirks, log, random } = this.#agent.options
    if (quirks.dropsLinkAfter !== undefined && ++this.#messages > quirks.dropsLinkAfter && random.fraction() < 0.2)
      return this.#link?.terminate()
    try {
      const record = codec.decodeRecord(bytes)
      if (record.toId !== this.#ownId() || record.fromId !== this.#controllerId()) return
      if (record.body.kind === 'session')
        return this.#link?.send(
          this.#record({ kind: 'disconnect', reason: 'session context is not supported', reasonCode: 7106 }),
        )
      if (record.body.kind === 'noSession') this.#onMsg(codec.decodeMsg(record.body.payload))
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error({ err: error }, 'simulated Agent failed')
      const msgId = error instanceof ProtocolError ? error.context.msgId : undefined
      if (typeof msgId === 'string')
        this.send({ msgId, kind: 'error', body: { err_code: 7004, err_msg: errorText(error), param_errs: [] } })
      else if (error instanceof ProtocolError && error.code === '7100') this.#link?.close(1003)
    }
  }

  #onMsg(msg: Msg): void {
    if (msg.kind === 'response' && msg.name === 'notify_resp') return this.#acknowledge(msg.msgId, msg.body)
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

  #acknowledge(msgId: string, body: NotifyResp): void {
    const waiting = this.#unacknowledged.get(msgId)
    if (waiting === undefined || waiting.notify.subscription_id !== body.subscription_id) return
    waiting.cancel?.()
    this.#unacknowledged.delete(msgId)
  }
}
