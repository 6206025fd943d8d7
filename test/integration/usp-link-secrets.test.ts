import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Log, silentLog } from '../../src/base/index.ts'
import { type Device, type DeviceIdentity, deviceIdOf, type EndpointId, newDevice } from '../../src/domain/index.ts'
import { responseMsg } from '../../src/usp/wire/index.ts'
import { settled } from '../support/manual-clock.ts'
import { type AnyRequest, RawAgent, values } from '../support/raw-agent.ts'
import { until } from '../support/until.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const OTHER = { ...IDENTITY, serial: 'S2' }
const EID = 'os::00256D-S1'
const ID = deviceIdOf(IDENTITY)

let world: TestController
beforeEach(async () => {
  world = await startController({ admission: 'bound' })
  bind(IDENTITY)
})
afterEach(() => world.stop())

/** The Endpoint ID was read over CWMP. */
function bind(identity: DeviceIdentity): void {
  const id = deviceIdOf(identity)
  const endpointId = `os::00256D-${identity.serial}` as EndpointId
  const binding = { endpointId, proof: 'bound' as const, at: 1 }
  world.stores.inside.devices.set(id, { ...newDevice(id, identity, 'cwmp', 1), binding })
}
const device = (): Device | undefined => world.stores.inside.devices.get(ID)
const events = (type: string) => world.stores.inside.events.filter((event) => event.type === type)
const open = (agent: RawAgent) => agent.socket.readyState === WebSocket.OPEN

async function dial(secret?: string, eid = EID): Promise<RawAgent> {
  return world.connect(eid, eid, undefined, secret === undefined ? '/usp' : `/usp/${secret}`)
}
async function arrive(secret?: string, over?: (request: AnyRequest) => ReturnType<RawAgent['answer']>) {
  const agent = await dial(secret)
  agent.serve(IDENTITY, over)
  agent.hello()
  await world.contact()
  return agent
}
async function leave(agent: RawAgent): Promise<void> {
  const end = agent.closed()
  agent.socket.close()
  await end
  await until(() => device()?.usp?.linked === false)
}
const refused = (status: number) => expect.objectContaining({ status })

describe('a Controller that demands no certificate', () => {
  it.each([
    ['0.0.0.0', 'bound', 1],
    ['0.0.0.0', 'open', 1],
    ['0.0.0.0', 'certificate', 0],
    ['127.0.0.1', 'bound', 0],
  ] as const)('at %s with admission %s warns %i times at its start', async (host, admission, times) => {
    await world.stop()
    const warnings: string[] = []
    const log = { ...silentLog, warn: (_fields: unknown, text?: string) => void warnings.push(text ?? '') } as Log
    world = await startController({ host, admission, log })
    expect(warnings.filter((text) => text.includes('usp.weakLink'))).toHaveLength(times)
  })
})

describe('a device without a secret', () => {
  it('keeps working over a link that is shown as weak', async () => {
    await arrive()
    expect(device()?.usp).toMatchObject({ linked: true, weakLink: true })
  })

  it('is not let in with a path of another form, or with the secret of another device', async () => {
    for (const path of ['/usp/short', `/usp/${'a'.repeat(23)}`, `/usp/x/${'a'.repeat(22)}`, `/other/${'a'.repeat(22)}`])
      await expect(world.connect(EID, EID, undefined, path)).rejects.toEqual(refused(400))
    const secret = await world.linkSecrets.ensure(deviceIdOf(OTHER))
    await expect(dial(secret)).rejects.toEqual(refused(403))
  })

  it('is let in with a secret that is not known any more, which proves nothing', async () => {
    await arrive('a'.repeat(22))
    expect(device()?.usp?.weakLink).toBe(true)
  })

  it('that comes from another address or with another firmware is told of', async () => {
    await leave(await arrive())
    const known = device()
    if (known?.usp === undefined) throw new Error('not joined')
    const before = { ...known, softwareVersion: '0.9', usp: { ...known.usp, remoteAddress: '192.0.2.7' } }
    world.stores.inside.devices.set(ID, before)
    await arrive()
    const { remoteAddress } = device()?.usp ?? {}
    expect(events('device.linkChanged')).toMatchObject([
      {
        deviceId: ID,
        data: {
          endpointId: EID,
          address: { before: '192.0.2.7', now: remoteAddress },
          softwareVersion: { before: '0.9', now: '1.0' },
        },
      },
    ])
  })
})

