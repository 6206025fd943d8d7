import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type DeviceId, deviceIdOf, newDevice } from '../../src/domain/index.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'

let world: ServerWithStore
beforeAll(async () => {
  world = await startServerWithStore(inject('mongodbUri'))
})
afterAll(() => world?.stop())

interface Thing {
  id: string
  revision: number
  [name: string]: unknown
}

let serial = 0
async function device(): Promise<DeviceId> {
  const identity = { oui: '00256D', productClass: 'NB-7', serial: `C${serial++}` }
  const id = deviceIdOf(identity)
  await world.store.devices.commit({ deviceId: id, create: newDevice(id, identity, 'cwmp', 1) })
  return id
}
const group = async (name: string): Promise<string> =>
  (await world.call<Thing>('POST', '/groups', { name, selector: 'model==None' })).body.id

const KINDS = {
  device: {
    make: async () => `/devices/${encodeURIComponent(await device())}`,
    change: (n: number) => ({ tags: [`n${n}`] }),
    shown: (body: Thing) => String(body.tags).slice(1),
  },
  group: {
    make: async () => `/groups/${await group(`g${serial++}`)}`,
    change: (n: number) => ({ description: `${n}` }),
    shown: (body: Thing) => body.description,
  },
  plan: {
    make: async () => {
      const groupId = await group(`g${serial++}`)
      return `/plans/${(await world.call<Thing>('POST', '/plans', { name: 'p', groupId })).body.id}`
    },
    change: (n: number) => ({ name: `${n}` }),
    shown: (body: Thing) => body.name,
  },
}

describe.each(Object.entries(KINDS))('a change of a %s', (_, { make, change, shown }) => {
  it('with If-Match meets the revision that was read or nothing, also when many are sent at once', async () => {
    const path = await make()
    const read = await world.call<Thing>('GET', path)
    const headers = { 'if-match': read.headers.get('etag') ?? '' }
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => world.call<Thing>('PATCH', path, change(n), headers)),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array.from({ length: 11 }, () => 412)])
    const won = answers.findIndex(({ status }) => status === 200)
    const now = await world.call<Thing>('GET', path)
    expect(shown(now.body)).toBe(`${won}`)
    expect(now.body.revision).toBe(read.body.revision + 1)
    for (const { status, headers: sent } of answers)
      if (status === 412) expect(sent.get('etag')).toBe(`"${now.body.revision}"`)
  })

  it('with If-Match meets that revision also when they are sent one after the other', async () => {
    const path = await make()
    for (let round = 0; round < 8; round++) {
      const read = await world.call<Thing>('GET', path)
      const headers = { 'if-match': read.headers.get('etag') ?? '' }
      const answers = await Promise.all(
        Array.from({ length: 10 }, async (_, n) => {
          for (let i = 0; i < n; i++) await new Promise(setImmediate)
          return world.call<Thing>('PATCH', path, change(n), headers)
        }),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    }
  })

  it('without If-Match is done, also when another is sent at the same time', async () => {
    const path = await make()
    const before = (await world.call<Thing>('GET', path)).body.revision
    const answers = await Promise.all(Array.from({ length: 4 }, (_, n) => world.call('PATCH', path, change(n))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await world.call<Thing>('GET', path)).body.revision).toBe(before + 4)
  })

  it('keeps it from a deletion that names the revision before', async () => {
    const path = await make()
    const read = await world.call<Thing>('GET', path)
    const headers = { 'if-match': read.headers.get('etag') ?? '' }
    const changed = await world.call<Thing>('PATCH', path, change(1), headers)
    const refused = await world.call<Thing>('DELETE', path, undefined, headers)
    expect([refused.status, refused.headers.get('etag')]).toEqual([412, `"${changed.body.revision}"`])
    const now = { 'if-match': `"${changed.body.revision}"` }
    expect((await world.call('DELETE', path, undefined, now)).status).toBe(204)
    expect((await world.call('DELETE', path, undefined, now)).status).toBe(404)
  })
})

describe('a decision', () => {
  it('is in the audit log with its result, also when two people decide at once', async () => {
    const id = await device()
    const endpointId = `self::${serial++}`
    const conflict = {
      id: `c${serial++}`,
      deviceId: id,
      kind: 'identityMismatch',
      endpointId,
      proof: 'triple',
    } as const
    await world.store.conflicts.open(
      { ...conflict, details: { told: 'another serial' }, at: 1 },
      { type: 'device.conflict', at: 1, deviceId: id, data: {} },
    )
    const path = `/conflicts/${conflict.id}/resolution`
    const answers = await Promise.all([1, 2].map(() => world.call('POST', path, { resolution: 'dismissed' })))
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409])
    const credential = `/devices/${encodeURIComponent(id)}/credential`
    expect((await world.call('PUT', credential, { username: 'u', password: 'p' })).status).toBe(204)
    expect((await world.call('DELETE', `/devices/${encodeURIComponent(id)}`)).status).toBe(204)
    const { items } = await world.store.audit.list({ target: id, limit: 10 })
    const told = items.map(({ action, result }) => `${action} ${result}`).reverse()
    // Each entry comes before its deed; of the deed that failed a second one says so.
    const failed = told.filter((line) => line === 'conflict.resolve failed').length
    expect(told.filter((line) => line === 'conflict.resolve ok')).toHaveLength(1 + failed)
    expect(told.slice(-2)).toEqual(['device.credential.put ok', 'device.delete ok'])
  })
})

