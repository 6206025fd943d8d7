import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { startAedes } from '../support/aedes-broker.ts'
import { Mosquitto } from '../support/mosquitto.ts'
import { MqttBridge } from '../support/mqtt-bridge.ts'
import { MqttUser } from '../support/mqtt-user.ts'
import { until } from '../support/until.ts'

const stops: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

let index = 700
async function router(): Promise<EmulatedRouter> {
  const started = await startRouter({ index: index++, profile: 'v7.18' })
  stops.push(() => started.close())
  return started
}

async function mosquitto(): Promise<Mosquitto> {
  const broker = await Mosquitto.start()
  stops.push(() => broker.stop())
  return broker
}

async function aedes(): Promise<{ port: number }> {
  const broker = await startAedes()
  stops.push(() => broker.stop())
  return broker
}

async function bridgeAt(
  port: number,
  options: Partial<Parameters<typeof MqttBridge.start>[0]> = {},
  ...routers: Parameters<typeof MqttBridge.start>[1] & {}
) {
  const bridge = await MqttBridge.start({ url: `mqtt://127.0.0.1:${port}`, ...options }, routers)
  stops.push(() => bridge.stop())
  return bridge
}

async function userAt(port: number, version: 4 | 5 = 4): Promise<MqttUser> {
  const user = await MqttUser.at(port, { protocolVersion: version })
  stops.push(() => user.end())
  return user
}

const topic = (rest: string) => `network/mikrotik/r1/${rest}`

describe.each([
  { name: 'aedes, MQTT 3.1.1', broker: aedes, version: 4 },
  { name: 'mosquitto, MQTT 3.1.1', broker: mosquitto, version: 4 },
  { name: 'mosquitto, MQTT 5', broker: mosquitto, version: 5 },
] as const)('a router over $name', ({ broker, version }) => {
  async function world(policy: 'L0' | 'L1' | 'L3' = 'L1') {
    const { port } = await broker()
    const user = await userAt(port, version)
    const emulated = await router()
    const bridge = await bridgeAt(port, { level: version })
    bridge.serve('r1', emulated, { policy })
    await user.last(topic('state/online'), (text) => text === 'online')
    return { port, user, emulated, bridge }
  }

  it('says what it is, is set, and answers with what it has', async () => {
    const { user, emulated } = await world()
    expect(await user.last('network/mikrotik/_bridge/state')).toBe('online')
    expect(JSON.parse(await user.last(topic('state/info')))).toMatchObject({
      model: expect.any(String),
      version: expect.stringMatching(/^7\.18/),
    })
    expect(await user.command('r1', 'identity_set', { name: 'north 7' })).toMatchObject({ status: 'done' })
    expect(emulated.store.table('/system/identity')[0]?.values.name).toBe('north 7')
    const { result } = await user.command('r1', 'get', { path: 'Device.DeviceInfo.HostName' })
    expect(result).toEqual({ values: { 'Device.DeviceInfo.HostName': 'north 7' } })
    const responses = user.texts(topic('response/identity_set')).map((text) => JSON.parse(text).status)
    expect(responses).toEqual(['accepted', 'done'])
  })

  it('keeps the policy of its row, and wants a confirmation of what destroys', async () => {
    const { user, bridge, emulated } = await world('L0')
    expect(await user.command('r1', 'identity_set', { name: 'x' })).toMatchObject({ status: 'denied', code: 7006 })
    bridge.serve('r1', emulated, { policy: 'L3', revision: 9 })
    await until(async () => (await user.command('r1', 'identity_set', { name: 'x' })).status === 'done')
    const asked = await user.command('r1', 'factory_reset')
    expect(asked).toMatchObject({ status: 'denied', code: 7027, result: { confirm: expect.any(String) } })
    const done = await user.command('r1', 'factory_reset', {}, { confirm: asked.result?.confirm })
    expect(done).toMatchObject({ status: 'done' })
  })

  it('refuses old commands, those that were there before, and those that are no command', async () => {
    const { user, emulated } = await world()
    const now = () => new Date().toISOString()
    const send = async (payload: object | string) => {
      const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
      await user.send(topic('command/identity_set'), text)
    }
    const id = randomUUID()
    const args = { name: 'refused' }
    await send({ id, ts: new Date(Date.now() - 61_000).toISOString(), args })
    expect(await user.ended(id, 'r1', 'identity_set')).toMatchObject({ status: 'denied', code: 7002 })
    const late = randomUUID()
    await send({ id: late, ts: now(), expires: new Date(Date.now() - 1).toISOString(), args })
    expect(await user.ended(late, 'r1', 'identity_set')).toMatchObject({ status: 'denied', code: 7002 })
    const odd = randomUUID()
    await send({ id: odd, ts: now(), args, path: '/system/reboot' })
    expect(await user.ended(odd, 'r1', 'identity_set')).toMatchObject({ status: 'denied', code: 7004 })
    const once = randomUUID()
    await send({ id: once, ts: now(), args: { name: 'once' } })
    await user.ended(once, 'r1', 'identity_set')
    await send({ id: once, ts: now(), args })
    await until(() => user.texts(topic('response/identity_set')).filter((text) => text.includes(once)).length === 3)
    expect(JSON.parse(user.texts(topic('response/identity_set')).at(-1) ?? '')).toMatchObject({ status: 'denied' })
    await send(`{"id":"${'x'.repeat(17_000)}"}`)
    await user.last(topic('response/identity_set'), (text) => text.includes('larger than'))
    expect(emulated.store.table('/system/identity')[0]?.values.name).toBe('once')
  })

  it('refuses a command that the broker has kept, and answers below the Response Topic of the router alone', async () => {
    const { user, bridge, emulated, port } = await world()
    const command = () => ({ id: randomUUID(), ts: new Date().toISOString(), args: { name: 'kept' } })
    await bridge.stop()
    await user.send(topic('command/identity_set'), JSON.stringify(command()), true)
    await bridgeAt(port, { level: version }, ['r1', emulated])
    const text = await user.last(topic('response/identity_set'))
    expect(JSON.parse(text)).toMatchObject({ status: 'denied', message: expect.stringContaining('retained') })
    expect(emulated.store.table('/system/identity')[0]?.values.name).not.toBe('kept')
    if (version === 4) return
    const ask = (responseTopic: string) => {
      const own = { ...command(), args: { path: 'Device.DeviceInfo.HostName' } }
      const properties = { responseTopic, correlationData: Buffer.from('7') }
      return user.send(topic('command/get'), JSON.stringify(own), false, properties)
    }
    await user.last(topic('state/online'), (one) => one === 'online')
    await until(() => user.texts(topic('state/online')).at(-1) === 'online')
    await ask(topic('response/for-me'))
    expect(JSON.parse(await user.last(topic('response/for-me')))).toMatchObject({ status: 'done' })
    expect(user.heard.find((one) => one.topic === topic('response/for-me'))?.correlation).toBe('7')
    for (const foreign of ['network/mikrotik/r2/response/x', topic('state/online'), topic('command/reboot')]) {
      const before = user.texts(topic('response/get')).length
      await ask(foreign)
      await until(() => user.texts(topic('response/get')).length > before)
      expect(JSON.parse(user.texts(topic('response/get')).at(-1) ?? '')).toMatchObject({ status: 'denied', code: 7002 })
    }
  })
})

