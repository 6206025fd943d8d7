import { type Clock, errorText, type Lifecycle, type Log, limitLines, type Random } from '../base/index.ts'
import type { Model } from '../datamodel/index.ts'
import type { DeviceStore, EventLog, FeedEvent, ParameterStore } from '../domain/index.ts'
import { BrokerLink, type DialBroker, type MqttLevel } from '../mqtt/index.ts'
import { type IntakeDeps, TelemetryIntake } from './intake.ts'
import { type PublisherDeps, Publishers } from './publishers.ts'
import { RecordWriter, type RecordWriterDeps } from './record-writer.ts'
import { TelemetryTopics } from './topics.ts'

interface TelemetryDeps extends Omit<PublisherDeps, 'devices' | 'clock'> {
  dial: DialBroker
  /** The version of MQTT; undefined: 5, and 3.1.1 at a broker that knows no other. */
  level?: MqttLevel | undefined
  /** The prefix of all bridges, without a slash at its end. */
  prefix: string
  devices: DeviceStore
  parameters: ParameterStore
  events: Pick<EventLog, 'ofDevice'>
  model: Model
  /** Resolves with true while this instance is the one that takes telemetry. */
  isChosen(): Promise<boolean>
  clock: Clock
  random: Random
  log: Log
  onMessage: IntakeDeps['onMessage']
  onValues: RecordWriterDeps['onValues']
}

const CHOOSE_MS = 5000
const LINES_PER_MINUTE = 6
/** Takes what bridges publish over MQTT into records and feed, over one connection of one instance. */
export class Telemetry implements Lifecycle {
  readonly name = 'telemetry'
  readonly #deps: TelemetryDeps
  readonly #log: Log
  readonly #intake: TelemetryIntake
  readonly #publishers: Publishers
  readonly #writer: RecordWriter
  #link: BrokerLink | undefined
  #cancel: (() => void) | undefined
  #choosing: Promise<void> | undefined
  #isStopped = false

  constructor(deps: TelemetryDeps) {
    this.#deps = deps
    this.#log = limitLines(deps.log, deps.clock, LINES_PER_MINUTE)
    this.#writer = new RecordWriter({ ...deps, log: this.#log })
    this.#publishers = new Publishers(deps)
    const topics = new TelemetryTopics(deps.prefix)
    this.#intake = new TelemetryIntake({
      ...deps,
      topics,
      writer: this.#writer,
      publishers: this.#publishers,
      log: this.#log,
    })
  }

  /** True while messages come. */
  get isConnected(): boolean {
    return this.#link?.isUp === true
  }

  /** True while this instance is the one that takes telemetry. */
  get isChosen(): boolean {
    return this.#link !== undefined
  }

  get bridgesOnline(): number {
    return this.#intake.bridgesOnline
  }

  async start(): Promise<void> {
    await this.#choose()
  }

  /** Ends the connection and stores what waits. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#choosing
    await this.#end()
  }

  /** Takes note of an event of the feed. */
  heed(event: FeedEvent): void {
    this.#publishers.heed(event)
  }

  async #choose(): Promise<void> {
    try {
      const isChosen = await this.#deps.isChosen()
      if (this.#isStopped) return
      if (isChosen && this.#link === undefined) this.#begin()
      else if (!isChosen && this.#link !== undefined) await this.#end()
    } catch (error) {
      this.#log.debug({ reason: errorText(error) }, 'the instance for telemetry was not chosen; tried again')
    }
    if (this.#isStopped) return
    this.#cancel = this.#deps.clock.after(CHOOSE_MS, () => {
      this.#choosing = this.#choose()
    })
  }

  #begin(): void {
    const { prefix } = this.#deps
    this.#link = new BrokerLink({
      ...this.#deps,
      filters: new TelemetryTopics(prefix).filters,
      onMessage: (message) => this.#intake.take(message),
      onUp: () => this.#log.info({ prefix }, 'telemetry of bridges is taken'),
      onOpen: () => this.#intake.connected(),
      onDown: () => undefined,
      log: this.#log,
    })
    this.#link.start()
  }

  async #end(): Promise<void> {
    await this.#link?.stop()
    this.#link = undefined
    await this.#writer.flush()
  }
}
