import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import { BridgeIdentity, ServerClient } from '../../src/bridge/index.ts'
import { revokeIssued } from '../../src/desk/index.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/routeros/router.ts'
import { openWay } from '../support/router-way.ts'
import { startServedBridge } from '../support/served-bridge.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface RouterView {
  id: string
  deviceId?: string
  state?: { reachable: boolean; lastError?: string; identity?: { endpointId: string }; missingRights: string[] }
}
interface DeviceView {
  id: string
  presence: { usp: string }
  binding?: { proof: string }
  usp?: { linked: boolean }
  softwareVersion?: string
}

const LOGIN = { username: 'admin', password: '' }
let world: ServerWithStore
let call: ServerWithStore['call']
const folder = () => mkdtempSync(join(tmpdir(), 'isthmus-bridge-'))
const stops: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'), { plainUsp: 'false' })
  call = world.call
})
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
afterAll(() => world.stop())

let names = 0
let routers = 100

async function emulated(): Promise<EmulatedRouter> {
  const router = await startRouter({ index: routers++, profile: 'v7.18' })
  stops.push(() => router.close())
  return router
}

const startBridge = (dir: string, token?: string) => startServedBridge(world.server.apiUrl, dir, token)

async function newBridge() {
  const dir = folder()
  const { body } = await call<{ id: string; token: string }>('POST', '/bridges', { name: `agents ${++names}` })
  const fleet = await startBridge(dir, body.token)
  stops.push(
    () => rmSync(dir, { recursive: true, force: true }),
    () => fleet.stop(),
  )
  const add = async (port: number, more: object = {}) => {
    const row = { address: '127.0.0.1', port, transport: 'api', login: LOGIN, ...more }
    return (await call<RouterView>('POST', `/bridges/${body.id}/routers`, row)).body.id
  }
  const read = async (id: string) => (await call<RouterView>('GET', `/bridges/${body.id}/routers/${id}`)).body
  return { id: body.id, dir, fleet, add, read }
}

async function wayTo(target: number) {
  const way = await openWay(target)
  stops.push(() => way.shut())
  return way
}

const eventsOf = async (deviceId: string) =>
  (await call<{ items: { type: string }[] }>('GET', `/events?deviceId=${encodeURIComponent(deviceId)}`)).body.items.map(
    ({ type }) => type,
  )

const device = async (id: string) => (await call<DeviceView>('GET', `/devices/${encodeURIComponent(id)}`)).body

