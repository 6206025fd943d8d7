import fc from 'fast-check'
import { systemClock } from '../../src/base/index.ts'
import { CommandBudgets, CommandIntake } from '../../src/bridge/mqtt/command-intake.ts'
import type { MqttModel } from '../../src/bridge/mqtt/served-router.ts'
import { VERBS } from '../../src/bridge/mqtt/verbs.ts'
import { MARK, SECRET, type Sent, sendsOnlyListedWords, type Target, targetInMemory } from './hostile-requests.ts'
import { hostileText } from './hostile-words.ts'

/** A message to `command/<verb>`, in which `@id` and `@ts` stand for those of the moment. */
interface Payload {
  verb: string
  text: string
}

const text = fc.oneof(
  hostileText,
  hostileText.map((one) => one + MARK),
  fc.constantFrom(`ether1${MARK}`, 'stable', 'tcp', '192.0.2.7', 'Device.', 'Device.WiFi.', MARK),
)
const odd = fc.oneof(
  text,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 5 }),
  fc.jsonValue(),
)
const secret = fc.constantFrom(SECRET, `${SECRET}\n`, `${SECRET}${'x'.repeat(300)}`)
const port = fc.integer({ min: 0, max: 65_536 })

/** Values that a verb takes, most of the time. */
const GOOD: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  ping: { host: fc.constantFrom('192.0.2.9', 'host.example'), count: fc.integer({ min: 0, max: 21 }) },
  traceroute: { host: fc.constantFrom('192.0.2.9', '::1'), max_hops: fc.integer({ min: 1, max: 64 }) },
  wifi_set: {
    interface: fc.constantFrom('wifi1', 'wifi2', 'ether1'),
    ssid: text,
    key: secret,
    enabled: fc.boolean(),
    channel: fc.constantFrom(1, 36, 'auto', 300),
  },
  port_mapping_add: {
    protocol: fc.constantFrom('tcp', 'udp'),
    external_port: port,
    internal_client: fc.constantFrom('192.168.88.7', MARK),
    description: text,
    internal_port: port,
  },
  port_mapping_remove: { protocol: fc.constantFrom('tcp', 'udp'), external_port: port },
  interface_enable: { interface: fc.constantFrom('ether2', 'ether3', 'wifi1') },
  interface_disable: { interface: fc.constantFrom('ether2', 'ether3', 'wifi1', 'bridge') },
  dns_set: {
    servers: fc.uniqueArray(fc.constantFrom('192.0.2.1', '2001:db8::1', '198.51.100.2', MARK), { maxLength: 5 }),
  },
  identity_set: { name: text },
  upgrade: { channel: fc.constantFrom('stable', 'testing') },
  backup: { url: fc.constant('https://backup.example/x'), password: secret },
  get: {
    path: fc.constantFrom('Device.DeviceInfo.', 'Device.WiFi.*.', 'Device.NAT.', 'Device.WiFi.AccessPoint.*.Security.'),
  },
}

const payload: fc.Arbitrary<Payload> = fc
  .tuple(
    fc.oneof({ arbitrary: fc.constantFrom(...VERBS.keys()), weight: 9 }, { arbitrary: text, weight: 1 }),
    fc.dictionary(text, odd, { maxKeys: 1 }),
    fc.integer({ min: 0, max: 19 }),
    fc.oneof(fc.jsonValue(), text),
  )
  .chain(([verb, more, chance, other]) =>
    fc
      .record(
        Object.fromEntries(
          Object.entries(GOOD[verb] ?? {}).map(([name, good]) => [
            name,
            fc.oneof({ arbitrary: good, weight: 9 }, { arbitrary: odd, weight: 1 }),
          ]),
        ),
        chance < 16 ? {} : { requiredKeys: [] },
      )
      .map((args): Payload => {
        const frame = { id: '@id', ts: '@ts', args: chance % 5 === 0 ? { ...args, ...more } : args }
        if (chance === 19) return { verb, text: typeof other === 'string' ? other : JSON.stringify(other) }
        return { verb, text: JSON.stringify(chance === 18 ? { ...frame, ...more, confirm: MARK } : frame) }
      }),
  )

/** Sends random payloads to a router over MQTT, and checks every command that they lead to and all that is published. */
export async function payloadsSendOnlyListedWords(numRuns: number): Promise<Sent> {
  let count = 0
  const act = async ({ model, side }: Target, { verb, text }: Payload): Promise<string> => {
    const served: MqttModel = {
      supported: () => model.supported(),
      instances: (table) => model.instances(table),
      get: (paths) => model.get(paths),
      set: (values) => side.set(values),
      add: (rows) => side.add(rows),
      delete: (rows) => side.delete(rows),
      operate: (call) => side.operate(call),
    }
    const published: object[] = []
    const lines: string[] = []
    const take = (fields: unknown, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
    const log = {
      trace: take,
      debug: take,
      info: take,
      warn: take,
      error: take,
      child: () => log,
      isDebug: () => false,
    }
    const intake = new CommandIntake('router-1', new CommandBudgets(systemClock), { clock: systemClock, log })
    const id = `00000000-0000-4000-8000-${String(count++).padStart(12, '0')}`
    const payload = Buffer.from(text.replace('@id', id).replace('@ts', new Date().toISOString()))
    const respond = (response: object) => void published.push(response)
    await intake.take({ payload, isRetained: false }, verb, { model: served, respond, refusal: undefined })
    return JSON.stringify([published, lines])
  }
  return sendsOnlyListedWords(await targetInMemory(), payload, act, numRuns)
}
