import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterEach, describe, expect, inject, it } from 'vitest'
import type { MemberState } from '../../src/domain/index.ts'
import type { Fault } from '../../src/simulator/index.ts'
import { ANN } from '../support/actors.ts'
import { type MigrationWorld, migrationWorld, type WorldOptions } from '../support/migration-world.ts'

const vector = (name: string) => readFileSync(resolve(import.meta.dirname, `../vectors/tls/${name}`), 'utf8')
const TABLE = 'Device.LocalAgent.Controller.'

let world: MigrationWorld
const start = async (options: WorldOptions = {}) => {
  world = await migrationWorld(inject('mongodbUri'), options)
  return world
}
afterEach(() => world.stop())

describe('a migration', () => {
  it('writes one Controller with one MTP, proves the move, hands over, and lets CWMP sleep', async () => {
    const { planner, cpes, device, member, plan: make, untilState, store } = await start({ cpes: 3 })
    const plan = await make()
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'finished')
    for (const cpe of cpes) {
      const { owner, binding, migration } = await device(cpe)
      expect({ owner, proof: binding?.proof, state: migration?.state }).toEqual({
        owner: 'usp',
        proof: 'bound',
        state: 'MIGRATED',
      })
      expect(cpe.rowsAdded).toBe(2)
      expect(cpe.controllerRows()).toHaveLength(1)
      expect(cpe.tree.raw('Device.ManagementServer.PeriodicInformInterval')).toBe('86400')
      const { history } = await member(plan, cpe)
      expect(history.map(({ to }) => to)).toEqual([
        'ELIGIBLE',
        'QUEUED',
        'PREPARING',
        'AWAITING_USP',
        'BINDING',
        'VERIFYING',
        'DUAL',
        'RETIRING',
        'MIGRATED',
      ])
      expect(await store.conflicts.list({ open: true, limit: 10 })).toMatchObject({ items: [] })
    }
  })

  it('asks step by step within few sessions, and reads what it can in one request', async () => {
    world = await migrationWorld(inject('mongodbUri'))
    let informs = 0
    const asked: string[] = []
    const plan = await world.plan()
    const off = world.store.fleet.onChanged(({ set }) => {
      if (set?.['cwmp.lastInformAt'] !== undefined) informs++
    })
    world.operations.onFinished(({ request, via }) => asked.push(`${via} ${request.verb}`))
    await world.planner.act(plan.id, 'start', ANN)
    await world.untilState(plan, 'finished')
    off()
    expect((await world.planner.status(plan.id)).states).toEqual({ MIGRATED: 1 })
    const over = (protocol: string) => asked.filter((request) => request.startsWith(protocol)).length
    expect([over('cwmp'), over('usp')]).toEqual([6, 2])
    // Preparing, comparing and retiring are a session each, and a slow machine needs some more: far fewer than one for
    // each request.
    expect(informs).toBeLessThan(10)
  })

  it('lets a migrated device that it resets over USP in over CWMP at once, and takes it back', async () => {
    const { planner, operations, cpes, device, member, plan: make, until, untilState, store } = await start()
    const [cpe] = cpes
    if (cpe === undefined) throw new Error('no device')
    const plan = await make()
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'finished')
    const { id } = await device(cpe)
    const before = await store.credentials.get(id)
    const newest = (await store.events.since(undefined, 1)).at(-1)?.id
    const reset = await operations.submit({
      deviceId: id,
      request: { verb: 'factoryReset' },
      actor: { kind: 'apiKey', id: 'test' },
    })
    await until(async () => (await member(plan, cpe)).state === 'REGRESSED')
    expect(await operations.get(reset.id)).toMatchObject({ state: 'done', sentVia: 'usp', attempts: 1 })
    expect((await device(cpe)).owner).toBe('cwmp')
    const told = (await store.events.since(newest, 1000)).map(({ type }) => type)
    expect(told).toContain('device.bootstrapped')
    expect(told).not.toContain('device.refused')
    // It has a credential of its own again, and the enrolment secret is worth nothing with it.
    const own = async () => {
      const { current, pending, delivered } = (await store.credentials.get(id)) ?? {}
      return current ?? (delivered === true ? pending : undefined)
    }
    await until(async () => (await own()) !== undefined)
    expect((await own())?.password).not.toBe(before?.current?.password)
  })

  const outcomes: [Fault, MemberState, string | undefined][] = [
    ['rejectsWrite', 'QUARANTINED', '9001'],
    ['neverOnboards', 'QUARANTINED', 'agentDidNotCome'],
    ['wrongEndpointId', 'CONFLICT', 'conflict'],
    ['slow', 'MIGRATED', undefined],
    ['fault9002', 'MIGRATED', undefined],
    ['emptyTypes', 'MIGRATED', undefined],
    ['noCookies', 'MIGRATED', undefined],
    ['noTimer', 'MIGRATED', undefined],
    ['powerLoss', 'MIGRATED', undefined],
    ['dropsSession', 'MIGRATED', undefined],
    ['allStrings', 'MIGRATED', undefined],
    ['cutsBatches', 'MIGRATED', undefined],
    ['newConnections', 'MIGRATED', undefined],
    ['ghosts', 'MIGRATED', undefined],
    ['authAfter401', 'MIGRATED', undefined],
    ['emptyTable9005', 'MIGRATED', undefined],
    ['noRebootEvent', 'MIGRATED', undefined],
    ['booleanLiterals', 'MIGRATED', undefined],
    ['rejectsUspWrite', 'QUARANTINED', '7006'],
  ]
  it('leads every faulty device where it belongs, all in one plan', async () => {
    const {
      store,
      planner,
      cpes,
      device,
      member,
      plan: make,
      untilState,
    } = await start({
      cpes: outcomes.length,
      faults: outcomes.map(([fault]) => fault),
    })
    const plan = await make()
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'finished')
    const found: unknown[] = []
    for (const cpe of cpes) {
      const { state, reason } = await member(plan, cpe)
      found.push([cpe.faults[0], state, reason?.code])
      const { owner } = await device(cpe)
      expect(owner).toBe(state === 'MIGRATED' ? 'usp' : 'cwmp')
      // A device that went back is as it was: no row of ours, and its own inform interval.
      if (state !== 'QUARANTINED') continue
      expect(cpe.controllerRows()).toEqual([])
      expect(cpe.tree.raw('Device.ManagementServer.PeriodicInformInterval')).toBe('300')
    }
    expect(found).toEqual(outcomes)
    const status = await planner.status(plan.id)
    expect(status).toMatchObject({ total: 19, migrated: 15, failed: 4, ended: 19, inFlight: 0 })
    expect(status.failures.map(({ code }) => code).sort()).toEqual(['7006', '9001', 'agentDidNotCome', 'conflict'])
    // The secret in its path shows that the Agent with the other Endpoint ID is on this device.
    const conflicts = await store.conflicts.list({ open: true, limit: 10 })
    expect(conflicts.items.map(({ kind, endpointId }) => `${kind} ${endpointId}`)).toEqual([
      expect.stringMatching(/^deviceBoundToOther self::wrong-/),
    ])
  })

  it('gives back as it was a Controller row that was on the device before', async () => {
    const {
      planner,
      cpes,
      member,
      plan: make,
      untilState,
    } = await start({
      faults: ['neverOnboards'],
      before: ({ tree }) => {
        const row = tree.addRow(TABLE, 'device')
        tree.put(`${row}EndpointID`, 'proto::isthmus-test')
        tree.put(`${row}PeriodicNotifInterval`, '777')
        const mtp = tree.addRow(`${row}MTP.`, 'device')
        tree.put(`${mtp}Protocol`, 'WebSocket')
        tree.put(`${mtp}WebSocket.Host`, 'elsewhere.example')
        tree.put(`${mtp}WebSocket.Port`, '8443')
        tree.put(`${mtp}WebSocket.KeepAliveInterval`, '30')
      },
    })
    const plan = await make({ maxAttempts: 2 })
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'finished')
    const [cpe] = cpes
    if (cpe === undefined) throw new Error('no device')
    expect((await member(plan, cpe)).state).toBe('QUARANTINED')
    const [row = ''] = cpe.controllerRows()
    expect(cpe.controllerRows()).toHaveLength(1)
    const [mtp = ''] = cpe.tree.instances(`${row}MTP.`)
    expect(['PeriodicNotifInterval', 'Enable'].map((name) => cpe.tree.raw(row + name))).toEqual(['777', 'false'])
    expect(cpe.tree.raw(`${mtp}WebSocket.Host`)).toBe('elsewhere.example')
  })

  it('over TLS puts the certificate and a credential with a role on the device, and the Agent trusts by it', async () => {
    const tls = { cert: vector('server.pem'), key: vector('server.key') }
    const { planner, cpes, device, plan: make, untilState } = await start({ tls })
    const plan = await make()
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'finished')
    const [cpe] = cpes
    if (cpe === undefined) throw new Error('no device')
    expect((await device(cpe)).migration?.state).toBe('MIGRATED')
    const trust = 'Device.LocalAgent.ControllerTrust.Credential.'
    const [credential = ''] = cpe.tree.instances(trust)
    expect(cpe.tree.instances(trust)).toHaveLength(1)
    expect(['Enable', 'AllowedUses'].map((name) => cpe.tree.raw(credential + name))).toEqual(['true', 'MTP-and-USP'])
    expect(cpe.tree.raw(`${credential}Credential`)).toMatch(/Agent\.Certificate\.1$/)
    expect(cpe.tree.raw(`${credential}Role`)).toMatch(/Agent\.ControllerTrust\.Role\.1$/)
    expect(cpe.tree.instances('Device.LocalAgent.Certificate.')).toHaveLength(1)
  })

  it('gives each device a secret of its own in the path of its WebSocket, and the link of the migrated device shows it', async () => {
    const { planner, cpes, device, store, plan: make, untilState } = await start({ cpes: 2 })
    const plan = await make()
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'finished')
    const paths: unknown[] = []
    for (const cpe of cpes) {
      const { id, usp, migration } = await device(cpe)
      expect(migration?.state).toBe('MIGRATED')
      expect(usp?.weakLink ?? false).toBe(false)
      const [row = ''] = cpe.controllerRows()
      const [mtp = ''] = cpe.tree.instances(`${row}MTP.`)
      const path = cpe.tree.raw(`${mtp}WebSocket.Path`)
      expect(path).toBe(`/usp/${await store.linkSecrets.ensure(id)}`)
      paths.push(path)
      // No history, operation or record shows it.
      const secret = String(path).slice('/usp/'.length)
      const operations = await store.operations.list({ deviceId: id, limit: 1000 })
      const member = await store.plans.getMember(`${plan.id}|${id}`)
      const parameters = await store.parameters.list(id, '', 5000)
      expect(JSON.stringify([operations.items, member, parameters.items])).not.toContain(secret)
    }
    expect(new Set(paths).size).toBe(2)
  })

  it('abort brings devices back that are half moved, row by row', async () => {
    const { planner, cpes, device, plan: make, untilState, until } = await start({ cpes: 4 })
    const plan = await make({ soakMs: 600_000 })
    await planner.act(plan.id, 'start', ANN)
    await until(async () => ((await planner.status(plan.id)).states.DUAL ?? 0) === 4)
    for (const cpe of cpes) await until(async () => (await device(cpe)).owner === 'usp')
    await planner.act(plan.id, 'abort', ANN)
    await untilState(plan, 'aborted')
    for (const cpe of cpes) {
      expect(await device(cpe)).toMatchObject({ owner: 'cwmp', migration: { state: 'ROLLED_BACK' } })
      expect(cpe.controllerRows()).toEqual([])
    }
    await expect(planner.act(plan.id, 'pause', ANN)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('starts nothing while paused, and at most as many as may be in flight', async () => {
    const { planner, plan: make, until, untilState } = await start({ cpes: 6 })
    const plan = await make({ soakMs: 1500, maxInFlight: 2 })
    await planner.act(plan.id, 'start', ANN)
    const inFlight: number[] = []
    await until(async () => {
      const status = await planner.status(plan.id)
      inFlight.push(status.inFlight)
      return status.migrated >= 2
    })
    await planner.act(plan.id, 'pause', ANN)
    await until(async () => (await planner.status(plan.id)).inFlight === 0)
    const paused = await planner.status(plan.id)
    expect(paused.states.QUEUED).toBe(6 - paused.migrated)
    await planner.act(plan.id, 'resume', ANN)
    await untilState(plan, 'finished')
    expect((await planner.status(plan.id)).migrated).toBe(6)
    expect(Math.max(...inFlight)).toBeLessThanOrEqual(2)
  })

  it('stops starting when too many failed, and says so', async () => {
    const { planner, plan: make, untilState } = await start({ cpes: 6, faults: ['rejectsWrite'] })
    const plan = await make({ maxInFlight: 2, gateMinSample: 2, failureGatePercent: 30, maxAttempts: 1 })
    await planner.act(plan.id, 'start', ANN)
    await untilState(plan, 'paused')
    const status = await planner.status(plan.id)
    expect(status.reason).toMatch(/30 %/)
    expect(status.states.QUEUED).toBeGreaterThan(0)
  })
})
