import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { type DeviceIdentity, deviceIdOf, type EndpointId, newDevice, pendingAgentId } from '../../src/domain/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import type { Store } from '../../src/store/index.ts'
import type { Document_ } from '../../src/store/mongo/mongoose.ts'
import { RawAgent } from '../support/raw-agent.ts'
import { testStore } from '../support/store.ts'
import { checkedClient, type ServerWithStore, startTestServer, type TestServer } from '../support/test-server.ts'
import { until } from '../support/until.ts'

interface Pending {
  id: string
  endpointId: string
  reason: string
  claim?: DeviceIdentity
  firstSeenAt: string
}

const SECRET = 'pending'
let server: TestServer
let client: ServerWithStore['call']
let store: Store
let serial = 0
const agents: RawAgent[] = []
beforeAll(async () => {
  server = await startTestServer(inject('mongodbUri'), { secretKey: SECRET })
  client = await checkedClient(server)
  const secretBox = createSecretBox(SECRET, systemRandom)
  store = await testStore(inject('mongodbUri'), { databaseName: server.databaseName, secretBox })
})
afterAll(async () => {
  for (const agent of agents) agent.socket.terminate()
  await server.stop()
  await store.close()
})

async function call<T = Record<string, unknown>>(method: string, path: string, body?: unknown) {
  const { headers: _headers, ...answer } = await client<T>(method, path, body)
  return answer
}

const identityOf = (): DeviceIdentity => ({ oui: '00256D', productClass: 'Box', serial: `P${++serial}` })
const pathOf = (id: string) => `/devices/${encodeURIComponent(id)}`
async function dial(endpointId: string, identity: DeviceIdentity): Promise<RawAgent> {
  const agent = await RawAgent.connect(server.uspPort, endpointId, server.endpointId)
  agents.push(agent)
  agent.serve(identity)
  agent.hello()
  return agent
}
/** An Agent that was refused, as the list has it. */
async function knocked(identity = identityOf(), endpointId = `proto::${identity.serial}`): Promise<Pending> {
  const agent = await dial(endpointId, identity)
  const id = pendingAgentId(endpointId)
  await until(async () => (await call('GET', `/pending-agents/${id}`)).status === 200)
  agent.socket.terminate()
  return (await call<Pending>('GET', `/pending-agents/${id}`)).body
}
const joined = async (deviceId: string) =>
  until(async () => (await store.devices.get(deviceId as never))?.usp?.linked === true)
const audited = async (target: string) =>
  (await call<{ items: { action: string; actor: string }[] }>('GET', `/audit?target=${encodeURIComponent(target)}`))
    .body.items
const eventsOf = async (type: string) =>
  (await call<{ items: { deviceId?: string; data: Record<string, unknown> }[] }>('GET', `/events?type=${type}`)).body
    .items

