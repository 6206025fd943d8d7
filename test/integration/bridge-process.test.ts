import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createIdSource, systemClock, systemRandom } from '../../src/base/index.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/index.ts'
import { BridgeProcess } from '../support/bridge-process.ts'
import { ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const MAIN = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
const NAME = 'Device.DeviceInfo.HostName'
const SECRET = 'only-for-the-router'

interface Operation {
  id: string
  state: string
  result?: { outcome: string; results?: { path: string; value?: string }[]; values?: { path: string; value: string }[] }
}

const dataDir = mkdtempSync(join(tmpdir(), 'isthmus-bridged-'))
const server = new ServerProcess(dataDir, ['--plain-usp', 'false'], {
  env: {
    MONGODB_URI: inject('mongodbUri'),
    ISTHMUS_DATABASE_NAME: `bridge_${createIdSource(systemClock, systemRandom)()}`,
  },
})
const routers: EmulatedRouter[] = []
let bridge: BridgeProcess
const deviceIds: string[] = []

beforeAll(async () => {
  const users = [{ name: 'isthmus', password: SECRET, group: ['api', 'read', 'write', 'test', 'reboot'] }]
  for (const [index, profile] of (['v7.18', 'v6.49', 'v7.12'] as const).entries())
    routers.push(await startRouter({ index: 300 + index, profile, users }))
  await server.start()
})
afterAll(async () => {
  await bridge?.remove()
  await server.stop()
  for (const router of routers) router.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const nameOf = (router: EmulatedRouter | undefined) => router?.store.table('/system/identity')[0]?.values.name
const pathOf = (deviceId = '') => `/devices/${encodeURIComponent(deviceId)}`

async function operate(deviceId: string | undefined, request: object): Promise<Operation> {
  return server.api.send<Operation>('POST', `${pathOf(deviceId)}/operations`, request)
}
const ended = async (id: string) => {
  const { state } = await server.api.get<Operation>(`/operations/${id}`)
  return ['done', 'failed'].includes(state)
}
/** False also while there is no record yet. */
const isLinked = async (deviceId = '') => {
  const { items } = await server.api.get<{ items: { id: string; usp?: { linked: boolean } }[] }>('/devices')
  return items.find(({ id }) => id === deviceId)?.usp?.linked === true
}

it('a bridge registers, and its routers become records', async () => {
  const made = await server.api.send<{ id: string; token: string }>('POST', '/bridges', { name: 'pop north' })
  bridge = new BridgeProcess(['--server', `http://127.0.0.1:${server.ports.apiPort}`])
  await bridge.start({ ISTHMUS_BRIDGE_TOKEN: made.token })
  const lines = routers.map(({ port }) => `127.0.0.1,${port},api,isthmus,${SECRET},L1,north`)
  const response = await fetch(`http://127.0.0.1:${server.ports.apiPort}/api/v1/bridges/${made.id}/routers/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'text/csv' },
    body: ['address,port,transport,username,password,policy,tags', ...lines].join('\n'),
  })
  expect(await response.json()).toEqual({ added: 3, changed: 0, unchanged: 0 })
  const rows = async () =>
    (await server.api.get<{ items: { id: string; deviceId?: string }[] }>(`/bridges/${made.id}/routers`)).items
  await until(async () => (await rows()).every(({ deviceId }) => deviceId !== undefined), 60_000)
  deviceIds.push(...(await rows()).map(({ deviceId = '' }) => deviceId))
  for (const [index, deviceId] of deviceIds.entries()) {
    await until(() => isLinked(deviceId), 60_000)
    const device = await server.api.get<{ softwareVersion?: string; manufacturer?: string; serial: string }>(
      pathOf(deviceId),
    )
    expect(device.serial).toBe(routers[index]?.serial)
    await until(async () => {
      const { softwareVersion } = await server.api.get<{ softwareVersion?: string }>(pathOf(deviceId))
      return softwareVersion !== undefined
    })
  }
  const health = await fetch(`http://127.0.0.1:${bridge.healthPort}/healthz`)
  expect(await health.json()).toEqual({ status: 'ok', routers: 3, reached: 3, linked: 3 })
  await promisify(execFile)(process.execPath, [MAIN, 'alive', '--api-port', String(bridge.healthPort)])
})

it('an operation over REST reads and changes the router', async () => {
  const [deviceId] = deviceIds
  const set = await operate(deviceId, { verb: 'set', values: [{ path: NAME, value: 'core 1' }] })
  await until(() => ended(set.id))
  expect((await server.api.get<Operation>(`/operations/${set.id}`)).state).toBe('done')
  expect(nameOf(routers[0])).toBe('core 1')
  const get = await operate(deviceId, { verb: 'get', paths: [NAME] })
  await until(() => ended(get.id))
  expect(JSON.stringify(await server.api.get(`/operations/${get.id}`))).toContain('core 1')
  const { items } = await server.api.get<{ items: { path: string; value: string }[] }>(
    `${pathOf(deviceId)}/parameters?path=${NAME}`,
  )
  expect(items).toEqual([expect.objectContaining({ path: NAME, value: 'core 1' })])
})

it('a bridge that is killed in the middle of a write leaves router and record the same', {
  timeout: 180_000,
}, async () => {
  for (const [index, waitMs] of [0, 150, 700].entries()) {
    const [router, deviceId] = [routers[index], deviceIds[index]]
    if (router === undefined) throw new Error('no router')
    // Each answer of the router is late, so that the bridge is killed before, between or behind its commands.
    router.faults.answerDelayMs = 250
    const set = await operate(deviceId, { verb: 'set', values: [{ path: NAME, value: `killed ${index}` }] })
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    await bridge.kill()
    delete router.faults.answerDelayMs
    await bridge.start()
    await until(() => isLinked(deviceId), 60_000)
    await until(() => ended(set.id), 60_000)
    const get = await operate(deviceId, { verb: 'get', paths: [NAME] })
    await until(() => ended(get.id))
    const { state } = await server.api.get<Operation>(`/operations/${set.id}`)
    const { items } = await server.api.get<{ items: { value: string }[] }>(
      `${pathOf(deviceId)}/parameters?path=${NAME}`,
    )
    expect(items[0]?.value).toBe(nameOf(router))
    expect(nameOf(router) === `killed ${index}`).toBe(state === 'done')
  }
})

it('its health port has metrics, in which no router has a name', async () => {
  const scrape = async () => (await fetch(`http://127.0.0.1:${bridge.healthPort}/metrics`)).text()
  const sampleOf = (text: string, name: string) => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `))
    return line === undefined ? undefined : Number(line.slice(name.length))
  }
  // The server has subscriptions of its own: Boot! was sent, and values are looked at.
  await until(async () => (await scrape()).includes('isthmus_bridge_polls_total{object="Device.'))
  await until(async () => (sampleOf(await scrape(), 'isthmus_bridge_notifies_total') ?? 0) > 0)
  await until(async () => sampleOf(await scrape(), 'isthmus_bridge_links') === 3)
  const text = await scrape()
  expect(sampleOf(text, 'isthmus_bridge_routers{state="linked"}')).toBe(3)
  expect(sampleOf(text, 'isthmus_bridge_routers{state="unreached"}')).toBe(0)
  expect(sampleOf(text, 'isthmus_bridge_links')).toBe(3)
  expect(sampleOf(text, 'isthmus_bridge_router_commands_total{kind="read",outcome="done"}')).toBeGreaterThan(3)
  expect(sampleOf(text, 'isthmus_bridge_router_command_duration_seconds_count{kind="read"}')).toBeGreaterThan(3)
  expect(sampleOf(text, 'isthmus_bridge_notifies_owed')).toBeGreaterThanOrEqual(0)
  for (const file of ['local', 'numbers'])
    expect(sampleOf(text, `isthmus_bridge_journal_bytes{file="${file}"}`)).toBeGreaterThan(0)
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds')
  for (const { port, serial } of routers) expect(text).not.toMatch(new RegExp(`${serial}|"[^"]*${port}[^"]*"`))
  expect(text).not.toContain('127.0.0.1')
})

it('a bridge that is asked to stop takes leave, and keeps no password', async () => {
  expect(await bridge.stop()).toBe(0)
  for (const deviceId of deviceIds) await until(async () => !(await isLinked(deviceId)))
  for (const name of ['bridge.log', 'routers.json', 'bridge.json'])
    expect(readFileSync(join(bridge.stateDir, name), 'utf8')).not.toContain(SECRET)
})
