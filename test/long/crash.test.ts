import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { misplaced } from '../../src/demo/expectations.ts'
import { Fleet } from '../../src/simulator/index.ts'
import { ServerProcess } from '../support/server-process.ts'
import { until as reached } from '../support/until.ts'

const CUTS = 20
const MIX = { legacyTr098: 6, tr181NoAgent: 4, dualStack: 40, uspOnly: 4 }
const TOTAL = Object.values(MIX).reduce((sum, count) => sum + count, 0)
const SETTINGS = {
  maxInFlight: 6,
  soakMs: 1500,
  awaitUspTimeoutMs: 60_000,
  verifyTimeoutMs: 120_000,
  offlineTimeoutMs: 120_000,
  maxAttempts: 2,
  retryBackoffMs: 1000,
  failureGatePercent: 100,
}

const PROVISIONING_CODE = 'InternetGatewayDevice.DeviceInfo.ProvisioningCode'

/** A write that the API has accepted. */
interface Acknowledged {
  id: string
  deviceId: string
  value: string
}

interface DeviceRow {
  id: string
  owner: string
  migration?: { state: string }
  cwmp?: { discoveredFor?: string }
  usp?: { onboardedFor?: string }
}

describe('power cuts while devices migrate', () => {
  let dataDir: string
  let server: ServerProcess
  let fleet: Fleet

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'isthmus-crash-'))
    server = new ServerProcess(dataDir, ['--agent-admission', 'open', '--discovery', 'subtree'])
    await server.start()
    const { cwmpPort, uspPort } = server.ports
    fleet = new Fleet({
      mix: MIX,
      faultEvery: 8,
      seed: 7,
      servers: {
        acsUrl: `http://127.0.0.1:${cwmpPort}/`,
        enrolmentSecret: server.enrolmentSecret,
        usp: { endpointId: server.endpointId, host: '127.0.0.1', port: uspPort, path: '/usp', tls: false },
      },
      timeScale: 10,
      informIntervalS: 120,
      staggerMs: 5,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    })
    await fleet.start()
    await until(
      async () =>
        (await devices()).filter(
          (device) => device.usp?.onboardedFor !== undefined || (device.cwmp?.discoveredFor ?? '') !== '',
        ).length === TOTAL,
      120_000,
    )
  })
  afterEach(async () => {
    fleet?.stop(false)
    await server?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  async function devices(): Promise<DeviceRow[]> {
    return (await server.api.get<{ items: DeviceRow[] }>('/devices?limit=1000&fields=owner,migration,cwmp,usp')).items
  }

  async function startPlan(): Promise<string> {
    const group = await server.api.send<{ id: string }>('POST', '/groups', {
      name: 'movers',
      selector: 'manufacturer==Northbridge,manufacturer=="Marsh Networks"',
    })
    const plan = await server.api.send<{ id: string }>('POST', '/plans', {
      name: 'move',
      groupId: group.id,
      settings: SETTINGS,
    })
    await server.api.send('POST', `/plans/${plan.id}/actions/start`)
    return plan.id
  }

  /** Every device is where it should be, and no effect of any step was made twice. */
  async function judge(planId: string): Promise<void> {
    await until(async () => (await server.api.get<{ state: string }>(`/plans/${planId}`)).state === 'finished', 420_000)
    const found = new Map(
      (await devices()).map((device) => [device.id, { owner: device.owner, state: device.migration?.state }]),
    )
    expect(misplaced(fleet.summary(), found)).toEqual([])
    const ids = new Map(fleet.summary().map((summary, i) => [summary.deviceId, fleet.devices[i]]))
    for (const [deviceId, cpe] of ids) {
      if (cpe?.kind !== 'dualStack') continue
      const member = await server.api.get<{ state: string; attempt: number }>(
        `/plans/${planId}/members/${encodeURIComponent(deviceId)}`,
      )
      // One Controller row and one MTP row per attempt at the most: a doubled AddObject would show here.
      expect
        .soft(
          cpe.rowsAdded,
          `rows added in ${deviceId} (${cpe.faults}), ${member.state} after ${member.attempt} attempts`,
        )
        .toBeLessThanOrEqual(2 * member.attempt)
      if (member.state === 'MIGRATED') expect.soft(cpe.controllerRows().length, deviceId).toBe(1)
      if (member.state === 'QUARANTINED') expect.soft(cpe.controllerRows().length, deviceId).toBe(0)
    }
  }

  /**
   * Cuts the power at random points of the migration; before each cut the API acknowledges a write to a device that
   * stays on CWMP.
   */
  async function cutDuring(planId: string, cut: () => Promise<void>): Promise<Acknowledged[]> {
    const acknowledged: Acknowledged[] = []
    const legacy = fleet.summary().filter((cpe) => cpe.kind === 'legacyTr098')
    let underWay = 0
    for (let i = 0; i < CUTS; i++) {
      const deviceId = legacy[i % legacy.length]?.deviceId ?? ''
      const value = `cut-${i}`
      const request = { verb: 'set', values: [{ path: PROVISIONING_CODE, value }] }
      const path = `/devices/${encodeURIComponent(deviceId)}/operations`
      const operation = await server.api.send<{ id: string }>('POST', path, request)
      acknowledged.push({ id: operation.id, deviceId, value })
      // The cut comes at a random moment: the wait itself is the point.
      await new Promise((resolve) => setTimeout(resolve, 50 + systemRandom.fraction() * 2000))
      if ((await server.api.get<{ state: string }>(`/plans/${planId}`)).state === 'running') underWay++
      await cut()
    }
    expect(underWay, 'cuts that came while the plan was running').toBeGreaterThanOrEqual(CUTS / 2)
    return acknowledged
  }

  /** Every acknowledged write has been done, and each device holds the last one. */
  async function judgeWrites(acknowledged: Acknowledged[]): Promise<void> {
    for (const { id } of acknowledged) {
      const state = async () => (await server.api.get<{ state: string }>(`/operations/${id}`)).state
      await until(async () => ['done', 'failed', 'expired'].includes(await state()), 120_000)
      expect.soft(await state(), `operation ${id}`).toBe('done')
    }
    const last = new Map(acknowledged.map((entry) => [entry.deviceId, entry]))
    fleet.summary().forEach((summary, i) => {
      const entry = last.get(summary.deviceId)
      if (entry !== undefined) expect.soft(fleet.devices[i]?.tree.raw(PROVISIONING_CODE)).toBe(entry.value)
    })
  }

  it(`of the server, ${CUTS} times: every device reaches its state, no effect is doubled, nothing acknowledged is lost`, async () => {
    const planId = await startPlan()
    const acknowledged = await cutDuring(planId, async () => {
      await server.kill()
      await server.start()
    })
    await judge(planId)
    await judgeWrites(acknowledged)
  })

  it(`of the database, ${CUTS} times: the server stays up, and the same holds`, async () => {
    const planId = await startPlan()
    const pid = server.pid
    const acknowledged = await cutDuring(planId, async () => {
      const databasePid = enginePid(dataDir)
      process.kill(databasePid, 'SIGKILL')
      await until(
        async () =>
          (await fetch(`http://127.0.0.1:${server.ports.apiPort}/readyz`)).status === 200 &&
          enginePid(dataDir) !== databasePid,
        60_000,
      )
    })
    await judge(planId)
    await judgeWrites(acknowledged)
    expect(server.pid).toBe(pid)
  })
})

function enginePid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'database', 'engine.pid'), 'utf8'), 10)
}

/** The same when the condition rejects: right after a cut the server may not listen yet. */
async function until(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  let failed: unknown
  const holds = async () => {
    try {
      return await condition()
    } catch (error) {
      failed = error
      return false
    }
  }
  try {
    await reached(holds, timeoutMs, 500)
  } catch (error) {
    throw new Error(`${error}: ${condition}`, { cause: failed })
  }
}
