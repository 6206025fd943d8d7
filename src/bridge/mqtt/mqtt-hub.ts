import { type Clock, type Lifecycle, type Log, limitLines, type Random } from '../../base/index.ts'
import {
  BrokerLink,
  type DialBroker,
  type IncomingMessage,
  type MqttLevel,
  type OutgoingMessage,
} from '../../mqtt/index.ts'
import { CommandBudgets } from './command-intake.ts'
import { Outbox } from './outbox.ts'
import type { Privacy } from './privacy.ts'
import { PublishedRouter, type PublishingParts } from './published-router.ts'
import type { ServedRouter } from './served-router.ts'
import { type Topics, topicIdOf } from './topics.ts'

interface MqttHubParts {
  dial: DialBroker
  /** The version of MQTT; undefined: 5, and 3.1.1 at a broker that knows no other. */
  level?: MqttLevel | undefined
  topics: Topics
  privacy: Privacy
  telemetryMs: number
  clock: Clock
  random: Random
  log: Log
}

/** The lane of the bridge itself: no router has this name. */
const OWN_LANE = '_bridge'
/** Milliseconds for the last messages when the bridge stops. */
const LAST_MS = 3000
const LOOK_MS = 20
const LINES_PER_MINUTE = 3

/** The routers of a bridge on MQTT, over one connection to the broker. */
export class MqttHub implements Lifecycle {
  readonly name = 'mqtt'
  readonly #parts: MqttHubParts
  readonly #link: BrokerLink
  readonly #outbox = new Outbox()
  readonly #budgets: CommandBudgets
  readonly #log: Log
  /** By the id of their rows, and by their names in topics. */
  readonly #rows = new Map<string, PublishedRouter>()
  readonly #names = new Map<string, PublishedRouter>()
  #isStopped = false

  constructor(parts: MqttHubParts) {
    this.#parts = parts
    const { topics, clock, log } = parts
    this.#log = limitLines(log, clock, LINES_PER_MINUTE)
    this.#budgets = new CommandBudgets(clock)
    this.#link = new BrokerLink({
      ...parts,
      filters: [topics.commands],
      onMessage: (message) => this.#take(message),
      onUp: (connection) => {
        this.#publishBridge('online')
        for (const router of this.#rows.values()) router.publishState()
        this.#outbox.open((message) => connection.publish(message))
      },
      onDown: () => this.#outbox.close(),
    })
  }

  /** The connection to the broker, and the messages that wait for it and were lost. */
  get counts(): { connected: boolean; routers: number; waiting: number; dropped: number } {
    const { waiting, dropped } = this.#outbox
    return { connected: this.#link.isUp, routers: this.#rows.size, waiting, dropped }
  }

  async start(): Promise<void> {
    this.#link.start()
  }

  /** Says that the bridge is offline, and ends the connection. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const router of this.#rows.values()) router.stop()
    this.#publishBridge('offline')
    const { clock } = this.#parts
    for (let left = LAST_MS; left > 0 && this.#link.isUp && !this.#outbox.isEmpty; left -= LOOK_MS)
      await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve))
    await this.#link.stop()
    this.#outbox.close()
  }

  /** Takes a router as it is now; one that is not to be published is removed. `served`: its Agent is up. */
  show(row: { id: string; mqtt: boolean }, isReached: boolean, served: ServedRouter | undefined): void {
    if (this.#isStopped) return
    if (!row.mqtt) return this.leave(row.id)
    const known = this.#rows.get(row.id) ?? this.#add(row.id)
    known?.show(isReached, served)
  }

  /** A router has restarted. */
  booted(rowId: string): void {
    this.#rows.get(rowId)?.booted()
  }

  /** A router is not published any more. */
  leave(rowId: string): void {
    const router = this.#rows.get(rowId)
    if (router === undefined || this.#isStopped) return
    router.remove()
    this.#rows.delete(rowId)
    this.#names.delete(router.id)
  }

  #add(rowId: string): PublishedRouter | undefined {
    const { topics, clock, log } = this.#parts
    const id = topicIdOf(rowId)
    if (id === undefined || this.#names.has(id)) {
      this.#log.warn({ router: rowId, topic: id }, 'a router is not published: its name in topics is not of its own')
      return undefined
    }
    const parts: PublishingParts = {
      ...this.#parts,
      topics,
      budgets: this.#budgets,
      isUp: () => this.#link.isUp,
      put: (message: OutgoingMessage) => this.#outbox.put(id, message),
      log: limitLines(log.child({ router: rowId }), clock, LINES_PER_MINUTE),
    }
    const router = new PublishedRouter(id, parts)
    this.#rows.set(rowId, router)
    this.#names.set(id, router)
    router.publishState()
    return router
  }

  #publishBridge(payload: 'online' | 'offline'): void {
    this.#outbox.put(OWN_LANE, { topic: this.#parts.topics.bridgeState, payload, qos: 1, retain: true })
  }

  /** A command for a router that is not there is no concern of this bridge. */
  #take(message: IncomingMessage): void {
    const at = this.#parts.topics.commandAt(message.topic)
    const router = at === undefined ? undefined : this.#names.get(at.id)
    if (at === undefined || router === undefined) {
      this.#log.warn({}, 'a message is for no router of this bridge')
      return
    }
    void router.take(message, at.verb)
  }
}
