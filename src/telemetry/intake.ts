import { BoundedMap, BoundedSet, Buckets, type Clock, errorText, type Log } from '../base/index.ts'
import { type DeviceStore, type EventLog, sameSerial } from '../domain/index.ts'
import type { IncomingMessage } from '../mqtt/index.ts'
import { digestOf, endOf, type Happening, happeningOf, valuesOf } from './happening.ts'
import { readingsOf } from './metrics.ts'
import { type Fields, type RefusalReason, RefusedMessage, readPayload, textIn, timeOf } from './payload.ts'
import type { Publisher, Publishers } from './publishers.ts'
import type { RecordWriter } from './record-writer.ts'
import { RouterStates } from './router-states.ts'
import type { TelemetryKind, TelemetryTopic, TelemetryTopics } from './topics.ts'

export interface IntakeDeps {
  topics: TelemetryTopics
  publishers: Publishers
  writer: RecordWriter
  devices: Pick<DeviceStore, 'commit' | 'get'>
  events: Pick<EventLog, 'ofDevice'>
  clock: Clock
  log: Log
  /** Counts messages, for metrics. */
  onMessage(kind: TelemetryKind | 'other', outcome: 'taken' | 'repeated' | RefusalReason): void
}

/** A message of a router. */
type RouterTopic = Extract<TelemetryTopic, { router: string }>

/** Telemetry is not queued by a broker: an old one is that of a bridge whose clock is wrong. */
const OF_TELEMETRY = { maxAgeMs: 600_000, maxAheadMs: 30_000 }
/** Events and responses wait at the bridge and at the broker. */
const OF_EVENTS = { maxAgeMs: 7 * 86_400_000, maxAheadMs: 30_000 }
/** Messages of one router at once, and then in a second; of one bridge; of all together. */
const PER_ROUTER = { capacity: 600, perSecond: 10, maxKeys: 20_000 }
const PER_BRIDGE = { capacity: 20_000, perSecond: 1000, maxKeys: 1000 }
const TOGETHER = { capacity: 40_000, perSecond: 2000, maxKeys: 1 }
/** Messages that are taken without an acknowledgement and are not done. */
const MAX_UNDER_WAY = 2000
const MAX_SEEN = 20_000
/** After a connection messages come again for this time; not every broker marks them (DUP). */
const AGAIN_MS = 300_000
/** Events of a device that are looked at for a message that the broker has sent before. */
const MAX_LOOKED = 200

/** Takes messages of bridges: values into records, events, responses and changes of reachability into the feed. */
export class TelemetryIntake {
  readonly #deps: IntakeDeps
  readonly #perRouter: Buckets
  readonly #perBridge: Buckets
  readonly #together: Buckets
  /** The last reachability of each router. */
  readonly #online = new RouterStates<boolean>()
  /** The identity that `state/info` of each router names. */
  readonly #claims = new RouterStates<{ serial: string; endpointId: string }>()
  readonly #seen = new BoundedSet<string>(MAX_SEEN)
  readonly #bridges = new BoundedMap<string, boolean>(PER_BRIDGE.maxKeys)
  #underWay = 0
  #againUntil = 0

  constructor(deps: IntakeDeps) {
    this.#deps = deps
    this.#perRouter = new Buckets(PER_ROUTER, deps.clock)
    this.#perBridge = new Buckets(PER_BRIDGE, deps.clock)
    this.#together = new Buckets(TOGETHER, deps.clock)
  }

