import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Device, type DisconnectReason, deviceIdOf, newDevice, uspPresence } from '../../src/domain/index.ts'
import { settled } from '../support/manual-clock.ts'
import type { RawAgent } from '../support/raw-agent.ts'
import { FACTS, makeDevice } from '../support/simulated-device.ts'
import { until } from '../support/until.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const EID = 'os::00256D-S1'
const ID = deviceIdOf(IDENTITY)
const PROBE = 'Device.LocalAgent.EndpointID'

let world: TestController
let ended: DisconnectReason[]
let agents: RawAgent[]
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  ended = []
  agents = []
  world = await startController({ onDisconnected: (reason) => ended.push(reason) })
})
afterEach(async () => {
  await world.stop()
  vi.useRealTimers()
})

const device = (): Device | undefined => world.stores.inside.devices.get(ID)
const usp = () => device()?.usp
const events = (type: string) => world.stores.inside.events.filter((event) => event.type === type)
const probes = (agent: RawAgent) =>
  agent.inbox.filter((msg) => msg.kind === 'request' && msg.name === 'get' && msg.body.param_paths[0] === PROBE)
/** One ping round, and what it leads to: pongs and answers to probes have come over the sockets. */
async function round(): Promise<void> {
  world.clock.advance(30_000)
  vi.advanceTimersByTime(30_000)
  await settled()
  await Promise.all(agents.map((agent) => agent.answersRead()))
  await settled()
}
const rounds = async (n: number) => {
  for (let i = 0; i < n; i++) await round()
}

async function arrive(): Promise<RawAgent> {
  const agent = await world.connect(EID)
  agents.push(agent)
  agent.serve(IDENTITY)
  agent.hello()
  return agent
}
async function joined() {
  const agent = await arrive()
  return { agent, contact: await world.contact() }
}
const deafen = (agent: RawAgent) => {
  agent.answer = () => undefined
}
const notify = (agent: RawAgent, param_value = 'x') =>
  agent.takeReply(
    agent.notify({
      subscription_id: 's',
      send_resp: true,
      value_change: { param_path: 'Device.DeviceInfo.ProvisioningCode', param_value },
    }),
  )

describe('an Agent that answers', () => {
  it('is online, with the time of its last answer', async () => {
    await joined()
    expect(usp()).toMatchObject({ linked: true, answering: true, lastAnswerAt: world.clock.now() })
    expect(uspPresence({ usp: usp() } as Device)).toBe('online')
  })

  it('costs no write for each answer, and its record follows some minutes behind', async () => {
    const { agent, contact } = await joined()
    const before = world.commits.length
    for (let i = 0; i < 20; i++) {
      const read = contact.execute(
        {
          id: `o${i}`,
          deviceId: ID,
          request: { verb: 'get', paths: ['Device.DeviceInfo.UpTime'] },
          state: 'queued',
          actor: { kind: 'system' },
          createdAt: 0,
          expiresAt: 1,
          attempts: 0,
        } as Parameters<typeof contact.execute>[0],
        { beforeSend: async () => undefined, signal: new AbortController().signal, timeoutMs: 60_000 },
      )
      await read
    }
    await round()
    expect(world.commits).toHaveLength(before)
    const since = usp()?.lastAnswerAt ?? 0
    await rounds(70)
    expect(world.commits.length - before).toBeLessThanOrEqual(4)
    expect(world.clock.now() - (usp()?.lastAnswerAt ?? 0)).toBeLessThan(1_500_000)
    expect(usp()?.lastAnswerAt).toBeGreaterThan(since)
    expect(probes(agent).length).toBeGreaterThan(0)
    expect(usp()?.answering).toBe(true)
  })
})

