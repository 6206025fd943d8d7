import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import {
  type DeviceChange,
  type DeviceId,
  deviceIdOf,
  type Ending,
  newDevice,
  type Operation,
  type OperationRequest,
  type OperationState,
  type ParameterWrite,
  type Protocol,
} from '../../src/domain/index.ts'
import type { OperationsEngine } from '../../src/operations/index.ts'
import type { OperationLimits } from '../../src/operations/limits.ts'
import type { Store } from '../../src/store/index.ts'
import { FakePeer } from '../support/fake-peer.ts'
import { Mortal } from '../support/mortal.ts'
import { ACTOR, createRoom, set } from '../support/operations-world.ts'
import { testStore } from '../support/store.ts'

const TABLE = 'Device.X_T.'
const QUICK: Partial<OperationLimits> = { linkCheckMs: 20, restMs: 20, waitPollMs: 20, stopMs: 500 }
const QUIET: Partial<OperationLimits> = { ...QUICK, wakeRetryMs: [] }

let store: Store
let serial = 0
beforeAll(async () => {
  store = await testStore(inject('mongodbUri'))
})
afterAll(async () => {
  await store.close()
})

async function createDevice(owner: Protocol): Promise<FakePeer> {
  const identity = { oui: '00256D', productClass: 'Box', serial: String(++serial) }
  const id = deviceIdOf(identity)
  const now = systemClock.now()
  const device = { ...newDevice(id, identity, owner, now), root: 'Device.' as const, softwareVersion: '1' }
  await store.devices.commit({ deviceId: id, create: device })
  const peer = new FakePeer(id)
  peer.values.set('Device.X_A', 'old').set(`${TABLE}90.Alias`, 'cpe-90').set(`${TABLE}90.Name`, 'new')
  return peer
}

/** A room with a link to the device; `leave` ends both. */
function linked(peer: FakePeer, instance: string, ports: Parameters<typeof createRoom>[0] = store) {
  const room = createRoom(ports, systemClock, { instance, limits: QUIET })
  const link = new AbortController()
  const contact = room.contact(peer.contact('usp', { signal: link.signal }))
  const leave = async () => {
    link.abort()
    await contact
    await room.stop()
  }
  return { room, leave }
}

async function ended(room: OperationsEngine, operation: Operation): Promise<Operation> {
  return (await room.wait(operation.id, 10_000)) ?? operation
}

const submit = (room: OperationsEngine, deviceId: DeviceId, request: OperationRequest) =>
  room.submit({ deviceId, request, actor: ACTOR })