  /** The bridges that say of themselves that they are online. */
  get bridgesOnline(): number {
    return [...this.#bridges.values()].filter((isOnline) => isOnline).length
  }

  /** There is a new connection: what was not acknowledged over the last one comes again. */
  connected(): void {
    this.#againUntil = this.#deps.clock.now() + AGAIN_MS
  }

  /**
   * Takes a message. Resolves when it is durable or refused, and at once for telemetry and for what a broker has kept,
   * which are lost with the process. Rejects when the database is away.
   */
  async take(message: IncomingMessage): Promise<void> {
    const topic = this.#deps.topics.read(message.topic)
    if (topic === undefined) return this.#refused('other', undefined, new RefusedMessage('malformed', 'no such topic'))
    if (topic.kind === 'bridge') return this.#bridge(topic.bridgeId, message.payload)
    try {
      this.#admit(topic, message)
    } catch (error) {
      return this.#end(topic, error)
    }
    const work = this.#route(topic, message).then(
      (outcome) => this.#deps.onMessage(topic.kind, outcome),
      (error: unknown) => this.#end(topic, error),
    )
    if (topic.kind !== 'telemetry' && !message.isRetained) return work
    this.#underWay++
    work
      .catch((error: unknown) => this.#deps.log.warn({ reason: errorText(error) }, 'a message was not taken'))
      .finally(() => this.#underWay--)
  }

  /** Counts a message against the limits; RefusedMessage. */
  #admit({ kind, bridgeId, router }: RouterTopic, { isRetained }: IncomingMessage): void {
    if (isRetained && kind !== 'state')
      throw new RefusedMessage('retained', 'only states may be retained; the broker has kept this message')
    const key = `${bridgeId}/${router}`
    const isTooMany =
      this.#underWay >= MAX_UNDER_WAY ||
      this.#perRouter.left(key) < 1 ||
      this.#perBridge.left(bridgeId) < 1 ||
      this.#together.left('') < 1
    if (isTooMany) throw new RefusedMessage('tooMany', 'too many messages')
    this.#perRouter.take(key, 1)
    this.#perBridge.take(bridgeId, 1)
    this.#together.take('', 1)
  }

  async #route(topic: RouterTopic, message: IncomingMessage): Promise<'taken' | 'repeated'> {
    const { publishers, clock, writer } = this.#deps
    const { kind, name, bridgeId, router } = topic
    if (kind === 'state') return this.#state(topic, message)
    // Read first: it costs no query.
    const payload = readPayload(message.payload)
    const time = timeOf(payload, clock.now(), kind === 'telemetry' ? OF_TELEMETRY : OF_EVENTS)
    const publisher = await publishers.find(bridgeId, router)
    this.#compare(topic, publisher)
    const { deviceId, identity } = publisher
    if (kind === 'telemetry') {
      writer.put(deviceId, identity.endpointId, readingsOf(name, payload, time))
      return 'taken'
    }
    const digest = digestOf(message.topic, message.payload)
    if (await this.#isRepeated(publisher, digest, message.isRepeated)) return 'repeated'
    if (kind === 'response') await this.#values(publisher, name, payload, time)
    const happening = kind === 'event' ? happeningOf(name, payload) : endOf(name, payload)
    if (happening !== undefined) await this.#append(publisher, topic, { ...happening, time, digest })
    this.#seen.add(digest)
    return 'taken'
  }

  /** The values of a `get`: those with instance numbers only where the record has the rows of the bridge. */
  async #values({ deviceId, identity }: Publisher, verb: string, payload: Fields, time: number): Promise<void> {
    const readings = valuesOf(verb, payload, time)
    if (readings.length === 0) return
    const told = readings.find(({ at, parameter }) => at === 'Device.DeviceInfo.' && parameter === 'SerialNumber')
    if (told !== undefined && !sameSerial({ serial: told.value }, identity))
      throw new RefusedMessage('otherIdentity', 'the response is that of a router with another serial number')
    await this.#deps.writer.store(deviceId, identity.endpointId, readings)
  }

