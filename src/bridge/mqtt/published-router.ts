import { type Clock, errorText, type Log, type Random } from '../../base/index.ts'
import type { IncomingMessage, OutgoingMessage } from '../../mqtt/index.ts'
import { AgentError } from '../../usp/index.ts'
import { type CommandBudgets, CommandIntake } from './command-intake.ts'
import { eventOf, lookForEvents } from './events.ts'
import { metricsOfRouter } from './metrics.ts'
import type { Privacy } from './privacy.ts'
import type { ServedRouter } from './served-router.ts'
import type { Topics } from './topics.ts'
import { VERBS } from './verbs.ts'

/** The parts that the routers of a bridge share. */
export interface PublishingParts {
  topics: Topics
  budgets: CommandBudgets
  privacy: Privacy
  /** Milliseconds between two readings of the telemetry of a router. */
  telemetryMs: number
  /** True while there is a connection to the broker: without one nothing is read for telemetry. */
  isUp(): boolean
  /** Publishes a message of a router. */
  put(message: OutgoingMessage): void
  clock: Clock
  random: Random
  log: Log
}

/** Objects of the supported model, and the names that `state/info` has for them. */
const CAPABILITIES: readonly (readonly [string, string])[] = [
  ['wifi', 'Device.WiFi.SSID.{i}.'],
  ['lte', 'Device.Cellular.Interface.{i}.'],
  ['ppp', 'Device.PPP.Interface.{i}.'],
  ['dhcp_server', 'Device.DHCPv4.Server.Pool.{i}.'],
  ['port_mapping', 'Device.NAT.PortMapping.{i}.'],
  ['temperature', 'Device.DeviceInfo.TemperatureStatus.TemperatureSensor.{i}.'],
]
/** Bytes of Correlation Data that are sent back. */
const MAX_CORRELATION = 256

/** One router on MQTT: its state, its telemetry, its events, and the commands for it. */
export class PublishedRouter {
  readonly id: string
  readonly #parts: PublishingParts
  readonly #log: Log
  readonly #intake: CommandIntake
  #isReached = false
  #served: ServedRouter | undefined
  #info: string | undefined
  #endChanges: (() => void) | undefined
  #cancel: (() => void) | undefined

  constructor(id: string, parts: PublishingParts) {
    this.id = id
    this.#parts = parts
    this.#log = parts.log
    this.#intake = new CommandIntake(id, parts.budgets, parts)
  }

