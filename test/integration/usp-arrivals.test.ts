import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Log, silentLog } from '../../src/base/index.ts'
import {
  type Device,
  type DeviceIdentity,
  deviceIdOf,
  type EndpointId,
  newDevice,
  pendingAgentId,
} from '../../src/domain/index.ts'
import { responseMsg } from '../../src/usp/wire/index.ts'
import { settled } from '../support/manual-clock.ts'
import { type AnyRequest, type RawAgent, values } from '../support/raw-agent.ts'
import { until } from '../support/until.ts'
import { CONTROLLER_ID, startController, type TestController } from '../support/usp-controller.ts'

const IDENTITY = { oui: '00256D', productClass: 'Box', serial: 'S1' }
const OTHER = { ...IDENTITY, serial: 'S2' }
const EID = 'os::00256D-S1'
const ID = deviceIdOf(IDENTITY)
const pem = (name: string) => readFileSync(join(import.meta.dirname, '../vectors/tls', name), 'utf8')
const SERVER_TLS = { cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('client-ca.pem') }
const NO_CERTIFICATE = { ca: pem('server.pem') }
const CERTIFICATE = { ...NO_CERTIFICATE, cert: pem('client-exact.pem'), key: pem('client-exact.pem') }

let world: TestController
/** Reasons of refusals, as metrics count them. */
let refusals: string[]
async function start(options: Parameters<typeof startController>[0] = {}): Promise<void> {
  refusals = []
  world = await startController({ admission: 'bound', onRefused: (reason) => refusals.push(reason), ...options })
}
beforeEach(() => start())
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})
async function restart(options: Parameters<typeof startController>[0]): Promise<void> {
  await world.stop()
  await start(options)
}

const device = (id = ID): Device | undefined => world.stores.inside.devices.get(id)
const pending = () => [...world.stores.inside.pendingAgents.values()]
const eventTypes = () => world.stores.inside.events.map(({ type }) => type)

function known(endpointId: string, proof: 'operator' | 'certificate' | 'bound' | 'triple' = 'bound', of = IDENTITY) {
  const id = deviceIdOf(of)
  const binding = { endpointId: endpointId as EndpointId, proof, at: 1 }
  world.stores.inside.devices.set(id, { ...newDevice(id, of, 'usp', 1), binding })
}

/** An Agent that says hello and shows this identity. */
async function arrive(shown: DeviceIdentity, eid = EID, tls?: object): Promise<RawAgent> {
  const agent = await world.connect(eid, eid, tls)
  agent.serve(shown)
  agent.hello()
  return agent
}
/** Nothing of the device was touched, and no operation can reach the Agent. */
function expectUntouched(before: Device | undefined): void {
  expect(device()).toEqual(before)
  expect(world.commits).toEqual([])
  expect(world.stores.inside.parameters.size).toBe(0)
  expect(world.offers()).toBe(0)
}

