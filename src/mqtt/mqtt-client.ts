import { connect, ErrorWithSubackPacket, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { errorText } from '../base/index.ts'
import {
  type BrokerConnection,
  type BrokerEvents,
  BrokerRefusal,
  type DialBroker,
  type IncomingMessage,
  type MqttLevel,
  type OutgoingMessage,
} from './broker-port.ts'

/** The settings of the connection to a broker. */
interface BrokerSettings {
  /** mqtt:, mqtts:, ws: or wss:. */
  url: string
  clientId: string
  username?: string
  password?: string
  /** PEM: certificates by which the broker is trusted, and the certificate of this side with its key. */
  ca?: string
  certificate?: string
  key?: string
  /** The topic that has `online`, and by the Last Will `offline`; undefined: there is no Last Will. */
  stateTopic?: string
  /** The broker keeps messages of QoS 1 for this client while it is away. */
  keepsSession?: boolean
  /** Bytes of a packet that a broker of MQTT 5 may send: it drops larger ones. */
  maxPacket?: number
}

const CONNECT_MS = 15_000
const KEEPALIVE_S = 30
const END_MS = 2000
const MAX_PACKET = 65_536
/** Seconds for which a broker of MQTT 5 keeps messages for a client that is away; one of 3.1.1 decides itself. */
const KEPT_S = 86_400
/** The first reason code of a subscription that is refused (MQTT 5, 3.9.3; MQTT 3.1.1 has no other). */
const REFUSED = 128
/** Unsupported Protocol Version in MQTT 3.1.1 (3.2.2.3) and in MQTT 5 (3.2.2.2). */
const VERSION_CODES = [1, 0x84]

/** Returns the function that connects to a broker, once for each call: the caller decides when to try again. */
export function brokerDialler(settings: BrokerSettings): DialBroker {
  return (level, events) =>
    new Promise((resolve, reject) => {
      const client = connect(settings.url, optionsOf(settings, level))
      const connection = new OpenBroker(client, level, events)
      let failure: Error | undefined
      client.on('error', (error) => {
        failure ??= error
      })
      // Called for each message before it is acknowledged.
      client.handleMessage = (packet, done) => {
        connection.take(packet).then(
          () => done(),
          (error: unknown) => {
            failure ??= error instanceof Error ? error : new Error(String(error))
            client.end(true)
          },
        )
      }
      client.once('connect', () => resolve(connection))
      client.on('close', () => {
        client.end(true)
        reject(refusalOf(failure))
        connection.lost(failure === undefined ? 'the broker has closed the connection' : errorText(failure))
      })
    })
}

function optionsOf(settings: BrokerSettings, level: MqttLevel): IClientOptions {
  const { clientId, username, password, ca, certificate, key, stateTopic, keepsSession = false } = settings
  const properties = {
    maximumPacketSize: settings.maxPacket ?? MAX_PACKET,
    ...(keepsSession ? { sessionExpiryInterval: KEPT_S } : {}),
  }
  return {
    clientId,
    clean: !keepsSession,
    protocolVersion: level,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    connectTimeout: CONNECT_MS,
    keepalive: KEEPALIVE_S,
    rejectUnauthorized: true,
    ...(stateTopic === undefined
      ? {}
      : { will: { topic: stateTopic, payload: Buffer.from('offline'), qos: 1 as const, retain: true } }),
    ...(level === 5 ? { properties } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  }
}

function refusalOf(error: Error | undefined): BrokerRefusal {
  if (error === undefined) return new BrokerRefusal('the broker has closed the connection before it answered', true)
  const isVersion = 'code' in error && typeof error.code === 'number' && VERSION_CODES.includes(error.code)
  return new BrokerRefusal(errorText(error), isVersion)
}

/** Returns true for the answer of a broker that has granted less than it was asked for. */
function isRefusal(error: Error | null): boolean {
  if (!(error instanceof ErrorWithSubackPacket)) return false
  return error.packet.granted.some((code) => Number(code) >= REFUSED)
}

class OpenBroker implements BrokerConnection {
  readonly #client: MqttClient
  readonly #level: MqttLevel
  readonly #events: BrokerEvents
  /** Messages that wait for their acknowledgement: they fail with the connection. */
  readonly #waiting = new Set<(error: Error) => void>()
  #isClosed = false

  constructor(client: MqttClient, level: MqttLevel, events: BrokerEvents) {
    this.#client = client
    this.#level = level
    this.#events = events
  }

  publish({ topic, payload, qos, retain, correlation }: OutgoingMessage): Promise<void> {
    const properties =
      correlation === undefined || this.#level === 4 ? {} : { properties: { correlationData: correlation } }
    return this.#settled((done) => this.#client.publish(topic, payload, { qos, retain, ...properties }, done))
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    // Retain As Published: a command that was sent to be kept is known as one also when it comes at once.
    const options = this.#level === 5 ? { qos: 1 as const, rap: true } : { qos: 1 as const }
    let isRefused = false
    await this.#settled((done) =>
      this.#client.subscribe([...filters], options, (error, granted) => {
        isRefused = isRefusal(error) || (granted?.some(({ qos }) => qos >= REFUSED) ?? false)
        done(isRefused ? undefined : (error ?? undefined))
      }),
    )
    if (isRefused) throw new BrokerRefusal(`the broker refuses a subscription to ${filters.join(', ')}`, false)
  }

  end(): Promise<void> {
    this.#close('the connection was ended on this side')
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, END_MS)
      this.#client.end(false, {}, () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Takes a message of the broker; resolves when it may be acknowledged. */
  async take(packet: IPublishPacket): Promise<void> {
    if (!this.#isClosed) await this.#events.onMessage(messageOf(packet))
  }

  /** The connection is gone. */
  lost(reason: string): void {
    if (this.#isClosed) return
    this.#close(reason)
    this.#events.onClose(reason)
  }

  #close(reason: string): void {
    this.#isClosed = true
    for (const fail of this.#waiting) fail(new BrokerRefusal(reason, false))
    this.#waiting.clear()
  }

  #settled(send: (done: (error?: Error) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new BrokerRefusal('the connection to the broker is gone', false))
      this.#waiting.add(reject)
      send((error) => {
        this.#waiting.delete(reject)
        if (error === undefined || error === null) resolve()
        else reject(error)
      })
    })
  }
}

function messageOf({ topic, payload, retain, dup, properties }: IPublishPacket): IncomingMessage {
  const { responseTopic, correlationData } = properties ?? {}
  return {
    topic,
    payload: Buffer.isBuffer(payload) ? payload : Buffer.from(payload),
    isRetained: retain,
    isRepeated: dup,
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlation: Buffer.from(correlationData) }),
  }
}
