import { expect, it } from 'vitest'
import { hashedAddresses } from '../../../../src/bridge/mqtt/privacy.ts'
import { Topics, topicIdOf } from '../../../../src/bridge/mqtt/topics.ts'
import { trafficMetric } from '../../../../src/bridge/mqtt/traffic.ts'

const topics = new Topics('network/mikrotik')

it('a router has its id in topics, and one of a file its address and port', () => {
  expect(topicIdOf('01J9ZK')).toBe('01J9ZK')
  expect(topicIdOf('192.0.2.1|8728')).toBe('192-0-2-1-8728')
  expect(topicIdOf('2001:db8::1|')).toBe('2001-db8-1')
  expect(topicIdOf('_bridge')).toBeUndefined()
  expect(topicIdOf('x'.repeat(65))).toBeUndefined()
  expect(topicIdOf('|||')).toBeUndefined()
})

it('a command is one level below command, of a router with a name', () => {
  expect(topics.commandAt('network/mikrotik/r1/command/reboot')).toEqual({ id: 'r1', verb: 'reboot' })
  for (const topic of ['r1/command/a/b', 'r 1/command/a', 'r1/response/a', 'r1/command/', 'r1/command/A', '/command/a'])
    expect(topics.commandAt(`network/mikrotik/${topic}`)).toBeUndefined()
  expect(topics.commandAt('network/mikrotikx/r1/command/reboot')).toBeUndefined()
})

it('a Response Topic lies below the responses of the router', () => {
  expect(topics.isResponse('r1', 'network/mikrotik/r1/response/app/7')).toBe(true)
  for (const topic of [
    'r1/state/online',
    'r1/command/reboot',
    'r2/response/x',
    'r1/response/',
    'r1/response/#',
    'r1/response/+',
  ])
    expect(topics.isResponse('r1', `network/mikrotik/${topic}`)).toBe(false)
})

it('an address of hardware has the same hash wherever and however it is written, and another with another key', () => {
  const privacy = hashedAddresses(Buffer.alloc(32, 1))
  const { a, b, c } = privacy({ a: 'AA:BB:CC:00:11:22', b: ['x aa-bb-cc-00-11-22 y'], c: { 'aa:bb:cc:00:11:22': 1 } })
  expect(a).toMatch(/^mac-[0-9a-f]{16}$/)
  expect(b).toEqual([`x ${a} y`])
  expect(c).toEqual({ [a]: 1 })
  expect(hashedAddresses(Buffer.alloc(32, 2))('AA:BB:CC:00:11:22')).not.toBe(a)
})

it('traffic is bit/s since the last reading; counters that begin anew have none', async () => {
  let [received, sent] = ['1000', '500']
  const model = {
    instances: async (table: string) => (table === 'Device.Ethernet.Interface.' ? [`${table}1.`] : []),
    get: async (paths: readonly string[]) =>
      new Map(
        paths.map((path) => [path, path.endsWith('Name') ? 'ether1' : path.endsWith('Received') ? received : sent]),
      ),
  }
  const { read } = trafficMetric()
  expect(await read(model, 0)).toBeUndefined()
  received = '2000'
  expect(await read(model, 2000)).toEqual({
    unit: 'bit/s',
    values: [
      {
        interface: 'ether1',
        rx_bps: 4000,
        tx_bps: 0,
        rx_bytes: 2000,
        tx_bytes: 500,
        path: 'Device.Ethernet.Interface.1.',
      },
    ],
  })
  sent = '0'
  expect(await read(model, 4000)).toBeUndefined()
})
