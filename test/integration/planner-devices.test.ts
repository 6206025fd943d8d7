import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  type DeviceId,
  deviceIdOf,
  type EndpointId,
  failedResult,
  type MemberState,
  newDevice,
  type Operation,
  type OperationRequest,
  outcomeError,
  type Plan,
  type PlanSettings,
} from '../../src/domain/index.ts'
import { ANN } from '../support/actors.ts'
import { AnsweringDevice } from '../support/answering-device.ts'
import { type PlannerWorld, plannerWorld } from '../support/planner-world.ts'

const CONTROLLERS = 'Device.USPAgent.Controller.'

let world: PlannerWorld
let cpe: AnsweringDevice
let id: DeviceId
let plan: Plan
beforeEach(async () => {
  world = await plannerWorld(inject('mongodbUri'))
  const [made] = await world.devices(1)
  if (made === undefined) throw new Error('no device')
  id = made
  cpe = new AnsweringDevice('S1')
  world.answer = cpe.answer
})
afterEach(() => world.stop())

async function start(settings: Partial<PlanSettings> = {}): Promise<void> {
  plan = await world.plan({ maxAttempts: 1, parityPaths: [], ...settings })
  await world.planner.act(plan.id, 'start', ANN)
}

/** Links the Agent as long as the device has an enabled row for us. */
async function link(linked = cpe.dials): Promise<void> {
  const at = world.clock.nowMs
  const down = linked ? {} : { 'usp.disconnectedAt': at }
  await world.store.devices.commit({
    deviceId: id,
    set: { 'usp.linked': linked, 'usp.lastSeenAt': at, 'usp.versions': '1.3', ...down },
  })
}

async function until(state: MemberState): Promise<void> {
  await world.until(async () => {
    await link()
    await world.heard(id)
    world.clock.nowMs += 500
    return (await world.planner.member(plan.id, id)).state === state
  })
}

/** Lets the Agent refuse some operations: with this code, and with another one for each path where it is given. */
function refuseOverUsp(isRefused: (operation: Operation) => boolean, code: string, ofPath?: string): void {
  const play = world.answer
  world.answer = (operation) => {
    if (operation.via !== 'usp' || !isRefused(operation)) return play(operation)
    const { request } = operation
    const paths = ofPath !== undefined && request.verb === 'set' ? request.values.map(({ path }) => path) : []
    const results = paths.map((path) => ({ path, error: outcomeError(ofPath ?? code, 'refused') }))
    return failedResult(outcomeError(code, 'refused'), results)
  }
}

function named(request: OperationRequest, name: string): boolean {
  return request.verb === 'set' && request.values.some(({ path }) => path.endsWith(`.${name}`))
}

/** The Agent notifies of each value that was set over USP. */
async function notifyChanges(): Promise<void> {
  const sets = world.asked.flatMap(({ request, via, state }) =>
    request.verb === 'set' && via === 'usp' && state === 'done' ? request.values : [],
  )
  const last = sets.at(-1)
  if (last === undefined) return
  const data = { path: last.path, value: last.value }
  await world.store.events.append([
    { type: 'parameter.changed', at: world.clock.nowMs, deviceId: id, protocol: 'usp', data },
  ])
}