describe('an Agent with a known Endpoint ID', () => {
  beforeEach(() => known(EID))

  it.each([
    ['serial', OTHER],
    ['class', { ...IDENTITY, productClass: 'Tub' }],
    ['OUI', { ...IDENTITY, oui: '00256E' }],
  ])('and the %s of another device in its DeviceInfo gets nothing, and nothing of it is kept', async (_name, shown) => {
    const before = structuredClone(device())
    const agent = await arrive(shown)
    expect(await agent.closed()).toBe(1008)
    expectUntouched(before)
    expect(world.conflicts).toEqual([])
    expect(refusals).toEqual(['identityMismatch'])
    await arrive(IDENTITY)
    expect(await world.contact()).toMatchObject({ deviceId: ID })
  })

  it('that has no DeviceInfo it may read contradicts nobody', async () => {
    const agent = await world.connect(EID)
    agent.answer = ({ msgId }) => ({ msgId, kind: 'error', body: { err_code: 7006, err_msg: '', param_errs: [] } })
    agent.hello()
    expect(await world.contact()).toMatchObject({ deviceId: ID })
  })

  it('is offered to operations once it has shown its identity, before it is onboarded', async () => {
    let held: AnyRequest | undefined
    const agent = await world.connect(EID)
    agent.serve(IDENTITY)
    const serve = agent.answer
    agent.answer = (request) => {
      // Onboarding does not go on.
      if (request.name === 'get_supported_protocol') return undefined
      if (request.name !== 'get' || held !== undefined) return serve(request)
      held = request
      return undefined
    }
    agent.hello()
    await agent.takeRequest('get')
    await agent.heard()
    expect(world.offers()).toBe(0)
    expect(device()?.usp?.linked).toBeUndefined()
    const answer = held === undefined ? undefined : serve(held)
    if (answer === undefined) throw new Error('nothing was asked')
    agent.send(answer)
    expect(await world.offered()).toMatchObject({ deviceId: ID })
    expect(device()?.usp).toMatchObject({ linked: true })
    expect(device()?.usp?.onboardedFor).toBeUndefined()
  })

  it('that does not answer has no contact, and is closed to try again', async () => {
    const agent = await world.connect(EID)
    const end = agent.closed()
    agent.hello()
    await agent.takeRequest('get')
    world.clock.advance(30_000)
    expect(await end).toBe(1013)
    expect(world.offers()).toBe(0)
    expect(device()?.usp).toBeUndefined()
  })

  it('is not believed in what it notifies before its identity was compared', async () => {
    const before = structuredClone(device())
    const agent = await world.connect(EID)
    const end = agent.closed()
    const value_change = { param_path: 'Device.DeviceInfo.SoftwareVersion', param_value: '6.6.6' }
    agent.notify({ subscription_id: 's', send_resp: true, value_change })
    const asked = await agent.takeRequest('get')
    agent.send(responseMsg(asked.msgId, 'get_resp', values({ 'Device.DeviceInfo.SerialNumber': 'S2' })))
    const row = await agent.takeRequest('get')
    agent.send(responseMsg(row.msgId, 'get_resp', { req_path_results: [] }))
    expect(await end).toBe(1008)
    expect(agent.notifyResps).toEqual([])
    expectUntouched(before)
  })

  it('that notifies of another identity on its link is compared again', async () => {
    const agent = await arrive(IDENTITY)
    await world.contact()
    const end = agent.closed()
    agent.serve(OTHER)
    const value_change = { param_path: 'Device.DeviceInfo.SerialNumber', param_value: 'S2' }
    agent.notify({ subscription_id: 's', send_resp: true, value_change })
    expect(await end).toBe(1008)
    expect(agent.notifyResps).toEqual([])
    expect([...world.stores.inside.parameters.values()].map(({ value }) => value)).not.toContain('S2')
  })

  it('that boots as another device over the same link is compared again', async () => {
    const agent = await arrive(IDENTITY)
    await world.contact()
    const end = agent.closed()
    agent.serve(OTHER)
    const event = { obj_path: 'Device.', event_name: 'Boot!', params: { Cause: 'LocalReboot' } }
    agent.notify({ subscription_id: 's', send_resp: true, event })
    expect(await end).toBe(1008)
    expect(device()?.softwareVersion).toBe('1.0')
  })

  it('loses its link when a person gives its device another Endpoint ID', async () => {
    const agent = await arrive(IDENTITY)
    await world.contact()
    const end = agent.closed()
    const binding = { endpointId: 'proto::anew' as EndpointId, proof: 'operator' as const, at: 2 }
    const data = { endpointId: 'proto::anew', proof: 'operator' }
    await world.stores.devices.commit({
      deviceId: ID,
      set: { binding },
      events: [{ type: 'device.bound', at: 2, deviceId: ID, data }],
    })
    expect(await end).toBe(1008)
  })

  it('is left out while a conflict of it is open, and is let in again when it is decided', async () => {
    const standing = await arrive(IDENTITY)
    await world.contact()
    const end = standing.closed()
    const conflict = { id: 'c', deviceId: ID, kind: 'identityMismatch', endpointId: EID, proof: 'bound' } as const
    await world.openConflict({ ...conflict, details: {}, at: 1 })
    expect(await end).toBe(1008)
    const again = await arrive(IDENTITY)
    expect(await again.closed()).toBe(1008)
    expect(refusals).toEqual(['conflict'])
    world.decideConflict('c')
    await arrive(IDENTITY)
    await world.contact()
  })
})

