import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog, systemRandom } from '../../src/base/index.ts'
import { type Device, deviceIdOf, newDevice, type Operation, type ParameterWrite } from '../../src/domain/index.ts'
import { createGroupCommit } from '../../src/store/commit/group-commit.ts'
import { WritingSessions } from '../../src/store/commit/writing-sessions.ts'
import { COLLECTIONS, type CollectionName, inWriteOrder } from '../../src/store/mongo/collections.ts'
import { openConnection } from '../../src/store/mongo/connection.ts'

import { EngineProcess } from '../support/engine-process.ts'
import { LossyProxy } from '../support/lossy-proxy.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

const COLLECTION_NAMES = inWriteOrder(Object.keys(COLLECTIONS) as CollectionName[])

let serial = 0
function device(): Device {
  const identity = { oui: '00256D', productClass: 'Gateway', serial: `C${serial++}` }
  return newDevice(deviceIdOf(identity), identity, 'cwmp', 1)
}
function operation(one: Device, id: string, changes: Partial<Operation> = {}): Operation {
  const actor = { kind: 'system' as const, id: 'test' }
  return {
    id,
    deviceId: one.id,
    request: { verb: 'reboot' },
    state: 'queued',
    actor,
    createdAt: 1,
    expiresAt: 100,
    attempts: 0,
    ...changes,
  }
}

