import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { type Log, silentLog } from '../../src/base/index.ts'
import { hashedAddresses } from '../../src/bridge/index.ts'
import { newTlsKey } from '../../src/pki/index.ts'
import { writeCertificate } from '../../src/pki/x509.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { startAedes } from '../support/aedes-broker.ts'
import { Mosquitto, templateLines } from '../support/mosquitto.ts'
import { MqttBridge } from '../support/mqtt-bridge.ts'
import { MqttUser } from '../support/mqtt-user.ts'
import { until } from '../support/until.ts'

const stops: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

let index = 740
async function router(): Promise<EmulatedRouter> {
  const started = await startRouter({ index: index++, profile: 'v7.18' })
  stops.push(() => started.close())
  return started
}

async function mosquitto(lines?: readonly string[]): Promise<Mosquitto> {
  const broker = await Mosquitto.start(lines)
  stops.push(() => broker.stop())
  return broker
}

async function bridgeAt(port: number, options: Partial<Parameters<typeof MqttBridge.start>[0]> = {}) {
  const bridge = await MqttBridge.start({ url: `mqtt://127.0.0.1:${port}`, ...options })
  stops.push(() => bridge.stop())
  return bridge
}

async function userAt(...args: Parameters<typeof MqttUser.at>): Promise<MqttUser> {
  const user = await MqttUser.at(...args)
  stops.push(() => user.end())
  return user
}

const topic = (rest: string, id = 'r1') => `network/mikrotik/${id}/${rest}`
const isOnline = (text: string) => text === 'online'

it('telemetry has units, events come as they happen, and addresses of hardware are hashed where that is wanted', async () => {
  const { port } = await mosquitto()
  const user = await userAt(port)
  const emulated = await router()
  const privacy = hashedAddresses(Buffer.alloc(32, 7))
  const bridge = await bridgeAt(port, { telemetryMs: 200, privacy })
  bridge.serve('r1', emulated)
  const metric = async (name: string, is: (text: string) => boolean = () => true) =>
    JSON.parse(await user.last(topic(`telemetry/${name}`), is))
  expect(await metric('cpu_load')).toMatchObject({ ts: expect.any(String), unit: '%', value: expect.any(Number) })
  expect(await metric('memory_free')).toMatchObject({ unit: 'KiB' })
  expect(await metric('uptime')).toMatchObject({ unit: 's' })
  const traffic = await metric('traffic', (text) => /"tx_bps":[1-9]/.test(text) || text.includes('"rx_bps":0'))
  expect(traffic.unit).toBe('bit/s')
  await until(() => user.texts(topic('state/online')).includes('online'))
  const mac = '02:00:00:00:AB:01'
  // The first look at a thing shows no change: the client comes and goes, each time for longer than from look to look.
  await until(
    () => {
      if (user.texts(topic('event/client_joined')).length > 0) return true
      if (emulated.store.find(emulated.clientTable, 'mac-address', mac) === undefined) emulated.join(mac, 'wifi1', -61)
      else emulated.part(mac)
      return false
    },
    100_000,
    12_000,
  )
  if (emulated.store.find(emulated.clientTable, 'mac-address', mac) === undefined) emulated.join(mac, 'wifi1', -61)
  const joined = await user.last(topic('event/client_joined'))
  expect(JSON.parse(joined)).toMatchObject({ mac: expect.stringMatching(/^mac-[0-9a-f]{16}$/), ts: expect.any(String) })
  const rssi = await metric('wifi_rssi', (text) => text.includes(JSON.parse(joined).mac))
  expect(rssi).toMatchObject({ unit: 'dBm' })
  expect(rssi.values).toContainEqual({
    mac: JSON.parse(joined).mac,
    interface: 'wifi1',
    ssid: expect.any(String),
    value: -61,
    path: expect.stringMatching(/^Device\.WiFi\.AccessPoint\.\d+\.AssociatedDevice\.\d+\.$/),
  })
  emulated.part(mac)
  await user.last(topic('event/client_left'))
  let isUp = false
  const hasFlapped = () => ['link_up', 'link_down'].every((name) => user.texts(topic(`event/${name}`)).length > 0)
  await until(
    () => {
      emulated.setLink('ether3', isUp)
      isUp = !isUp
      return hasFlapped()
    },
    30_000,
    500,
  )
  expect(JSON.parse(await user.last(topic('event/link_up')))).toMatchObject({ interface: 'ether3' })
  expect(user.heard.some(({ text }) => /([0-9A-F]{2}:){5}[0-9A-F]{2}/i.test(text))).toBe(false)
})

