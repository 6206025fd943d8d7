import mongoose from 'mongoose'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { createIdSource, systemRandom } from '../../src/base/index.ts'
import {
  DEVICE_SORT_FIELDS,
  type Device,
  type DeviceChange,
  type DeviceId,
  deviceIdOf,
  type EndpointId,
  FACTS_VERSION,
  type FeedEvent,
  newDevice,
  type Operation,
  type Parameter,
  type ParameterWrite,
  type PlanMember,
  parseSelector,
  searchKeys,
  searchSelector,
} from '../../src/domain/index.ts'
import { type ChainedEntry, type ChainKey, chain, GENESIS } from '../../src/security/index.ts'
import { subtreeFilter } from '../../src/store/commit/parameter-writes.ts'
import type { Document_, Store } from '../../src/store/index.ts'
import { COLLECTIONS } from '../../src/store/mongo/collections.ts'
import { filterOf } from '../../src/store/mongo/filter.ts'
import { LossyProxy } from '../support/lossy-proxy.ts'
import { createManualClock, settled } from '../support/manual-clock.ts'
import { testStore } from '../support/store.ts'

let store: Store
beforeAll(async () => {
  store = await testStore(inject('mongodbUri'))
})
afterAll(async () => {
  await store?.close()
})

let serial = 0
function device(changes: Partial<Device> = {}): Device {
  const identity = { oui: '00256D', productClass: 'Box', serial: `S${serial++}` }
  return { ...newDevice(deviceIdOf(identity), identity, 'cwmp', 1), ...changes }
}
async function stored(changes: Partial<Device> = {}): Promise<Device> {
  const cpe = device(changes)
  await store.devices.commit({ deviceId: cpe.id, create: cpe })
  return cpe
}

describe('a record of an earlier version', () => {
  it('without a link has no Agent that answers, after the migration', async () => {
    const databaseName = `answers_${Date.now()}`
    const first = await testStore(inject('mongodbUri'), { databaseName })
    const [gone, linked] = [device(), device()]
    gone.usp = { linked: false, answering: true, lastSeenAt: 1 }
    linked.usp = { linked: true, answering: true, lastSeenAt: 1 }
    for (const create of [gone, linked]) await first.devices.commit({ deviceId: create.id, create })
    await first.db.collection('migrations').deleteMany({ _id: /^0014/ as never })
    const second = await testStore(inject('mongodbUri'), { databaseName })
    const usp = async ({ id }: Device) => (await second.devices.get(id))?.usp
    expect(await usp(gone)).toMatchObject({ linked: false, answering: false })
    expect(await usp(linked)).toMatchObject({ linked: true, answering: true })
    for (const each of [first, second]) await each.close()
  })
})

describe('a record from before devices were searched', () => {
  it('is found after the migration, and has its facts with the next parameter of one', async () => {
    const databaseName = `search_${Date.now()}`
    const first = await testStore(inject('mongodbUri'), { databaseName })
    const old = device({ tags: ['North'] })
    const level = (value: string): ParameterWrite => ({
      path: 'Device.Optical.Interface.1.OpticalSignalLevel',
      value,
      type: 'int',
      source: 'cwmp',
      collectedAt: 1,
    })
    await first.devices.commit({ deviceId: old.id, create: old, parameters: [level('-19000')] })
    const $unset = { search: '' as const, factsVersion: '' as const, optical: '' as const }
    await first.db.collection<Document_>('devices').updateOne({ _id: old.id }, { $unset })
    await first.db.collection('migrations').deleteMany({ _id: /search-keys$/ as never })
    const second = await testStore(inject('mongodbUri'), { databaseName })
    const found = await second.devices.list({ selector: searchSelector('north'), limit: 9 })
    expect(found.items.map(({ id }) => id)).toEqual([old.id])
    const parameters = [{ ...level('41'), path: 'Device.DeviceInfo.UpTime' }]
    await second.devices.commit({ deviceId: old.id, parameters })
    expect(await second.devices.get(old.id)).toMatchObject({
      optical: { rxPowerDbm: -19 },
      factsVersion: FACTS_VERSION,
    })
    for (const each of [first, second]) await each.close()
  })
})