describe.each([
  ['a replica set', []],
  ['a server without transactions', ['--standalone']],
])('group commit on %s', (_name, flags) => {
  let engine: EngineProcess
  let store: Awaited<ReturnType<typeof testStore>>
  beforeEach(async () => {
    engine = new EngineProcess(flags)
    await engine.start()
    store = await testStore(engine.uri)
  })
  afterEach(async () => {
    await store?.close().catch(() => undefined)
    await engine.stop()
  })
  const create = (one: Device) => store.devices.commit({ deviceId: one.id, create: one })

  it('keeps the source of a mapped value until the device shows the value itself, also in one flush', async () => {
    const [one, other] = [device(), device()]
    await Promise.all([create(one), create(other)])
    const path = 'Device.WiFi.SSID.1.SSID'
    const native: ParameterWrite = { path, value: 'native', type: 'string', source: 'usp', collectedAt: 2 }
    const from = { path: 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID', value: 'mapped' }
    const mapped: ParameterWrite = { ...native, value: 'mapped', source: 'cwmp', collectedAt: 1, from }
    const write = ({ id: deviceId }: Device, parameter: ParameterWrite) =>
      store.devices.commit({ deviceId, parameters: [parameter] })
    const stored = async ({ id }: Device) => (await store.parameters.getMany(id, [path]))[0]
    await write(one, mapped)
    expect(await stored(one)).toMatchObject({ value: 'mapped', from })
    await write(one, native)
    expect(await stored(one)).toEqual({ deviceId: one.id, ...native })
    await Promise.all([write(one, mapped), write(other, native)])
    await Promise.all([write(one, native), write(other, mapped)])
    expect([await stored(one), await stored(other)]).toMatchObject([native, mapped])
    expect((await stored(one))?.from).toBeUndefined()
    await Promise.all([write(one, mapped), write(one, native), write(other, native), write(other, mapped)])
    expect((await stored(one))?.from).toBeUndefined()
    expect((await stored(other))?.from).toEqual(from)
    await store.devices.commit({ deviceId: one.id, parameters: [native, mapped] })
    expect((await stored(one))?.from).toEqual(from)
    await store.devices.commit({ deviceId: one.id, parameters: [mapped, native] })
    expect((await stored(one))?.from).toBeUndefined()
  })

  it('lets the refused sets fail alone, each with its own reason, and writes the others once', async () => {
    const devices = Array.from({ length: 30 }, device)
    await Promise.all(devices.map(create))
    const absent = device()
    const results = await Promise.allSettled([
      ...devices.map((one, i) =>
        store.devices.commit({
          deviceId: one.id,
          countWork: true,
          events: [{ type: 'device.booted', at: i, deviceId: one.id, data: {} }],
        }),
      ),
      create(devices[3]!),
      store.devices.commit({ deviceId: absent.id, set: { manufacturer: 'M' } }),
      store.devices.commit({ deviceId: devices[5]!.id, guard: { revision: 9 }, set: { manufacturer: 'M' } }),
    ])
    expect(results.slice(0, 30).every(({ status }) => status === 'fulfilled')).toBe(true)
    const reasons = results
      .slice(30)
      .map((result) => (result.status === 'rejected' ? String(result.reason.message) : ''))
    expect(reasons).toEqual([
      'an object with the same key is stored already: read it and change it, or use another key',
      'the device has changed since it was read, or does not exist: read it again',
      'the device has changed since it was read, or does not exist: read it again',
    ])
    const stored = await Promise.all(devices.map((one) => store.devices.get(one.id)))
    expect(stored.map((one) => one?.work.seq)).toEqual(devices.map(() => 1))
    expect(stored.some((one) => one?.manufacturer !== undefined)).toBe(false)
    expect(await store.events.since(undefined, 100)).toHaveLength(30)
    expect(await store.devices.get(absent.id)).toBeUndefined()
  })

  it('writes to every collection that there is, and refuses one that is none', async () => {
    const connection = await openConnection(engine.uri, store.databaseName, 'work')
    const transactions = flags.length === 0
    const sessions = new WritingSessions(connection, 'one')
    const options = { transactions, sessions, retryMs: 5000, random: systemRandom, log: silentLog }
    const commit = createGroupCommit(connection, options)
    const insert = (collection: CollectionName, _id: string) => ({
      collection,
      operation: { insertOne: { document: { _id, seq: -1, name: _id } } },
    })
    try {
      for (const name of COLLECTION_NAMES) {
        await commit.commit({ writes: [insert(name, 'alone'), insert('devices', `beside ${name}`)] })
        expect(await store.db.collection(name).countDocuments({ name: 'alone' }), name).toBe(1)
      }
      // A name that the types do not let through, as a slip in a migration could.
      const unknown = 'profiles' as CollectionName
      await expect(commit.commit({ writes: [insert(unknown, 'a')] })).rejects.toThrow('there is no collection profiles')
    } finally {
      await connection.close()
    }
  })

  it('keeps the order of changes of one device that are committed at once', async () => {
    const one = device()
    const results = await Promise.all([
      create(one),
      store.devices.commit({ deviceId: one.id, countWork: true, set: { manufacturer: 'A' } }),
      store.devices.commit({ deviceId: one.id, countWork: true, set: { manufacturer: 'B' } }),
      store.devices.commit({ deviceId: one.id, guard: { workSeq: 2 }, set: { 'work.open': false } }),
    ])
    expect(results).toHaveLength(4)
    expect(await store.devices.get(one.id)).toMatchObject({ manufacturer: 'B', work: { open: false, seq: 2 } })
  })

  it('opens and resolves a conflict about a device that has no record', async () => {
    const { id: deviceId } = device()
    const claim = { id: 'c1', deviceId, kind: 'identityMismatch', endpointId: 'os::1', proof: 'triple' } as const
    const conflict = { ...claim, details: {}, at: 1 }
    expect(await store.conflicts.open(conflict, { type: 'device.conflict', at: 1, deviceId, data: {} })).toEqual(
      conflict,
    )
    expect(await store.conflicts.resolve('c1', 'dismissed', 'me', 2)).toBe(true)
    expect(await store.conflicts.get('c1')).toMatchObject({ resolution: 'dismissed' })
    const events = await store.events.since(undefined, 9)
    expect(events.map(({ type }) => type)).toEqual(['device.conflict', 'device.conflictResolved'])
  })

  it('inserts an operation and flags its device, or neither', async () => {
    const one = device()
    await create(one)
    const outcomes = await Promise.allSettled([
      store.operations.create(operation(one, 'op1', { idempotencyKey: 'k' })),
      store.operations.create(operation(device(), 'op2')),
      store.operations.create(operation(one, 'op3', { idempotencyKey: 'k' })),
      store.operations.create(operation(one, 'op4')),
    ])
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.operation.id : outcome.reason.code)),
    ).toEqual(['op1', 'notFound', 'op1', 'op4'])
    expect(await store.operations.get('op2')).toBeUndefined()
    expect((await store.operations.list({ limit: 10 })).items.map(({ id }) => id)).toEqual(['op4', 'op1'])
  })

  it('ends an operation together with what it changes in its device, or neither', async () => {
    const one = device()
    await create(one)
    await store.operations.create(operation(one, 'op1'))
    const value = { path: 'Device.X', value: '1', type: 'string', source: 'cwmp', collectedAt: 1 } as const
    const ending = (workSeq: number) => {
      const change = { deviceId: one.id, set: { 'work.open': false }, guard: { workSeq }, parameters: [value] }
      return store.operations.finish('op1', ['queued'], { state: 'done', at: 1, change })
    }
    expect(await ending(7)).toBe(false)
    expect(await store.operations.open(one.id, 9)).toHaveLength(1)
    expect(await store.devices.get(one.id)).toMatchObject({ work: { open: true, seq: 1 } })
    expect((await store.parameters.list(one.id, '', 9)).items).toEqual([])
    expect(await ending(1)).toBe(true)
    expect(await store.operations.open(one.id, 9)).toEqual([])
    expect(await store.devices.get(one.id)).toMatchObject({ work: { open: false, seq: 1 } })
    expect((await store.parameters.list(one.id, '', 9)).items).toMatchObject([{ path: 'Device.X', value: '1' }])
    expect(await ending(1)).toBe(false)
  })

  it('sends its writes as few commands, in whatever order operations are created and end', async () => {
    const one = device()
    await create(one)
    await Promise.all(Array.from({ length: 12 }, (_, n) => store.operations.create(operation(one, `old${n}`))))
    const commands = (name: string) => store.commands.get(name) ?? 0
    const before = { insert: commands('insert'), update: commands('update') }
    const done = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const created = store.operations.create(operation(one, `new${n}`))
        const ended = store.operations.finish(`old${n}`, ['queued'], { state: 'done', at: 1 })
        return (await created).created && (await ended)
      }),
    )
    expect(done).toEqual(Array(12).fill(true))
    expect((await store.operations.open(one.id, 99)).map(({ state }) => state)).toEqual(Array(12).fill('queued'))
    const isReplicaSet = flags.length === 0
    // Operations inserted, operations and devices updated; some may go out before the others.
    if (isReplicaSet) expect(commands('insert') - before.insert).toBeLessThan(6)
    if (isReplicaSet) expect(commands('update') - before.update).toBeLessThan(9)
  })

  it.each([1, 2, 5])('writes and reads records although the answers are lost %i times', async (times) => {
    const proxy = new LossyProxy(engine.uri)
    await proxy.start()
    const through = await testStore(proxy.uri)
    try {
      const devices = Array.from({ length: 5 }, device)
      await Promise.all(devices.map((one) => through.devices.commit({ deviceId: one.id, create: one })))
      const change = (one: Device, manufacturer: string) =>
        through.devices.commit({ deviceId: one.id, set: { manufacturer } })
      proxy.lose('update', times)
      await Promise.all(devices.map((one) => change(one, 'A')))
      // One alone: the record shows that it was done, and nothing is sent twice.
      proxy.lose('update', times)
      await change(devices[0]!, 'B')
      expect(proxy.losses).toBe(times - 1)
      proxy.lose('findAndModify', 1)
      expect((await through.devices.contacted(devices[0]!.id, 5)) ?? 'later').toBe('later')
      expect((await through.devices.contacted(devices[0]!.id, 6))?.cwmp?.lastInformAt).toBe(6)
      // The driver repeats a read once, after the one past its layers.
      proxy.lose('find', Math.min(times, 2))
      const stored = await Promise.all(devices.map((one) => through.devices.get(one.id)))
      expect(stored.map((one) => one?.manufacturer)).toEqual(['B', 'A', 'A', 'A', 'A'])
      expect(proxy.losses).toBe(0)
    } finally {
      await through.close()
      await proxy.stop()
    }
  })

  it('derives all facts of a tree by few reads, however many tables they can come from', async () => {
    const one = device()
    await create(one)
    const values = {
      'Device.WiFi.SSID.1.SSID': 'Attic',
      'Device.WiFi.SSID.1.Enable': 'true',
      'Device.Hosts.Host.1.Active': 'true',
      'Device.Hosts.Host.2.Active': 'false',
      'Device.DeviceInfo.UpTime': '60',
    }
    const parameters = Object.entries(values).map(
      ([path, value]): ParameterWrite => ({ path, value, type: 'string', source: 'cwmp', collectedAt: 1 }),
    )
    await store.devices.commit({ deviceId: one.id, more: true, facts: 'later', parameters })
    expect((await store.devices.get(one.id))?.lan).toBeUndefined()
    const finds = () => store.commands.get('find') ?? 0
    const before = finds()
    await store.devices.commit({ deviceId: one.id, facts: 'all' })
    // The record, the names of the objects, and these.
    expect(finds() - before).toBeLessThanOrEqual(3)
    expect(await store.devices.get(one.id)).toMatchObject({
      lan: { activeHosts: 1 },
      wifi: { ssids: ['Attic'] },
    })
  })

  it('reports the outcome of every write while the database is killed repeatedly', async () => {
    const devices = Array.from({ length: 20 }, device)
    await Promise.all(devices.map(create))
    let over = false
    let commits = 0
    const chains = devices.map(async (one) => {
      let seq = 0
      let sent = 0
      for (; !over; seq++) {
        await store.devices.commit({
          deviceId: one.id,
          countWork: true,
          guard: { workSeq: seq },
          ...(seq % 2 === 0
            ? { events: [{ type: 'device.booted' as const, at: seq, deviceId: one.id, data: {} }] }
            : {}),
        })
        commits++
        const id = `${one.serial}-${seq}`
        if (seq % 5 === 0) {
          await store.operations.create(operation(one, id))
          // Flagging the device for the operation counts too.
          seq++
          if (await store.operations.markSent(id, { at: 1, via: 'cwmp', instance: 'a' })) sent++
        }
      }
      return { one, seq, sent }
    })
    for (let i = 0; i < 5; i++) {
      const goal = commits + 40 + 13 * i
      await until(() => commits >= goal, 30_000, 1)
      await engine.kill()
      await engine.start()
    }
    const goal = commits + 50
    await until(() => commits >= goal, 30_000, 1)
    over = true
    for (const { one, seq, sent } of await Promise.all(chains)) {
      expect((await store.devices.get(one.id))?.work.seq).toBe(seq)
      const { items } = await store.operations.list({ deviceId: one.id, limit: 1000 })
      expect(items.map(({ state }) => state)).toEqual(Array.from({ length: sent }, () => 'sent'))
    }
  })

  it.each([
    ['commitTransaction', 1],
    ['commitTransaction', 3],
    ['update', 1],
    ['update', 3],
    ['insert', 3],
  ])('knows that a write was done whose answer to %s was lost %i times', async (command, times) => {
    const proxy = new LossyProxy(engine.uri)
    await proxy.start()
    const through = await testStore(proxy.uri)
    try {
      const devices = Array.from({ length: 5 }, device)
      await Promise.all(devices.map((one) => through.devices.commit({ deviceId: one.id, create: one })))
      proxy.lose(command, times)
      const count = (one: Device) =>
        through.devices.commit({
          deviceId: one.id,
          countWork: true,
          guard: { workSeq: 0 },
          events: [{ type: 'device.booted', at: 1, deviceId: one.id, data: {} }],
        })
      await Promise.all(devices.map(count))
      await Promise.all(devices.map((one, i) => through.operations.create(operation(one, `op${i}`))))
      const sent = devices.map((_, i) => through.operations.markSent(`op${i}`, { at: 1, via: 'cwmp', instance: 'a' }))
      expect(await Promise.all(sent)).toEqual(devices.map(() => true))
      expect(await through.operations.markUnknown('op0')).toBe(true)
      await through.devices.commit({ deviceId: devices[0]!.id, guard: { workSeq: 2 }, countWork: true })
      const stored = await Promise.all(devices.map((one) => through.devices.get(one.id)))
      expect(stored.map((one) => one?.work.seq)).toEqual([3, 2, 2, 2, 2])
      expect(await through.events.since(undefined, 100)).toHaveLength(5)
    } finally {
      await through.close()
      await proxy.stop()
    }
  })

  it('goes on when a transaction and its abort are both lost with their connections', async () => {
    const proxy = new LossyProxy(engine.uri)
    await proxy.start()
    const through = await testStore(proxy.uri)
    try {
      const one = device()
      await through.devices.commit({ deviceId: one.id, create: one })
      proxy.lose('update', 1)
      // The driver sends an abort twice, and then takes the transaction for ended.
      proxy.refuse('abortTransaction', 4)
      const count = (at: number) =>
        through.devices.commit({
          deviceId: one.id,
          countWork: true,
          events: [{ type: 'device.booted', at, deviceId: one.id, data: {} }],
        })
      await count(1)
      await through.devices.commit({ deviceId: one.id, countWork: true })
      await count(2)
      expect((await through.devices.get(one.id))?.work.seq).toBe(3)
      expect(proxy.losses).toBe(0)
    } finally {
      await through.close()
      await proxy.stop()
    }
  })

  it('aborts the open transactions of a killed instance, so that others write to the same documents', async () => {
    const proxy = new LossyProxy(engine.uri)
    await proxy.start()
    const { databaseName } = store
    const killed = await testStore(proxy.uri, { databaseName, instance: 'killed', patienceMs: 300 })
    const one = device()
    await create(one)
    const boot = (at: number) => {
      const events = [{ type: 'device.booted' as const, at, deviceId: one.id, data: {} }]
      return killed.devices.commit({ deviceId: one.id, countWork: true, events })
    }
    await killed.instances.beat('killed', 0, 1000)
    await boot(1)
    try {
      proxy.refuse('abortTransaction', 1000)
      proxy.lose('update', 1)
      const lost = boot(2).catch(() => undefined)
      await until(() => proxy.losses === 0)
      await proxy.stop()
      await lost
      const write = store.devices.commit({ deviceId: one.id, set: { manufacturer: 'M' } })
      expect(await store.instances.endDead(900)).toBe(0)
      expect(await store.instances.endDead(1100)).toBe(1)
      await write
      expect((await store.devices.get(one.id))?.manufacturer).toBe('M')
      expect(await store.instances.endDead(1100)).toBe(0)
    } finally {
      await proxy.stop()
      await killed.close().catch(() => undefined)
    }
  })

  it('notes the sessions of an instance again that was taken for dead and lives', async () => {
    const other = await testStore(engine.uri, { databaseName: store.databaseName, instance: 'other' })
    const sessions = async () => (await store.db.collection('instances').findOne({}))?.sessions
    await store.instances.beat('test', 0, 1000)
    const one = device()
    await create(one)
    await store.operations.create(operation(one, 'noted'))
    const noted = await sessions()
    expect(noted ?? []).toHaveLength(flags.length === 0 ? 1 : 0)
    expect(await other.instances.endDead(1100)).toBe(1)
    expect(await sessions()).toBeUndefined()
    await store.operations.create(operation(one, 'ended and written again'))
    await store.instances.beat('test', 1000, 1000)
    expect(await sessions()).toEqual(noted)
    await other.close()
  })

  it('gives up a flush without an answer, and begins nothing of it later', async () => {
    const connection = await openConnection(engine.uri, store.databaseName, 'work')
    const transactions = flags.length === 0
    const times = { retryMs: 4000, lastAttemptMs: 4000 }
    const sessions = new WritingSessions(connection, 'one')
    const options = { transactions, sessions, ...times, random: systemRandom, log: silentLog }
    const commit = createGroupCommit(connection, options)
    const insert = (id: string) =>
      commit.commit({
        writes: (['groups', 'devices'] as const).map((collection) => ({
          collection,
          operation: { insertOne: { document: { _id: id, name: id } } },
        })),
      })
    try {
      await insert('before')
      await engine.hold()
      await expect(insert('lost')).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('in time'),
      })
      engine.release()
      await insert('after')
      const ids = await connection.collection('devices').distinct('_id')
      expect(ids).toEqual(expect.arrayContaining(['before', 'after']))
      expect(ids).not.toContain('lost')
    } finally {
      engine.release()
      await connection.close()
    }
  })

  it('refuses in bounded time while the database is away, and works again when it is back', async () => {
    await store.close()
    store = await testStore(engine.uri, { patienceMs: 300 })
    const one = device()
    await create(one)
    await engine.kill()
    const outcomes = await Promise.allSettled([
      store.devices.commit({ deviceId: one.id, set: { manufacturer: 'M' } }),
      store.devices.commit({
        deviceId: one.id,
        set: { manufacturer: 'M' },
        events: [{ type: 'device.booted', at: 1, deviceId: one.id, data: {} }],
      }),
      store.devices.get(one.id),
      store.operations.get('x'),
      store.devices.list({ limit: 1 }),
    ])
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'fulfilled'))).toEqual(
      outcomes.map(() => 'unavailable'),
    )
    await engine.start()
    await until(() =>
      store.ready().then(
        () => true,
        () => false,
      ),
    )
    await store.devices.commit({ deviceId: one.id, set: { manufacturer: 'N' } })
    expect((await store.devices.get(one.id))?.manufacturer).toBe('N')
  })
})