describe('a change of tags', () => {
  it('adds and removes single ones, and leaves the others as they are', async () => {
    const path = `/devices/${encodeURIComponent(await device())}`
    const tagsAfter = async (body: object) => (await world.call<Thing>('PATCH', path, body)).body.tags
    expect(await tagsAfter({ tags: ['a', 'b'] })).toEqual(['a', 'b'])
    expect(await tagsAfter({ add: ['c', 'a'] })).toEqual(['a', 'b', 'c'])
    expect(await tagsAfter({ remove: ['b', 'x'], add: ['d'] })).toEqual(['a', 'c', 'd'])
    await Promise.all(['e', 'f', 'g'].map((tag) => tagsAfter({ add: [tag] })))
    expect(await tagsAfter({ remove: [] })).toEqual(expect.arrayContaining(['a', 'c', 'd', 'e', 'f', 'g']))
    for (const body of [{}, { tags: ['a'], add: ['b'] }, { add: [' x'] }, { add: ['a\u202eb'] }])
      expect((await world.call('PATCH', path, body)).status).toBe(400)
    expect(await tagsAfter({ tags: ['Süd-West 2', 'пилот'] })).toEqual(['Süd-West 2', 'пилот'])
    for (const filter of ['tags=="Süd-West 2"', 'tags==пилот;tags!=x']) {
      const found = await world.call<{ items: Thing[] }>('GET', `/devices?filter=${encodeURIComponent(filter)}`)
      expect(found.body.items).toHaveLength(1)
    }
    const many = Array.from({ length: 63 }, (_, i) => `t${i}`)
    const full = await world.call('PATCH', path, { add: many })
    expect(full).toMatchObject({ status: 400, body: { detail: expect.stringContaining('at most 64 tags') } })
  })

  it('is in the audit log before it is done, with the tags before it', async () => {
    const id = await device()
    const path = `/devices/${encodeURIComponent(id)}`
    await world.call('PATCH', path, { tags: ['a'] })
    const changed = await world.call<Thing>('PATCH', path, { tags: ['b', 'b'] })
    expect(changed.body.tags).toEqual(['b'])
    expect(changed.headers.get('etag')).toBe(`"${changed.body.revision}"`)
    const { items } = await world.store.audit.list({ target: id, limit: 10 })
    expect(items).toMatchObject([
      { action: 'device.tags', before: { tags: ['a'] }, after: { tags: ['b'] }, result: 'ok' },
      { action: 'device.tags', before: { tags: [] }, after: { tags: ['a'] }, result: 'ok' },
    ])
  })
})

describe('the label of a device', () => {
  it('is set and taken away, beside its tags, and is in the audit log', async () => {
    const id = await device()
    const path = `/devices/${encodeURIComponent(id)}`
    const named = await world.call<Thing>('PATCH', path, { label: 'Café Müller, Oak Street 12', add: ['a'] })
    expect(named.body).toMatchObject({ label: 'Café Müller, Oak Street 12', tags: ['a'] })
    expect((await world.call<Thing>('PATCH', path, { add: ['b'] })).body).toMatchObject({ label: named.body.label })
    for (const label of ['', ' x', 'x ', 'a\nb', 'a\u202eb', 'x'.repeat(129), 7])
      expect((await world.call('PATCH', path, { label })).status).toBe(400)
    expect((await world.call<Thing>('PATCH', path, { label: null })).body).not.toHaveProperty('label')
    const { items } = await world.store.audit.list({ target: id, limit: 10 })
    expect(items).toMatchObject([
      { action: 'device.label', before: { label: 'Café Müller, Oak Street 12' }, after: { label: null } },
      { action: 'device.tags' },
      { action: 'device.label', before: { label: null, tags: [] }, after: { tags: ['a'] } },
    ])
  })

  it('finds the device by each of its words, and is a field of filters', async () => {
    const path = `/devices/${encodeURIComponent(await device())}`
    const found = async (query: string) => {
      const { body } = await world.call<{ items: Thing[] }>('GET', `/devices?${query}`)
      return body.items.length
    }
    await world.call('PATCH', path, { label: 'Café Müller, Elm Street 7' })
    for (const text of ['café', 'MÜLLER', 'elm street', 'street 7', 'Café Müller, Elm Street 7'])
      expect(await found(`q=${encodeURIComponent(text)}`)).toBe(1)
    expect(await found(`q=${encodeURIComponent('lm street')}`)).toBe(0)
    expect(await found(`filter=${encodeURIComponent('label=="Café Müller, Elm Street 7"')}`)).toBe(1)
    await world.call('PATCH', path, { label: null })
    expect(await found('q=elm')).toBe(0)
  })
})

describe('the time that a request waits for an operation', () => {
  it.each([['1s'], ['1'], ['0m']])('may be given as %s', async (wait) => {
    const path = `/devices/${encodeURIComponent(await device())}/operations`
    const submitted = await world.call<Thing>('POST', `${path}?wait=${wait}`, { verb: 'get', paths: ['Device.'] })
    expect(submitted).toMatchObject({ status: 202, body: { state: 'queued' } })
  })

  it('ends when the operation does, however long it is', async () => {
    const path = `/devices/${encodeURIComponent(await device())}/operations`
    const { id } = (await world.call<Thing>('POST', path, { verb: 'get', paths: ['Device.'] })).body
    const waiting = world.call<Thing>('GET', `/operations/${id}?wait=2m`)
    expect((await world.call('DELETE', `/operations/${id}`)).status).toBe(200)
    expect(await waiting).toMatchObject({ status: 200, body: { state: 'cancelled' } })
  })

  it.each([['soon'], ['1h'], ['-1s'], ['']])('is refused as %s, with the form that it has', async (wait) => {
    const refused = await world.call('GET', `/operations/none?wait=${wait}`)
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('30s or 1m') } })
  })
})
