import { randomUUID } from 'node:crypto'
import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { until } from './until.ts'

/** A message as a subscriber has it. */
export interface Heard {
  topic: string
  text: string
  retain: boolean
  correlation: string | undefined
}

export interface Response {
  id: string | null
  status: string
  code?: number
  message?: string
  result?: Record<string, unknown> & { confirm?: string; values?: Record<string, string>; path?: string }
}

/** A person or program at the broker: sends commands, and hears all topics that it may. */
export class MqttUser {
  readonly heard: Heard[] = []
  readonly client: MqttClient

  private constructor(client: MqttClient) {
    this.client = client
    client.on('error', () => undefined)
    client.on('message', (topic: string, payload: Buffer, packet: IPublishPacket) =>
      this.heard.push({
        topic,
        text: payload.toString(),
        retain: packet.retain,
        correlation: packet.properties?.correlationData?.toString(),
      }),
    )
  }

  static async at(port: number, options: IClientOptions = {}, filter = '#'): Promise<MqttUser> {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 200, ...options })
    const user = new MqttUser(client)
    await client.subscribeAsync(filter, { qos: 1 })
    return user
  }

  /** Texts of a topic, in order. */
  texts(topic: string): string[] {
    return this.heard.filter((one) => one.topic === topic).map(({ text }) => text)
  }

  /** Waits for a message of a topic, and resolves with the last one. */
  async last(topic: string, is: (text: string) => boolean = () => true): Promise<string> {
    await until(() => this.texts(topic).some(is))
    return this.texts(topic).findLast(is) ?? ''
  }

  /** Sends a payload to a topic of commands. */
  async send(topic: string, payload: string | Buffer, retain = false, properties?: IPublishPacket['properties']) {
    await this.client.publishAsync(topic, payload, { qos: 1, retain, ...(properties ? { properties } : {}) })
  }

  /** Sends a command of a router, and resolves with its last response. */
  async command(router: string, verb: string, args: object = {}, more: object = {}): Promise<Response> {
    const id = randomUUID()
    const payload = { id, ts: new Date().toISOString(), args, ...more }
    await this.send(`network/mikrotik/${router}/command/${verb}`, JSON.stringify(payload))
    return this.ended(id, router, verb)
  }

  /** Waits for the end of a command. */
  async ended(id: string, router: string, verb: string): Promise<Response> {
    const text = await this.last(`network/mikrotik/${router}/response/${verb}`, (one) => {
      const response: Response = JSON.parse(one)
      return response.id === id && response.status !== 'accepted'
    })
    return JSON.parse(text)
  }

  async end(): Promise<void> {
    await this.client.endAsync(true)
  }
}