it('each verb does at the router what it says', async () => {
  const { port } = await aedes()
  const user = await userAt(port)
  const emulated = await router()
  const bridge = await bridgeAt(port)
  bridge.serve('r1', emulated, { policy: 'L3' })
  await user.last(topic('state/online'), (text) => text === 'online')
  const run = (verb: string, args: object = {}, more: object = {}) => user.command('r1', verb, args, more)
  const rows = (menu: string) => emulated.store.table(menu).map(({ values }) => values)
  expect(await run('ping', { host: '192.0.2.9', count: 1 })).toMatchObject({
    status: 'done',
    result: { Status: 'Complete' },
  })
  expect(await run('traceroute', { host: '192.0.2.9' })).toMatchObject({ status: 'done' })
  expect(await run('ping', { host: '127.0.0.1' })).toMatchObject({ status: 'denied', code: 7027 })
  const wifi = { interface: 'wifi1', ssid: 'guests', key: 'S3cr3tS3cr3t', channel: 40 }
  expect(await run('wifi_set', wifi)).toMatchObject({ status: 'done' })
  expect(rows('interface').find(({ name }) => name === 'wifi1')).toMatchObject({
    'configuration.ssid': 'guests',
    'security.passphrase': 'S3cr3tS3cr3t',
    'channel.frequency': '5200',
  })
  expect(await run('wifi_set', { interface: 'wifi99', enabled: true })).toMatchObject({ status: 'denied', code: 7016 })
  const rule = { protocol: 'tcp', external_port: 8080, internal_port: 80, internal_client: '192.168.88.7' }
  const added = await run('port_mapping_add', rule)
  expect(added).toMatchObject({ status: 'done', result: { path: expect.stringMatching(/PortMapping\.\d+\.$/) } })
  expect(rows('/ip/firewall/nat').filter((row) => row['dst-port'] === '8080')).toMatchObject([
    { protocol: 'tcp', 'to-addresses': '192.168.88.7', 'to-ports': '80' },
  ])
  const other = { ...rule, internal_client: '192.168.88.8' }
  expect(await run('port_mapping_add', other)).toMatchObject({ status: 'denied', code: 7025 })
  const removed = await run('port_mapping_remove', { protocol: 'tcp', external_port: 8080 })
  expect(removed).toMatchObject({ status: 'done', result: { path: added.result?.path } })
  expect(await run('port_mapping_remove', { path: added.result?.path })).toMatchObject({ status: 'denied', code: 7016 })
  const isOff = () => rows('interface').find(({ name }) => name === 'ether4')?.disabled
  expect(await run('interface_disable', { interface: 'ether4' })).toMatchObject({ status: 'done' })
  expect(isOff()).toBe('true')
  expect(await run('interface_enable', { interface: 'ether4' })).toMatchObject({ status: 'done' })
  expect(isOff()).toBe('false')
  expect(await run('dns_set', { servers: ['192.0.2.53', '198.51.100.53'] })).toMatchObject({ status: 'done' })
  expect(await run('dns_set', { servers: ['198.51.100.53'] })).toMatchObject({ result: { added: 0, removed: 1 } })
  expect(rows('/ip/dns')[0]?.servers).toBe('198.51.100.53')
  expect(await run('check_update')).toMatchObject({ status: 'done', result: { LatestVersion: expect.any(String) } })
  const backup = await run('backup', { url: 'https://backup.example/x', password: 'S3cr3tS3cr3t' })
  expect(backup).toMatchObject({ status: 'denied', code: 7027 })
  const upgrade = await run('upgrade', { channel: 'stable' })
  expect(upgrade).toMatchObject({ status: 'denied', code: 7027, result: { confirm: expect.any(String) } })
  expect(await run('reboot')).toMatchObject({ status: 'done' })
  await user.last(topic('event/reboot'))
  await until(() => user.texts(topic('state/online')).at(-1) === 'online')
  const responses = user.heard.filter((one) => one.topic.includes('/response/')).map(({ text }) => text)
  expect(responses.join()).not.toContain('S3cr3t')
})
