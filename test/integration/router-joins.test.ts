import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import type { BridgeFleet } from '../../src/bridge/index.ts'
import { deviceIdOf } from '../../src/domain/index.ts'
import { type EmulatedRouter, type Fleet, startRouter } from '../../src/simulator/index.ts'
import { startServedBridge } from '../support/served-bridge.ts'
import { fleetAt } from '../support/simulated-fleet.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface DeviceView {
  id: string
  serial: string
  tags: string[]
  label?: string
  cwmp?: object
  binding?: { proof: string }
  usp?: { linked: boolean }
}

let world: ServerWithStore
let call: ServerWithStore['call']
let bridge: BridgeFleet
let bridgeId = ''
let cpes: Fleet | undefined
const dir = mkdtempSync(join(tmpdir(), 'isthmus-joins-'))
const routers: EmulatedRouter[] = []

beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'), { plainUsp: 'false' })
  call = world.call
  for (const index of [0, 1]) routers.push(await startRouter({ index, profile: 'v7.18' }))
  const made = await call<{ id: string; token: string }>('POST', '/bridges', { name: 'pop north' })
  bridgeId = made.body.id
  bridge = await startServedBridge(world.server.apiUrl, dir, made.body.token)
})
afterAll(async () => {
  await bridge?.stop()
  await cpes?.stop(false)
  for (const router of routers) router.close()
  await world?.stop()
  rmSync(dir, { recursive: true, force: true })
})

async function addRouter(router: EmulatedRouter | undefined): Promise<void> {
  const login = { username: 'admin', password: '' }
  const row = { address: '127.0.0.1', port: router?.port, transport: 'api', login }
  expect((await call('POST', `/bridges/${bridgeId}/routers`, row)).status).toBe(201)
}

/** The TR-069 clients of both routers: same serial numbers, models spelled in another way. */
function startCpes(): Fleet {
  const { server } = world
  return fleetAt(server, { mix: { mikrotikV7: 2 }, tls: true })
}

const recordsOf = async (router: EmulatedRouter | undefined) => {
  const { items } = (await call<{ items: DeviceView[] }>('GET', '/devices')).body
  return items.filter(({ serial }) => serial === router?.serial)
}
const isOne = async (router: EmulatedRouter | undefined) => {
  const [record, ...others] = await recordsOf(router)
  return others.length === 0 && record?.cwmp !== undefined && record.usp?.linked === true
}

it('a router whose Agent comes before its first Inform, and one that comes after it, is one record each', {
  timeout: 180_000,
}, async () => {
  const [early, late] = routers
  await addRouter(early)
  await until(async () => (await recordsOf(early))[0]?.usp?.linked === true, 60_000)
  const [former] = await recordsOf(early)
  if (former === undefined) throw new Error('no record')
  expect(former.cwmp).toBeUndefined()
  const path = `/devices/${encodeURIComponent(former.id)}`
  expect((await call('PATCH', path, { label: 'tower 7', tags: ['north'] })).status).toBe(200)
  cpes = startCpes()
  await cpes.start()
  await until(() => isOne(early), 60_000)
  await until(async () => (await recordsOf(late)).length === 1, 60_000)
  await addRouter(late)
  await until(() => isOne(late), 60_000)
  const ids = cpes.devices.map(({ identity }) => deviceIdOf(identity))
  for (const router of routers) {
    const [record] = await recordsOf(router)
    expect(ids).toContain(record?.id)
    expect(record?.binding?.proof).toBe('bridge')
  }
  expect(await recordsOf(early)).toMatchObject([{ label: 'tower 7', tags: ['north'] }])
  expect((await call('GET', path)).status).toBe(404)
  const { items } = (
    await call<{ items: { type: string; data: object }[] }>('GET', `/events?deviceId=${encodeURIComponent(former.id)}`)
  ).body
  const [record] = await recordsOf(early)
  expect(items.filter(({ type }) => type === 'device.deleted')).toMatchObject([
    { data: { by: 'system:bridges', into: record?.id } },
  ])
  expect((await call<{ items: unknown[] }>('GET', '/conflicts')).body.items).toEqual([])
})