describe('a pending Agent', () => {
  it('is in the list with times, address, claim and reason, and can be found by the reason', async () => {
    const identity = identityOf()
    const entry = await knocked(identity)
    expect(entry).toMatchObject({
      endpointId: `proto::${identity.serial}`,
      address: '127.0.0.1',
      claim: identity,
      reason: 'notBound',
      count: 1,
    })
    expect(new Date(entry.firstSeenAt).getTime()).toBeGreaterThan(0)
    const ids = async (query: string) =>
      (await call<{ items: Pending[] }>('GET', `/pending-agents${query}`)).body.items.map(({ id }) => id)
    expect(await ids('')).toContain(entry.id)
    expect(await ids('?reason=notBound')).toContain(entry.id)
    expect(await ids('?reason=blocked')).not.toContain(entry.id)
    expect((await call('GET', '/pending-agents?reason=other')).status).toBe(400)
    expect((await call('GET', '/pending-agents/nobody')).status).toBe(404)
    const told = await eventsOf('agent.refused')
    expect(told.filter(({ data }) => data.endpointId === entry.endpointId)).toHaveLength(1)
  })

  it('becomes the device that it claims to be when it is admitted, and that gets a record', async () => {
    const identity = identityOf()
    const deviceId = deviceIdOf(identity)
    const { id, endpointId } = await knocked(identity)
    expect(await call('POST', `/pending-agents/${id}/admit`)).toEqual({ status: 200, body: { deviceId } })
    expect((await call('GET', `/pending-agents/${id}`)).status).toBe(404)
    expect(await store.devices.get(deviceId)).toMatchObject({
      owner: 'usp',
      binding: { endpointId, proof: 'operator' },
    })
    expect(await audited(deviceId)).toMatchObject([{ action: 'agent.admit', actor: expect.stringMatching(/^apiKey:/) }])
    await dial(endpointId, identity)
    await joined(deviceId)
  })

  it('is not admitted as the device of another Agent, nor without a claimed identity', async () => {
    const identity = identityOf()
    const deviceId = deviceIdOf(identity)
    const first = await knocked(identity)
    await call('POST', `/pending-agents/${first.id}/admit`)
    const second = await knocked(identity, 'proto::second')
    expect(second.reason).toBe('deviceBound')
    expect(await call('POST', `/pending-agents/${second.id}/admit`)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(first.endpointId) },
    })
    const untold = { endpointId: 'proto::untold' as EndpointId, address: '', reason: 'noIdentity', text: '' } as const
    await store.pendingAgents.note({ ...untold, count: 1, at: 1 })
    const refused = await call('POST', `/pending-agents/${pendingAgentId(untold.endpointId)}/admit`)
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('has claimed no identity') } })
    // Bound by a person, it takes the place of the first.
    const bound = await call('POST', `/pending-agents/${second.id}/bind`, { deviceId })
    expect(bound).toEqual({ status: 200, body: { deviceId } })
    expect((await store.devices.get(deviceId))?.binding).toMatchObject({ endpointId: second.endpointId })
    const unbound = await eventsOf('device.unbound')
    expect(unbound.filter((event) => event.data.endpointId === first.endpointId)).toHaveLength(1)
  })

  it('is bound to a device that exists, and to no other', async () => {
    const entry = await knocked()
    const unknown = { deviceId: deviceIdOf(identityOf()) }
    expect((await call('POST', `/pending-agents/${entry.id}/bind`, unknown)).status).toBe(404)
    expect((await call('GET', `/pending-agents/${entry.id}`)).status).toBe(200)
  })

  it('is refused in the handshake while it is blocked, until its entry is deleted', async () => {
    const identity = identityOf()
    const { id, endpointId } = await knocked(identity)
    for (let i = 0; i < 2; i++) expect((await call('POST', `/pending-agents/${id}/block`)).status).toBe(204)
    await expect(dial(endpointId, identity)).rejects.toThrow('403')
    expect((await call<Pending>('GET', `/pending-agents/${id}`)).body).toMatchObject({
      reason: 'blocked',
      blockedBy: expect.stringMatching(/^apiKey:/),
    })
    expect((await call('POST', `/pending-agents/${id}/admit`)).status).toBe(409)
    expect((await call('DELETE', `/pending-agents/${id}`)).status).toBe(204)
    expect((await call('DELETE', `/pending-agents/${id}`)).status).toBe(404)
    const again = await knocked(identity)
    expect(again).toMatchObject({ id, reason: 'notBound' })
    const told = [...(await eventsOf('agent.blocked')), ...(await eventsOf('agent.unblocked'))]
    expect(told.filter(({ data }) => data.endpointId === endpointId)).toHaveLength(2)
  })

  it('leaves the list when it is full, the one that was not seen for longest first, and a blocked one never', async () => {
    const at = Date.now()
    const many = Array.from({ length: 10_005 }, (_, i) => ({
      _id: `many${i}`,
      endpointId: `proto::many${i}`,
      reason: 'notBound',
      lastSeenAt: 1 + i,
      firstSeenAt: 1,
      count: 1,
      ...(i === 0 ? { blockedAt: 1 } : {}),
    }))
    await store.db.collection<Document_>('pendingAgents').insertMany(many)
    const fresh = { endpointId: 'proto::fresh' as EndpointId, address: '', reason: 'notBound', text: '' } as const
    await (
      await testStore(inject('mongodbUri'), {
        databaseName: server.databaseName,
        secretBox: createSecretBox(SECRET, systemRandom),
      })
    ).pendingAgents.note({ ...fresh, count: 1, at })
    expect(await store.db.collection('pendingAgents').countDocuments({})).toBe(10_000)
    expect(await store.pendingAgents.get('many0')).toBeDefined()
    expect(await store.pendingAgents.get('many1')).toBeUndefined()
    expect(await store.pendingAgents.get(pendingAgentId('proto::fresh'))).toBeDefined()
    await store.db.collection<Document_>('pendingAgents').deleteMany({ _id: { $gte: 'many', $lt: 'mano' } })
  })
})

