import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { MqttHub, NO_PRIVACY, Topics } from '../../src/bridge/index.ts'
import type { DeviceId } from '../../src/domain/index.ts'
import { brokerDialler } from '../../src/mqtt/index.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { startAedes } from '../support/aedes-broker.ts'
import { Mosquitto, templateLines } from '../support/mosquitto.ts'
import { MqttUser } from '../support/mqtt-user.ts'
import { startServedBridge } from '../support/served-bridge.ts'
import { type ServerWithStore, startServerWithStore, startTestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface ParameterView {
  path: string
  value: string
  source: string
  collectedAt: string
}
interface EventView {
  type: string
  data: { source?: string; event?: string; command?: string; status?: string; routerId?: string; params?: object }
}

const stops: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function mosquitto(lines?: readonly string[]): Promise<Mosquitto> {
  const broker = await Mosquitto.start(lines)
  stops.push(() => broker.stop())
  return broker
}

async function aedes(options: Parameters<typeof startAedes>[0] = {}): Promise<{ port: number }> {
  const broker = await startAedes(options)
  stops.push(() => broker.stop())
  return broker
}

async function serverAt(port: number, version: 'auto' | '5' | '3.1.1', more: object = {}): Promise<ServerWithStore> {
  const world = await startServerWithStore(inject('mongodbUri'), {
    plainUsp: 'false',
    telemetryUrl: `mqtt://127.0.0.1:${port}`,
    telemetryVersion: version,
    ...more,
  })
  stops.push(() => world.stop())
  return world
}

let names = 0
/** A bridge that the server knows, and that publishes at the broker with its id in the prefix. */
async function bridgeAt(port: number, { server, call }: ServerWithStore, level: 4 | 5, hasLogin = false) {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-telemetry-'))
  stops.push(() => rmSync(dir, { recursive: true, force: true }))
  const { body } = await call<{ id: string; token: string }>('POST', '/bridges', { name: `telemetry ${++names}` })
  const prefix = `network/mikrotik/${body.id}`
  const topics = new Topics(prefix)
  const login = hasLogin ? { username: body.id, password: `secret-${body.id}` } : {}
  const url = `mqtt://127.0.0.1:${port}`
  const settings = { url, clientId: `bridge-${body.id}`, stateTopic: topics.bridgeState, ...login }
  const hub = new MqttHub({
    dial: brokerDialler(settings),
    level,
    topics,
    privacy: NO_PRIVACY,
    telemetryMs: 500,
    clock: systemClock,
    random: { ...systemRandom, fraction: () => 0 },
    log: silentLog,
  })
  const fleet = await startServedBridge(server.apiUrl, dir, body.token, hub)
  await hub.start()
  stops.push(
    () => fleet.stop(),
    () => hub.stop(),
  )
  const add = async (router: EmulatedRouter) => {
    const login = { username: 'admin', password: '' }
    const row = { address: '127.0.0.1', port: router.port, transport: 'api', login, mqtt: true }
    return (await call<{ id: string }>('POST', `/bridges/${body.id}/routers`, row)).body.id
  }
  const deviceOf = async (id: string) => {
    const read = async () =>
      (await call<{ deviceId?: string }>('GET', `/bridges/${body.id}/routers/${id}`)).body.deviceId ?? ''
    await until(async () => (await read()) !== '')
    return read()
  }
  return { id: body.id, prefix, hub, add, deviceOf }
}

let index = 800
async function emulated(): Promise<EmulatedRouter> {
  const router = await startRouter({ index: index++, profile: 'v7.18' })
  stops.push(() => router.close())
  return router
}

function recordOf({ call }: ServerWithStore, deviceId: string) {
  // There is no record until the Agent of the router is linked.
  const id = encodeURIComponent(deviceId)
  const values = async (prefix: string) =>
    (await call<{ items: ParameterView[] }>('GET', `/devices/${id}/parameters?path=${prefix}&limit=500`)).body.items ??
    []
  const events = async () => (await call<{ items: EventView[] }>('GET', `/events?deviceId=${id}`)).body.items ?? []
  return {
    value: async (path: string) =>
      (await values(path.slice(0, path.lastIndexOf('.') + 1))).find((one) => one.path === path),
    values,
    told: async () => (await events()).filter(({ data }) => data.source === 'mqtt').map(({ data }) => data),
  }
}

const CPU = 'Device.DeviceInfo.ProcessStatus.CPUUsage'

describe.each([
  { name: 'aedes, MQTT 3.1.1', broker: aedes, version: '3.1.1', level: 4 },
  { name: 'mosquitto, MQTT 3.1.1', broker: mosquitto, version: '3.1.1', level: 4 },
  { name: 'mosquitto, MQTT 5', broker: mosquitto, version: '5', level: 5 },
] as const)('telemetry over $name', ({ broker, version, level }) => {
  it('is in the record with its source and time, and events and responses are in the feed', async () => {
    const { port } = await broker()
    const world = await serverAt(port, version)
    const bridge = await bridgeAt(port, world, level)
    const router = await emulated()
    const rowId = await bridge.add(router)
    const record = recordOf(world, await bridge.deviceOf(rowId))
    await until(async () => (await record.value(CPU))?.source === 'mqtt')
    const ports = 'Device.Ethernet.Interface.'
    await until(async () => (await record.values(ports)).some(({ path }) => path.endsWith('.Stats.BytesReceived')))
    const named = (await record.values(ports)).filter(({ path }) => path.endsWith('.Name'))
    expect(named.map(({ value }) => value)).toContain('ether1')
    const user = await MqttUser.at(port, { protocolVersion: level })
    stops.push(() => user.end())
    const topic = (rest: string) => `${bridge.prefix}/${rowId}/${rest}`
    const id = '6f1b2c1e-8d0e-4f43-9a25-0d6f6a3a7c11'
    const ask = { id, ts: new Date().toISOString(), args: { path: 'Device.Time.' } }
    await user.send(topic('command/get'), JSON.stringify(ask))
    await until(async () => (await record.told()).some(({ command }) => command === 'get'))
    expect(await record.told()).toContainEqual(
      expect.objectContaining({ command: 'get', id, status: 'done', routerId: rowId }),
    )
    expect(await record.value('Device.Time.CurrentLocalTime')).toMatchObject({ source: 'mqtt' })
    router.close()
    await until(async () => (await record.told()).some(({ event }) => event === 'offline'))
  })
})

it('events that a broker keeps while the server is away are in the feed after its start, each once', async () => {
  const { port } = await mosquitto()
  const more = { telemetryClientId: 'isthmus-server' }
  const world = await serverAt(port, 'auto', more)
  const bridge = await bridgeAt(port, world, 5)
  const rowId = await bridge.add(await emulated())
  const deviceId = await bridge.deviceOf(rowId)
  await until(async () => (await recordOf(world, deviceId).value(CPU))?.source === 'mqtt')
  const { databaseName } = world.server
  await world.server.stop()
  const user = await MqttUser.at(port)
  stops.push(() => user.end())
  const event = JSON.stringify({ ts: new Date().toISOString(), interface: 'ether9' })
  for (let i = 0; i < 2; i++) await user.send(`${bridge.prefix}/${rowId}/event/link_up`, event)
  const again = await startTestServer(inject('mongodbUri'), {
    databaseName,
    secretKey: 'test',
    plainUsp: 'false',
    telemetryUrl: `mqtt://127.0.0.1:${port}`,
    ...more,
  })
  stops.push(() => again.stop())
  const told = async () => {
    const events = await world.store.events.ofDevice(deviceId as DeviceId, undefined, 500)
    return events.map(({ data }) => data).filter(({ params }) => JSON.stringify(params ?? '').includes('ether9'))
  }
  await until(async () => (await told()).length > 0)
  await user.send(`${bridge.prefix}/${rowId}/event/link_up`, event)
  await user.send(`${bridge.prefix}/${rowId}/event/link_down`, event)
  await until(async () => (await told()).some(({ event: name }) => name === 'link_down'))
  expect((await told()).map(({ event: name }) => name).sort()).toEqual(['link_down', 'link_up'])
})

describe('with the rights of docs/deploy a bridge speaks for itself alone', () => {
  it('at mosquitto', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'isthmus-acl-'))
    stops.push(() => rmSync(dir, { recursive: true, force: true }))
    const [passwords, acl] = [join(dir, 'passwords'), join(dir, 'acl')]
    writeFileSync(acl, `${templateLines('mosquitto-bridges.acl').join('\n')}\n`, { mode: 0o600 })
    writeFileSync(passwords, 'isthmus-server:secret-isthmus-server\n', { mode: 0o600 })
    execFileSync('mosquitto_passwd', ['-U', passwords])
    const broker = await mosquitto(['allow_anonymous false', `password_file ${passwords}`, `acl_file ${acl}`])
    await rightsHold(broker.port, async (name) => {
      execFileSync('mosquitto_passwd', ['-b', passwords, name, `secret-${name}`])
      await broker.kill()
      await broker.again()
    })
  })

  it('at aedes', async () => {
    const template = pathToFileURL(resolve(import.meta.dirname, '../../docs/deploy/aedes-bridges-acl.mjs')).href
    const rights: object = await import(template)
    const { port } = await aedes({
      ...rights,
      authenticate: (client, username, password, done) => {
        const isTrue = `${password}` === `secret-${username}`
        if (isTrue) Object.assign(client, { user: username })
        done(null, isTrue)
      },
    })
    await rightsHold(port, async () => undefined)
  })
})