describe('an Agent that keeps its link and answers no more', () => {
  it('is shown as silent, kept from operations, and loses its link after some probes', async () => {
    const { agent, contact } = await joined()
    const end = agent.closed()
    deafen(agent)
    for (let i = 0; i < 40 && usp()?.answering === true; i++) await round()
    expect(usp()).toMatchObject({ linked: true, answering: false })
    expect(uspPresence({ usp: usp() } as Device)).toBe('silent')
    expect(contact.signal.aborted).toBe(true)
    expect(events('device.silent')).toMatchObject([{ deviceId: ID, data: { endpointId: EID } }])
    for (let i = 0; i < 10 && usp()?.linked === true; i++) await round()
    expect(await end).toBe(1008)
    expect(usp()).toMatchObject({ linked: false, lastDisconnect: { reason: 'notAnswering' } })
    expect(events('device.disconnected')).toMatchObject([{ data: { endpointId: EID, reason: 'notAnswering' } }])
    expect(ended).toEqual(['notAnswering'])
  })

  it('is found out by the first request that is not answered', async () => {
    const { agent, contact } = await joined()
    deafen(agent)
    const read = contact
      .execute(
        {
          id: 'o',
          deviceId: ID,
          request: { verb: 'get', paths: ['Device.DeviceInfo.UpTime'] },
          state: 'queued',
          actor: { kind: 'system' },
          createdAt: 0,
          expiresAt: 1,
          attempts: 0,
        } as Parameters<typeof contact.execute>[0],
        { beforeSend: async () => undefined, signal: new AbortController().signal, timeoutMs: 60_000 },
      )
      .catch((error) => error.code)
    await agent.takeRequest('get')
    world.clock.advance(60_000)
    expect(await read).toBe('timeout')
    await until(() => probes(agent).length === 1)
    world.clock.advance(30_000)
    await until(() => usp()?.answering === false)
  })

  it('is online again with its next answer or notification, and offered to operations anew', async () => {
    const { agent } = await joined()
    deafen(agent)
    for (let i = 0; i < 40 && usp()?.answering === true; i++) await round()
    agent.serve(IDENTITY)
    await notify(agent)
    const again = await world.offered()
    expect(again.signal.aborted).toBe(false)
    await until(() => usp()?.answering === true)
    expect(usp()?.lastAnswerAt).toBe(world.clock.now())
    expect(events('device.answering')).toHaveLength(1)
  })

  it('is not online over a new link until it answers there', async () => {
    world.stores.inside.devices.set(ID, {
      ...newDevice(ID, IDENTITY, 'usp', 0),
      binding: { endpointId: EID as never, proof: 'bound', at: 0 },
    })
    const agent = await world.connect(EID)
    agent.hello()
    await agent.takeRequest('get')
    expect(usp()?.answering ?? false).toBe(false)
    expect(events('device.answering')).toEqual([])
  })
})