  async #state(topic: RouterTopic, { payload, topic: path }: IncomingMessage): Promise<'taken' | 'repeated'> {
    const { bridgeId, router, name } = topic
    // A router that is not published any more has its states removed.
    if (payload.length === 0) {
      this.#online.delete(bridgeId, router)
      this.#claims.delete(bridgeId, router)
      return 'taken'
    }
    if (name === 'info') {
      this.#claims.set(bridgeId, router, claimOf(readPayload(payload)))
      this.#compare(topic, await this.#deps.publishers.find(bridgeId, router))
      return 'taken'
    }
    const text = payload.toString('latin1')
    if (name !== 'online' || (text !== 'online' && text !== 'offline'))
      throw new RefusedMessage('malformed', 'there is no such state')
    const before = this.#online.get(bridgeId, router)
    const isOnline = text === 'online'
    if (before === isOnline) return 'repeated'
    try {
      const publisher = await this.#deps.publishers.find(bridgeId, router)
      this.#compare(topic, publisher)
      const time = this.#deps.clock.now()
      const digest = digestOf(path, Buffer.from(`${text} ${time}`))
      const data = { source: 'mqtt', event: text, params: {} }
      if (before !== undefined) await this.#append(publisher, topic, { type: 'device.notified', data, time, digest })
    } catch (error) {
      // The next change is one from this state, also for a device that becomes known in between.
      if (error instanceof RefusedMessage) this.#online.set(bridgeId, router, isOnline)
      throw error
    }
    this.#online.set(bridgeId, router, isOnline)
    return 'taken'
  }

  /**
   * The identity in `state/info` is held against the one that the bridge has reported: it proves nothing itself. They may
   * differ for a moment, when another router answers at an address. RefusedMessage.
   */
  #compare({ bridgeId, router }: RouterTopic, { identity }: Publisher): void {
    const claim = this.#claims.get(bridgeId, router)
    if (claim === undefined) return
    if (!sameSerial(claim, identity) || claim.endpointId !== identity.endpointId)
      throw new RefusedMessage('otherIdentity', 'state/info names another router than the bridge has reported')
  }

  #bridge(bridgeId: string, payload: Buffer): void {
    const text = payload.subarray(0, 16).toString('latin1')
    if (text !== 'online' && text !== 'offline' && text !== '')
      return this.#refused('bridge', { bridgeId }, new RefusedMessage('malformed', 'there is no such state'))
    if (text === '') this.#bridges.delete(bridgeId)
    else this.#bridges.set(bridgeId, text === 'online')
    this.#deps.onMessage('bridge', 'taken')
  }

  /** A message that was taken before; one that may have been is looked for in the feed. */
  async #isRepeated({ deviceId }: Publisher, digest: string, isMarked: boolean): Promise<boolean> {
    if (this.#seen.has(digest)) return true
    if (!isMarked && this.#deps.clock.now() >= this.#againUntil) return false
    const events = await this.#deps.events.ofDevice(deviceId, undefined, MAX_LOOKED)
    return events.some(({ data }) => data.message === digest)
  }

  async #append(
    { deviceId }: Publisher,
    { bridgeId, router }: RouterTopic,
    { type, data, time, digest }: Happening & { time: number; digest: string },
  ): Promise<void> {
    const event = { type, at: time, deviceId, data: { ...data, bridgeId, routerId: router, message: digest } }
    await this.#deps.devices.commit({ deviceId, events: [event] })
  }

  #end(topic: RouterTopic, error: unknown): void {
    if (!(error instanceof RefusedMessage)) throw error
    this.#refused(topic.kind, topic, error)
  }

  #refused(
    kind: TelemetryKind | 'other',
    topic: { bridgeId: string; router?: string; name?: string } | undefined,
    { reason, message }: RefusedMessage,
  ): void {
    this.#deps.onMessage(kind, reason)
    const { bridgeId, router, name } = topic ?? {}
    this.#deps.log.info({ bridgeId, router, kind, name, reason, text: message }, 'a message over MQTT was refused')
  }
}

function claimOf(payload: Fields): { serial: string; endpointId: string } {
  const [serial, endpointId] = [textIn(payload.serial, 256), textIn(payload.endpoint_id, 256)]
  if (serial === undefined || endpointId === undefined)
    throw new RefusedMessage('malformed', 'state/info has no serial or endpoint_id')
  return { serial, endpointId }
}