describe('an Agent with a certificate for its Endpoint ID', () => {
  beforeEach(async () => {
    await restart({ tls: SERVER_TLS })
    known(EID)
  })

  it('that shows another identity than its device opens a conflict, and nothing of it is kept', async () => {
    const before = structuredClone(device())
    const agent = await arrive(OTHER, EID, CERTIFICATE)
    expect(await agent.closed()).toBe(1008)
    expect(world.conflicts).toMatchObject([
      { deviceId: ID, kind: 'identityMismatch', proof: 'certificate', details: { claimed: deviceIdOf(OTHER) } },
    ])
    expectUntouched({ ...(before as Device), conflict: 'id2' })
    // Until it is decided only who proves to be the device is let in.
    const claimant = await arrive(IDENTITY, EID, NO_CERTIFICATE)
    expect(await claimant.closed()).toBe(1008)
    await arrive(IDENTITY, EID, CERTIFICATE)
    await world.contact()
    expect(world.conflicts).toHaveLength(1)
  })

  it('cannot put a whole fleet in conflict', async () => {
    world.stores.inside.devices.clear()
    for (let i = 0; i < 5; i++) {
      const victim = { oui: '00256D', productClass: `C${i}`, serial: 'S1' }
      known(`proto::v${i}`, 'bound', victim)
      const agent = await arrive(victim, EID, CERTIFICATE)
      expect(await agent.closed()).toBe(1008)
    }
    expect(world.conflicts.map(({ kind }) => kind)).toEqual(Array(3).fill('deviceBoundToOther'))
    expect(refusals).toEqual(['conflict', 'conflict', 'conflict', 'deviceBound', 'deviceBound'])
  })
})

describe('an unproven claim', () => {
  it.each(['bound', 'open'] as const)(
    'to be a device that has another Endpoint ID changes nothing for it (%s)',
    async (admission) => {
      await restart({ admission })
      known('proto::mine')
      const before = structuredClone(device())
      for (let i = 0; i < 5; i++) {
        const agent = await world.connect(`proto::thief${i}`)
        agent.serve(IDENTITY)
        const end = agent.closed()
        if (i % 2 === 0) agent.onBoard(IDENTITY)
        else agent.hello()
        expect(await end).toBe(1008)
        expect(agent.notifyResps).toEqual([])
      }
      expectUntouched(before)
      expect(world.conflicts).toEqual([])
      expect(eventTypes().filter((type) => type.startsWith('device.'))).toEqual([])
      expect(refusals).toEqual(Array(5).fill('deviceBound'))
    },
  )

  it.each(['bound', 'open'] as const)(
    'under the Endpoint ID of another device changes nothing (%s)',
    async (admission) => {
      await restart({ admission })
      known(EID)
      const before = structuredClone(device())
      const agent = await world.connect(EID)
      const end = agent.closed()
      agent.onBoard(OTHER)
      expect(await end).toBe(1008)
      expectUntouched(before)
      expect(world.conflicts).toEqual([])
      expect(world.stores.inside.devices.size).toBe(1)
    },
  )

  it('is no record and no conflict when only known Endpoint IDs are let in', async () => {
    world.stores.inside.devices.set(ID, newDevice(ID, IDENTITY, 'cwmp', 1))
    const before = structuredClone(device())
    for (const [eid, identity] of [[EID, IDENTITY] as const, ['os::00256D-S2', OTHER] as const]) {
      const agent = await world.connect(eid)
      agent.serve(identity)
      const end = agent.closed()
      agent.hello()
      agent.onBoard(identity)
      expect(await end).toBe(1008)
      expect(agent.notifyResps).toEqual([])
    }
    expectUntouched(before)
    expect(world.stores.inside.devices.size).toBe(1)
    expect(world.conflicts).toEqual([])
    // Once for each, whatever it says on its way out.
    await settled()
    expect(refusals).toEqual(['notBound', 'notBound'])
  })

  it.each([
    ['no OUI', { oui: '' }],
    ['no serial number', { serial: '' }],
    ['nothing', { oui: '', productClass: '', serial: '' }],
    ['an OUI that is none', { oui: 'xx' }],
  ])('of a joined Agent that names %s is acknowledged, and changes nothing', async (_name, over) => {
    await restart({ admission: 'open' })
    const agent = await arrive(IDENTITY)
    await world.contact()
    const before = device()
    const msgId = agent.onBoard({ ...IDENTITY, ...over })
    expect(await agent.takeReply(msgId)).toMatchObject({ kind: 'response', name: 'notify_resp' })
    await agent.heard()
    expect(agent.socket.readyState).toBe(agent.socket.OPEN)
    expect(device()).toMatchObject({ id: before?.id, binding: before?.binding })
  })

  it('of a joined Agent to be another device ends its link', async () => {
    await restart({ admission: 'open' })
    const agent = await arrive(IDENTITY)
    await world.contact()
    const before = device()?.binding
    const end = agent.closed()
    agent.onBoard(OTHER)
    expect(await end).toBe(1008)
    expect(agent.notifyResps).toEqual([])
    expect(device()?.binding).toEqual(before)
    expect(device(deviceIdOf(OTHER))).toBeUndefined()
  })
})