describe('the end of a link', () => {
  it('comes at once when the record of its device is deleted', async () => {
    const { agent } = await joined()
    await world.stores.devices.delete(ID)
    await world.stores.events.append([{ type: 'device.deleted', at: world.clock.now(), deviceId: ID, data: {} }])
    await until(() => agent.socket.readyState === agent.socket.CLOSED)
    expect(device()).toBeUndefined()
  })

  it('can be asked for by device, and is waited for even when the Agent does not answer the close', async () => {
    const { agent, contact } = await joined()
    agent.socket.pause()
    await world.controller.links.close(ID, 'rolledBack')
    expect(contact.signal.aborted).toBe(true)
    await until(() => usp()?.linked === false)
    expect(usp()?.lastDisconnect?.reason).toBe('rolledBack')
    expect(world.controller.linkCount).toBe(0)
    await world.controller.links.close(ID, 'rolledBack')
  })

  it.each([
    ['agentClosed', (agent: RawAgent) => agent.socket.close(1000)],
    ['agentError', (agent: RawAgent) => agent.socket.close(1011)],
    ['connectionLost', (agent: RawAgent) => agent.socket.terminate()],
    ['unsupported', (agent: RawAgent) => agent.socket.send('text')],
  ])('is in the record, the event and the count: %s', async (reason, leave) => {
    const { agent } = await joined()
    leave(agent)
    await until(() => usp()?.linked === false)
    const at = world.clock.now()
    expect(usp()).toMatchObject({ answering: false, disconnectedAt: at, lastDisconnect: { at, reason } })
    expect(events('device.disconnected')).toMatchObject([{ data: { endpointId: EID, reason } }])
    expect(ended).toEqual([reason])
  })

  it('is stored in the end, however long the store refuses it', async () => {
    const { agent } = await joined()
    world.beforeCommit(() => Promise.reject(new Error('the database is away')))
    agent.socket.terminate()
    for (let i = 0; i < 20; i++) {
      world.clock.advance(60_000)
      await settled()
    }
    expect(usp()?.linked).toBe(true)
    world.beforeCommit(() => undefined)
    world.clock.advance(60_000)
    await until(() => usp()?.linked === false)
    expect(events('device.disconnected')).toHaveLength(1)
  })

  it('that is stored late does not take away the link that came meanwhile', async () => {
    const { agent } = await joined()
    let away = true
    world.beforeCommit((change) =>
      away && change.set?.['usp.linked'] === false ? Promise.reject(new Error('away')) : undefined,
    )
    agent.socket.terminate()
    await until(() => world.commits.some(({ set }) => set?.['usp.linked'] === false))
    await joined()
    away = false
    const before = world.commits.length
    world.clock.advance(60_000)
    await until(() => world.commits.slice(before).some(({ set }) => set?.['usp.linked'] === false))
    await settled()
    expect(usp()).toMatchObject({ linked: true, answering: true })
  })

  it('that was lost with an answer of the store is noted by the second comparison of records and links', async () => {
    world.stores.inside.devices.set(ID, {
      ...newDevice(ID, IDENTITY, 'usp', 0),
      usp: { linked: true, instance: 'test', connectedAt: 5, lastSeenAt: 5 },
    })
    world.clock.advance(300_000)
    await settled()
    expect(usp()?.linked).toBe(true)
    world.clock.advance(300_000)
    await until(() => usp()?.linked === false)
    expect(usp()?.lastDisconnect?.reason).toBe('unknown')
  })

  it('is taken back where another instance noted it of a link that stands', async () => {
    await joined()
    const known = device()
    if (known?.usp === undefined) throw new Error('not joined')
    world.stores.inside.devices.set(ID, { ...known, usp: { ...known.usp, linked: false, answering: false } })
    for (let i = 0; i < 2; i++) {
      world.clock.advance(300_000)
      await settled()
    }
    await until(() => usp()?.linked === true)
    expect(usp()).toMatchObject({ instance: 'test', answering: true })
  })
})

describe('a device whose Agent is deaf after its Controller row was deleted', () => {
  it('is silent, loses its link, and is not linked again by dialling anew', async () => {
    const { device, clock } = makeDevice('uspOnly', {
      faults: ['deaf'],
      endpointId: EID,
      facts: { ...FACTS, ...IDENTITY },
      usp: { endpointId: CONTROLLER_ID, host: 'localhost', port: world.port },
    })
    device.start()
    try {
      await world.contact()
      const [row = ''] = device.controllerRows()
      device.tree.deleteRow(row, 'device')
      await until(() => device.deafLinks === 1)
      await until(async () => {
        await round()
        return usp()?.linked === false
      })
      expect(usp()).toMatchObject({ linked: false, answering: false, lastDisconnect: { reason: 'notAnswering' } })
      expect(events('device.silent')).toHaveLength(1)
      await until(() => {
        clock.next()
        return world.controller.linkCount === 1
      })
      for (let i = 0; i < 4; i++) await round()
      expect(usp()?.linked).toBe(false)
      expect(world.offers()).toBe(0)
    } finally {
      device.stop(false)
    }
  })
})