describe('the engine over the database', () => {
  it('stores state, result, record, audit, events and work flag of each operation', async () => {
    const peer = await createDevice('usp')
    const { room, leave } = linked(peer, 'a')
    const add: OperationRequest = { verb: 'add', object: TABLE, values: { Name: 'n', 'Sub.Enable': 'true' } }
    const added = await ended(room, await submit(room, peer.deviceId, add))
    expect(added).toMatchObject({
      state: 'done',
      sentVia: 'usp',
      baseline: { instances: [`${TABLE}90.`] },
      request: add,
    })
    const created = added.result?.results[0]?.created ?? ''
    const [name] = await store.parameters.getMany(peer.deviceId, [`${created}Sub.Enable`])
    expect(name).toMatchObject({ value: 'true', source: 'usp' })
    const discovered = await ended(room, await submit(room, peer.deviceId, { verb: 'discover', path: TABLE }))
    expect(discovered.result).toEqual({
      outcome: 'done',
      results: [],
      output: { parameters: String(peer.values.size - 1) },
    })
    const removed = await ended(room, await submit(room, peer.deviceId, { verb: 'delete', paths: [created] }))
    expect(removed.state).toBe('done')
    expect(await store.parameters.getMany(peer.deviceId, [`${created}Name`])).toEqual([])
    await leave()
    expect((await store.devices.get(peer.deviceId))?.work.open).toBe(false)
    const audit = await store.audit.list({ target: peer.deviceId, limit: 20 })
    expect(audit.items.map(({ action, result }) => `${action} ${result}`).sort()).toEqual([
      'operation.add ok',
      'operation.add ok',
      'operation.delete ok',
      'operation.delete ok',
      'operation.discover ok',
    ])
    const events = (await store.events.since(undefined, 100)).filter(({ deviceId }) => deviceId === peer.deviceId)
    expect(events.map(({ type }) => type).filter((type) => type.startsWith('operation.')).length).toBe(6)
  })

  it('writes no value again that the planner reads and the record has', async () => {
    const peer = await createDevice('usp')
    const writes: ParameterWrite[][] = []
    const devices = new Proxy(store.devices, {
      get(of, name) {
        if (name !== 'commit') return (of[name as keyof typeof of] as (...args: never[]) => unknown).bind(of)
        return (change: DeviceChange) => {
          if (change.parameters !== undefined) writes.push(change.parameters)
          return of.commit(change)
        }
      },
    })
    const operations = new Proxy(store.operations, {
      get(of, name) {
        if (name !== 'finish') return (of[name as keyof typeof of] as (...args: never[]) => unknown).bind(of)
        return (id: string, from: OperationState[], ending: Ending) => {
          if (ending.change?.parameters !== undefined) writes.push(ending.change.parameters)
          return of.finish(id, from, ending)
        }
      },
    })
    const { room, leave } = linked(peer, 'a', { ...store, devices, operations })
    const written = async (kind: 'planner' | 'apiKey') => {
      writes.length = 0
      const request: OperationRequest = { verb: 'get', paths: [TABLE] }
      const asked = await room.submit({ deviceId: peer.deviceId, request, actor: { kind, id: 'x' } })
      expect((await ended(room, asked)).state).toBe('done')
      return writes.flat().map(({ path, value }) => `${path}=${value}`)
    }
    const both = [`${TABLE}90.Alias=cpe-90`, `${TABLE}90.Name=new`]
    expect(await written('planner')).toEqual(both)
    expect(await written('planner')).toEqual([])
    peer.values.set(`${TABLE}90.Name`, 'newer')
    expect(await written('planner')).toEqual([`${TABLE}90.Name=newer`])
    // A caller of the API looks for the time of the value.
    expect(await written('apiKey')).toEqual([`${TABLE}90.Alias=cpe-90`, `${TABLE}90.Name=newer`])
    const [name] = await store.parameters.getMany(peer.deviceId, [`${TABLE}90.Name`])
    expect(name).toMatchObject({ value: 'newer', source: 'usp' })
    await leave()
  })

  it('does each thing once and in order when two instances hold a link to the same device', async () => {
    const peer = await createDevice('usp')
    const a = linked(peer, 'a')
    const b = linked(peer, 'b')
    await Promise.all([a.room.start(), b.room.start()])
    const operations: Operation[] = []
    for (let i = 0; i < 12; i++) {
      const { room } = i % 2 === 0 ? a : b
      operations.push(await submit(room, peer.deviceId, set('Device.X_A', String(i))))
    }
    for (const operation of operations) expect((await ended(a.room, operation)).state).toBe('done')
    expect(peer.effects.length).toBe(12)
    expect(peer.values.get('Device.X_A')).toBe('11')
    await Promise.all([a.leave(), b.leave()])
  })

  it('gives concurrent submissions with one key one operation', async () => {
    const peer = await createDevice('cwmp')
    const room = createRoom(store, systemClock, { instance: 'a', limits: QUIET })
    const wanted = { deviceId: peer.deviceId, request: set('Device.X_A', '1'), actor: ACTOR, idempotencyKey: 'k' }
    const all = await Promise.all(Array.from({ length: 8 }, () => room.submit(wanted)))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    await room.contact(peer.contact('cwmp'))
    expect(peer.effects.length).toBe(1)
    await room.stop()
  })
})

/**
 * The end of a device's only operation. A call of the dead process may still arrive after its death: recovery runs
 * again and again.
 */
async function endOf(room: OperationsEngine, deviceId: DeviceId): Promise<Operation | undefined> {
  for (let i = 0; ; i++) {
    await room.recovery.recoverOrphans()
    await room.recovery.repairWorkFlags()
    const [operation] = (await store.operations.list({ deviceId, limit: 2 })).items
    if (operation === undefined) return undefined
    const end = await room.wait(operation.id, 500)
    if (end === undefined || end.finishedAt !== undefined || i === 20) return end
  }
}

/** A process that dies at a call, and the one after it. Resolves with the operation and the number of calls. */
async function live(request: OperationRequest, at: number, when: 'before' | 'after') {
  const peer = await createDevice('usp')
  const mortal = new Mortal(at, when)
  peer.aroundEffect = (effect) => mortal.call(effect)
  const first = linked(peer, `first${peer.deviceId}`, mortal.ports(store))
  const over = new Promise<void>((resolve) => {
    first.room.onFinished(() => resolve())
    mortal.onDeath = resolve
  })
  submit(first.room, peer.deviceId, request).catch(() => undefined)
  await over
  mortal.dead = true

  peer.aroundEffect = async (effect) => effect()
  const second = linked(peer, 'second')
  await second.room.start()
  const end = await endOf(second.room, peer.deviceId)
  await second.leave()
  return { peer, end, survived: mortal.calls < at }
}

describe('a process that dies between any two calls, over the database', () => {
  const cases: [string, OperationRequest][] = [
    ['set', set('Device.X_A', 'new')],
    ['add', { verb: 'add', object: TABLE, values: { Name: 'new' } }],
  ]
  for (const when of ['before', 'after'] as const) {
    it.each(cases)(`${when} a call of %s`, async (verb, request) => {
      for (let at = 1; at <= 40; at++) {
        const { peer, end, survived } = await live(request, at, when)
        const effects = peer.effects.filter((line) => line.startsWith(verb)).length
        expect(effects, `call ${at}`).toBe(end?.state === 'done' ? 1 : 0)
        if (end !== undefined) expect(['done', 'failed'], `call ${at}: ${JSON.stringify(end)}`).toContain(end.state)
        if (survived) return
      }
      throw new Error('the operation takes more calls than were tried')
    })
  }
})