describe('the Agents of a bridge', () => {
  it('make a record of each router, with its TR-181 values and a proven binding', async () => {
    const bridge = await newBridge()
    const [one, two] = [await emulated(), await emulated()]
    const ids = [await bridge.add(one.port), await bridge.add(two.port)]
    for (const [index, id] of ids.entries()) {
      const router = [one, two][index]
      await until(async () => (await bridge.read(id)).deviceId !== undefined)
      const { deviceId = '', state } = await bridge.read(id)
      expect(state?.identity?.endpointId).toContain(router?.serial)
      await until(async () => (await device(deviceId)).usp?.linked === true)
      expect(await device(deviceId)).toMatchObject({ binding: { proof: 'certificate' }, presence: { usp: 'online' } })
    }
    await until(() => bridge.fleet.counts.linked === 2)
    expect(bridge.fleet.counts).toEqual({ routers: 2, reached: 2, linked: 2 })
  })

  it('name the trouble with a router in words, and go on with the others', async () => {
    const bridge = await newBridge()
    const good = await emulated()
    const ids = {
      closed: await bridge.add(1),
      login: await bridge.add((await emulated()).port, { login: { username: 'admin', password: 'wrong' } }),
      good: await bridge.add(good.port),
    }
    await until(async () => (await bridge.read(ids.good)).deviceId !== undefined)
    const way = await wayTo(good.port)
    const twin = await bridge.add(way.port)
    const errorOf = async (id: string) => (await bridge.read(id)).state?.lastError ?? ''
    for (const id of [ids.closed, ids.login, twin]) await until(async () => (await errorOf(id)) !== '')
    expect(await errorOf(ids.closed)).toMatch(/127\.0\.0\.1 port 1 .*\/ip service enable api/)
    expect(await errorOf(ids.login)).toMatch(/refuses user admin/)
    expect(await errorOf(ids.login)).not.toContain('wrong')
    await until(async () => /same router as 127\.0\.0\.1/.test(await errorOf(twin)))
    const { deviceId = '' } = await bridge.read(ids.good)
    await until(async () => (await device(deviceId)).usp?.linked === true)
    const weak = await startRouter({
      index: routers++,
      users: [{ name: 'weak', password: 'p', group: ['api', 'read'] }],
      profile: 'v7.18',
    })
    stops.push(() => weak.close())
    const watched = await bridge.add(weak.port, { login: { username: 'weak', password: 'p' } })
    await until(async () => ((await bridge.read(watched)).state?.missingRights.length ?? 0) > 0)
    expect((await bridge.read(watched)).state?.missingRights).toEqual(
      expect.arrayContaining([expect.stringMatching(/lacks the right `write`/)]),
    )
    // Mended, without a restart of anything.
    await call('PATCH', `/bridges/${bridge.id}/routers/${ids.login}`, { login: LOGIN })
    await until(async () => (await bridge.read(ids.login)).deviceId !== undefined)
    expect(await errorOf(ids.login)).toBe('')
  })

  it('go off line with their router and come back with it, and boot only when it has booted', async () => {
    const bridge = await newBridge()
    const router = await emulated()
    const way = await wayTo(router.port)
    const id = await bridge.add(way.port)
    await until(async () => (await bridge.read(id)).deviceId !== undefined)
    const { deviceId = '' } = await bridge.read(id)
    const boots = async () => (await eventsOf(deviceId)).filter((type) => type === 'device.booted').length
    await until(async () => (await device(deviceId)).usp?.linked === true)
    const before = await boots()
    way.shut()
    await until(async () => (await device(deviceId)).usp?.linked === false)
    await until(async () => (await bridge.read(id)).state?.reachable === false)
    expect((await bridge.read(id)).state?.lastError).toMatch(/127\.0\.0\.1/)
    await way.open()
    await until(async () => (await device(deviceId)).usp?.linked === true)
    await until(async () => (await bridge.read(id)).state?.reachable === true)
    expect((await bridge.read(id)).state?.lastError).toBeUndefined()
    expect(await boots()).toBe(before)
    router.powerCut()
    await until(async () => (await boots()) === before + 1, 60_000)
  })

  it('end with their row, keep their link when the policy changes, and are the same ones after a restart', async () => {
    const bridge = await newBridge()
    const router = await emulated()
    const id = await bridge.add(router.port)
    await until(async () => (await bridge.read(id)).deviceId !== undefined)
    const { deviceId = '' } = await bridge.read(id)
    const connects = async () => (await eventsOf(deviceId)).filter((type) => type === 'device.connected').length
    await until(async () => (await connects()) === 1)
    await call('PATCH', `/bridges/${bridge.id}/routers/${id}`, { policy: 'L0', tags: ['north'] })
    const path = `/bridges/${bridge.id}/routers/${id}`
    const stateRevision = async () => (await call<{ state?: { revision: number } }>('GET', path)).body.state?.revision
    await until(async () => (await stateRevision()) === 2)
    expect(await connects()).toBe(1)
    await bridge.fleet.stop()
    await until(async () => (await device(deviceId)).usp?.linked === false)
    const again = await startBridge(bridge.dir)
    stops.push(() => again.stop())
    await until(async () => (await device(deviceId)).usp?.linked === true)
    expect((await call<{ items: unknown[] }>('GET', '/conflicts')).body.items).toEqual([])
    expect((await call('DELETE', path)).status).toBe(204)
    await until(async () => (await device(deviceId)).usp?.linked === false)
    expect(again.counts).toEqual({ routers: 0, reached: 0, linked: 0 })
  })

  it('lose their links when the certificate of their bridge is revoked, or the bridge deleted, and open no others', async () => {
    const bridges = [await newBridge(), await newBridge()]
    const ids: string[] = []
    for (const bridge of bridges) {
      const id = await bridge.add((await emulated()).port)
      await until(async () => (await bridge.read(id)).deviceId !== undefined)
      ids.push((await bridge.read(id)).deviceId ?? '')
    }
    const isLinked = async (id = '') => (await device(id)).usp?.linked === true
    for (const id of ids) await until(() => isLinked(id))
    const [revoked, deleted] = bridges
    const { certificates } = world.store
    const { items } = await certificates.list({ owner: `bridge:${revoked?.id}`, limit: 10 })
    const own = items.find(({ names }) => names.includes(`urn:isthmus:bridge:${revoked?.id}`))
    if (own === undefined) throw new Error('the bridge has no certificate')
    expect(await revokeIssued(certificates, own, 'stolen', Date.now())).toBe(true)
    expect((await call('DELETE', `/bridges/${deleted?.id}`)).status).toBe(204)
    for (const id of ids) await until(async () => !(await isLinked(id)), 60_000)
    for (const bridge of bridges) await until(() => bridge.fleet.counts.linked === 0)
    // They try on, and are refused.
    const identity = await BridgeIdentity.open(revoked?.dir ?? '')
    const server = new ServerClient({ url: world.server.apiUrl, clock: systemClock })
    const proof = identity.requestKey
    if (proof === undefined) throw new Error('never registered')
    const renewal = server.call({ method: 'POST', path: '/bridge/certificate', proof })
    await expect(renewal).rejects.toMatchObject({ code: 'unauthorized', message: expect.stringContaining('stolen') })
    server.close()
    const agents = (await certificates.list({ owner: `bridge:${revoked?.id}`, limit: 10 })).items
    expect(agents.length).toBeGreaterThan(1)
    for (const { revokedAt } of agents) expect(revokedAt).toBeDefined()
    for (const id of ids) expect(await isLinked(id)).toBe(false)
  })

  it('do what operations ask for: values, rows, and a restart that begins after its answer', async () => {
    const bridge = await newBridge()
    const router = await emulated()
    router.faults.bootMs = 300
    const id = await bridge.add(router.port, { policy: 'L2' })
    await until(async () => (await bridge.read(id)).deviceId !== undefined)
    const { deviceId = '' } = await bridge.read(id)
    await until(async () => (await device(deviceId)).usp?.linked === true)
    const run = async (request: object) => {
      const path = `/devices/${encodeURIComponent(deviceId)}/operations`
      const { body } = await call<{ id: string }>('POST', path, request)
      const read = async () => (await call<{ state: string; result?: object }>('GET', `/operations/${body.id}`)).body
      await until(async () => ['done', 'failed'].includes((await read()).state))
      return read()
    }
    const name = { path: 'Device.DeviceInfo.HostName', value: 'tower 7' }
    expect(await run({ verb: 'set', values: [name] })).toMatchObject({ state: 'done' })
    expect(router.store.table('/system/identity')[0]?.values.name).toBe('tower 7')
    const values = {
      Enable: true,
      ExternalPort: 2200,
      InternalPort: 22,
      Protocol: 'TCP',
      InternalClient: '192.168.88.9',
    }
    expect(await run({ verb: 'add', object: 'Device.NAT.PortMapping.', values })).toMatchObject({ state: 'done' })
    expect(router.store.find('/ip/firewall/nat', 'dst-port', '2200')?.values['to-addresses']).toBe('192.168.88.9')
    const wrong = { ...name, value: 'a\nb' }
    expect(await run({ verb: 'set', values: [wrong] })).toMatchObject({ state: 'failed' })
    const boots = async () => (await eventsOf(deviceId)).filter((type) => type === 'device.booted').length
    const before = await boots()
    expect(await run({ verb: 'reboot' })).toMatchObject({ state: 'done' })
    await until(async () => (await boots()) === before + 1, 60_000)
    expect(await run({ verb: 'factoryReset' })).toMatchObject({ state: 'failed' })
    const audit = readFileSync(join(bridge.dir, 'audit.jsonl'), 'utf8').trim().split('\n')
    expect(audit.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        command: 'Device.Reboot()',
        level: 2,
        by: { endpointId: 'proto::isthmus', roles: ['Full Access'] },
      }),
    ])
  })

  it('say in the feed that a client is heard too weakly, that it left, and that a port lost its link', async () => {
    const bridge = await newBridge()
    const router = await emulated()
    const id = await bridge.add(router.port)
    await until(async () => (await bridge.read(id)).deviceId !== undefined)
    const { deviceId = '' } = await bridge.read(id)
    await until(async () => (await device(deviceId)).usp?.linked === true)
    const run = async (request: object) => {
      const path = `/devices/${encodeURIComponent(deviceId)}/operations?wait=30`
      const { body } = await call<{ state: string; result?: unknown }>('POST', path, request)
      expect(body).toMatchObject({ state: 'done' })
    }
    const mac = '02:11:22:33:44:55'
    router.join(mac, 'wifi1', -60)
    const values = {
      ReferencePath: 'Device.WiFi.AccessPoint.*.AssociatedDevice.*.',
      ThresholdParam: 'SignalStrength',
      ThresholdOperator: 'Fall',
      ThresholdValue: '-75',
      Enable: 'true',
    }
    await run({ verb: 'add', object: 'Device.LocalAgent.Threshold.', values })
    const events = ['Device.LocalAgent.Threshold.', 'Device.WiFi.', 'Device.Ethernet.']
    await run({ verb: 'subscribe', id: 'moves', notifType: 'Event', paths: events, enable: true })
    const told = async () => {
      const path = `/events?deviceId=${encodeURIComponent(deviceId)}&type=device.notified`
      return (await call<{ items: { data: { event?: string; params?: object } }[] }>('GET', path)).body.items
    }
    const hasTold = async (event: string, params: object) =>
      (await told()).some(
        ({ data }) =>
          data.event?.endsWith(event) === true &&
          Object.entries(params).every(([name, value]) =>
            JSON.stringify(data.params)?.includes(`"${name}":"${value}"`),
          ),
      )
    router.setSignal(mac, -81)
    await until(() => hasTold('Triggered!', { ParamValue: '-81' }))
    router.part(mac)
    await until(() => hasTold('X_MIKROTIK_ClientLeft!', { MACAddress: mac }))
    router.setLink('ether2', false)
    await until(() => hasTold('X_MIKROTIK_LinkDown!', { Name: 'ether2' }))
  })

  it('do not go to a router that states the serial number of another one and is reached first', async () => {
    const bridge = await newBridge()
    const index = routers++
    const router = await startRouter({ index, profile: 'v7.18' })
    stops.push(() => router.close())
    const way = await wayTo(router.port)
    const id = await bridge.add(way.port)
    await until(async () => (await bridge.read(id)).deviceId !== undefined)
    const { deviceId = '' } = await bridge.read(id)
    await until(async () => (await device(deviceId)).usp?.linked === true)
    await bridge.fleet.stop()
    way.shut()
    const liar = await startRouter({ index, profile: 'v7.18' })
    stops.push(() => liar.close())
    const twin = await bridge.add(liar.port)
    const again = await startBridge(bridge.dir)
    stops.push(() => again.stop())
    await until(async () => /same router as .* port \d+/.test((await bridge.read(twin)).state?.lastError ?? ''))
    expect((await bridge.read(twin)).state?.identity).toBeUndefined()
    expect((await device(deviceId)).usp?.linked).toBe(false)
    await way.open()
    await until(async () => (await device(deviceId)).usp?.linked === true, 60_000)
  })
})