it('a broker that goes and comes back has all states again, and what happened meanwhile', async () => {
  const broker = await mosquitto()
  const emulated = await router()
  const bridge = await bridgeAt(broker.port)
  bridge.serve('r1', emulated)
  const user = await userAt(broker.port)
  await user.last(topic('state/online'), isOnline)
  await broker.kill()
  await until(() => !bridge.hub.counts.connected)
  emulated.close()
  const other = await router()
  bridge.serve('r2', other)
  await until(() => bridge.hub.counts.routers === 2)
  await broker.again()
  const again = await userAt(broker.port)
  await again.last('network/mikrotik/_bridge/state', isOnline)
  await again.last(topic('state/online'), (text) => text === 'offline')
  await again.last(topic('state/online', 'r2'), isOnline)
  await again.last(topic('state/info', 'r2'))
  expect(await again.command('r2', 'identity_set', { name: 'after' })).toMatchObject({ status: 'done' })
  expect(await again.command('r1', 'identity_set', { name: 'after' })).toMatchObject({ status: 'denied', code: 7003 })
})

it('a flood for one router is dropped, and another router is served as before', async () => {
  const { port } = await mosquitto()
  const user = await userAt(port)
  const bridge = await bridgeAt(port)
  bridge.serve('r1', await router())
  const quiet = await router()
  bridge.serve('r2', quiet)
  await user.last(topic('state/online'), isOnline)
  await user.last(topic('state/online', 'r2'), isOnline)
  const flood = Array.from({ length: 500 }, () => user.send(topic('command/get'), '{"id":1}'))
  expect(await user.command('r2', 'identity_set', { name: 'quiet' })).toMatchObject({ status: 'done' })
  await Promise.all(flood)
  expect(await user.command('r2', 'identity_set', { name: 'quieter' })).toMatchObject({ status: 'done' })
  expect(user.texts(topic('response/get')).length).toBeLessThan(150)
})

it('finds that a broker knows MQTT 3.1.1 alone, and its Last Will comes when the bridge is cut off', async () => {
  const { broker, port, stop } = await startAedes()
  stops.push(stop)
  const clients: { conn: { destroy(): void }; id: string }[] = []
  broker.on('client', (client) => clients.push(client))
  const user = await userAt(port)
  const bridge = await bridgeAt(port)
  await until(() => bridge.hub.counts.connected)
  await user.last('network/mikrotik/_bridge/state', isOnline)
  clients.find(({ id }) => id.startsWith('isthmus-'))?.conn.destroy()
  await user.last('network/mikrotik/_bridge/state', (text) => text === 'offline')
  await until(() => user.texts('network/mikrotik/_bridge/state').at(-1) === 'online')
  expect(user.texts('network/mikrotik/_bridge/state')).toEqual(['online', 'offline', 'online'])
})

const NAMES = ['isthmus-bridge', 'isthmus-operator', 'isthmus-viewer', 'r1'] as const

it('with the rights of docs/deploy mosquitto lets nobody but the operator send commands', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-acl-'))
  stops.push(() => rmSync(dir, { recursive: true, force: true }))
  const passwords = join(dir, 'passwords')
  writeFileSync(passwords, NAMES.map((name) => `${name}:secret-${name}\n`).join(''), { mode: 0o600 })
  execFileSync('mosquitto_passwd', ['-U', passwords])
  const acl = join(dir, 'acl')
  writeFileSync(acl, `${templateLines('mosquitto.acl').join('\n')}\n`, { mode: 0o600 })
  const { port } = await mosquitto(['allow_anonymous false', `password_file ${passwords}`, `acl_file ${acl}`])
  await rightsHold(port)
})

it('with the rights of docs/deploy aedes lets nobody but the operator send commands', async () => {
  const template = pathToFileURL(resolve(import.meta.dirname, '../../docs/deploy/aedes-acl.mjs')).href
  const rights: object = await import(template)
  const { port, stop } = await startAedes({
    ...rights,
    authenticate: (client, username, password, done) => {
      const isTrue = `${password}` === `secret-${username}`
      if (isTrue) Object.assign(client, { user: username })
      done(null, isTrue)
    },
  })
  stops.push(stop)
  await rightsHold(port)
})