  /** Publishes the state anew: the broker may have lost it. */
  publishState(): void {
    this.#publish('state/online', this.#isOnline ? 'online' : 'offline', { qos: 1, retain: true })
    if (this.#info !== undefined) this.#publish('state/info', this.#info, { qos: 1, retain: true })
  }

  /** Takes what the router is now. `served` is undefined until its Agent is up. */
  show(isReached: boolean, served: ServedRouter | undefined): void {
    const wasOnline = this.#isOnline
    const isOther = served !== this.#served
    this.#isReached = isReached
    if (isOther) this.#serve(served)
    if (wasOnline !== this.#isOnline) this.publishState()
  }

  /** The router has restarted. */
  booted(): void {
    this.#event('reboot', {})
  }

  /** Takes a command; responds to it. Never rejects. */
  async take(message: IncomingMessage, verb: string): Promise<void> {
    const { responseTopic } = message
    const isOwn = responseTopic === undefined || this.#parts.topics.isResponse(this.id, responseTopic)
    const topic = responseTopic !== undefined && isOwn ? responseTopic : this.#topic(`response/${nameIn(verb)}`)
    const correlation =
      message.correlation !== undefined && message.correlation.length <= MAX_CORRELATION
        ? message.correlation
        : undefined
    const respond = (response: object) =>
      this.#parts.put({
        topic,
        payload: JSON.stringify({
          ...this.#parts.privacy(response),
          ts: new Date(this.#parts.clock.now()).toISOString(),
        }),
        qos: 1,
        retain: false,
        ...(correlation === undefined ? {} : { correlation }),
      })
    const refusal = isOwn ? undefined : 'the Response Topic is not below the responses of this router'
    await this.#intake.take(message, verb, {
      model: this.#isOnline ? this.#served?.model : undefined,
      respond,
      refusal,
    })
  }

  /** Ends telemetry and events, and says that the router is offline. */
  stop(): void {
    this.show(false, undefined)
    this.#intake.stop()
  }

  /** Removes what the broker keeps of the router: it is not published any more. */
  remove(): void {
    this.stop()
    for (const topic of ['state/online', 'state/info']) this.#publish(topic, '', { qos: 1, retain: true })
  }

  get #isOnline(): boolean {
    return this.#isReached && this.#served !== undefined
  }

  #serve(served: ServedRouter | undefined): void {
    this.#cancel?.()
    this.#endChanges?.()
    this.#endChanges = undefined
    this.#served = served
    if (served === undefined) return
    this.#endChanges = served.changes(lookForEvents(), (change) => {
      eventOf(change, served.model)
        .then((event) => event !== undefined && this.#event(event.name, event.values))
        .catch((error: unknown) => this.#log.debug({ reason: errorText(error) }, 'an event was not published'))
    })
    void this.#describe(served)
    const { telemetryMs, random, clock } = this.#parts
    const metrics = metricsOfRouter()
    const later = (ms: number) => {
      this.#cancel = clock.after(
        ms,
        () => void this.#measure(served, metrics).then(() => this.#served === served && later(telemetryMs)),
      )
    }
    // Not all routers of a bridge at once.
    later(Math.min(telemetryMs, 5000) * random.fraction())
  }

  async #describe({ model, identity }: ServedRouter): Promise<void> {
    try {
      const objects = new Set((await model.supported()).objects())
      const { model: name, serial, softwareVersion, oui, productClass, endpointId } = identity
      this.#info = JSON.stringify({
        model: name ?? productClass,
        serial,
        version: softwareVersion ?? '',
        oui,
        endpoint_id: endpointId,
        capabilities: CAPABILITIES.filter(([, object]) => objects.has(object)).map(([capability]) => capability),
      })
      this.#publish('state/info', this.#info, { qos: 1, retain: true })
    } catch (error) {
      this.#log.warn({ reason: errorText(error) }, 'a router was not described over MQTT')
    }
  }

  /** Reads and publishes the telemetry. Never rejects. */
  async #measure({ model, hasSnmp }: ServedRouter, metrics: ReturnType<typeof metricsOfRouter>): Promise<void> {
    const { clock, privacy, isUp } = this.#parts
    if (!(this.#isReached || hasSnmp) || !isUp()) return
    const at = clock.now()
    const ts = new Date(at).toISOString()
    await Promise.all(
      metrics.map(async ({ name, read }) => {
        try {
          const viaSnmp = new Set<string>()
          const get = (paths: readonly string[]) => model.get(paths, viaSnmp)
          const measured = await read({ instances: (table) => model.instances(table), get }, at)
          if (measured === undefined) return
          const labels = viaSnmp.size === 0 ? {} : { source: 'snmp' }
          const payload = JSON.stringify(privacy({ ts, ...measured, labels }))
          this.#publish(`telemetry/${name}`, payload, { qos: 0, retain: false })
        } catch (error) {
          const reason = error instanceof AgentError ? error.message : errorText(error)
          this.#log.debug({ reason, metric: name }, 'a metric was not read')
        }
      }),
    )
  }

  #event(name: string, values: Readonly<Record<string, string>>): void {
    const ts = new Date(this.#parts.clock.now()).toISOString()
    this.#publish(`event/${name}`, JSON.stringify(this.#parts.privacy({ ts, ...values })), { qos: 1, retain: false })
  }

  #topic(rest: string): string {
    return this.#parts.topics.of(this.id, rest)
  }

  #publish(rest: string, payload: string, options: Pick<OutgoingMessage, 'qos' | 'retain'>): void {
    this.#parts.put({ topic: this.#topic(rest), payload, ...options })
  }
}

/** A verb of the list: what a caller names is part of no other topic. */
function nameIn(verb: string): string {
  return VERBS.has(verb) ? verb : 'unknown'
}
