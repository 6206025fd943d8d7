import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { MemberState, PlanCounters, PlanStore } from '../../src/domain/index.ts'
import type { Db, Document_, Store } from '../../src/store/index.ts'
import { IdWindows } from '../../src/store/reads/id-windows.ts'
import { MemberList } from '../../src/store/repositories/member-list.ts'
import { testStore } from '../support/store.ts'

const COUNT = 2600
const STATES: MemberState[] = ['QUEUED', 'DUAL', 'QUARANTINED']

type Query = Parameters<PlanStore['listMembers']>[1]

/**
 * Lists of a plan with more members than are read at once: an engine that reads all that matches reads it in windows.
 */
describe('the members of a large plan', () => {
  let store: Store
  const collection = (db: Db) => db.collection<Document_>('planMembers')
  const idOf = (n: number, planId = 'p1') => `${planId}|0C96BF-Gateway-${String(n).padStart(5, '0')}`
  const document = (n: number, planId = 'p1') => ({
    _id: idOf(n, planId),
    planId,
    deviceId: idOf(n).slice(3),
    ...{ step: '', done: [], facts: {}, attempt: 1, visit: 1, history: [], enteredAt: 1, enteredMs: 1, revision: 1 },
    state: STATES[n % 3],
    ...(n % 3 === 0 ? { waiting: n % 2 === 0 ? 'offline' : 'place' } : {}),
    ...(n % 3 === 2 ? { reason: { code: n % 100 === 2 ? '9001' : 'parity', text: '' } } : {}),
    ...(n % 500 === 1 ? { silentAt: 5 } : {}),
  })
  beforeAll(async () => {
    store = await testStore(inject('mongodbUri'))
    const numbers = Array.from({ length: COUNT }, (_, n) => n).sort(
      (a, b) => ((a * 7919) % COUNT) - ((b * 7919) % COUNT),
    )
    await collection(store.db).insertMany([
      ...numbers.map((n) => document(n)),
      ...numbers.slice(0, 50).map((n) => document(n, 'p2')),
    ])
    for (const planId of ['p1', 'p2']) await store.plans.recount(planId)
  })
  afterAll(() => store?.close())

  async function all(
    list: (query: Query) => ReturnType<PlanStore['listMembers']>,
    query: Omit<Query, 'limit' | 'cursor'>,
  ) {
    const found: string[] = []
    let pages = 0
    for (let cursor: string | undefined; ; ) {
      const page = await list({ ...query, limit: 170, ...(cursor === undefined ? {} : { cursor }) })
      pages++
      expect(page.items.length).toBeLessThanOrEqual(170)
      found.push(...page.items.map(({ id }) => id))
      cursor = page.next
      if (cursor === undefined) return { found, pages }
    }
  }

  const wanted = (fits: (one: ReturnType<typeof document>) => boolean) =>
    Array.from({ length: COUNT }, (_, n) => document(n))
      .filter(fits)
      .map(({ _id }) => _id)

  const cases: [string, Omit<Query, 'limit' | 'cursor'>, (one: ReturnType<typeof document>) => boolean][] = [
    ['all', {}, () => true],
    ['in a state', { states: ['QUEUED'] }, ({ state }) => state === 'QUEUED'],
    ['in some states', { states: ['QUEUED', 'DUAL'] }, ({ state }) => state !== 'QUARANTINED'],
    ['that wait for something', { waiting: 'offline' }, ({ waiting }) => waiting === 'offline'],
    ['with a reason', { reason: 'parity' }, ({ reason }) => reason?.code === 'parity'],
    ['that are silent', { silent: true }, ({ silentAt }) => silentAt !== undefined],
  ]

  it.each(cases)('are each on one page: %s', async (_name, query, fits) => {
    const { found } = await all((one) => store.plans.listMembers('p1', one), query)
    expect(found).toEqual(wanted(fits))
  })

  it.each(cases)('are each on one page in windows of any size: %s', async (_name, query, fits) => {
    const members = collection(store.db)
    // Each list counts as long.
    const counters = async (): Promise<PlanCounters> => ({
      states: { QUEUED: 9000, DUAL: 9000 },
      waits: { 'QUEUED|offline': 9000 },
      reasons: [{ code: 'parity', state: 'QUARANTINED', count: 9000, text: '', example: '' as never }],
      attempts: { failed: 0, moved: 0 },
      silent: 9000,
      alreadyThere: 0,
      movedPerMinute: {},
    })
    for (const size of [1, 100, 170, 171, 10_000]) {
      const list = new MemberList(members, counters, new IdWindows(members, 'planId', Date.now, size))
      const { found } = await all((one) => list.page('p1', one), query)
      expect(found).toEqual(wanted(fits))
    }
  })

  it('are each on one page while others are inserted, before and behind', async () => {
    const members = collection(store.db)
    const made: string[] = []
    const windows = new IdWindows(members, 'planId', Date.now, 100)
    const list = new MemberList(members, (planId) => store.plans.counters(planId), windows)
    let n = 0
    const { found } = await all(async (query) => {
      const page = await list.page('p1', query)
      const id = `${page.items.at(-1)?.id ?? ''}x${n++}`
      made.push(id)
      await members.insertOne({ ...document(1), _id: id })
      return page
    }, {})
    await members.deleteMany({ _id: { $in: made } })
    expect(found.filter((id) => !made.includes(id))).toEqual(wanted(() => true))
    expect(new Set(found).size).toBe(found.length)
  })

  it('of which few are wanted are read at once', async () => {
    const members = collection(store.db)
    let windows = 0
    const counted = new IdWindows(members, 'planId', Date.now)
    const behind = counted.behind.bind(counted)
    counted.behind = (scope, id) => {
      windows++
      return behind(scope, id)
    }
    const list = new MemberList(members, (planId) => store.plans.counters(planId), counted)
    await list.page('p1', { limit: 10 })
    expect(windows).toBe(1)
    await list.page('p1', { limit: 10, reason: '9001' })
    await list.page('p1', { limit: 10, waiting: 'place' })
    await list.page('p2', { limit: 10 })
    expect(windows).toBe(1)
  })
})