describe('an Agent that is refused', () => {
  it('is refused in the handshake when it comes again at once, and let in as soon as its Endpoint ID is bound', async () => {
    const agent = await arrive(IDENTITY)
    expect(await agent.closed()).toBe(1008)
    await expect(world.connect(EID)).rejects.toThrow('403')
    const binding = { endpointId: EID as EndpointId, proof: 'bound' as const, at: 2 }
    world.stores.inside.devices.set(ID, { ...newDevice(ID, IDENTITY, 'cwmp', 1), binding })
    const data = { endpointId: EID, proof: 'bound' }
    await world.stores.events.append([{ type: 'device.bound', at: 2, deviceId: ID, data }])
    await arrive(IDENTITY)
    await world.contact()
    expect(refusals).toEqual(['notBound', 'notBound'])
  })

  it('is asked again who it is after a minute', async () => {
    const agent = await arrive(IDENTITY)
    expect(await agent.closed()).toBe(1008)
    world.clock.advance(60_000)
    expect(await (await arrive(IDENTITY)).closed()).toBe(1008)
  })

  it.each(['operator', 'certificate', 'bound', 'triple'] as const)(
    'without the certificate that is demanded of all is refused in the handshake, also when it was bound by %s',
    async (proof) => {
      await restart({ admission: 'certificate', tls: SERVER_TLS })
      known(EID, proof)
      await expect(world.connect(EID, EID, NO_CERTIFICATE)).rejects.toThrow('401')
      await expect(world.connect('', EID, NO_CERTIFICATE)).rejects.toThrow('401')
      await arrive(IDENTITY, EID, CERTIFICATE)
      await world.contact()
      expect(refusals).toEqual(['noCertificate', 'noCertificate'])
    },
  )

  it('stands in the log once an hour, however often it comes', async () => {
    const lines: unknown[] = []
    const log: Log = { ...silentLog, warn: (fields, text) => void lines.push([fields, text]) }
    await restart({ log })
    for (let i = 0; i < 5; i++) {
      const agent = await arrive(IDENTITY)
      expect(await agent.closed()).toBe(1008)
      world.clock.advance(61_000)
    }
    expect(lines).toMatchObject([[{ endpointId: EID, code: 'notBound' }, 'Agent refused']])
    world.clock.advance(3_600_000)
    expect(await (await arrive(IDENTITY)).closed()).toBe(1008)
    expect(lines).toHaveLength(2)
  })

  it('is listed with what it claims and why, and written at most once a minute', async () => {
    const at = world.clock.now()
    await (await arrive(IDENTITY)).closed()
    const [entry] = pending()
    expect(entry).toEqual({
      id: pendingAgentId(EID),
      endpointId: EID,
      address: '127.0.0.1',
      claim: IDENTITY,
      reason: 'notBound',
      text: expect.any(String),
      count: 1,
      firstSeenAt: at,
      lastSeenAt: at,
    })
    for (let i = 0; i < 10; i++) await expect(world.connect(EID)).rejects.toThrow('403')
    expect(pending()).toEqual([entry])
    world.clock.advance(60_000)
    await (await arrive(IDENTITY)).closed()
    expect(pending()).toEqual([{ ...entry, count: 12, lastSeenAt: at + 60_000 }])
    expect(refusals).toHaveLength(12)
  })

  it('is an event once an hour', async () => {
    const told = () => world.stores.inside.events.filter(({ type }) => type === 'agent.refused')
    for (let i = 0; i < 5; i++) {
      await (await arrive(IDENTITY)).closed()
      world.clock.advance(61_000)
    }
    expect(told()).toMatchObject([{ data: { endpointId: EID, address: '127.0.0.1', reason: 'notBound' } }])
    expect(told()[0]?.deviceId).toBeUndefined()
    world.clock.advance(3_600_000)
    await (await arrive(IDENTITY)).closed()
    expect(told()).toHaveLength(2)
  })

  it('is not pending any more once its Endpoint ID is bound', async () => {
    await (await arrive(IDENTITY)).closed()
    await (await arrive(OTHER, 'os::00256D-S2')).closed()
    expect(pending()).toHaveLength(2)
    await world.stores.events.append([{ type: 'device.bound', at: 2, deviceId: ID, data: { endpointId: EID } }])
    await settled()
    expect(pending().map(({ endpointId }) => endpointId)).toEqual(['os::00256D-S2'])
  })

  it('and is one of very many from one address is only counted', async () => {
    for (let i = 0; i < 505; i++) {
      const agent = await world.connect(`proto::a${i}`)
      const end = agent.closed()
      agent.onBoard({ ...IDENTITY, serial: `A${i}` })
      await end
    }
    expect(refusals).toHaveLength(505)
    expect(pending()).toHaveLength(500)
    expect(eventTypes().filter((type) => type === 'agent.refused')).toHaveLength(500)
  })

  it('and is blocked is refused in the handshake and in its first Record, with a certificate or without', async () => {
    await restart({ tls: SERVER_TLS })
    known(EID)
    const standing = await arrive(IDENTITY, EID, CERTIFICATE)
    await world.contact()
    const end = standing.closed()
    const entry = { endpointId: EID as EndpointId, address: '', reason: 'notBound', text: '', count: 1, at: 1 } as const
    await world.stores.pendingAgents.note(entry)
    await world.stores.pendingAgents.block(pendingAgentId(EID), 'test', 2)
    expect(await end).toBe(1008)
    for (const tls of [NO_CERTIFICATE, CERTIFICATE]) await expect(world.connect(EID, EID, tls)).rejects.toThrow('403')
    const late = await world.connect('', EID, NO_CERTIFICATE)
    late.hello()
    expect(await late.closed()).toBe(1008)
    expect(refusals).toEqual(['blocked', 'blocked', 'blocked'])
    await world.stores.pendingAgents.delete(pendingAgentId(EID), 'test', 3)
    await arrive(IDENTITY, EID, CERTIFICATE)
    await world.contact()
  })

  it('and was blocked before the start, or by another instance, is known as blocked', async () => {
    const entry = { endpointId: EID as EndpointId, address: '', reason: 'notBound', text: '', count: 1, at: 1 } as const
    await world.stores.pendingAgents.note(entry)
    const before = world.stores.inside.pendingAgents.get(pendingAgentId(EID))
    if (before === undefined) throw new Error('no entry')
    world.stores.inside.pendingAgents.set(before.id, { ...before, blockedAt: 1 })
    known(EID)
    world.clock.advance(60_000)
    await settled()
    await expect(world.connect(EID)).rejects.toThrow('403')
    const { stores, clock } = world
    await world.stop()
    world = await startController({ admission: 'bound' }, { stores, clock })
    await expect(world.connect(EID)).rejects.toThrow('403')
  })

  it('under our own Endpoint ID is refused, in the handshake and in its first Record', async () => {
    await expect(world.connect(CONTROLLER_ID)).rejects.toMatchObject({ status: 403 })
    const late = await world.connect('', CONTROLLER_ID)
    const end = late.closed()
    late.onBoard(IDENTITY)
    expect(await end).toBe(1008)
    expect(world.commits).toEqual([])
  })
})

