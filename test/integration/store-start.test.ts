import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { createIdSource, type Log, silentLog, systemClock, systemRandom } from '../../src/base/index.ts'
import { versionKey } from '../../src/datamodel/index.ts'
import { type DeviceId, type EndpointId, supportedModelDigest } from '../../src/domain/index.ts'
import { createSecretBox } from '../../src/security/index.ts'
import { migrate, type NamedMigration } from '../../src/store/set-up/migrate.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { testStore } from '../support/store.ts'
import { until } from '../support/until.ts'

const nextName = createIdSource(systemClock, systemRandom)
let databaseName: string
let store: Awaited<ReturnType<typeof testStore>>
/** A database beside the store's, as an earlier version left it. */
let db: typeof store.db

beforeEach(async () => {
  store = await testStore(inject('mongodbUri'))
  databaseName = `old_${nextName()}`
  db = store.db.client.db(databaseName)
})
afterEach(async () => {
  await db.dropDatabase()
  await store.close()
})
const open = (changes: Parameters<typeof testStore>[1] = {}) =>
  testStore(inject('mongodbUri'), { databaseName, ...changes })

describe('migrations', () => {
  const options = (instance: string, migrations: NamedMigration[], log: Log = silentLog) => ({
    instance,
    clock: systemClock,
    log,
    migrations,
  })
  const migration = (name: string, up: () => Promise<void>): NamedMigration => ({ name, load: async () => ({ up }) })

  it('bring an old data set to this version, once', async () => {
    const device = { oui: '0C96BF', productClass: 'NB', serial: 'Old7', softwareVersion: '1.10' }
    await db.collection<{ _id: string }>('devices').insertOne({ _id: '0C96BF-NB-Old7', ...device })
    await db.collection('events').createIndex({ keptAt: 1 }, { expireAfterSeconds: 60 })
    await db.collection('devices').createIndex({ 'work.open': 1 }, { partialFilterExpression: { 'work.open': true } })
    await db
      .collection('operations')
      .insertOne({ deviceId: 'A-B-C', key: 'k', state: 'done', request: { verb: 'reboot' } })
    const conflict = { deviceId: 'A-B-C', kind: 'identityMismatch', endpointId: 'os::A-C', proof: 'bound', details: {} }
    await db.collection('conflicts').insertMany([
      { ...conflict, open: true },
      { ...conflict, endpointId: 'os::A-D', open: false },
    ])
    const objects = [
      { path: 'Device.B.', access: 'readOnly', multi: false, params: [], commands: [], events: [], uniqueKeys: [] },
      { path: 'Device.A.', access: 'readOnly', multi: false, params: [], commands: [], events: [], uniqueKeys: [] },
    ] as const
    const key = 'Acme|Box|1.10'
    await db.collection<{ _id: string }>('supportedModels').insertMany([
      { _id: key, ...{ at: 7, objects: JSON.stringify(objects) } },
      { _id: 'm1', ...{ key: 'Acme|Box|2', digest: 'd', toldBy: ['A-B-C'], at: 7, objectCount: 0, objects: '[]' } },
    ])
    await open()
    const opened = await open()
    const [model, ...others] = await opened.supportedModels.of(key)
    expect(others).toEqual([])
    expect(model).toMatchObject({ key, describedBy: [], objectCount: 2, at: 7 })
    expect(await opened.supportedModels.get('m1')).toEqual({
      id: 'm1',
      ...{ key: 'Acme|Box|2', digest: 'd', describedBy: ['A-B-C'], at: 7, objects: [] },
    })
    expect((await opened.supportedModels.get(model?.id ?? ''))?.objects).toEqual(objects)
    expect(model?.digest).toBe(supportedModelDigest([...objects].reverse().map((one) => structuredClone(one) as never)))
    expect(await opened.conflicts.isContested('os::A-C' as EndpointId)).toBe(true)
    expect(await opened.conflicts.isContested('os::A-D' as EndpointId)).toBe(false)
    expect(await opened.operations.byKey('A-B-C' as DeviceId, 'k')).toMatchObject({
      idempotencyKey: 'k',
      state: 'done',
    })
    expect(await db.collection('devices').indexExists('work.open_1')).toBe(false)
    const record = await db.collection('devices').findOne({})
    expect(record?.softwareVersionKey).toBe(versionKey('1.10'))
    expect(record?.search).toContain('old7')
    expect(await db.collection('events').indexExists('keptAt_1')).toBe(false)
    expect(await db.collection('migrations').countDocuments()).toBeGreaterThan(3)
  })

  it('count devices that were on USP before their plan apart', async () => {
    const member = (serial: string, events: string[], state = 'MIGRATED') => ({
      ...{ _id: `p1|${serial}`, planId: 'p1', deviceId: serial, state, facts: {}, revision: 1 },
      history: events.map((event) => ({ event })),
    })
    const members = db.collection<{ _id: string }>('planMembers')
    await db.collection<{ _id: string }>('plans').insertOne({ _id: 'p1' })
    await members.insertMany([
      member('1', ['eligible', 'queue', 'start', 'retired']),
      member('2', ['alreadyThere']),
      member('3', ['eligible', 'queue', 'alreadyThere']),
      member('4', ['alreadyThere', 'regress'], 'REGRESSED'),
    ])
    const counters = { _id: 'p1', states: { MIGRATED: 3, REGRESSED: 1 }, attempts: { failed: 2, moved: 1 } }
    await db.collection<{ _id: string }>('planCounters').insertOne(counters)
    const opened = await open()
    const expected = { states: { MIGRATED: 3, REGRESSED: 1 }, alreadyThere: 2, attempts: { failed: 2, moved: 1 } }
    expect(await opened.plans.counters('p1')).toMatchObject(expected)
    const marked = await members.find({ 'facts.alreadyThere': true }).sort({ _id: 1 }).toArray()
    expect(marked.map(({ _id }) => _id)).toEqual(['p1|2', 'p1|3'])
    await opened.close()
  })

  it('name the actor of bulk work by kind and id', async () => {
    const plans = db.collection<{ _id: string }>('plans')
    const work = (actor: unknown) => ({ kind: 'retry', actor, after: 'A-B-C' })
    await plans.insertMany([
      { _id: 'p1', ...{ state: 'running', bulk: [work('apiKey:01h'), work('planner')] } },
      {
        _id: 'p2',
        ...{ state: 'running', bulk: [work({ kind: 'apiKey', id: 'k:1' }), work('apiKey:k:2'), work('x')] },
      },
      { _id: 'p3', ...{ state: 'finished' } },
    ])
    await open()
    const opened = await open()
    const actorsOf = async (id: string) => (await opened.plans.getPlan(id))?.bulk?.map(({ actor }) => actor)
    expect(await actorsOf('p1')).toEqual([
      { kind: 'apiKey', id: '01h' },
      { kind: 'planner', id: '' },
    ])
    expect(await actorsOf('p2')).toEqual([
      { kind: 'apiKey', id: 'k:1' },
      { kind: 'apiKey', id: 'k:2' },
      { kind: 'system', id: 'x' },
    ])
    expect(await actorsOf('p3')).toBeUndefined()
  })

  it('run in order, one instance at a time, and again from the one that failed', async () => {
    const ran: string[] = []
    let broken = true
    const all = [
      migration('0001-a', async () => void ran.push('a')),
      migration('0002-b', async () => {
        ran.push('b')
        // Another instance that does not wait takes the lock.
        for (let i = 0; i < 20; i++) await db.collection('locks').countDocuments()
        if (broken) throw new Error('cut off')
      }),
      migration('0003-c', async () => void ran.push('c')),
    ]
    await expect(migrate(db, options('one', all))).rejects.toThrow('cut off')
    broken = false
    const [first, second] = await Promise.all([migrate(db, options('one', all)), migrate(db, options('two', all))])
    expect(ran).toEqual(['a', 'b', 'b', 'c'])
    expect([...first, ...second]).toEqual(['0002-b', '0003-c'])
  })

  it('of a new database are one line of the log, and of one with devices one line each', async () => {
    const logged = async (files: NamedMigration[]) => {
      const lines: string[] = []
      await migrate(db, options('one', files, { ...silentLog, info: (_, message) => lines.push(message) }))
      return lines
    }
    const first = [migration('0001-a', async () => undefined), migration('0002-b', async () => undefined)]
    expect(await logged(first)).toEqual(['the new database is set up'])
    expect(await logged(first)).toEqual([])
    await db.collection('devices').insertOne({})
    const later = [migration('0003-c', async () => undefined), migration('0004-d', async () => undefined)]
    expect(await logged([...first, ...later])).toEqual(['migrating the database', 'migrating the database'])
    await db.collection('migrations').deleteMany({})
    expect(await logged(first)).toEqual(['migrating the database', 'migrating the database'])
  })

  it('wait for an instance that migrates, and log that', async () => {
    const lines: string[] = []
    await db
      .collection<{ _id: string }>('locks')
      .insertOne({ _id: 'migrate', by: 'slow', until: Date.now() + 600_000 } as { _id: string })
    const waiting = migrate(db, options('one', [], { ...silentLog, info: (_, message) => lines.push(message) }))
    await until(() => lines.length > 0)
    expect(lines).toEqual(['another instance migrates the database; waiting for it'])
    await db.collection<{ _id: string }>('locks').deleteOne({ _id: 'migrate' })
    await waiting
  })

  it('take the lock of an instance that died', async () => {
    await db
      .collection<{ _id: string }>('locks')
      .insertOne({ _id: 'migrate', by: 'dead', until: Date.now() - 1 } as { _id: string })
    await migrate(db, options('one', []))
    expect(await db.collection('locks').countDocuments()).toBe(0)
  })

  it('of a newer version keep this one from the data', async () => {
    await db.collection<{ _id: string }>('migrations').insertOne({ _id: '0099-of-the-future' })
    await expect(open()).rejects.toThrow(
      /was changed by a newer version of Isthmus \(0099-of-the-future\); start that version, or restore a backup/,
    )
    expect(await db.collection('locks').countDocuments()).toBe(0)
  })
})