describe('the binding of a device', () => {
  async function device(): Promise<{ identity: DeviceIdentity; id: ReturnType<typeof deviceIdOf> }> {
    const identity = identityOf()
    const id = deviceIdOf(identity)
    await store.devices.commit({ deviceId: id, create: newDevice(id, identity, 'cwmp', 1) })
    return { identity, id }
  }

  it('is set by a person, before its Agent connects or after, and removed again with its link', async () => {
    const { identity, id } = await device()
    const endpointId = `proto::${identity.serial}`
    const put = await call('PUT', `${pathOf(id)}/binding`, { endpointId })
    expect(put).toMatchObject({ status: 200, body: { id, binding: { endpointId, proof: 'operator' } } })
    expect((await call('PUT', `${pathOf(id)}/binding`, { endpointId })).body).toEqual(put.body)
    const agent = await dial(endpointId, identity)
    await joined(id)
    const end = agent.closed()
    expect((await call('DELETE', `${pathOf(id)}/binding`)).status).toBe(204)
    expect(await end).toBe(1008)
    expect((await call('DELETE', `${pathOf(id)}/binding`)).status).toBe(204)
    expect((await call('GET', pathOf(id))).body.binding).toBeUndefined()
    const bindings = (await audited(id)).map(({ action }) => action).filter((action) => action.includes('bind'))
    expect(bindings).toEqual(['device.unbind', 'device.bind', 'device.bind'])
    expect((await eventsOf('device.bound')).filter(({ deviceId }) => deviceId === id)).toHaveLength(1)
    expect((await eventsOf('device.unbound')).filter(({ deviceId }) => deviceId === id)).toHaveLength(1)
  })

  it('is replaced with another one, whose Agent is admitted then', async () => {
    const { identity, id } = await device()
    const [first, second] = [`proto::${identity.serial}`, `proto::${identity.serial}n`]
    await call('PUT', `${pathOf(id)}/binding`, { endpointId: first })
    const former = await dial(first, identity)
    await joined(id)
    const end = former.closed()
    const { id: pendingId } = await knocked(identity, second)
    await call('PUT', `${pathOf(id)}/binding`, { endpointId: second })
    expect(await end).toBe(1008)
    await until(async () => (await call('GET', `/pending-agents/${pendingId}`)).status === 404)
    await until(async () => (await store.devices.get(id))?.usp?.linked === false)
    await dial(second, identity)
    await joined(id)
  })

  it.each(['PUT binding', 'POST bind'])(
    'replaced by %s takes the link secret of the former Agent with it',
    async (by) => {
      const { identity, id } = await device()
      const [first, second] = [`proto::${identity.serial}`, `proto::${identity.serial}n`]
      await call('PUT', `${pathOf(id)}/binding`, { endpointId: first })
      const secret = await store.linkSecrets.ensure(id)
      await store.linkSecrets.used(id, secret)
      // The same Endpoint ID again changes nothing.
      await call('PUT', `${pathOf(id)}/binding`, { endpointId: first })
      expect(await store.linkSecrets.prove(id, secret)).toBe('right')
      const { id: pendingId } = await knocked(identity, second)
      const answer =
        by === 'POST bind'
          ? await call('POST', `/pending-agents/${pendingId}/bind`, { deviceId: id })
          : await call('PUT', `${pathOf(id)}/binding`, { endpointId: second })
      expect(answer.status).toBe(200)
      await dial(second, identity)
      await joined(id)
      expect(await store.linkSecrets.ownerOf(secret)).toBeUndefined()
    },
  )

  it('replaced while a migration moves the device leaves the link secret that the plan has written', async () => {
    const { identity, id } = await device()
    await call('PUT', `${pathOf(id)}/binding`, { endpointId: `proto::${identity.serial}` })
    const secret = await store.linkSecrets.demand(id)
    await store.devices.commit({ deviceId: id, set: { migration: { planId: 'any', state: 'AWAITING_USP', at: 1 } } })
    await call('PUT', `${pathOf(id)}/binding`, { endpointId: `proto::${identity.serial}n` })
    expect(await store.linkSecrets.ownerOf(secret)).toBe(id)
  })

  it('is refused with a text that is no Endpoint ID, that of the Controller, that of another device, or one in an open conflict', async () => {
    const [one, other] = [await device(), await device()]
    const put = (endpointId: string) => call('PUT', `${pathOf(one.id)}/binding`, { endpointId })
    expect((await put('nonsense')).status).toBe(400)
    expect((await put(server.endpointId)).status).toBe(400)
    const endpointId = `proto::${other.identity.serial}` as EndpointId
    await call('PUT', `${pathOf(other.id)}/binding`, { endpointId })
    expect(await put(endpointId)).toMatchObject({ status: 409, body: { detail: expect.stringContaining(other.id) } })
    const contested = 'proto::contested' as EndpointId
    const conflict = { id: 'c1', deviceId: other.id, kind: 'identityMismatch', endpointId: contested } as const
    await store.conflicts.open(
      { ...conflict, proof: 'certificate', details: {}, at: 1 },
      { type: 'device.conflict', at: 1, deviceId: other.id, data: {} },
    )
    expect((await put(contested)).status).toBe(409)
    expect((await store.devices.get(one.id))?.binding).toBeUndefined()
    const gone = deviceIdOf(identityOf())
    expect((await call('PUT', `${pathOf(gone)}/binding`, { endpointId: contested })).status).toBe(404)
    expect((await call('DELETE', `${pathOf(gone)}/binding`)).status).toBe(404)
  })
})
