/** A message for the broker. */
export interface OutgoingMessage {
  readonly topic: string
  readonly payload: string
  /** 0: it may be lost. 1: the broker has acknowledged it when it counts as sent. */
  readonly qos: 0 | 1
  readonly retain: boolean
  /** Correlation Data (MQTT 5, 4.10), for a response. */
  readonly correlation?: Buffer
}

/** A message of the broker. */
export interface IncomingMessage {
  readonly topic: string
  readonly payload: Buffer
  /** True when the broker has kept it for new subscribers, or it was sent to be kept. */
  readonly isRetained: boolean
  /** True when the broker may have sent it before (DUP of MQTT 3.1.1, 3.3.1.1). */
  readonly isRepeated: boolean
  /** Response Topic and Correlation Data (MQTT 5, 4.10). */
  readonly responseTopic?: string
  readonly correlation?: Buffer
}

export interface BrokerEvents {
  /**
   * Takes a message. The broker gets its acknowledgement, and the next message is read, when the promise resolves; one
   * that rejects ends the connection without an acknowledgement.
   */
  onMessage(message: IncomingMessage): void | Promise<void>
  /** Once, when the connection is gone; not after `end`. */
  onClose(reason: string): void
}

/** An open connection to a broker. */
export interface BrokerConnection {
  /** Resolves when the message is sent, one with QoS 1 when it is acknowledged; rejects when the connection is gone. */
  publish(message: OutgoingMessage): Promise<void>
  /** Resolves when the broker has granted all of the subscriptions; rejects when it has not. */
  subscribe(filters: readonly string[]): Promise<void>
  /** Takes leave of the broker, so that it publishes no Last Will. Never rejects. */
  end(): Promise<void>
}

/** The protocol levels of MQTT 3.1.1 and of MQTT 5. */
export type MqttLevel = 4 | 5

/** A broker that has refused a connection, or could not be reached. */
export class BrokerRefusal extends Error {
  /** True when another version of MQTT may be accepted. */
  readonly isVersion: boolean

  constructor(text: string, isVersion: boolean) {
    super(text)
    this.isVersion = isVersion
  }
}

/** Opens one connection; BrokerRefusal. */
export type DialBroker = (level: MqttLevel, events: BrokerEvents) => Promise<BrokerConnection>
