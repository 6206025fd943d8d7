import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type DeviceId, deviceIdOf, MAX_DEVICE_ID, newDevice } from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'
import { checkedClient, type ServerWithStore, startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

const PASSPHRASE = 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase'

let server: TestServer
let client: ServerWithStore['call']
let store: Store
let serial = 0

beforeAll(async () => {
  server = await startTestServer(inject('mongodbUri'), { secretKey: 'test' })
  client = await checkedClient(server)
  store = await testStore(inject('mongodbUri'), { databaseName: server.databaseName })
})
afterAll(async () => {
  await server.stop()
  await store.close()
})

/** A device that nobody can reach: what is asked of it stays queued. */
async function absent(): Promise<string> {
  const identity = { oui: '00256D', productClass: 'Box', serial: `O${++serial}` }
  const id = deviceIdOf(identity)
  await store.devices.commit({ deviceId: id, create: { ...newDevice(id, identity, 'cwmp', 1), root: 'Device.' } })
  return id
}

interface Reply {
  status: number
  body: Record<string, unknown> & { id: string }
}

async function call(method: string, path: string, options: { body?: unknown; key?: string; token?: string } = {}) {
  return client<Reply['body']>(method, path, options.body, {
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
  })
}
const submit = (id: string, body: unknown, options: { key?: string; query?: string; token?: string } = {}) =>
  call('POST', `/devices/${encodeURIComponent(id)}/operations${options.query ?? ''}`, { body, ...options })
const set = (path: string, value: string) => ({ verb: 'set', values: [{ path, value }] })

describe('operations over the API', () => {
  it('name the path and the reason of a refusal', async () => {
    const refused = await submit(await absent(), set('Device.ManagementServer.PeriodicInformInterval', '0'))
    expect(refused.status).toBe(400)
    expect(refused.body.detail).toMatch(/PeriodicInformInterval.*outside 1/)
    const download = await submit(await absent(), { verb: 'download', url: 'ftp:' })
    expect(download).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/is no http, https, ftp/) } })
  })

  it('are open for one device at most 64 at a time, also when many are sent at once', async () => {
    const id = await absent()
    const all = await Promise.all(Array.from({ length: 300 }, (_, i) => submit(id, set('Device.X_A', `${i}`))))
    expect(all.filter(({ status }) => status < 300)).toHaveLength(64)
    expect(all.filter(({ status }) => status === 429)).toHaveLength(236)
    expect(await store.operations.open(id as DeviceId, 1000)).toHaveLength(64)
  })

  it('are listed without the large parts of their results, which the operation itself has', async () => {
    const id = await absent()
    const made: string[] = []
    for (let i = 0; i < 25; i++) made.push((await submit(id, set('Device.X_A', `${i}`))).body.id)
    const large = { path: 'Device.X_A', value: 'x'.repeat(100_000), type: 'string' as const }
    const [, first = ''] = made
    const result = { outcome: 'done' as const, results: [large] }
    await store.operations.finish(first, ['queued'], { state: 'done', result, at: 1 })
    const path = `/devices/${encodeURIComponent(id)}/operations`
    const page = (await call('GET', `${path}?limit=24`)).body as unknown as { items: Reply['body'][]; next?: string }
    expect(page.items.map((item) => item.id)).toEqual(made.slice(1).reverse())
    expect(page.items.at(-1)?.result).toEqual({ outcome: 'done', results: [], shortened: true })
    const rest = (await call('GET', `${path}?limit=24&cursor=${page.next}`)).body as unknown as typeof page
    expect([rest.items.map((item) => item.id), rest.next]).toEqual([made.slice(0, 1), undefined])
    expect((await call('GET', `/operations/${first}`)).body.result).toEqual(result)
  })

  it('are one for one idempotency key and request, and a conflict for another request', async () => {
    const id = await absent()
    const key = 'k'.repeat(200)
    const first = await submit(id, set(PASSPHRASE, 'correct horse'), { key })
    expect(first.status).toBe(202)
    expect((await submit(id, set(PASSPHRASE, 'correct horse'), { key })).body.id).toBe(first.body.id)
    const inDatabase = async () => JSON.stringify(await store.db.collection('operations').findOne({ deviceId: id }))
    expect(await inDatabase()).not.toContain('horse')
    expect((await store.operations.get(first.body.id))?.request).toEqual(set(PASSPHRASE, 'correct horse'))
    expect((await submit(id, set(PASSPHRASE, 'battery staple'), { key })).status).toBe(409)
    expect((await call('DELETE', `/operations/${first.body.id}`)).status).toBe(200)
    expect((await submit(id, set(PASSPHRASE, 'correct horse'), { key })).body).toMatchObject({ state: 'cancelled' })
    expect((await call('DELETE', `/operations/${first.body.id}`)).status).toBe(409)
    expect(await inDatabase()).not.toContain('horse')
    expect(JSON.stringify(await store.audit.list({ target: id, limit: 50 }))).not.toMatch(/horse|staple/)
  })

  it('reach a device with the longest possible id', async () => {
    const identity = { oui: '00256D', productClass: '\u{1F4E1}'.repeat(64), serial: '\u{1F4E1}'.repeat(64) }
    const id = deviceIdOf(identity)
    expect(id).toHaveLength(MAX_DEVICE_ID)
    await store.devices.commit({ deviceId: id, create: { ...newDevice(id, identity, 'cwmp', 1), root: 'Device.' } })
    const value = { path: 'Device.X', value: '1', type: 'string', source: 'cwmp', collectedAt: 1 } as const
    await store.devices.commit({ deviceId: id, parameters: [value] })
    expect((await submit(id, set('Device.X', '2'))).status).toBe(202)
    expect((await call('GET', `/devices/${encodeURIComponent(id)}/parameters`)).body.items).toHaveLength(1)
    expect((await call('DELETE', `/devices/${encodeURIComponent(id)}`)).status).toBe(204)
    expect((await store.parameters.list(id, '', 9)).items).toEqual([])
  })

  it('have the reason of their waiting, and the record shows why the CPE does not connect', async () => {
    const id = await absent()
    const facts = {
      'cwmp.lastInformAt': 1000,
      'cwmp.events': [],
      'cwmp.version': '1.2',
      'cwmp.remoteAddress': '127.0.0.1',
      'cwmp.connectionRequestUrl': 'http://127.0.0.1:9/',
    }
    await store.devices.commit({ deviceId: id as DeviceId, set: facts })
    const { body } = await submit(id, set('Device.X', '1'))
    expect(body).toMatchObject({
      state: 'queued',
      attempts: 0,
      waitingFor: expect.stringMatching(/^(inform|connectionRequest refused)$/),
    })
    const look = async () => (await call('GET', `/operations/${body.id}`)).body
    await until(async () => (await look()).waitingFor === 'connectionRequest refused')
    const device = (await call('GET', `/devices/${encodeURIComponent(id)}`)).body
    expect(device.cwmp).toMatchObject({
      lastWake: { way: 'connectionRequest', outcome: 'refused', at: expect.stringMatching(/^20.*Z$/) },
    })
    const metrics = await fetch(`http://127.0.0.1:${server.apiPort}/metrics`, {
      headers: { authorization: `Bearer ${server.firstKey}` },
    })
    expect(await metrics.text()).toMatch(/isthmus_connection_requests_total\{outcome="refused"\} [1-9]/)
    const listed = (await call('GET', `/devices/${encodeURIComponent(id)}/operations`)).body.items
    expect(listed).toMatchObject([{ id: body.id, waitingFor: 'connectionRequest refused' }])
    expect((await call('DELETE', `/operations/${body.id}`)).body).toMatchObject({ state: 'cancelled' })
    expect(await look()).not.toHaveProperty('waitingFor')
  })

  it('wait for the link of an absent Agent, and can be cancelled at any time', async () => {
    const id = await absent()
    await store.devices.commit({ deviceId: id as DeviceId, set: { owner: 'usp' } })
    const first = await submit(id, set('Device.X', '1'))
    const second = await submit(id, set('Device.X', '2'))
    expect([first.body.waitingFor, second.body.waitingFor]).toEqual(['uspLink', 'uspLink'])
    for (const { body } of [first, second])
      expect((await call('DELETE', `/operations/${body.id}`)).body).toMatchObject({ state: 'cancelled' })
  })

  it('wait for their device as long as the request says, and have warnings', async () => {
    const asked = await submit(await absent(), set('Device.X_ACME_A', '1'), { query: '?expires=7d' })
    expect(asked.body).toMatchObject({ state: 'queued', warnings: ['Device.X_ACME_A is not in the model'] })
    const operation = await store.operations.get(asked.body.id)
    expect((operation?.expiresAt ?? 0) - (operation?.createdAt ?? 0)).toBe(7 * 86_400_000)
    expect((await submit(await absent(), set('Device.X', '1'), { query: '?expires=31d' })).status).toBe(400)
    expect((await submit(await absent(), set('Device.X', '1'), { query: '?expires=soon' })).status).toBe(400)
  })

  it('need a key that may write, and are audited with their actor', async () => {
    const id = await absent()
    const { body } = await call('POST', '/api-keys', { body: { name: 'reader', scope: 'read' } })
    expect((await submit(id, { verb: 'reboot' }, { token: String(body.key) })).status).toBe(403)
    expect(
      (await store.operations.open(deviceIdOf({ oui: '00256D', productClass: 'Box', serial: `O${serial}` }), 9)).length,
    ).toBe(0)
    await submit(id, { verb: 'reboot' })
    const { items } = await store.audit.list({ target: id, limit: 5 })
    expect(items).toMatchObject([
      { action: 'operation.reboot', result: 'ok', actor: expect.stringMatching(/^apiKey:/) },
    ])
    expect((await call('GET', '/audit/verification')).body).toMatchObject({ intact: true })
  })
})
