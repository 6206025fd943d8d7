import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Balancer } from '../support/balancer.ts'
import { FleetProcess } from '../support/fleet-process.ts'
import { ServerProcess, steppableClock } from '../support/server-process.ts'
import { until as soon } from '../support/until.ts'

const CPES = 4
const SETTINGS = {
  awaitUspTimeoutMs: 60_000,
  verifyTimeoutMs: 60_000,
  maxAttempts: 1,
  failureGatePercent: 0,
  gateMinSample: 1,
}
const AN_HOUR_MS = 3_600_000

/** Seconds pass here: the server is not asked more often than it works. */
const until = (condition: () => Promise<boolean>) => soon(condition, 120_000, 200)

interface Member {
  state: string
  attempt: number
  waiting?: string
  history: { event: string; to: string }[]
}

let dataDir: string
let server: ServerProcess
let fleet: FleetProcess
let usp: Balancer
let planId: string

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'isthmus-downtime-'))
  usp = new Balancer()
  await usp.start()
  const flags = ['--discovery', 'subtree', '--inform-interval', '300', '--usp-public-port', String(usp.port)]
  server = new ServerProcess(dataDir, flags, { env: steppableClock() })
  await server.start()
  usp.ports = [server.ports.uspPort]
  fleet = new FleetProcess({
    mix: { legacyTr098: 0, tr181NoAgent: 0, dualStack: CPES, uspOnly: 0 },
    faultEvery: 0,
    faults: [],
    seed: 1,
    enrolmentSecret: server.enrolmentSecret,
    endpointId: server.endpointId,
    timeScale: 20,
    informIntervalS: 300,
    cwmpPort: server.ports.cwmpPort,
    uspPort: usp.port,
  })
  await fleet.start()
  await until(async () => (await discovered()) === CPES)
})
afterEach(async () => {
  await fleet?.stop()
  await server?.stop()
  await usp?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function discovered(): Promise<number> {
  const { items } = await server.api.get<{ items: { cwmp?: { discoveredFor?: string } }[] }>('/devices?fields=cwmp')
  return items.filter(({ cwmp }) => (cwmp?.discoveredFor ?? '') !== '').length
}

/** Starts a plan over all devices. */
async function migrate(settings: Record<string, unknown>): Promise<void> {
  const group = await server.api.send<{ id: string }>('POST', '/groups', {
    name: 'all',
    selector: 'owner==cwmp,owner==usp',
  })
  const plan = await server.api.send<{ id: string }>('POST', '/plans', {
    name: 'move',
    groupId: group.id,
    settings: { ...SETTINGS, ...settings },
  })
  planId = plan.id
  await server.api.send('POST', `/plans/${planId}/actions/start`)
}

const states = async () => (await server.api.get<{ states: Record<string, number> }>(`/plans/${planId}/status`)).states

async function members(): Promise<Member[]> {
  const { items } = await server.api.get<{ items: { deviceId: string }[] }>(`/plans/${planId}/members`)
  return Promise.all(
    items.map(({ deviceId }) => server.api.get<Member>(`/plans/${planId}/members/${encodeURIComponent(deviceId)}`)),
  )
}

/** Every device is moved in its first attempt, and nothing failed on the way. */
async function expectMoved(): Promise<void> {
  await until(async () => (await states()).MIGRATED === CPES)
  for (const { attempt, history } of await members()) {
    expect(attempt).toBe(1)
    expect(history.filter(({ event }) => event === 'fail')).toEqual([])
  }
}

describe('a planned restart', { timeout: 240_000 }, () => {
  it('rolls back nothing of what soaks, however long the server was away', async () => {
    await migrate({ soakMs: AN_HOUR_MS })
    await until(async () => (await states()).DUAL === CPES)
    await server.stop()
    usp.cut()
    // For the server an hour passes until it is there again, for the devices some seconds.
    await server.start(steppableClock(AN_HOUR_MS))
    // It has looked at each of them, and found no Agent.
    await until(async () => (await members()).every(({ waiting }) => waiting === 'agent'))
    usp.heal()
    expect(await states()).toEqual({ DUAL: CPES })
    await server.api.send('PATCH', `/plans/${planId}`, { settings: { soakMs: 0 } })
    await expectMoved()
  })
})

describe('the clock of the server', { timeout: 240_000 }, () => {
  it.each([
    ['back', -600_000],
    ['forward', AN_HOUR_MS],
  ])('may be set %s: plans and recurring work go on, and no device is rolled back', async (_way, ms) => {
    await migrate({ soakMs: 3000, maxInFlight: CPES - 1 })
    await until(async () => ((await states()).DUAL ?? 0) > 0)
    await server.stepClock(ms)
    await expectMoved()
    // An operation that waits for a device that does not come is ended by a job.
    await fleet.kill()
    const { items } = await server.api.get<{ items: { id: string }[] }>('/devices')
    const { id } = await server.api.send<{ id: string }>(
      'POST',
      `/devices/${encodeURIComponent(items[0]?.id ?? '')}/operations?expires=1s`,
      { verb: 'get', paths: ['Device.DeviceInfo.SerialNumber'] },
    )
    await until(async () => (await server.api.get<{ state: string }>(`/operations/${id}`)).state === 'expired')
  })
})
