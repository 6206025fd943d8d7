import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { Fleet } from '../../src/simulator/index.ts'
import type { OpenApi } from '../support/json-schema.ts'
import { fleetAt } from '../support/simulated-fleet.ts'
import { checkedClient, type ServerWithStore, startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface Shown {
  id: string
  cwmp?: { discovery?: unknown }
  usp?: { onboardedFor?: string }
}
interface Listed<T> {
  items: T[]
}

/** Reads of things that are not there: routers need a bridge that has registered, and policies are those of routers. */
const ABSENT: ReadonlySet<string> = new Set([
  '/pending-agents/{id}',
  '/bridges/{id}/routers/{routerId}',
  '/devices/{id}/router-policy',
])

let server: TestServer
let fleet: Fleet
/** A client that throws when an answer does not match openapi.json. */
let call: ServerWithStore['call']
beforeAll(async () => {
  server = await startTestServer(inject('mongodbUri'), { agentAdmission: 'open', discovery: 'subtree' })
  call = await checkedClient(server)
  fleet = fleetAt(server, { mix: { legacyTr098: 1, tr181NoAgent: 0, dualStack: 1, uspOnly: 1 }, tls: false })
  await fleet.start()
  await until(async () => {
    const { items } = (await call<Listed<Shown>>('GET', '/devices')).body
    const known = items.filter(({ cwmp, usp }) => cwmp?.discovery !== undefined || usp?.onboardedFor !== undefined)
    return known.length === 3
  })
})
afterAll(async () => {
  fleet?.stop(false)
  await server?.stop()
})

it('every GET answers as it is described, for a fleet with operations and a migration', {
  timeout: 120_000,
}, async () => {
  const { items } = (await call<Listed<Shown>>('GET', '/devices')).body
  const id = items.find((device) => device.id.startsWith('0C96BF'))?.id ?? ''
  const at = `/devices/${encodeURIComponent(id)}`
  const paths = ['Device.DeviceInfo.']
  for (const request of [
    { verb: 'get', paths },
    { verb: 'set', values: [{ path: 'Device.DeviceInfo.SerialNumber', value: 'x' }] },
    { verb: 'instances', paths: ['Device.WiFi.SSID.'] },
    { verb: 'supported', path: 'Device.DeviceInfo.' },
  ])
    await call('POST', `${at}/operations?wait=30s`, request)
  const group = (await call<Shown>('POST', '/groups', { name: 'north' })).body
  await call('POST', `/groups/${group.id}/members`, { add: [id] })
  const plan = (
    await call<Shown>('POST', '/plans', { name: 'p', groupId: group.id, settings: { soakMs: 0, retryBackoffMs: 0 } })
  ).body
  await call('POST', `/plans/${plan.id}/actions/start`)
  await until(async () => (await call<{ state: string }>('GET', `/plans/${plan.id}`)).body.state === 'finished', 90_000)
  await call('POST', `/plans/${plan.id}/actions/rollback`, { devices: [id] })
  const operations = (await call<Listed<Shown>>('GET', `${at}/operations`)).body.items
  const row = {
    from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load',
    to: 'Device.DeviceInfo.ProcessStatus.CPUUsage',
  }
  const set = { name: 'load', reason: 'it shows its load elsewhere', scope: { model: 'Example' }, rows: [row] }
  const rowSet = (await call<Shown>('POST', '/mapping-rows', set)).body
  const bridge = (await call<Shown>('POST', '/bridges', { name: 'north' })).body
  const ids: Record<string, string> = {
    bridges: bridge.id,
    devices: encodeURIComponent(id),
    groups: group.id,
    plans: plan.id,
    operations: operations[0]?.id ?? '',
    'pending-agents': 'none',
    'mapping-rows': rowSet.id,
  }
  const document = (await call<OpenApi>('GET', '/openapi.json')).body
  const walked: string[] = []
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (get === undefined || !path.startsWith('/api/v1/') || path.endsWith('/stream')) continue
    // A bridge signs the requests that are its own.
    if (/^\/api\/v1\/bridge(\/|$)/.test(path)) continue
    const route = path.replace('/api/v1', '')
    const own = ids[route.split('/')[1] ?? ''] ?? ''
    const { status } = await call('GET', route.replace('{id}', own).replace('{deviceId}', encodeURIComponent(id)))
    expect(status, path).toBe(ABSENT.has(route) ? 404 : 200)
    walked.push(route)
  }
  expect(walked.length).toBeGreaterThan(20)
})
