import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  bindByOperator,
  type Conflict,
  type DeviceIdentity,
  decideArrival,
  deviceIdOf,
  type EndpointId,
  newDevice,
} from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let store: Store
let serial = 0
const identityOf = (): DeviceIdentity => ({ oui: '00256D', productClass: 'Gateway', serial: `R${++serial}` })
const eidOf = (name: string) => `proto::${name}` as EndpointId

beforeAll(async () => {
  store = await testStore(inject('mongodbUri'))
})
afterAll(() => store.close())

async function enrolled(endpointId?: EndpointId) {
  const identity = identityOf()
  const id = deviceIdOf(identity)
  const binding = endpointId === undefined ? {} : { binding: { endpointId, proof: 'triple' as const, at: 1 } }
  await store.devices.commit({ deviceId: id, create: { ...newDevice(id, identity, 'cwmp', 1), ...binding } })
  return { id, identity }
}

/** The Conflict that an Agent's claim opens. */
async function claimed(endpointId: EndpointId, identity: DeviceIdentity): Promise<Conflict> {
  const decision = await decide(endpointId, identity)
  if (decision.kind !== 'conflict') throw new Error(`no conflict but ${decision.kind}`)
  return store.conflicts.open({ ...decision.conflict, id: `c${++serial}` }, decision.event)
}
const decide = async (endpointId: EndpointId, identity: DeviceIdentity, certificate = true) => {
  const byEndpoint = await store.devices.findByEndpoint(endpointId)
  const byIdentity = byEndpoint === undefined ? await store.devices.get(deviceIdOf(identity)) : undefined
  return decideArrival({ endpointId, shown: identity, certificate }, byEndpoint, byIdentity, 'open', 2)
}

describe('a person who decides a conflict', () => {
  it('leaves an Endpoint ID with its device, against the claim of its Agent', async () => {
    const eid = eidOf('stays')
    const { id } = await enrolled(eid)
    const other = identityOf()
    const conflict = await claimed(eid, other)
    expect((await store.devices.get(id))?.conflict).toBe(conflict.id)
    await bindByOperator(conflict, id, store.devices, 3)
    expect(await store.conflicts.resolve(conflict.id, 'bound', 'me', 3)).toBe(true)
    expect(await store.conflicts.resolve(conflict.id, 'bound', 'me', 4)).toBe(false)
    expect(await store.devices.get(id)).toMatchObject({ binding: { endpointId: eid, proof: 'operator' } })
    expect((await store.devices.get(id))?.conflict).toBeUndefined()
    expect(await decide(eid, other, false)).toMatchObject({ kind: 'known', device: { id } })
  })

  it('gives an Endpoint ID to the claimed device, also to one that was never seen', async () => {
    for (const seen of [true, false]) {
      const eid = eidOf(`moves-${seen}`)
      const from = await enrolled(eid)
      const to = seen ? (await enrolled()).identity : identityOf()
      const conflict = await claimed(eid, to)
      await bindByOperator(conflict, deviceIdOf(to), store.devices, 3)
      await bindByOperator(conflict, deviceIdOf(to), store.devices, 4)
      expect((await store.devices.get(from.id))?.binding).toBeUndefined()
      expect((await store.devices.findByEndpoint(eid))?.id).toBe(deviceIdOf(to))
      expect(await decide(eid, to, false)).toMatchObject({ kind: 'known', device: { id: deviceIdOf(to) } })
    }
  })

  it('may choose none but the devices that the conflict names', async () => {
    const eid = eidOf('third')
    await enrolled(eid)
    const conflict = await claimed(eid, identityOf())
    const third = deviceIdOf(identityOf())
    await expect(bindByOperator(conflict, third, store.devices, 3)).rejects.toMatchObject({ code: 'invalid' })
  })

  it('ends the contest of the Endpoint ID', async () => {
    const eid = eidOf('contested')
    const { id } = await enrolled(eid)
    expect(await store.conflicts.isContested(eid)).toBe(false)
    const conflict = await claimed(eid, identityOf())
    expect(await store.conflicts.isContested(eid)).toBe(true)
    expect(await store.conflicts.isContested(eidOf('another'))).toBe(false)
    await store.conflicts.resolve(conflict.id, 'dismissed', 'me', 3)
    expect(await store.conflicts.isContested(eid)).toBe(false)
    expect((await store.conflicts.get(conflict.id))?.deviceId).toBe(id)
    expect(Object.keys((await store.conflicts.get(conflict.id)) ?? {})).not.toContain('openEndpointId')
  })
})

describe('deleting a device', () => {
  let server: TestServer
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`http://127.0.0.1:${server.apiPort}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${server.firstKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  beforeAll(async () => {
    server = await startTestServer(inject('mongodbUri'), { secretKey: 'test' })
  })
  afterAll(() => server.stop())

  it('takes its operations along, so that they do not reach the device when it is enrolled again', async () => {
    const own = await testStore(inject('mongodbUri'), { databaseName: server.databaseName })
    const identity = identityOf()
    const id = deviceIdOf(identity)
    const migration = { planId: 'p', state: 'VERIFYING', at: 1 } as const
    await own.devices.commit({ deviceId: id, create: { ...newDevice(id, identity, 'cwmp', 1), migration } })
    const value = { path: 'Device.X', value: '1', type: 'string', source: 'cwmp', collectedAt: 1 } as const
    await own.devices.commit({ deviceId: id, parameters: [value] })
    expect((await call('DELETE', `/devices/${encodeURIComponent(id)}`)).status).toBe(409)
    // One that a plan has moved, or must bring back, is deleted by force only.
    for (const state of ['MIGRATED', 'STRANDED'] as const) {
      await own.devices.commit({ deviceId: id, set: { migration: { planId: 'p', state, at: 1 } } })
      const refused = await call('DELETE', `/devices/${encodeURIComponent(id)}`)
      expect(refused.status).toBe(409)
      expect(await refused.text()).toMatch(/roll it back first.*force=true/)
    }
    await own.devices.commit({ deviceId: id, unset: ['migration'] })
    const asked = await call('POST', `/devices/${encodeURIComponent(id)}/operations`, {
      verb: 'set',
      values: [{ path: 'Device.X', value: '2' }],
    })
    expect(asked.status).toBe(202)
    const operation = (await asked.json()) as { id: string }
    expect((await call('DELETE', `/devices/${encodeURIComponent(id)}`)).status).toBe(204)
    expect(await own.devices.get(id)).toBeUndefined()
    expect((await own.parameters.list(id, '', 10)).items).toEqual([])
    expect(await own.operations.get(operation.id)).toMatchObject({
      state: 'cancelled',
      result: { error: { code: 'deviceDeleted' } },
    })
    const { items } = await own.audit.list({ target: id, limit: 10 })
    expect(items.map(({ action }) => action)).toContain('device.delete')
    await own.close()
  })
})
