import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import {
  AuditFile,
  BridgeFleet,
  BridgeIdentity,
  Confirmations,
  Enrolment,
  routerOpener,
  ServerClient,
} from '../../src/bridge/index.ts'
import { type EmulatedRouter, startRouter } from '../../src/simulator/routeros/router.ts'
import { Codec, NotifyFile } from '../../src/usp/index.ts'
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

/** A bridge over a state folder; `token` where it has not registered. */
async function startBridge(dir: string, token?: string): Promise<BridgeFleet> {
  const enrolment = new Enrolment({
    folder: dir,
    identity: await BridgeIdentity.open(dir),
    server: new ServerClient({ url: world.server.apiUrl, clock: systemClock }),
    token,
    version: '1',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    pollMs: 100,
  })
  const fleet = new BridgeFleet({
    folder: dir,
    rows: enrolment,
    open: routerOpener({ ca: undefined, allowPlain: false }, { clock: systemClock, log: silentLog }),
    firmwareHosts: [],
    backupHosts: [],
    notifies: await NotifyFile.open(join(dir, 'notifies.jsonl'), silentLog),
    confirmations: new Confirmations(systemClock),
    audit: new AuditFile(join(dir, 'audit.jsonl'), systemClock),
    codec: new Codec(),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  await fleet.start()
  return fleet
}

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
})
