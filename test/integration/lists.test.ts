import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../src/base/index.ts'
import { versionKey } from '../../src/datamodel/index.ts'
import {
  asDeviceId,
  DEVICE_SORT_FIELDS,
  type DevicePatch,
  type DeviceSortField,
  newDevice,
  SELECTOR_FIELDS,
} from '../../src/domain/index.ts'
import type { CollectionName } from '../../src/store/mongo/collections.ts'
import type { Document_ } from '../../src/store/mongo/mongoose.ts'
import { COUNT, device, expectedNames, type Item, LISTS, type List, OWNER, PLAN, plan } from '../support/list-table.ts'
import { type ServerWithStore, startServerWithStore } from '../support/test-server.ts'

const LIMIT = 499
/** Documents that are inserted, and of the earlier ones deleted, between two pages. */
const CHURN = 4

interface Page {
  items: Item[]
  next?: string
}

const idAt = (number: number) => device.make(number % COUNT, 'stays')._id

/** A key of a device that has changed: a time grows, anything else becomes the first or the last of all. */
function newKey(field: DeviceSortField, isFirst: boolean, round: number): DevicePatch & { createdAt?: number } {
  const text = isFirst ? `AA ${round}` : `zz ${round}`
  const now = systemClock.now()
  if (field === 'cwmp.lastInformAt') return { [field]: now, 'cwmp.events': [], 'cwmp.version': '1.4' }
  if (field === 'usp.lastSeenAt') return { [field]: now, 'usp.linked': false }
  if (field === 'createdAt') return { [field]: now }
  if (field === 'wan.state') return { [field]: isFirst ? 'Authenticating' : 'Unconfigured' }
  if (field.endsWith('.upSince')) return { [field]: isFirst ? round + 1 : now }
  if (SELECTOR_FIELDS[field].kind === 'number') return { [field]: isFirst ? -1000 - round : 1000 + round }
  if (field !== 'softwareVersion') return { [field]: text }
  const softwareVersion = isFirst ? `0.0.${round}` : `99.${round}`
  return { softwareVersion, softwareVersionKey: versionKey(softwareVersion) }
}

const describeList = ({ path, query = {} }: List) =>
  `${path}${Object.entries(query).map(([name, value]) => ` ${name}=${value}`)}`

const pathIn = ({ path, params }: List) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''))

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
    const owner = newDevice(OWNER, { oui: '00256D', productClass: 'Gateway', serial: 'parameters' }, 'cwmp', 1)
    await world.store.devices.commit({ deviceId: OWNER, create: owner })
    const documents = [plan.make(0, 'stays')].map((document) => ({ ...document, _id: PLAN }))
    await insert('plans', documents)
  })
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
    const path = pathIn(list)
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

  const moves = DEVICE_SORT_FIELDS.filter((field) => field !== 'id').flatMap((field) => [
    { field, sort: field },
    { field, sort: `-${field}` },
  ])
  it.each(moves)(
    '/devices sort=$sort: no device twice while keys move, and each that stays',
    async ({ field, sort }) => {
      const list: List = { path: '/devices', ...device }
      const moved = new Set<string>()
      const seen: string[] = []
      const query = { sort, limit: String(LIMIT) }
      try {
        for (let next: string | undefined, asked = 0; asked === 0 || next !== undefined; asked++) {
          const more: Record<string, string> = next === undefined ? {} : { cursor: next }
          const page: Page = await get<Page>(`/devices?${new URLSearchParams({ ...query, ...more })}`)
          seen.push(...page.items.map(({ id }) => String(id)))
          next = page.next
          // Some that were shown and some that were not, to either end.
          const chosen = [...seen.slice(-3), ...Array.from({ length: 5 }, (_, i) => idAt(asked * 101 + i * 500))]
          for (const [i, id] of chosen.entries()) {
            moved.add(id)
            await world.store.devices.commit({ deviceId: asDeviceId(id), set: newKey(field, i % 2 === 0, asked) })
          }
        }
      } finally {
        const numbers = Array.from({ length: COUNT }, (_, number) => number).filter((number) => moved.has(idAt(number)))
        for (const number of numbers) {
          const { _id, ...stored } = device.make(number, 'stays')
          await world.store.db.collection<Document_>('devices').replaceOne({ _id }, stored)
        }
      }
      expect(seen.length).toBe(new Set(seen).size)
      expect(expectedNames(list).filter((id) => !moved.has(id) && !seen.includes(id))).toEqual([])
    },
  )

  it('refuse a cursor of another list, filter or sort, with the reason', async () => {
    const cursors = new Map<List, string>()
    const withCursor = LISTS.filter((list) => list.cursor === undefined)
    const pathOf = (list: List, query: Record<string, string>) =>
      `${pathIn(list)}?${new URLSearchParams({ limit: '3', ...list.query, ...query })}`
    for (const list of withCursor) {
      const { next } = await get<Page>(pathOf(list, {}))
      if (next !== undefined) cursors.set(list, next)
    }
    expect(cursors.size).toBe(withCursor.length)
    // Of another path, and of the same path with another filter or sort.
    for (const [i, list] of withCursor.entries())
      for (const other of [withCursor.at(i - 1), withCursor.findLast(({ path }) => path === list.path)]) {
        if (other === undefined || other === list) continue
        const { status, body } = await world.call('GET', pathOf(list, { cursor: cursors.get(other) ?? '' }))
        expect(status, `${describeList(other)} in ${describeList(list)}`).toBe(400)
        expect(body.detail).toMatch(/cursor: belongs to another query/)
      }
    const { status, body } = await world.call('GET', '/devices?cursor=x')
    expect(status).toBe(400)
    expect(body.detail).toMatch(/is not the `next` of a page/)
  })

  it('continue behind a cursor with another limit and other fields', async () => {
    const first = await get<Page>('/devices?limit=3&sort=model')
    const rest = await get<Page>(`/devices?limit=5&sort=model&fields=owner&cursor=${first.next}`)
    const both = await get<Page>('/devices?limit=8&sort=model')
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(both.items.map(({ id }) => id))
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
      // The readiness of a fleet is one answer with its first rows. A bridge signs the request for its own list.
      const others = ['/api/v1/events/stream', '/api/v1/bridge/routers']
      return names.includes('limit') && !path.endsWith('/readiness') && !others.includes(path)
    })
    const covered = new Set(LISTS.map(({ path }) => `/api/v1${path}`))
    expect(paged.map(([path]) => path).sort()).toEqual([...covered].sort())
  })
})
