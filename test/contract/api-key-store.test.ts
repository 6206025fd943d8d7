import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ApiKey } from '../../src/security/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const key = (id: string, more: Partial<ApiKey> = {}): ApiKey => ({
  id,
  name: `key ${id}`,
  scope: 'read',
  hash: `hash of ${id}`,
  createdAt: 1,
  ...more,
})

describe.each(BOTH_STORES)('API keys %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are read as they were put, by their id alone', async () => {
    await stores.apiKeys.put(key('a', { scope: 'write' }))
    expect(await stores.apiKeys.get('a')).toEqual(key('a', { scope: 'write' }))
    expect(await stores.apiKeys.get('A')).toBeUndefined()
    expect(await stores.apiKeys.get('b')).toBeUndefined()
  })

  it('that are put again replace themselves, and stay when they are revoked', async () => {
    await stores.apiKeys.put(key('a'))
    await stores.apiKeys.put(key('a', { revokedAt: 5 }))
    await stores.apiKeys.put(key('a', { revokedAt: 5 }))
    expect(await stores.apiKeys.get('a')).toEqual(key('a', { revokedAt: 5 }))
    expect(await stores.apiKeys.count()).toBe(1)
  })

  it('are listed in the order of their ids, revoked ones too, page by page', async () => {
    for (const id of ['c', 'a', 'd', 'b']) await stores.apiKeys.put(key(id, id === 'b' ? { revokedAt: 5 } : {}))
    const first = await stores.apiKeys.list({ limit: 2 })
    expect(first.items).toEqual([key('a'), key('b', { revokedAt: 5 })])
    // A key that is made meanwhile takes no other one off the next page.
    await stores.apiKeys.put(key('aa'))
    const rest = await stores.apiKeys.list({ limit: 2, cursor: first.next ?? '' })
    expect(rest).toEqual({ items: [key('c'), key('d')] })
    expect(await stores.apiKeys.list({ limit: 5 })).not.toHaveProperty('next')
  })

  it('have another writer only in a key that may write and is not revoked', async () => {
    expect(await stores.apiKeys.hasOtherWriter('a')).toBe(false)
    await stores.apiKeys.put(key('a', { scope: 'write' }))
    await stores.apiKeys.put(key('b'))
    await stores.apiKeys.put(key('c', { scope: 'write', revokedAt: 5 }))
    expect(await stores.apiKeys.hasOtherWriter('a')).toBe(false)
    expect(await stores.apiKeys.hasOtherWriter('b')).toBe(true)
    await stores.apiKeys.put(key('d', { scope: 'write' }))
    expect(await stores.apiKeys.hasOtherWriter('a')).toBe(true)
  })

  it('are counted, revoked ones too', async () => {
    expect(await stores.apiKeys.count()).toBe(0)
    await stores.apiKeys.put(key('a', { revokedAt: 5 }))
    await stores.apiKeys.put(key('b'))
    expect(await stores.apiKeys.count()).toBe(2)
  })
})