/** The server hears each bridge; a bridge that publishes for another one is not heard. */
async function rightsHold(port: number, admit: (name: string) => Promise<void>): Promise<void> {
  const telemetryUsername = 'isthmus-server'
  const world = await serverAt(port, 'auto', { telemetryUsername, telemetryPassword: `secret-${telemetryUsername}` })
  const bridge = await bridgeAt(port, world, 4, true)
  await admit(bridge.id)
  const rowId = await bridge.add(await emulated())
  const record = recordOf(world, await bridge.deviceOf(rowId))
  await until(async () => (await record.value(CPU))?.source === 'mqtt')
  await admit('other')
  const event = (name: string) => JSON.stringify({ ts: new Date().toISOString(), interface: name })
  const send = async (name: string, text: string) => {
    const login = { protocolVersion: 4 as const, username: name, password: `secret-${name}` }
    const user = await MqttUser.at(port, login, `network/mikrotik/${name}/+/command/+`)
    stops.push(() => user.end())
    // A broker acknowledges what it does not pass on, or ends the connection.
    await Promise.race([
      user.send(`${bridge.prefix}/${rowId}/event/link_up`, text).catch(() => undefined),
      new Promise<void>((done) => user.client.once('close', () => done())),
    ])
    await user.end()
  }
  const names = async () => (await record.told()).map(({ params }) => JSON.stringify(params))
  await send('other', event('forged'))
  await until(async () => {
    await send(bridge.id, event('true'))
    return (await names()).some((params) => params.includes('true'))
  })
  expect((await names()).filter((params) => params.includes('forged'))).toEqual([])
}