describe('a device with a secret', () => {
  let secret: string
  beforeEach(async () => {
    secret = await world.linkSecrets.ensure(ID)
  })

  it('is let in without it until it was used, and never after that', async () => {
    await leave(await arrive())
    expect(device()?.usp?.weakLink).toBe(true)
    await leave(await arrive(secret))
    expect(device()?.usp?.weakLink).toBe(false)
    await until(async () => (await world.linkSecrets.prove(ID, secret)) === 'right')
    for (const other of [undefined, 'a'.repeat(22), await world.linkSecrets.ensure(deviceIdOf(OTHER))])
      await expect(dial(other)).rejects.toEqual(refused(403))
    await arrive(secret)
  })

  it('keeps its link against all who do not show it, before a Message of theirs is read', async () => {
    const agent = await arrive(secret)
    await until(async () => (await world.linkSecrets.prove(ID, secret)) === 'right')
    const commits = world.commits.length
    await expect(dial()).rejects.toEqual(refused(403))
    // A handshake that names nobody, and a Record that does.
    const late = await world.connect('', EID)
    const end = late.closed()
    late.serve(IDENTITY)
    late.hello()
    late.onBoard(IDENTITY)
    expect(await end).toBe(1008)
    expect(late.inbox).toEqual([])
    expect(open(agent)).toBe(true)
    expect(world.commits).toHaveLength(commits)
    expect(events('device.linkChanged')).toEqual([])
  })

  it('is let in when its first Record names it over a path with its secret', async () => {
    const agent = await world.connect('', EID, undefined, `/usp/${secret}`)
    agent.serve(IDENTITY)
    agent.hello()
    await world.contact()
    expect(device()?.usp).toMatchObject({ linked: true, weakLink: false })
  })

  it('takes its place at once from a link that does not show it', async () => {
    const thief = await arrive()
    const end = thief.closed()
    await arrive(secret)
    expect(await end).toBe(1008)
    expect(device()?.usp).toMatchObject({ linked: true, weakLink: false })
  })

  it('is let in with either secret while a new one was not used, and with that alone then', async () => {
    await leave(await arrive(secret))
    await until(async () => (await world.linkSecrets.prove(ID, secret)) === 'right')
    const anew = await world.linkSecrets.renew(ID)
    await leave(await arrive(secret))
    await leave(await arrive(anew))
    await until(async () => (await world.linkSecrets.prove(ID, anew)) === 'right')
    await expect(dial(secret)).rejects.toEqual(refused(403))
    await arrive(anew)
  })

  it('is refused for now while the database does not answer', async () => {
    await world.stop()
    const down = { ...world.stores.devices, findByEndpoint: () => Promise.reject(new Error('away')) }
    world = await startController({ devices: down })
    await expect(dial(secret)).rejects.toEqual(refused(503))
  })
})

describe('a second link of an Endpoint ID that proves as much', () => {
  it('is refused while the Agent of the first one answers', async () => {
    const agent = await arrive()
    await expect(dial()).rejects.toEqual(refused(503))
    expect(open(agent)).toBe(true)
    expect(events('device.disconnected')).toEqual([])
  })

  it('replaces it when its Agent does not answer within a few seconds', async () => {
    const agent = await arrive()
    const end = agent.closed()
    agent.answer = () => undefined
    const second = dial()
    await agent.takeRequest('get')
    world.clock.advance(3000)
    const newer = await second
    expect(await end).toBe(1008)
    newer.serve(IDENTITY)
    newer.hello()
    await world.contact()
    expect(device()?.usp).toMatchObject({ linked: true, answering: true })
    await until(() => device()?.usp?.lastDisconnect?.reason === 'replaced')
  })

  it('is one among many: the first one is asked once for all, and not more than a few times in a minute', async () => {
    let asked = 0
    const agent = await arrive(undefined, ({ msgId, name, body }) => {
      if (name !== 'get' || body.param_paths[0] !== 'Device.LocalAgent.EndpointID') return undefined
      asked++
      return responseMsg(msgId, 'get_resp', values({ 'Device.LocalAgent.EndpointID': EID }))
    })
    const together = await Promise.allSettled(Array.from({ length: 20 }, () => dial()))
    expect(together.every(({ status }) => status === 'rejected')).toBe(true)
    for (let i = 0; i < 20; i++) await expect(dial()).rejects.toEqual(refused(503))
    expect(asked).toBeLessThanOrEqual(6)
    expect(open(agent)).toBe(true)
    world.clock.advance(60_000)
    agent.answer = () => undefined
    const last = dial()
    await agent.takeRequest('get')
    world.clock.advance(3000)
    expect(open(await last)).toBe(true)
  })

  it('that comes by a Record waits for the answer, and what it sends meanwhile is not lost', async () => {
    const agent = await arrive()
    agent.answer = () => undefined
    const newer = await world.connect('', EID)
    newer.serve(IDENTITY)
    newer.hello()
    const msgId = newer.onBoard(IDENTITY)
    await agent.takeRequest('get')
    await settled()
    expect(newer.inbox).toEqual([])
    world.clock.advance(3000)
    await newer.takeReply(msgId)
    expect(device()?.usp?.linked).toBe(true)
  })

  it('that sends much before it is judged is closed', async () => {
    const agent = await arrive()
    agent.answer = () => undefined
    const newer = await RawAgent.connect(world.port, '', CONTROLLER_ID, EID)
    const end = newer.closed()
    for (let i = 0; i < 30; i++) newer.hello()
    expect(await end).toBe(1008)
  })
})