describe('devices in the field', () => {
  it('are led over, and what was found stands in the history', async () => {
    await start()
    await until('MIGRATED')
    const { history } = await world.planner.member(plan.id, id)
    const evidence = (to: MemberState) => history.find((entry) => entry.to === to)?.evidence
    expect(evidence('ELIGIBLE')).toMatchObject({ 'Device.USPAgent.EndpointID': 'os::0C96BF-S1' })
    expect(evidence('AWAITING_USP')).toMatchObject({ endpointId: 'os::0C96BF-S1', interval: '300' })
    expect(evidence('DUAL')).toMatchObject({
      identity: '0C96BF-CPE-S1',
      versions: '1.3',
      softwareVersion: '1.0',
      notified: 'OperationComplete of a timer',
    })
    expect(evidence('MIGRATED')).toMatchObject({ interval: '300 -> 86400', proof: 'bound' })
    expect((await world.store.devices.get(id))?.owner).toBe('usp')
  })

  it('may refuse over CWMP what is only wished for', async () => {
    cpe.refuses.cwmp.push('AssignedRole', 'PeriodicNotifInterval', 'WebSocket.KeepAliveInterval')
    await start()
    await until('MIGRATED')
    expect(cpe.rows(CONTROLLERS)).toHaveLength(1)
  })

  it('may refuse over USP one or the other harmless value', async () => {
    cpe.refuses.usp.push('ControllerCode', 'ProvisioningCode')
    await start()
    await until('MIGRATED')
    const [row = ''] = cpe.rows(CONTROLLERS)
    expect(cpe.values.get(`${row}PeriodicNotifInterval`)).toBe('60')
  })

  it('may refuse a value over USP as one that could not be updated', async () => {
    refuseOverUsp(({ request }) => named(request, 'ControllerCode'), '7020', '7013')
    await start()
    await until('MIGRATED')
    const { history } = await world.planner.member(plan.id, id)
    const { wrote } = history.find(({ to }) => to === 'DUAL')?.evidence ?? {}
    expect(wrote).toMatch(/\.ProvisioningCode$/)
  })

  it('may not let us use a timer: the Notify of a changed value shows the same', async () => {
    refuseOverUsp(({ request }) => request.verb === 'operate', '7006')
    await start()
    await world.until(async () => {
      await link()
      await world.heard(id)
      world.clock.nowMs += 500
      await notifyChanges()
      return (await world.planner.member(plan.id, id)).state === 'MIGRATED'
    })
    const { history } = await world.planner.member(plan.id, id)
    expect(history.find(({ to }) => to === 'DUAL')?.evidence?.notified).toMatch(/^ValueChange of /)
  })

  it.each([
    { oui: ' 0c96bf ', productClass: 'CPE ', serial: ' S1' },
    { oui: '0C96BF', productClass: ' ', serial: 'S1 ' },
  ])('may show their identity with blanks: %j', async ({ oui, productClass, serial }) => {
    cpe.overUsp.set('Device.DeviceInfo.ManufacturerOUI', oui)
    cpe.overUsp.set('Device.DeviceInfo.ProductClass', productClass)
    cpe.overUsp.set('Device.DeviceInfo.SerialNumber', serial)
    await start()
    await until('MIGRATED')
  })

  it.each([
    ['ManufacturerOUI', ''],
    ['ProductClass', 'CPE2'],
    ['SerialNumber', ' '],
  ])('that show another identity over USP (%s %j) are no success', async (name, value) => {
    cpe.overUsp.set(`Device.DeviceInfo.${name}`, value)
    await start()
    await until('QUARANTINED')
    expect((await world.planner.member(plan.id, id)).reason).toMatchObject({ code: 'identity' })
  })

  it('that cut the secret off show none of it in the reason', async () => {
    const play = world.answer
    world.answer = (operation) => {
      const result = play(operation)
      for (const [path, value] of cpe.values)
        if (path.endsWith('.WebSocket.Path')) cpe.values.set(path, value.slice(0, 15))
      return result
    }
    await start()
    await until('QUARANTINED')
    const { reason } = await world.planner.member(plan.id, id)
    expect(reason?.code).toBe('readBack')
    expect(reason?.text).toMatch(/WebSocket\.Path is another text, of 15 characters, not "\/usp\/\[secret\]"$/)
  })

  it('may say yes and not switch on', async () => {
    const play = cpe.answer
    world.answer = (operation) => {
      const result = play(operation)
      if (operation.request.verb === 'set')
        for (const { path } of operation.request.values) if (path.endsWith('.Enable')) cpe.values.set(path, 'false')
      return result
    }
    await start()
    await until('QUARANTINED')
    const { reason } = await world.planner.member(plan.id, id)
    expect(reason).toMatchObject({ code: 'readBack', text: expect.stringMatching(/Enable was set and is "false"/) })
    expect(cpe.rows(CONTROLLERS)).toEqual([])
  })

  it.each([
    ['1.1', /"1.1" over USP and "1.0" over CWMP/],
    ['', /"" over USP and "1.0" over CWMP/],
  ])('that run another firmware over USP (%j) are no success', async (version, text) => {
    cpe.overUsp.set('Device.DeviceInfo.SoftwareVersion', version)
    await start()
    await until('QUARANTINED')
    const { reason } = await world.planner.member(plan.id, id)
    expect(reason).toMatchObject({ code: 'softwareVersion', text: expect.stringMatching(text) })
    expect((await world.store.devices.get(id))?.owner).toBe('cwmp')
  })

  it('are waited for until they have shown their USP versions', async () => {
    await start()
    await world.until(async () => {
      const at = world.clock.nowMs
      if (cpe.dials)
        await world.store.devices.commit({ deviceId: id, set: { 'usp.linked': true, 'usp.lastSeenAt': at } })
      await world.heard(id)
      // The Agent may come after it was looked for: then time brings the next look.
      world.clock.nowMs += 500
      const { state, waiting } = await world.planner.member(plan.id, id)
      return state === 'VERIFYING' && waiting === 'agent'
    })
    await until('MIGRATED')
  })

  it('that renumber their rows lose ours, and no other row', async () => {
    cpe.put(`${CONTROLLERS}1.`, { EndpointID: 'proto::vendor', Enable: 'true' })
    await start({ awaitUspTimeoutMs: 600_000 })
    await world.until(async () => (await world.planner.member(plan.id, id)).state === 'AWAITING_USP')
    const ours = cpe.rows(CONTROLLERS).find((row) => row !== `${CONTROLLERS}1.`) ?? ''
    cpe.renumber(`${CONTROLLERS}1.`, `${CONTROLLERS}9.`)
    cpe.renumber(ours, `${CONTROLLERS}1.`)
    cpe.renumber(`${CONTROLLERS}9.`, ours)
    await world.planner.act(plan.id, 'abort', ANN)
    await world.untilState(plan, 'aborted')
    expect(cpe.rows(CONTROLLERS).map((row) => cpe.values.get(`${row}EndpointID`))).toEqual(['proto::vendor'])
  })

  it('whose operator decided a conflict are moved as he decided', async () => {
    await start()
    const endpointId = 'os::0C96BF-OTHER' as EndpointId
    await world.until(async () => (await world.planner.member(plan.id, id)).state === 'AWAITING_USP')
    const at = world.clock.nowMs
    await world.store.conflicts.open(
      { id: 'c1', deviceId: id, kind: 'deviceBoundToOther', endpointId, proof: 'triple', details: {}, at },
      { type: 'device.conflict', at, deviceId: id, data: {} },
    )
    await until('CONFLICT')
    const text = `conflict c1 is open: deviceBoundToOther of ${endpointId}`
    expect((await world.planner.member(plan.id, id)).reason).toEqual({ code: 'conflict', text })
    await world.store.devices.commit({ deviceId: id, set: { binding: { endpointId, proof: 'operator', at } } })
    await world.store.conflicts.resolve('c1', 'bound', 'test', at)
    await world.planner.act(plan.id, 'retry', ANN)
    await until('MIGRATED')
    expect((await world.store.devices.get(id))?.binding).toMatchObject({ endpointId, proof: 'operator' })
  })

  it('keep a proof by certificate when their Endpoint ID is read over CWMP', async () => {
    const binding = { endpointId: 'os::0C96BF-S1' as EndpointId, proof: 'certificate' as const, at: 1 }
    await world.store.devices.commit({ deviceId: id, set: { binding } })
    await start()
    await until('MIGRATED')
    expect((await world.store.devices.get(id))?.binding).toEqual(binding)
  })

  it('are moved by what they show over CWMP, not by an earlier claim of another Agent', async () => {
    const binding = { endpointId: 'proto::claims' as EndpointId, proof: 'triple' as const, at: 1 }
    await world.store.devices.commit({ deviceId: id, set: { binding } })
    await start()
    await until('MIGRATED')
    expect((await world.store.devices.get(id))?.binding).toMatchObject({ endpointId: 'os::0C96BF-S1', proof: 'bound' })
  })

  it('may show blanks around their Endpoint ID over CWMP', async () => {
    cpe.put('Device.USPAgent.', { EndpointID: ' os::0C96BF-S1 ' })
    await start()
    await until('MIGRATED')
    expect((await world.store.devices.get(id))?.binding?.endpointId).toBe('os::0C96BF-S1')
  })

  it('that show no Endpoint ID in its place are not moved, and get no rows', async () => {
    cpe.put('Device.USPAgent.', { EndpointID: 'N/A' })
    await start()
    await until('QUARANTINED')
    expect((await world.planner.member(plan.id, id)).reason).toMatchObject({
      code: 'noEndpointId',
      text: expect.stringContaining('"N/A" is no Endpoint ID'),
    })
    expect((await world.store.devices.get(id))?.binding).toBeUndefined()
    expect(cpe.rows('Device.USPAgent.Controller.')).toEqual([])
  })

  it('get the Endpoint ID that they show over CWMP from a device that only claims it', async () => {
    const identity = { oui: '0C96BF', productClass: 'CPE', serial: 'claimant' }
    const claimant = deviceIdOf(identity)
    const binding = { endpointId: 'os::0C96BF-S1' as EndpointId, proof: 'triple' as const, at: 1 }
    await world.store.devices.commit({
      deviceId: claimant,
      create: { ...newDevice(claimant, identity, 'usp', 1), binding },
    })
    await start()
    await until('MIGRATED')
    expect((await world.store.devices.get(id))?.binding).toMatchObject({ endpointId: 'os::0C96BF-S1', proof: 'bound' })
    expect((await world.store.devices.get(claimant))?.binding).toBeUndefined()
    expect((await world.store.conflicts.list({ limit: 1 })).items).toEqual([])
  })

  it('are not joined with an Agent whose link lacks the secret that the plan gave', async () => {
    await start({ awaitUspTimeoutMs: 600_000 })
    await world.until(async () => (await world.planner.member(plan.id, id)).state === 'AWAITING_USP')
    await world.store.devices.commit({ deviceId: id, set: { 'usp.linked': true, 'usp.weakLink': true } })
    await world.until(async () => {
      world.clock.nowMs += 1000
      return world.links.closed.includes(id)
    })
    expect((await world.planner.member(plan.id, id)).state).toBe('AWAITING_USP')
    expect(await world.store.linkSecrets.prove(id, undefined)).toBe('required')
    const secret = await world.store.linkSecrets.ensure(id)
    expect(await world.store.linkSecrets.prove(id, secret)).toBe('unused')
  })

  it('whose Agent is refused tell the reason of that', async () => {
    cpe.absent.usp = true
    await start({ awaitUspTimeoutMs: 5000 })
    await world.store.pendingAgents.note({
      endpointId: 'os::0C96BF-S1' as EndpointId,
      address: '192.0.2.1',
      reason: 'noSecret',
      text: 'the link does not show the secret',
      count: 3,
      at: world.clock.nowMs,
    })
    await world.until(async () => {
      await world.heard(id)
      world.clock.nowMs += 1000
      return (await world.planner.member(plan.id, id)).state === 'QUARANTINED'
    })
    expect((await world.planner.member(plan.id, id)).reason).toEqual({
      code: 'agentDidNotCome',
      text: 'no Agent connected within 5 s; its links are refused (noSecret): the link does not show the secret',
    })
  })

  it('get the values of a row that a cut left without them', async () => {
    const play = cpe.answer
    let cut = true
    world.answer = (operation) => {
      const result = play(operation)
      if (!cut || result === 'expired' || operation.request.verb !== 'add' || operation.request.object !== CONTROLLERS)
        return result
      const row = result?.results.find(({ created }) => created !== undefined)?.created ?? ''
      cut = false
      for (const name of ['EndpointID', 'Enable']) cpe.values.set(row + name, '')
      const error = { code: 'notApplied', text: 'the device does not show what was asked for', retryable: true }
      return {
        outcome: 'failed',
        error: { code: 'incomplete', text: 'the answer was lost', retryable: false },
        results: [
          { path: CONTROLLERS, created: row },
          { path: `${row}EndpointID`, error },
          { path: `${row}Enable`, error },
        ],
      }
    }
    await start()
    await until('MIGRATED')
    expect(cpe.rows(CONTROLLERS)).toHaveLength(1)
    const [row = ''] = cpe.rows(CONTROLLERS)
    expect(cpe.values.get(`${row}EndpointID`)).toBe('proto::isthmus-test')
  })

  it.each(['AWAITING_USP', 'DUAL'] as const)(
    'that are reset in %s are not waited for, and go by another attempt',
    async (state) => {
      if (state === 'AWAITING_USP') cpe.absent.usp = true
      await start({ maxAttempts: 2, soakMs: 60_000 })
      const linksIn = (to: MemberState) =>
        world.until(async () => {
          await link(cpe.dials && !cpe.absent.usp)
          await world.heard(id)
          world.clock.nowMs += 500
          return (await world.planner.member(plan.id, id)).state === to
        })
      await linksIn(state)
      for (const path of [...cpe.values.keys()].filter((one) => one.startsWith('Device.USPAgent.Controller.')))
        cpe.values.delete(path)
      await world.store.devices.commit({ deviceId: id, set: { 'cwmp.lastBootstrapAt': world.clock.nowMs } })
      await linksIn('BACKOFF')
      const { reason } = await world.planner.member(plan.id, id)
      expect(reason).toMatchObject({ code: 'bootstrap', text: 'the device was reset to factory settings on the way' })
      cpe.absent.usp = false
      await linksIn('MIGRATED')
    },
  )

  it('are not put to sleep over CWMP while their identity is proven by a claim alone', async () => {
    await start({ soakMs: 60_000 })
    await until('DUAL')
    const endpointId = 'os::0C96BF-S1' as EndpointId
    await world.store.devices.commit({ deviceId: id, set: { binding: { endpointId, proof: 'triple', at: 1 } } })
    await until('QUARANTINED')
    expect((await world.planner.member(plan.id, id)).reason).toMatchObject({ code: 'weakProof' })
    expect(cpe.values.get('Device.ManagementServer.PeriodicInformInterval')).toBe('300')
  })

  it.each([
    { retire: 'none', state: 'DUAL' },
    { retire: 'dormant', state: 'RETIRING' },
  ] as const)(
    'that fall silent over CWMP during the soak stay on USP, visibly, and go on when they connect ($retire)',
    async ({ retire, state }) => {
      await start({ soakMs: 60_000, retire })
      await until('DUAL')
      cpe.absent.cwmp = true
      await world.until(async () => {
        await link()
        world.clock.nowMs += 5000
        return (await world.planner.member(plan.id, id)).waiting === 'offline'
      })
      world.clock.nowMs += 10 * 3_600_000
      await world.until(async () => {
        await link()
        world.clock.nowMs += 5000
        return (await world.planner.member(plan.id, id)).facts.cwmpAsked !== undefined
      })
      expect(await world.planner.member(plan.id, id)).toMatchObject({ state })
      expect((await world.store.devices.get(id))?.owner).toBe('usp')
      cpe.absent.cwmp = false
      await until('MIGRATED')
    },
  )

  it('that do not connect for their rollback are stranded until they do', async () => {
    await start({ awaitUspTimeoutMs: 1000 })
    await world.until(async () => (await world.planner.member(plan.id, id)).state === 'AWAITING_USP')
    cpe.absent.cwmp = true
    await world.until(async () => {
      world.clock.nowMs += 600_000
      return (await world.planner.member(plan.id, id)).state === 'STRANDED'
    })
    await world.untilState(plan, 'finished')
    expect((await world.planner.status(plan.id)).next).toMatch(/goes on at its next contact/)
    expect(cpe.rows(CONTROLLERS)).toHaveLength(1)
    cpe.absent.cwmp = false
    await world.heard(id)
    await world.until(async () => cpe.rows(CONTROLLERS).length === 0)
    // Back as it was, and told for what it failed at first.
    await until('QUARANTINED')
    expect((await world.planner.member(plan.id, id)).reason?.code).toBe('agentDidNotCome')
    await world.untilState(plan, 'finished')
  })

  describe('over TLS', () => {
    const CREDENTIALS = 'Device.USPAgent.ControllerTrust.Credential.'
    const certificate = readFileSync(join(import.meta.dirname, '../vectors/tls/server.pem'), 'utf8')
    const serial = new X509Certificate(certificate).serialNumber
    const tls = (more: object = {}) => ({
      controller: {
        endpointId: 'proto::isthmus-test',
        host: '127.0.0.1',
        port: 8183,
        path: '/usp',
        tls: true,
        certificate,
        periodicNotifIntervalS: 60,
        ...more,
      },
    })

    it('whose trust tables are read-only are moved by what the handshake shows', async () => {
      cpe.readOnlyTables.push(CREDENTIALS)
      cpe.refuses.cwmp.push('AddCertificate')
      await start(tls())
      await until('MIGRATED')
      const { history } = await world.planner.member(plan.id, id)
      expect(history.find(({ to }) => to === 'AWAITING_USP')?.evidence?.trustRefused).toMatch(/certificate/)
      expect(cpe.rows(CREDENTIALS)).toEqual([])
    })

    it('that trust us already, as the plan says, get no certificate', async () => {
      await start(tls({ trust: 'none' }))
      await until('MIGRATED')
      expect(world.asked.some(({ request }) => JSON.stringify(request).includes('AddCertificate'))).toBe(false)
    })

    it('keep a credential that was there before, under whichever name it refers to its certificate', async () => {
      cpe.put('Device.USPAgent.Certificate.1.', { SerialNumber: serial.toLowerCase() })
      cpe.put(`${CREDENTIALS}1.`, { Credential: 'Device.LocalAgent.Certificate.1', Enable: 'true' })
      await start(tls())
      await until('MIGRATED')
      expect(cpe.rows(CREDENTIALS)).toEqual([`${CREDENTIALS}1.`])
      await world.planner.act(plan.id, 'rollback', ANN)
      await until('ROLLED_BACK')
      expect(cpe.rows(CREDENTIALS)).toEqual([`${CREDENTIALS}1.`])
      expect(cpe.rows(CONTROLLERS)).toEqual([])
    })

    it('lose the credential that the plan added, and nothing else', async () => {
      cpe.put('Device.USPAgent.Certificate.1.', { SerialNumber: serial })
      cpe.put(`${CREDENTIALS}1.`, { Credential: 'Device.LocalAgent.Certificate.7', Enable: 'true' })
      await start(tls())
      await until('MIGRATED')
      expect(cpe.rows(CREDENTIALS)).toHaveLength(2)
      await world.planner.act(plan.id, 'rollback', ANN)
      await until('ROLLED_BACK')
      expect(cpe.rows(CREDENTIALS)).toEqual([`${CREDENTIALS}1.`])
    })
  })

  it('on which somebody else has something under way are waited for', async () => {
    const open = world.operations.open
    world.operations.open = async () => [
      {
        id: 'x',
        deviceId: id,
        request: { verb: 'download', url: 'http://files.example/1.1' },
        state: 'sent',
        actor: { kind: 'apiKey', id: 'oss' },
        createdAt: 0,
        expiresAt: 0,
        attempts: 0,
      },
    ]
    await start()
    await world.until(async () => (await world.planner.member(plan.id, id)).waiting === 'busy')
    expect(world.asked).toEqual([])
    world.operations.open = open
    await until('MIGRATED')
  })
})