describe('device commits', () => {
  it('return stored devices, and undefined for others', async () => {
    const cpe = await stored({ manufacturer: 'Acme', tags: ['lab'] })
    const derived = { search: searchKeys(cpe), factsVersion: FACTS_VERSION }
    expect(await store.devices.get(cpe.id)).toEqual({ ...cpe, ...derived })
    expect(await store.devices.get(device().id)).toBeUndefined()
  })

  it('land together with their events and parameters', async () => {
    const cpe = device()
    const seen: FeedEvent[] = []
    const off = store.events.onAppended((events) => seen.push(...events))
    await store.devices.commit({
      deviceId: cpe.id,
      create: cpe,
      events: [{ type: 'device.registered', at: 5, deviceId: cpe.id, data: {} }],
      parameters: [
        { path: 'Device.A.1.B', value: 'x', type: 'string', writable: true, source: 'cwmp', collectedAt: 5 },
      ],
    })
    off()
    expect(seen.map((event) => event.type)).toEqual(['device.registered'])
    expect(await store.parameters.getMany(cpe.id, ['Device.A.1.B', 'Device.A.1.C'])).toEqual([
      {
        deviceId: cpe.id,
        path: 'Device.A.1.B',
        value: 'x',
        type: 'string',
        writable: true,
        source: 'cwmp',
        collectedAt: 5,
      },
    ])
  })

  it('drop single parameters, and keep what is written after that in the same flush', async () => {
    const cpe = await stored()
    const write = (leaf: string) => ({ path: `Device.A.${leaf}`, value: leaf, type: 'string', source: 'cwmp' }) as const
    const parameters = ['B', 'C'].map((leaf) => ({ ...write(leaf), collectedAt: 5 }))
    await store.devices.commit({ deviceId: cpe.id, parameters })
    const left = async () => (await store.parameters.list(cpe.id, 'Device.A.', 9)).items.map(({ path }) => path)
    await Promise.all([
      store.devices.commit({ deviceId: cpe.id, parameters }),
      store.devices.commit({ deviceId: cpe.id, dropParameters: ['Device.A.B', 'Device.A.C'] }),
      store.devices.commit({ deviceId: cpe.id, parameters: [{ ...write('C'), collectedAt: 6 }] }),
    ])
    expect(await left()).toEqual(['Device.A.C'])
  })

  it('write what is known of a parameter in any order, one by one and in one flush', async () => {
    const path = 'Device.A.1.B'
    const mapped = {
      path,
      value: '1',
      type: 'int',
      source: 'cwmp',
      collectedAt: 5,
      from: { path: 'X', value: 'x' },
    } as const
    const whole = { path, value: '2', type: 'int', source: 'cwmp', collectedAt: 6, writable: true } as const
    const partial = { path, value: '3', type: 'unknown', source: 'usp', collectedAt: 7 } as const
    const asStored = async (writes: ParameterWrite[][]) => {
      const cpe = await stored()
      await Promise.all(writes.map((parameters) => store.devices.commit({ deviceId: cpe.id, parameters })))
      return (await store.parameters.getMany(cpe.id, [path])).map(({ deviceId, ...rest }) => rest)
    }
    for (const together of [false, true]) {
      const order = (...writes: ParameterWrite[]) => asStored(together ? [writes] : writes.map((write) => [write]))
      expect(await order(mapped, whole)).toEqual([whole])
      expect(await order(whole, partial)).toEqual([{ ...whole, value: '3', source: 'usp', collectedAt: 7 }])
      expect(await order(partial, whole, mapped)).toEqual([{ ...mapped, writable: true }])
      expect(await order(whole, mapped, partial)).toEqual([{ ...whole, value: '3', source: 'usp', collectedAt: 7 }])
    }
  })

  it('keep the type that is known when a write has none', async () => {
    const cpe = await stored()
    const path = 'Device.A.1.X_B'
    const write = { path, value: '1', source: 'cwmp', collectedAt: 5 } as const
    const type = async () => (await store.parameters.getMany(cpe.id, [path]))[0]?.type
    await store.devices.commit({ deviceId: cpe.id, parameters: [{ ...write, type: 'unknown' }] })
    expect(await type()).toBe('unknown')
    await store.devices.commit({ deviceId: cpe.id, parameters: [{ ...write, type: 'unsignedInt' }] })
    await store.devices.commit({ deviceId: cpe.id, parameters: [{ ...write, value: '2', type: 'unknown' }] })
    expect(await type()).toBe('unsignedInt')
  })

  it('that are made together share their round trips, and the refused one fails alone', async () => {
    const cpes = Array.from({ length: 50 }, () => device())
    const twice = await stored()
    const before = [...store.commands.values()].reduce((sum, n) => sum + n, 0)
    await Promise.all(cpes.map((cpe) => store.devices.commit({ deviceId: cpe.id, create: cpe })))
    const round = [...store.commands.values()].reduce((sum, n) => sum + n, 0) - before
    expect(round).toBeLessThanOrEqual(10)
    const results = await Promise.allSettled([
      ...cpes.map((cpe) => store.devices.commit({ deviceId: cpe.id, set: { manufacturer: 'M' } })),
      store.devices.commit({ deviceId: twice.id, create: twice }),
      store.devices.commit({ deviceId: cpes[0]!.id, set: { manufacturer: 'N' }, guard: { revision: 99 } }),
    ])
    expect(results.filter((result) => result.status === 'rejected')).toHaveLength(2)
    expect(results.slice(-2).map((result) => result.status)).toEqual(['rejected', 'rejected'])
    expect((await store.devices.get(cpes[0]!.id))?.manufacturer).toBe('M')
  })

  it('are refused as a whole when a guard does not hold', async () => {
    const cpe = await stored()
    const change: DeviceChange = {
      deviceId: cpe.id,
      set: { owner: 'usp' },
      newRevision: true,
      guard: { revision: 1 },
      events: [{ type: 'device.ownerChanged', at: 1, deviceId: cpe.id, data: {} }],
    }
    await store.devices.commit(change)
    await expect(store.devices.commit(change)).rejects.toMatchObject({ code: 'conflict' })
    expect((await store.devices.get(cpe.id))?.revision).toBe(2)
    const events = (await store.events.since(undefined, 100)).filter((event) => event.deviceId === cpe.id)
    expect(events).toHaveLength(1)
  })

  it('of a link do not touch a later one', async () => {
    const cpe = await stored()
    await store.devices.commit({ deviceId: cpe.id, set: { 'usp.linked': true, 'usp.connectedAt': 2 } })
    const gone = { deviceId: cpe.id, set: { 'usp.linked': false } }
    await expect(store.devices.commit({ ...gone, guard: { uspConnectedAt: 1 } })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect((await store.devices.get(cpe.id))?.usp?.linked).toBe(true)
    await store.devices.commit({ ...gone, guard: { uspConnectedAt: 2 } })
    expect((await store.devices.get(cpe.id))?.usp?.linked).toBe(false)
  })

  it('never bind one Endpoint ID to two devices', async () => {
    const binding = { endpointId: 'os::00256D-X' as EndpointId, proof: 'bound' as const, at: 1 }
    const first = await stored()
    const second = await stored()
    await store.devices.commit({ deviceId: first.id, set: { binding } })
    await expect(store.devices.commit({ deviceId: second.id, set: { binding } })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect((await store.devices.findByEndpoint(binding.endpointId))?.id).toBe(first.id)
  })

  it('merge writes to one parameter document in order, deletions included', async () => {
    const cpe = await stored()
    const write = (value: string, path = 'Device.X.1.V') => ({
      path,
      value,
      type: 'string' as const,
      source: 'usp' as const,
      collectedAt: 1,
    })
    await Promise.all([
      store.devices.commit({ deviceId: cpe.id, parameters: [write('1'), write('a', 'Device.X.1.W')] }),
      store.devices.commit({ deviceId: cpe.id, parameters: [write('2')] }),
      store.devices.commit({ deviceId: cpe.id, dropSubtrees: ['Device.X.'] }),
      store.devices.commit({ deviceId: cpe.id, parameters: [write('3')] }),
    ])
    const { items } = await store.parameters.list(cpe.id, 'Device.X.', 10)
    expect(items.map((item) => [item.path, item.value])).toEqual([['Device.X.1.V', '3']])
  })

  it('drop single parameters and leave their neighbours, in order with what is written', async () => {
    const cpe = await stored()
    const write = (leaf: string, value: string) => ({
      path: `Device.Y.${leaf}`,
      value,
      type: 'string' as const,
      source: 'cwmp' as const,
      collectedAt: 1,
    })
    const drop = ['Device.Y.A', 'Device.Y.C', 'Device.Absent.Z']
    await Promise.all([
      store.devices.commit({ deviceId: cpe.id, parameters: ['A', 'B', 'C'].map((leaf) => write(leaf, '1')) }),
      store.devices.commit({ deviceId: cpe.id, dropParameters: drop }),
      store.devices.commit({ deviceId: cpe.id, parameters: [write('C', '2')] }),
    ])
    const { items } = await store.parameters.list(cpe.id, 'Device.', 10)
    expect(items.map(({ path, value }) => [path, value])).toEqual([
      ['Device.Y.B', '1'],
      ['Device.Y.C', '2'],
    ])
  })
})

describe('a commit of a plan member', () => {
  const at = 7
  const member = (cpe: Device, changes: Partial<PlanMember> = {}): PlanMember => ({
    id: `p1|${cpe.id}`,
    planId: 'p1',
    deviceId: cpe.id,
    state: 'QUEUED',
    step: '',
    done: [],
    facts: {},
    attempt: 1,
    visit: 0,
    history: [],
    enteredAt: at,
    enteredMs: at,
    revision: 1,
    ...changes,
  })
  const write = (path: string) => ({ path, value: 'v', type: 'string', source: 'cwmp', collectedAt: at }) as const

  it('takes the whole change of its device along, with what it drops', async () => {
    const cpe = await stored()
    await store.plans.commitMember({ member: member(cpe), events: [] })
    const parameters = ['Device.A.1.B', 'Device.C.D', 'Device.C.E'].map(write)
    await store.devices.commit({ deviceId: cpe.id, parameters })
    const before = (await store.events.since(undefined, 1))[0]?.id ?? ''
    await store.plans.commitMember({
      before: member(cpe),
      member: member(cpe, { state: 'PREPARING', revision: 2 }),
      events: [{ type: 'member.changed', at, deviceId: cpe.id, data: {} }],
      device: {
        deviceId: cpe.id,
        set: { migration: { planId: 'p1', state: 'PREPARING', at } },
        newRevision: true,
        dropSubtrees: ['Device.A.'],
        dropParameters: ['Device.C.E'],
        parameters: [write('Device.F.G')],
        events: [{ type: 'device.booted', at, deviceId: cpe.id, data: {} }],
      },
    })
    const left = await store.parameters.list(cpe.id, '', 9)
    expect(left.items.map(({ path }) => path)).toEqual(['Device.C.D', 'Device.F.G'])
    expect(await store.devices.get(cpe.id)).toMatchObject({ revision: 2, migration: { state: 'PREPARING' } })
    expect((await store.events.since(before, 9)).map(({ type }) => type)).toEqual(['member.changed', 'device.booted'])
  })

  it('can create its device, and lands as a whole or not at all', async () => {
    const cpe = device()
    await store.plans.commitMember({ member: member(cpe), events: [] })
    const create = {
      before: member(cpe),
      member: member(cpe, { state: 'PREPARING', revision: 2 }),
      events: [],
      device: { deviceId: cpe.id, create: cpe, parameters: [write('Device.A.B')] },
    }
    await expect(store.plans.commitMember({ ...create, before: member(cpe, { revision: 9 }) })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await store.devices.get(cpe.id)).toBeUndefined()
    await store.plans.commitMember(create)
    expect(await store.devices.get(cpe.id)).toEqual(cpe)
    expect((await store.parameters.list(cpe.id, '', 9)).items).toHaveLength(1)
  })
})

describe('lists', () => {
  it('count all devices up to a limit', async () => {
    const before = await store.devices.count(undefined, 1_000_000)
    await stored({})
    expect(await store.devices.count(undefined, 1_000_000)).toBe(before + 1)
    expect(await store.devices.count(undefined, 1)).toBe(1)
  })

  it('page by any sort field without loss or repetition, missing values included', async () => {
    const tag = `page${serial}`
    for (let i = 0; i < 7; i++) await stored({ tags: [tag], ...(i < 4 ? { manufacturer: `M${i % 2}` } : {}) })
    for (const descending of [false, true]) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await store.devices.list({
          selector: parseSelector(`tag==${tag}`),
          sort: { field: 'manufacturer', descending },
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        })
        seen.push(...page.items.map((item) => item.id))
        cursor = page.next
      } while (cursor !== undefined)
      expect(new Set(seen).size).toBe(7)
      expect(seen).toHaveLength(7)
    }
  })

  it('page by id without loss or repetition, in whatever order the records were inserted', async () => {
    const other = await testStore(inject('mongodbUri'))
    try {
      const cpes = Array.from({ length: 60 }, () => device())
      const shuffled = cpes.map((_, i) => cpes[(i * 37) % cpes.length] as Device)
      for (const cpe of shuffled) await other.devices.commit({ deviceId: cpe.id, create: cpe })
      const ids = cpes.map(({ id }) => id).sort()
      for (const descending of [false, true]) {
        const seen: string[] = []
        let cursor: string | undefined
        do {
          const sort = { field: 'id' as const, descending }
          const page = await other.devices.list({ sort, limit: 7, ...(cursor === undefined ? {} : { cursor }) })
          seen.push(...page.items.map(({ id }) => id))
          cursor = page.next
        } while (cursor !== undefined && seen.length < 1000)
        expect(seen).toEqual(descending ? [...ids].reverse() : ids)
      }
    } finally {
      await other.close()
    }
  })

  it('select by natural version order, prefix, negation and lists', async () => {
    const tag = `sel${serial}`
    const { versionKey } = await import('../../src/datamodel/index.ts')
    for (const version of ['1.9', '1.10', '2.0'])
      await stored({
        tags: [tag],
        softwareVersion: version,
        softwareVersionKey: versionKey(version),
        model: `M-${version}`,
      })
    const versions = async (text: string) => {
      const { items } = await store.devices.list({ selector: parseSelector(`tag==${tag};(${text})`), limit: 10 })
      return items.map((item) => item.softwareVersion).sort()
    }
    expect(await versions('softwareVersion=ge=1.10')).toEqual(['1.10', '2.0'])
    expect(await versions('model==M-1*')).toEqual(['1.10', '1.9'])
    expect(await versions('softwareVersion!=2.0')).toEqual(['1.10', '1.9'])
    expect(await versions('softwareVersion=in=(1.9,2.0)')).toEqual(['1.9', '2.0'])
  })

  it('refuse a cursor that is no cursor, operators in it included', async () => {
    await expect(store.devices.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' })
    const sly = Buffer.from(JSON.stringify([{ $ne: 1 }, 'a'])).toString('base64url')
    await expect(store.devices.list({ limit: 1, cursor: sly })).rejects.toMatchObject({ code: 'invalid' })
  })

  it('page the parameters of a subtree in path order', async () => {
    const cpe = await stored()
    const paths = ['Device.A.B', 'Device.A.C', 'Device.A.1.D', 'Device.AB.E']
    await store.devices.commit({
      deviceId: cpe.id,
      parameters: paths.map((path) => ({ path, value: path, type: 'string', source: 'cwmp', collectedAt: 1 })),
    })
    const first = await store.parameters.list(cpe.id, 'Device.A.', 1)
    const second = await store.parameters.list(cpe.id, 'Device.A.', 5, first.next)
    expect([...first.items, ...second.items].map((item) => item.path).sort()).toEqual([
      'Device.A.1.D',
      'Device.A.B',
      'Device.A.C',
    ])
    expect(second.next).toBeUndefined()
  })

  it('hold all values below a path in any script, and a drop removes all of them', async () => {
    const cpe = await stored()
    const paths = ['Device.X.1.A', 'Device.X.\u{1f4e1}.A', 'Device.X.\uffff.A', 'Device.Y.1.A']
    await store.devices.commit({
      deviceId: cpe.id,
      parameters: paths.map((path) => ({ path, value: '', type: 'string', source: 'cwmp', collectedAt: 1 })),
    })
    const { items } = await store.parameters.list(cpe.id, 'Device.X.', 10)
    expect(items.map(({ path }) => path).sort()).toEqual(paths.slice(0, 3).sort())
    await store.devices.commit({ deviceId: cpe.id, dropSubtrees: ['Device.X.'] })
    expect((await store.parameters.list(cpe.id, '', 10)).items.map(({ path }) => path)).toEqual(['Device.Y.1.A'])
  })
})

describe('queries', () => {
  const stages = async (collection: string, filter: object, sort: Record<string, 1 | -1>) => {
    const explained = await store.db.collection(collection).find(filter).sort(sort).limit(10).explain()
    return JSON.stringify(explained.queryPlanner)
  }

  it.each([
    'tag==north',
    'group==g',
    'serial==ABC*',
    'manufacturer==Acme',
    'model==M;softwareVersion=lt=1.10',
    'softwareVersion=ge=2',
    'plan==p;migration==FAILED',
    'lastInform=lt=2026-01-01T00:00:00Z',
    'endpointId==os::1',
  ])('of devices by %s find their bounds in an index', async (selector) => {
    expect(await stages('devices', filterOf(parseSelector(selector)), { _id: 1 })).toContain('IXSCAN')
  })

  it.each([
    ['a subtree', 'parameters', subtreeFilter('A-B-C', 'Device.X.'), 'deviceId_1_object_1'],
    ['a guarded change', 'devices', { _id: 'A', 'work.seq': 1 }, 'work.seq_1__id_1'],
    ['a change of revision', 'devices', { _id: 'A', revision: 1 }, 'revision_1__id_1'],
    ['the work of some devices', 'operations', { openOf: { $in: ['A', 'B'] } }, 'openOf_1'],
    ['an operation by its key', 'operations', { onceKey: 'A|k' }, 'onceKey_1'],
    [
      'an operation in one of several states',
      'operations',
      { _id: 'A', state: { $in: ['queued', 'sent'] } },
      '_id_1_state_1',
    ],
    ['a step of a plan', 'planMembers', { _id: 'A', revision: 1 }, 'revision_1__id_1'],
    ['what came after an event', 'events', { _id: { $gt: 'A' } }, '_id_1_type_1'],
  ])('for %s look at no more than they find, on the embedded engine too', async (_, collection, filter, index) => {
    const plan = await stages(collection, filter, {})
    // MongoDB has its own index of ids for most of these.
    expect(plan).toMatch(new RegExp(`"indexName":"(${index}|_id_)"|IDHACK`))
    expect(plan).not.toContain('COLLSCAN')
  })

  it('have an index with the id behind it for every order that devices can be listed in', () => {
    const leading = COLLECTIONS.devices.indexes.map(({ keys }) => Object.keys(keys))
    for (const field of DEVICE_SORT_FIELDS) {
      if (field === 'id') continue
      const sorted = field === 'softwareVersion' ? 'softwareVersionKey' : field
      expect(
        leading.some(([first]) => first === sorted),
        field,
      ).toBe(true)
    }
  })
})

describe('operations', () => {
  let n = 0
  const operation = (cpe: Device, changes: Partial<Operation> = {}): Operation => ({
    id: `op${String(n++).padStart(4, '0')}`,
    deviceId: cpe.id,
    request: { verb: 'reboot' },
    state: 'queued',
    actor: { kind: 'system', id: 'test' },
    createdAt: 1,
    expiresAt: 100,
    attempts: 0,
    ...changes,
  })

  it('flag the device with the insert and answer the same one for the same key', async () => {
    const cpe = await stored()
    const first = await store.operations.create(operation(cpe, { idempotencyKey: 'k' }))
    const again = await store.operations.create(operation(cpe, { idempotencyKey: 'k' }))
    expect(again).toEqual({ operation: first.operation, created: false })
    expect((await store.devices.get(cpe.id))?.work).toEqual({ open: true, seq: 1 })
    await expect(store.operations.create(operation(device()))).rejects.toMatchObject({ code: 'notFound' })
  })

  it('move only from the state they are in, for one of two callers', async () => {
    const cpe = await stored()
    const { operation: op } = await store.operations.create(operation(cpe))
    const sent = { at: 2, via: 'cwmp' as const, instance: 'a' }
    const both = await Promise.all([store.operations.markSent(op.id, sent), store.operations.markSent(op.id, sent)])
    expect(both.sort()).toEqual([false, true])
    expect(await store.operations.markUnknown(op.id)).toBe(true)
    expect(
      await store.operations.finish(op.id, ['sent'], {
        state: 'done',
        result: { outcome: 'done', results: [] },
        at: 3,
      }),
    ).toBe(false)
    expect(
      await store.operations.finish(op.id, ['sent', 'unknown'], {
        state: 'done',
        result: { outcome: 'done', results: [] },
        at: 3,
      }),
    ).toBe(true)
    expect(await store.operations.get(op.id)).toMatchObject({ state: 'done', finishedAt: 3, sentVia: 'cwmp' })
    expect(await store.operations.open(cpe.id, 10)).toEqual([])
  })

  it('end together with their event, and owe the audit log until it has them', async () => {
    const cpe = await stored()
    const { operation: op } = await store.operations.create(operation(cpe, { idempotencyKey: 'key' }))
    expect(await store.operations.byKey(cpe.id, 'key')).toEqual(op)
    expect(await store.operations.byKey(cpe.id, 'other')).toBeUndefined()
    const event = { type: 'operation.finished' as const, at: 3, deviceId: cpe.id, data: {} }
    const ending = { state: 'done' as const, at: 3, event, owesAudit: true as const, request: op.request }
    const both = await Promise.all([1, 2].map(() => store.operations.finish(op.id, ['queued'], ending)))
    expect(both.sort()).toEqual([false, true])
    const told = (await store.events.since(undefined, 50)).filter(({ deviceId }) => deviceId === cpe.id)
    expect(told.length).toBe(1)
    expect(await store.operations.owingAudit(3, 10)).toEqual([])
    expect(await store.operations.owingAudit(4, 10)).toMatchObject([{ id: op.id, idempotencyKey: 'key' }])
    await store.operations.audited(op.id)
    expect(await store.operations.owingAudit(4, 10)).toEqual([])
  })

  it('of an instance are found while they have no answer', async () => {
    const cpe = await stored()
    for (const id of ['queued', 'sent', 'accepted', 'elsewhere', 'ended'].map((name) => `unanswered ${name}`)) {
      await store.operations.create({ ...operation(cpe), id })
      const instance = id.endsWith('elsewhere') ? 'other' : 'asker'
      if (!id.endsWith('queued')) await store.operations.markSent(id, { at: 2, via: 'cwmp', instance })
    }
    await store.operations.notePending('unanswered accepted', { outcome: 'pending', results: [] })
    await store.operations.finish('unanswered ended', ['sent'], { state: 'done', at: 3 })
    expect(await store.operations.unanswered('asker')).toEqual([{ id: 'unanswered sent', deviceId: cpe.id }])
  })

  it('of dead instances become unknown, and lost work flags are set again', async () => {
    const cpe = await stored()
    const { operation: op } = await store.operations.create(operation(cpe))
    await store.operations.markSent(op.id, { at: 2, via: 'cwmp', instance: 'dead' })
    await store.devices.commit({ deviceId: cpe.id, set: { 'work.open': false } })
    expect(await store.operations.orphaned(['alive', 'a'])).toBeGreaterThanOrEqual(1)
    expect((await store.operations.get(op.id))?.state).toBe('unknown')
    expect((await store.devices.get(cpe.id))?.work.open).toBe(true)
  })
})

describe('the feed', () => {
  it('gives the newest events, of any age and at any time of the clock', async () => {
    const clock = createManualClock()
    const other = await testStore(inject('mongodbUri'), { clock })
    try {
      const cpe = device()
      const at: number[] = []
      const happen = async (count: number, of: Device = cpe) => {
        for (let i = 0; i < count; i++) {
          at.push(clock.now())
          await other.events.append([{ type: 'device.booted', at: clock.now(), deviceId: of.id, data: {} }])
          clock.advance(1)
        }
      }
      await happen(3)
      clock.advance(3 * 86_400_000)
      await happen(3, device())
      clock.advance(3_600_000)
      await happen(3)
      clock.advance(120_000)
      for (const limit of [1, 2, 3, 4, 7, 9, 20])
        expect((await other.events.since(undefined, limit)).map((event) => event.at)).toEqual(at.slice(-limit))
      const own = [...at.slice(0, 3), ...at.slice(6)]
      for (const limit of [1, 4, 20])
        expect((await other.events.ofDevice(cpe.id, undefined, limit)).map((event) => event.at)).toEqual(
          own.slice(-limit),
        )
      clock.advance(-30 * 86_400_000)
      expect((await other.events.since(undefined, 4)).map((event) => event.at)).toEqual(at.slice(-4))
    } finally {
      await other.close()
    }
  })
})

const DAY_MS = 86_400_000

describe('a tree that is larger than a document may be', () => {
  const create = async (serial: string) => {
    const identity = { oui: '00256D', productClass: 'Box', serial }
    const id = deviceIdOf(identity)
    await store.devices.commit({ deviceId: id, create: newDevice(id, identity, 'cwmp', 1) })
    return id
  }
  const write = (path: string, value: string): ParameterWrite => ({
    path,
    value,
    type: 'string',
    source: 'cwmp',
    collectedAt: 1,
  })
  const tree = async (id: DeviceId, prefix = '', limit = 1000) => {
    const items: Parameter[] = []
    let cursor: string | undefined
    do {
      const found = await store.parameters.list(id, prefix, limit, cursor)
      items.push(...found.items)
      cursor = found.next
    } while (cursor !== undefined)
    return new Map(items.map(({ path, value }) => [path, value]))
  }
  const largeValues = (id: DeviceId) => store.db.collection('largeValues').countDocuments({ deviceId: id })

  it('is stored and read back, whether its values are long or many, and disturbs no other device', async () => {
    const [long, many, other] = [await create('LONG'), await create('MANY'), await create('OTHER')]
    const longOnes = Array.from({ length: 400 }, (_, i) => write(`Device.X_A.L${i}`, `${i}${'ü'.repeat(60_000)}`))
    const manyOnes = Array.from({ length: 2500 }, (_, i) =>
      write(`Device.X_A.${'N'.repeat(150)}${i}`, `${'v'.repeat(300)}${i}`),
    )
    await Promise.all([
      store.devices.commit({ deviceId: long, parameters: longOnes }),
      store.devices.commit({ deviceId: many, parameters: manyOnes }),
      store.devices.commit({ deviceId: other, parameters: [write('Device.X_A.B', '1')] }),
    ])
    expect(await tree(other)).toEqual(new Map([['Device.X_A.B', '1']]))
    const readLong = await tree(long, '', 150)
    expect(longOnes.filter(({ path, value }) => readLong.get(path) !== value)).toEqual([])
    const readMany = await tree(many)
    // The number of parameters of one object is bounded, and an event reports the cut.
    expect(manyOnes.filter(({ path, value }) => readMany.get(path) !== value)).toEqual(manyOnes.slice(2000))
    const told = (await store.events.since(undefined, 10_000)).filter(({ type }) => type === 'device.objectCut')
    expect(told).toMatchObject([{ deviceId: many, data: { object: 'Device.X_A.', parameters: 2500, kept: 2000 } }])
    const [one] = await store.parameters.getMany(long, ['Device.X_A.L7', 'Device.X_A.None'])
    expect(one).toMatchObject({ path: 'Device.X_A.L7', value: longOnes[7]?.value, type: 'string' })
    await store.devices.delete(long)
    expect([await largeValues(long), (await tree(long)).size]).toEqual([0, 0])
  })

  it('follows its values from short to long and back, and deletes them with their leaf or their object', async () => {
    const id = await create('CHANGING')
    const long = 'x'.repeat(5000)
    const set = (value: string) => store.devices.commit({ deviceId: id, parameters: [write('Device.X_A.B', value)] })
    const value = async () => (await store.parameters.getMany(id, ['Device.X_A.B']))[0]?.value
    for (const next of ['short', long, `${long}y`, '', long, 'short']) {
      await set(next)
      expect(await value()).toBe(next)
    }
    await set(long)
    await store.devices.commit({ deviceId: id, dropParameters: ['Device.X_A.B'] })
    expect([await value(), await largeValues(id)]).toEqual([undefined, 0])
    await set(long)
    await store.devices.commit({
      deviceId: id,
      dropSubtrees: ['Device.X_A.'],
      parameters: [write('Device.X_A.C', long)],
    })
    expect(await tree(id)).toEqual(new Map([['Device.X_A.C', long]]))
    expect(await largeValues(id)).toBe(1)
  })

  it('is refused with the reason where one value alone is larger', async () => {
    const id = await create('HUGE')
    const huge = store.devices.commit({ deviceId: id, parameters: [write('Device.X_A.B', 'x'.repeat(20_000_000))] })
    const beside = store.devices.commit({ deviceId: id, parameters: [write('Device.X_A.C', '1')] })
    await expect(huge).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('16 MiB') })
    await beside
    expect((await tree(id)).get('Device.X_A.C')).toBe('1')
  })
})