/** The bridge and the operator work; a viewer, a router and a tenant send no command. */
async function rightsHold(port: number): Promise<void> {
  const as = (name: string, filter: string) =>
    userAt(port, { protocolVersion: 4, username: name, password: `secret-${name}` }, filter)
  const operator = await as('isthmus-operator', 'network/mikrotik/+/response/#')
  const own = await as('r1', topic('state/+'))
  const emulated = await router()
  const bridge = await bridgeAt(port, { level: 4, username: 'isthmus-bridge', password: 'secret-isthmus-bridge' })
  bridge.serve('r1', emulated)
  await own.last(topic('state/online'), isOnline)
  const name = () => emulated.store.table('/system/identity')[0]?.values.name
  expect(await operator.command('r1', 'identity_set', { name: 'by the operator' })).toMatchObject({ status: 'done' })
  for (const user of ['r1', 'isthmus-viewer', 'isthmus-bridge']) {
    const sender = await as(user, user === 'isthmus-bridge' ? 'network/mikrotik/+/command/+' : topic('state/+'))
    const command = { id: '00000000-0000-4000-8000-000000000001', ts: new Date().toISOString(), args: { name: user } }
    // A broker acknowledges what it does not pass on, or ends the connection.
    await Promise.race([
      sender.send(topic('command/identity_set'), JSON.stringify(command)).catch(() => undefined),
      new Promise<void>((resolve) => sender.client.once('close', () => resolve())),
    ])
  }
  expect(await operator.command('r1', 'identity_set', { name: 'by the operator again' })).toMatchObject({
    status: 'done',
  })
  expect(name()).toBe('by the operator again')
  const ids = operator.texts(topic('response/identity_set')).map((text) => JSON.parse(text).id)
  expect(ids).not.toContain('00000000-0000-4000-8000-000000000001')
  expect(own.heard.every((one) => one.topic.startsWith(topic('state/')))).toBe(true)
}

it('shows a certificate over TLS, and connects to no broker that its CA does not vouch for', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-tls-'))
  stops.push(() => rmSync(dir, { recursive: true, force: true }))
  const authority = newTlsKey()
  const publicOf = (key: string): KeyObject => createPublicKey(createPrivateKey(key))
  let serial = 1
  const issue = (use: 'authority' | 'server' | 'client', commonName: string, key: string, names: string[] = []) =>
    writeCertificate({
      use,
      commonName,
      names,
      publicKey: publicOf(key),
      issuer: { commonName: 'test authority', key: authority },
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 3_600_000,
      serial: Uint8Array.of(serial++),
    })
  const ca = issue('authority', 'test authority', authority)
  const [serverKey, clientKey] = [newTlsKey(), newTlsKey()]
  const files = {
    cafile: ca,
    certfile: issue('server', 'localhost', serverKey, ['localhost', '127.0.0.1']),
    keyfile: serverKey,
  }
  const lines = Object.entries(files).map(([name, pem]) => {
    const path = join(dir, name)
    writeFileSync(path, pem, { mode: 0o600 })
    return `${name} ${path}`
  })
  const others = templateLines('mosquitto.conf').filter(
    (line) => !/^(listener|password_file|acl_file|cafile|certfile|keyfile) /.test(line),
  )
  expect(others.length).toBeGreaterThan(2)
  lines.push(...others)
  const { port } = await mosquitto([...lines, 'require_certificate true', 'use_identity_as_username true'])
  const url = `mqtts://localhost:${port}`
  const certificate = issue('client', 'isthmus-bridge', clientKey)
  const trusting = await bridgeAt(port, { url, ca, certificate, key: clientKey })
  const reasons: unknown[] = []
  const log: Log = { ...silentLog, warn: (fields) => void reasons.push(fields.reason), child: () => log }
  const stranger = await bridgeAt(port, { url, certificate, key: clientKey, log })
  await until(() => trusting.hub.counts.connected && reasons.length > 0)
  expect(reasons[0]).toMatch(/certificate/)
  expect(stranger.hub.counts.connected).toBe(false)
})
