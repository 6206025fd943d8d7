import { afterEach, expect, it } from 'vitest'
import { brokerDialler, type IncomingMessage } from '../../src/mqtt/index.ts'
import { startAedes } from '../support/aedes-broker.ts'
import { Mosquitto } from '../support/mosquitto.ts'
import { MqttUser } from '../support/mqtt-user.ts'
import { until } from '../support/until.ts'

const stops: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function aedes(): Promise<{ port: number }> {
  const broker = await startAedes()
  stops.push(() => broker.stop())
  return broker
}

async function mosquitto(): Promise<Mosquitto> {
  const broker = await Mosquitto.start()
  stops.push(() => broker.stop())
  return broker
}

it.each([
  ['aedes, MQTT 3.1.1', aedes, 4, false],
  ['mosquitto, MQTT 3.1.1', mosquitto, 4, true],
  ['mosquitto, MQTT 5', mosquitto, 5, true],
] as const)(
  'a message that could not be taken is not acknowledged, and comes again: %s',
  async (_name, start, level, marks) => {
    const { port } = await start()
    const dial = brokerDialler({ url: `mqtt://127.0.0.1:${port}`, clientId: 'server', keepsSession: true })
    const taken: IncomingMessage[] = []
    const closed: string[] = []
    let isAway = true
    const events = {
      async onMessage(message: IncomingMessage) {
        if (isAway) throw new Error('the database is away')
        taken.push(message)
      },
      onClose: (reason: string) => void closed.push(reason),
    }
    const first = await dial(level, events)
    await first.subscribe(['a/+'])
    const user = await MqttUser.at(port)
    stops.push(() => user.end())
    await user.send('a/1', 'one')
    await user.send('a/2', 'two')
    await until(() => closed.length === 1)
    expect(closed).toEqual(['the database is away'])
    isAway = false
    const second = await dial(level, events)
    stops.push(() => second.end())
    await second.subscribe(['a/+'])
    await until(() => taken.length === 2)
    expect(taken.map(({ payload }) => payload.toString())).toEqual(['one', 'two'])
    // Not every broker marks what it sends again.
    expect(taken[0]?.isRepeated).toBe(marks)
  },
)