describe('retention', () => {
  it('deletes old events and old operations that have ended, and nothing else', async () => {
    const clock = createManualClock()
    const old = await testStore(inject('mongodbUri'), { clock })
    const identity = { oui: '00256D', productClass: 'Box', serial: 'OLD' }
    const cpe = newDevice(deviceIdOf(identity), identity, 'cwmp', 1)
    await old.devices.commit({ deviceId: cpe.id, create: cpe })
    const nextId = createIdSource(clock, systemRandom)
    const ask = async (): Promise<string> => {
      await old.events.append([{ type: 'device.booted', at: clock.now(), deviceId: cpe.id, data: {} }])
      const operation: Operation = {
        id: nextId(),
        deviceId: cpe.id,
        request: { verb: 'reboot' },
        state: 'queued',
        actor: { kind: 'system', id: 'test' },
        createdAt: clock.now(),
        expiresAt: clock.now() + 100,
        attempts: 0,
      }
      return (await old.operations.create(operation)).operation.id
    }
    const open = await ask()
    const ended = await ask()
    await old.operations.finish(ended, ['queued'], { state: 'expired', at: clock.now() })
    clock.advance(40 * 86_400_000)
    const young = await ask()
    await old.operations.finish(young, ['queued'], { state: 'expired', at: clock.now() })

    expect(await old.deleteExpired(0)).toBe(0)
    expect(await old.deleteExpired(DAY_MS - 1)).toBe(0)
    expect(await old.deleteExpired(DAY_MS)).toBe(3)
    expect(await old.deleteExpired(DAY_MS)).toBe(0)
    expect((await old.operations.list({ limit: 10 })).items.map(({ id }) => id)).toEqual([young, open])
    expect(await old.events.since(undefined, 10)).toHaveLength(1)
    await old.close()
  })

  it('deletes nothing while the clock of the machine is wrong, before or behind', async () => {
    const clock = createManualClock()
    const store = await testStore(inject('mongodbUri'), { clock })
    const append = () => store.events.append([{ type: 'device.booted', at: clock.now(), data: {} }])
    await append()
    const right = clock.now()
    const looks = async (from: number) => {
      for (let hour = from; hour < from + 20; hour++) expect(await store.deleteExpired((hour * DAY_MS) / 24)).toBe(0)
    }
    await looks(0)
    clock.advance(60 * DAY_MS)
    await looks(20)
    // Set right again: what the wrong clock took for old is not old.
    clock.advance(right - clock.now())
    await looks(40)
    expect(await store.events.since(undefined, 10)).toHaveLength(1)
    await store.close()
  })
})