describe('the link of an Agent that is not admitted', () => {
  beforeEach(() => restart({ turnedAwayMs: 30_000 }))

  /** Resolves with the close code, which may come only after the time has moved on. */
  async function closedInTime(agent: RawAgent): Promise<number> {
    const end = agent.closed()
    await until(() => refusals.length > 0)
    await settled()
    expect(agent.socket.readyState).toBe(agent.socket.OPEN)
    world.clock.advance(30_000)
    return end
  }

  it('stays open for a while, so that the Agent does not come again at once', async () => {
    expect(await closedInTime(await arrive(IDENTITY))).toBe(1008)
    expect(refusals).toEqual(['notBound'])
  })

  it.each(['proto::stranger', CONTROLLER_ID])(
    'and is named %s by its first Record only stays open as long',
    async (eid) => {
      world.stores.inside.pendingAgents.clear()
      if (eid !== CONTROLLER_ID) {
        await closedInTime(await arrive(IDENTITY, eid))
        refusals.length = 0
      }
      const agent = await world.connect('', eid)
      agent.hello()
      expect(await closedInTime(agent)).toBe(1008)
      expect(refusals).toHaveLength(1)
    },
  )

  it('is not read from, and does not keep the Endpoint ID from others', async () => {
    known(EID)
    const agent = await arrive(OTHER)
    await until(() => refusals.length > 0)
    const before = agent.inbox.length
    agent.onBoard(IDENTITY)
    await arrive(IDENTITY)
    expect(await world.contact()).toMatchObject({ deviceId: ID })
    expect(agent.inbox).toHaveLength(before)
    expect(agent.socket.readyState).toBe(agent.socket.OPEN)
  })

  it('stays open when its Agent has caused a conflict', async () => {
    known('proto::owner')
    const agent = await arrive(IDENTITY, 'proto::stranger', undefined)
    expect(await closedInTime(agent)).toBe(1008)
  })

  it('is closed as soon as its Endpoint ID is bound', async () => {
    const agent = await arrive(IDENTITY)
    await until(() => refusals.length > 0)
    const end = agent.closed()
    const data = { endpointId: EID, proof: 'operator' }
    await world.stores.events.append([{ type: 'device.bound', at: 2, deviceId: ID, data }])
    expect(await end).toBe(1008)
  })

  it('is closed at once when the device has operations and facts over it', async () => {
    known(EID)
    const agent = await arrive(IDENTITY)
    await world.contact()
    const end = agent.closed()
    agent.serve(OTHER)
    const value_change = { param_path: 'Device.DeviceInfo.SerialNumber', param_value: 'S2' }
    agent.notify({ subscription_id: 's', send_resp: true, value_change })
    expect(await end).toBe(1008)
  })
})

describe('a limit of new devices', () => {
  it('turns Agents away that only claim who they are, and nobody who is known', async () => {
    await restart({ admission: 'open', mayRegister: async () => false })
    expect(await (await arrive(IDENTITY)).closed()).toBe(1013)
    expect(device()).toBeUndefined()
    expect(refusals).toEqual(['new devices'])
    known(EID)
    await arrive(IDENTITY)
    expect(await world.contact()).toMatchObject({ deviceId: ID })
  })

  it('does not hold for an Agent with a certificate', async () => {
    await restart({ tls: SERVER_TLS, mayRegister: async () => false })
    await arrive(IDENTITY, EID, CERTIFICATE)
    expect(await world.contact()).toMatchObject({ deviceId: ID })
  })
})
