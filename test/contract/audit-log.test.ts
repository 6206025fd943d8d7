import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuditEntry, GENESIS } from '../../src/security/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const entry = (target: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  at: 1,
  actor: 'apiKey:1',
  action: 'group.update',
  target,
  result: 'ok',
  ...more,
})

describe.each(BOTH_STORES)('the audit log %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  const append = async (...targets: string[]) => {
    for (const target of targets) await stores.audit.append(entry(target))
  }
  const targets = async (query: Parameters<BothStores['audit']['list']>[0]) =>
    (await stores.audit.list(query)).items.map(({ target }) => target)

  it('is empty at first, and holds', async () => {
    expect(await stores.audit.list({ limit: 5 })).toEqual({ items: [] })
    expect(await stores.audit.verify(5)).toEqual({ entries: 0, lastHash: GENESIS })
  })

  it('keeps entries as they were given, in a chain without gaps', async () => {
    const given = entry('g', {
      before: { name: 'a' },
      after: { name: 'b', tags: ['x'] },
      result: 'failed',
      reason: 'r',
    })
    const kept = structuredClone(given)
    await stores.audit.append(given)
    given.target = 'changed'
    await append('h')
    const [second, first] = (await stores.audit.list({ limit: 5 })).items
    expect(first).toEqual({ ...kept, seq: 1, previous: GENESIS, hash: first?.hash })
    expect(second).toMatchObject({ seq: 2, previous: first?.hash })
  })

  it('has each of the entries that are appended at once, one time', async () => {
    const all = Array.from({ length: 60 }, (_, i) => `t${i}`)
    await Promise.all(all.map((target) => stores.audit.append(entry(target))))
    const { items } = await stores.audit.list({ limit: 100 })
    expect(items.map(({ target }) => target).sort()).toEqual([...all].sort())
    expect(items.map(({ seq }) => seq)).toEqual(all.map((_, i) => all.length - i))
    expect(await stores.audit.verify(100)).toEqual({ entries: 60, lastHash: items[0]?.hash })
  })

  it('has an entry twice that was appended twice', async () => {
    await append('a', 'a')
    expect(await targets({ limit: 5 })).toEqual(['a', 'a'])
  })

  it('is listed newest first, page by page, also while entries are appended', async () => {
    await append('a', 'b', 'c', 'd')
    const first = await stores.audit.list({ limit: 2 })
    expect(first.items.map(({ target }) => target)).toEqual(['d', 'c'])
    await append('e')
    const rest = await stores.audit.list({ limit: 2, cursor: first.next ?? '' })
    expect(rest.items.map(({ target }) => target)).toEqual(['b', 'a'])
    expect(rest.next).toBeUndefined()
  })

  it('is listed by target, by actor, and by both', async () => {
    await append('a', 'b')
    await stores.audit.append(entry('a', { actor: 'planner' }))
    await append('a')
    expect(await targets({ limit: 5, target: 'a' })).toEqual(['a', 'a', 'a'])
    expect(await targets({ limit: 5, actor: 'planner' })).toEqual(['a'])
    expect(await targets({ limit: 5, actor: 'planner', target: 'b' })).toEqual([])
    const page = await stores.audit.list({ limit: 2, target: 'a', actor: 'apiKey:1' })
    expect(page.items.map(({ seq }) => seq)).toEqual([4, 1])
    expect(page.next).toBeUndefined()
  })

  it('is verified in parts, each on from the last entry of the one before', async () => {
    await append('a', 'b', 'c')
    const [third, second] = (await stores.audit.list({ limit: 5 })).items
    const part = await stores.audit.verify(2)
    expect(part).toEqual({ entries: 2, lastHash: second?.hash, more: true })
    const rest = await stores.audit.verify(2, { seq: part.entries, hash: part.lastHash })
    expect(rest).toEqual({ entries: 3, lastHash: third?.hash })
    expect(await stores.audit.verify(3)).toEqual(rest)
    expect(await stores.audit.verify(1, { seq: 3, hash: rest.lastHash })).toEqual(rest)
  })

  it('does not hold from an entry that is not in it', async () => {
    await append('a', 'b')
    const broken = (seq: number) => ({ entries: 0, lastHash: GENESIS, firstBroken: seq })
    expect(await stores.audit.verify(5, { seq: 1, hash: 'f'.repeat(64) })).toEqual(broken(1))
    expect(await stores.audit.verify(5, { seq: 9, hash: 'f'.repeat(64) })).toEqual(broken(9))
  })
})