describe('indexes', () => {
  it.each([
    ['other keys', { manufacturer: -1, _id: 1 }, {}],
    ['a rule that no one declared', { manufacturer: 1, _id: 1 }, { unique: true }],
    [
      'another condition',
      { manufacturer: 1, _id: 1 },
      { partialFilterExpression: { manufacturer: { $exists: true } } },
    ],
    ['an expiry', { manufacturer: 1, _id: 1 }, { expireAfterSeconds: 60 }],
  ] as const)('that have %s than declared are named, not dropped', async (_, keys, rules) => {
    await db.collection('devices').createIndex(keys, { name: 'manufacturer_1__id_1', ...rules })
    await expect(open()).rejects.toThrow(/index devices.manufacturer_1__id_1 differs from what Isthmus needs/)
  })

  it('that cannot be made because of what is stored are named with the reason', async () => {
    await db.collection('groups').insertMany([{ name: 'twice' }, { name: 'twice' }])
    await expect(open()).rejects.toThrow(/index groups.name_1 cannot be made: records that must differ are alike/)
  })
})

describe('the secret key', () => {
  it('must be the one that the credentials were sealed with, also in a database from before it was checked', async () => {
    const first = await open()
    await first.credentials.put({ deviceId: 'A-B-C' as never, current: { username: 'u', password: 'p' }, updatedAt: 1 })
    const other = { secretBox: createSecretBox('another', systemRandom) }
    await expect(open(other)).rejects.toThrow(/were sealed with another secret key; give that one with --secret-key/)
    await first.db.collection('settings').deleteMany({})
    await expect(open(other)).rejects.toThrow(/were sealed with another secret key/)
    await open()
  })
})

describe('events', () => {
  it('keep their order over a restart, also when the clock was set back', async () => {
    const clock = createManualClock(1_900_000_000_000)
    const first = await open({ clock })
    await first.events.append([{ type: 'device.booted', at: 1, data: {} }])
    const [last] = await first.events.since(undefined, 1)
    const second = await open({ clock: createManualClock(1_800_000_000_000) })
    await second.events.append([{ type: 'device.booted', at: 2, data: {} }])
    expect((await second.events.since(last?.id, 10)).map(({ at }) => at)).toEqual([2])
  })
})

describe('a database that cannot be used', () => {
  it('is refused with a sentence that shows no password', async () => {
    const away = testStore('mongodb://user:hunter2@127.0.0.1:9/?directConnection=true', { patienceMs: 200 })
    await expect(away).rejects.toThrow(/^MongoDB at mongodb:\/\/127.0.0.1:9\/ does not answer: /)
    await expect(testStore('mongodb://user:hunter2@/')).rejects.toThrow(/^MONGODB_URI cannot be used: (?!.*hunter2)/)
  })
})