describe('the audit log', () => {
  it('chains what is appended at once, without gaps', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.audit.append({ at: i, actor: 'system', action: 'test', target: `t${i}`, result: 'ok' }),
      ),
    )
    const { items } = await store.audit.list({ limit: 100 })
    expect(items.map((item) => item.seq)).toEqual(Array.from({ length: 20 }, (_, i) => 20 - i))
    expect(await store.audit.verify(10_000)).toEqual({ entries: 20, lastHash: items[0]?.hash })
    await store.db.collection('audit').updateOne({ seq: 7 }, { $set: { actor: 'mallory' } })
    expect(await store.audit.verify(10_000)).toMatchObject({ entries: 6, firstBroken: 7 })
    await store.db.collection('audit').updateOne({ seq: 7 }, { $set: { actor: 'system' } })
    const before = { gone: undefined, list: [{ a: undefined, b: 1 }] }
    await store.audit.append({ at: 21, actor: 'system', action: 'test', target: 't', result: 'ok', before })
    expect(await store.audit.verify(10_000)).toMatchObject({ entries: 21 })
  })

  it('is verified from the end of an earlier answer, which must still be there', async () => {
    const store = await testStore(inject('mongodbUri'))
    for (let i = 0; i < 5; i++)
      await store.audit.append({ at: i, actor: 'system', action: 'test', target: `t${i}`, result: 'ok' })
    const first = await store.audit.verify(3)
    expect(first).toMatchObject({ entries: 3, more: true })
    const from = { seq: first.entries, hash: first.lastHash }
    const rest = await store.audit.verify(2, from)
    expect(rest).toEqual({ entries: 5, lastHash: expect.any(String) })
    expect(await store.audit.verify(5)).toEqual(rest)
    expect(await store.audit.verify(5, { seq: 5, hash: rest.lastHash })).toEqual(rest)
    await store.db.collection('audit').deleteOne({ seq: 5 })
    expect(await store.audit.verify(5)).toMatchObject({ entries: 4 })
    expect(await store.audit.verify(5, { seq: 5, hash: rest.lastHash })).toMatchObject({ firstBroken: 5 })
    await store.close()
  })

  it('has an entry once whose insert seemed to be lost and lands while that is looked at', async () => {
    const own = await testStore(inject('mongodbUri'), { databaseName: `audit_late_${Date.now()}` })
    const append = (target: string) =>
      own.audit.append({ at: 1, actor: 'system', action: 'test', target, result: 'ok' as const })
    await append('a')
    const driver = mongoose.mongo.Collection.prototype
    const { insertMany, find } = driver
    let late: (() => Promise<unknown>) | undefined
    const inserts = vi.spyOn(driver, 'insertMany').mockImplementationOnce(function (this: typeof driver, ...args) {
      late = () => insertMany.apply(this, args)
      return Promise.reject(new mongoose.mongo.MongoNetworkError('connection lost'))
    })
    vi.spyOn(driver, 'find').mockImplementation(function (this: typeof driver, filter: object) {
      const cursor = find.call(this, filter)
      const [next, toArray] = [cursor.next.bind(cursor), cursor.toArray.bind(cursor)]
      const landing = async <T>(found: T) => {
        const land = late
        late = undefined
        await land?.()
        return found
      }
      cursor.next = async () => landing(await next())
      cursor.toArray = async () => landing(await toArray())
      return cursor
    })
    await append('b')
    await append('c')
    expect(inserts).toHaveBeenCalled()
    vi.restoreAllMocks()
    const { items } = await own.audit.list({ limit: 10 })
    expect(items.map(({ target }) => target)).toEqual(['c', 'b', 'a'])
    expect(late).toBeUndefined()
    await own.close()
  })

  it('is keyed from its first entry on, and behind the last one of an earlier version', async () => {
    const databaseName = `audit_key_${Date.now()}`
    const append = (to: Store, target: string) =>
      to.audit.append({ at: 1, actor: 'system', action: 'test', target, result: 'ok' })
    const plain: ChainKey = { keyedFrom: Number.POSITIVE_INFINITY, anchor: GENESIS, mac: () => '' }
    const first = await testStore(inject('mongodbUri'), { databaseName })
    await append(first, 'a')
    // The whole log made anew by somebody without the server key.
    const [entry] = (await first.audit.list({ limit: 1 })).items
    const { hash: _, previous: __, seq: ___, ...said } = entry as ChainedEntry
    const forged = chain({ ...said, actor: 'mallory' }, 1, GENESIS, plain)
    await first.db.collection('audit').updateOne({ seq: 1 }, { $set: { ...forged } })
    expect(await first.audit.verify(10)).toMatchObject({ firstBroken: 1 })
    // The same entry in a database of an earlier version is good, and the next one is keyed.
    await first.db.collection('settings').deleteOne({ _id: 'auditChain' as never })
    await first.db.collection('migrations').deleteMany({ _id: /^0010/ as never })
    const second = await testStore(inject('mongodbUri'), { databaseName })
    await append(second, 'b')
    const third = await testStore(inject('mongodbUri'), { databaseName })
    expect(await third.audit.verify(10)).toMatchObject({ entries: 2 })
    expect(await third.audit.verify(10)).not.toHaveProperty('firstBroken')
    // The beginning of the chain cannot be moved or taken away.
    await third.db.collection('settings').deleteOne({ _id: 'auditChain' as never })
    const fourth = await testStore(inject('mongodbUri'), { databaseName })
    expect(await fourth.audit.verify(10)).toMatchObject({ firstBroken: 1 })
    for (const store of [first, second, third, fourth]) await store.close()
  })

  it('takes every entry once when two instances append at once and answers get lost', async () => {
    const databaseName = `audit_${Date.now()}`
    const proxy = new LossyProxy(inject('mongodbUri'))
    await proxy.start()
    const one = await testStore(proxy.uri, { databaseName })
    const two = await testStore(inject('mongodbUri'), { databaseName, instance: 'two' })
    const append = async (by: Store, name: string, i: number) => {
      await settled(i % 7)
      await by.audit.append({ at: i, actor: 'system', action: 'test', target: `${name}${i}`, result: 'ok' })
    }
    const numbers = Array.from({ length: 60 }, (_, i) => i)
    proxy.lose('insert', 3)
    await Promise.all(numbers.flatMap((i) => [append(one, 'a', i), append(two, 'b', i)]))
    expect(proxy.losses).toBe(0)
    const items = []
    let cursor: string | undefined
    do {
      const page = await two.audit.list({ limit: 50, ...(cursor === undefined ? {} : { cursor }) })
      items.push(...page.items)
      cursor = page.next
    } while (cursor !== undefined)
    expect(items.map(({ target }) => target).sort()).toEqual(numbers.flatMap((i) => [`a${i}`, `b${i}`]).sort())
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: 120 }, (_, i) => 120 - i))
    expect(await two.audit.verify(10_000)).toEqual({ entries: 120, lastHash: items[0]?.hash })
    await expect(two.audit.list({ limit: 1, cursor: '7' })).rejects.toMatchObject({ code: 'invalid' })
    await one.close()
    await two.close()
    await proxy.stop()
  })
})

