import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { newDevice } from '../../src/domain/index.ts'
import type { CollectionName } from '../../src/store/collections.ts'
import type { Document_ } from '../../src/store/mongoose.ts'
import { COUNT, device, expectedNames, type Item, LISTS, type List, OWNER, PLAN, plan } from '../support/list-table.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'

const LIMIT = 173
/** Documents that are inserted, and of the earlier ones deleted, between two pages. */
const CHURN = 4

interface Page {
  items: Item[]
  next?: string
}

const describeList = ({ path, query = {} }: List) =>
  `${path}${Object.entries(query).map(([name, value]) => ` ${name}=${value}`)}`

describe('every list, while others are inserted and deleted', () => {
  let world: ServerWithStore
  beforeAll(async () => {
    world = await startServerWithStore(inject('mongodbUri'))
    const filled = new Set<CollectionName>()
    for (const list of LISTS) {
      if (filled.has(list.collection)) continue
      filled.add(list.collection)
      // Out of order: 1,237 has no divisor in common with their number.
      const documents = Array.from({ length: COUNT }, (_, i) => list.make((i * 1237) % COUNT, 'stays'))
      for (let i = 0; i < COUNT; i += 600) await insert(list.collection, documents.slice(i, i + 600))
    }
    const owner = newDevice(OWNER, { oui: '00256D', productClass: 'Box', serial: 'parameters' }, 'cwmp', 1)
    await world.store.devices.commit({ deviceId: OWNER, create: owner })
    const documents = [plan.make(0, 'stays')].map((document) => ({ ...document, _id: PLAN }))
    await insert('plans', documents)
  }, 120_000)
  afterAll(() => world?.stop())

  async function insert(collection: CollectionName, documents: Document_[]): Promise<void> {
    await world.store.db.collection<Document_>(collection).insertMany(documents)
  }

  async function get<T>(path: string): Promise<T> {
    const { status, body } = await world.call<T>('GET', path)
    expect(status, `${path} ${JSON.stringify(body)}`).toBe(200)
    return body
  }

  /** The pages of a list, with some documents inserted and others deleted between every two. */
  async function* pages(list: List): AsyncIterable<Item[]> {
    const cursor = list.cursor ?? 'cursor'
    const path = list.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(list.params?.[name] ?? ''))
    const collection = world.store.db.collection<Document_>(list.collection)
    const present: Document_[] = []
    let next: string | undefined = list.cursor === undefined ? undefined : '0'
    try {
      for (let asked = 0; asked < COUNT; asked++) {
        const query = new URLSearchParams({ limit: String(LIMIT), ...list.query })
        if (next !== undefined) query.set(cursor, next)
        const page: Page = await get<Page>(`${path}?${query}`)
        yield page.items
        // The feed has no end, only a place to go on from.
        if (page.next === undefined || page.next === next) return
        next = page.next
        const come = Array.from({ length: CHURN }, (_, i) => list.make((asked * 997 + i * 313) % COUNT, 'goes'))
        const fresh = come.filter(({ _id }) => !present.some((document) => document._id === _id))
        await insert(list.collection, fresh)
        present.push(...fresh)
        if (present.length > 5 * CHURN && list.neverDeleted === undefined)
          await collection.deleteMany({ _id: { $in: present.splice(0, CHURN).map(({ _id }) => _id) } })
      }
      throw new Error('the list has no end')
    } finally {
      await collection.deleteMany({ _id: { $in: present.map(({ _id }) => _id) } })
    }
  }

  it.each(LISTS.map((list) => [describeList(list), list] as const))('%s: each item once, in order', async (_, list) => {
    const seen = new Map<string, number>()
    const keys: string[] = []
    for await (const items of pages(list)) {
      for (const item of items) {
        const name = list.nameOf(item)
        seen.set(name, (seen.get(name) ?? 0) + 1)
        keys.push(list.keyOf?.(item) ?? name)
      }
    }
    expect([...seen].filter(([, times]) => times > 1)).toEqual([])
    const missing = expectedNames(list).filter((name) => !seen.has(name))
    expect(missing).toEqual([])
    const sorted = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    expect(keys).toEqual(list.descending === true ? sorted.reverse() : sorted)
  })

  it('streams the ids of all devices, each once, in order', async () => {
    const going = [0, 1].map((part) => Array.from({ length: 40 }, (_, i) => device.make(part + 3 * i, 'goes')))
    const [before = [], meanwhile = []] = going
    await insert('devices', before)
    const seen: string[] = []
    for await (const batch of world.store.devices.ids(undefined, LIMIT)) {
      seen.push(...batch)
      if (seen.length > LIMIT) continue
      await insert('devices', meanwhile)
      await world.store.db.collection<Document_>('devices').deleteMany({ _id: { $in: before.map(({ _id }) => _id) } })
    }
    expect(seen).toEqual([...new Set(seen)].sort())
    const stays = expectedNames({ path: '/devices', ...device })
    expect(stays.filter((id) => !seen.includes(id))).toEqual([])
    const left = meanwhile.map(({ _id }) => _id)
    await world.store.db.collection<Document_>('devices').deleteMany({ _id: { $in: left } })
  })

  it('is in this suite, with every sort that it offers', async () => {
    interface Parameter {
      name: string
      in: string
    }
    const { paths } = await get<{ paths: Record<string, Record<string, { parameters?: Parameter[] }>> }>(
      '/openapi.json',
    )
    const paged = Object.entries(paths).filter(([path, { get }]) => {
      const names = (get?.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name)
      // The readiness of a fleet is one answer with its first rows.
      return names.includes('limit') && !path.endsWith('/readiness') && path !== '/api/v1/events/stream'
    })
    const covered = new Set(LISTS.map(({ path }) => `/api/v1${path}`))
    expect(paged.map(([path]) => path).sort()).toEqual([...covered].sort())
  })
})
