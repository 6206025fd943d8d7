import { type Clock, errorText, type Log, limitLines, type Random } from '../base/index.ts'
import {
  type BrokerConnection,
  BrokerRefusal,
  type DialBroker,
  type IncomingMessage,
  type MqttLevel,
} from './broker-port.ts'

interface BrokerLinkParts {
  dial: DialBroker
  /** The version of MQTT; undefined: 5, and 3.1.1 at a broker that knows no other. */
  level?: MqttLevel | undefined
  /** The filters of the messages that are wanted. */
  filters: readonly string[]
  /** See `BrokerEvents`. */
  onMessage(message: IncomingMessage): void | Promise<void>
  /** Called before a connection is opened: messages may come before `onUp`. */
  onOpen?(): void
  /** Called when messages come and can be sent, and when they cannot any more. */
  onUp(connection: BrokerConnection): void
  onDown(): void
  clock: Clock
  random: Random
  log: Log
}

const FIRST_MS = 1000
const MAX_MS = 60_000
/** A connection that held for this time was a good one. */
const GOOD_MS = 30_000
const LINES_PER_MINUTE = 2

/** Keeps one connection to the broker up: it is opened again with growing pauses, with jitter. */
export class BrokerLink {
  readonly #parts: BrokerLinkParts
  readonly #log: Log
  #level: MqttLevel
  #connection: BrokerConnection | undefined
  #failures = 0
  #cancel: (() => void) | undefined
  #isStopped = false
  #since = 0

  constructor(parts: BrokerLinkParts) {
    this.#parts = parts
    this.#level = parts.level ?? 5
    this.#log = limitLines(parts.log, parts.clock, LINES_PER_MINUTE)
  }

  /** True while messages come and can be sent. */
  get isUp(): boolean {
    return this.#connection !== undefined
  }

  start(): void {
    void this.#dial()
  }

  /** Ends the connection. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#connection?.end()
    this.#connection = undefined
  }

  async #dial(): Promise<void> {
    const { dial, filters, onMessage } = this.#parts
    const attempt: { connection?: BrokerConnection; lost?: string } = {}
    const onClose = (reason: string) => {
      attempt.lost = reason
      if (attempt.connection !== undefined && this.#connection === attempt.connection) this.#down(reason)
    }
    try {
      this.#parts.onOpen?.()
      const connection = await dial(this.#level, { onMessage, onClose })
      attempt.connection = connection
      await connection.subscribe(filters).catch(async (error: unknown) => {
        await connection.end()
        throw error
      })
      if (attempt.lost !== undefined) throw new BrokerRefusal(attempt.lost, false)
      if (this.#isStopped) return await connection.end()
      this.#up(connection)
    } catch (error) {
      this.#again(error)
    }
  }

  #up(connection: BrokerConnection): void {
    this.#connection = connection
    this.#since = this.#parts.clock.now()
    this.#log.info({ version: this.#level === 5 ? '5' : '3.1.1' }, 'the broker is connected')
    this.#parts.onUp(connection)
  }

  #down(reason: string): void {
    const { onDown, clock } = this.#parts
    this.#connection = undefined
    if (clock.now() - this.#since >= GOOD_MS) this.#failures = 0
    onDown()
    this.#again(new BrokerRefusal(reason, false))
  }

  #again(error: unknown): void {
    if (this.#isStopped) return
    const { level, clock, random } = this.#parts
    if (level === undefined && error instanceof BrokerRefusal && error.isVersion)
      this.#level = this.#level === 5 ? 4 : 5
    const pause = Math.min(FIRST_MS * 2 ** this.#failures++, MAX_MS) * (0.5 + random.fraction() / 2)
    this.#log.warn({ reason: errorText(error), pauseMs: Math.round(pause) }, 'the broker is not connected')
    this.#cancel = clock.after(pause, () => void this.#dial())
  }
}