describe('the work flag', () => {
  it('is read of many devices with one command', async () => {
    const cpes = await Promise.all(Array.from({ length: 120 }, () => stored()))
    const busy = cpes.filter((_, n) => n % 3 === 0).map(({ id }) => id)
    await Promise.all(busy.map((deviceId) => store.devices.commit({ deviceId, set: { 'work.open': true } })))
    const commands = () => [...store.commands.values()].reduce((sum, n) => sum + n, 0)
    const before = commands()
    const found = await store.devices.withOpenWork([
      ...cpes.map(({ id }) => id),
      deviceIdOf({ oui: '0C96BF', productClass: 'none', serial: 'none' }),
    ])
    expect(found.toSorted()).toEqual(busy.toSorted())
    expect(commands() - before).toBe(1)
    expect(await store.devices.withOpenWork([])).toEqual([])
  })
})

describe('credentials', () => {
  it('are sealed in the database and plain to the caller', async () => {
    const cpe = await stored()
    const login = { username: 'u', password: 'top secret' }
    const pending = { ...login, sentTo: '198.51.100.7' }
    const logins = [pending, login]
    const credential = {
      deviceId: cpe.id,
      current: login,
      pending,
      earlier: logins,
      replaced: logins,
      unused: 2,
      updatedAt: 1,
    }
    await store.credentials.put(credential)
    expect(await store.credentials.get(cpe.id)).toEqual(credential)
    const raw = JSON.stringify(await store.db.collection('credentials').find({}).toArray())
    expect(raw).not.toContain('top secret')
  })

  it('that many devices change at once share their writes', async () => {
    const cpes = await Promise.all(Array.from({ length: 20 }, () => stored()))
    const current = { username: 'u', password: 'p' }
    const count = () => store.commands.get('update') ?? 0
    const before = count()
    await Promise.all(cpes.map(({ id }) => store.credentials.put({ deviceId: id, current, updatedAt: 1 })))
    expect(count() - before).toBeLessThan(5)
    for (const { id } of cpes) expect(await store.credentials.get(id)).toMatchObject({ current })
  })
})
