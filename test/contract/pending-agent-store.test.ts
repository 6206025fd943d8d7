import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EndpointId, type PendingSighting, pendingAgentId } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const endpoint = (name: string) => `os::${name}` as EndpointId
const seen = (name: string, at: number, more: Partial<PendingSighting> = {}): PendingSighting => ({
  ...{ endpointId: endpoint(name), address: '192.0.2.1', reason: 'notBound', text: 'it is new', count: 1, at },
  ...more,
})

describe.each(BOTH_STORES)('pending Agents %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are one entry each, with the last refusal and the number of all', async () => {
    const event = { type: 'agent.refused', at: 1, data: {} } as const
    await stores.pendingAgents.note(seen('a', 1), event)
    await stores.pendingAgents.note(seen('a', 5, { reason: 'noIdentity', text: 'no claim', count: 3 }))
    expect(await stores.pendingAgents.get(pendingAgentId('os::a'))).toEqual({
      ...{ id: pendingAgentId('os::a'), endpointId: 'os::a', address: '192.0.2.1' },
      ...{ reason: 'noIdentity', text: 'no claim', count: 4, firstSeenAt: 1, lastSeenAt: 5 },
    })
    expect(await stores.pendingAgents.get('b')).toBeUndefined()
    expect(await stores.events.since(undefined, 9)).toMatchObject([{ type: 'agent.refused' }])
  })

  it('are listed newest first, of one reason or all, page by page', async () => {
    for (const [at, name] of ['a', 'b', 'c'].entries()) await stores.pendingAgents.note(seen(name, at + 1))
    await stores.pendingAgents.note(seen('b', 9, { reason: 'noIdentity' }))
    const first = await stores.pendingAgents.list({ limit: 2 })
    expect(first.items.map(({ endpointId }) => endpointId)).toEqual(['os::c', 'os::b'])
    const { next: cursor = '' } = first
    const rest = await stores.pendingAgents.list({ limit: 2, cursor })
    expect(rest.items.map(({ endpointId }) => endpointId)).toEqual(['os::a'])
    expect(rest.next).toBeUndefined()
    const { items } = await stores.pendingAgents.list({ reason: 'notBound', limit: 9 })
    expect(items.map(({ endpointId }) => endpointId)).toEqual(['os::c', 'os::a'])
  })

  it('are blocked once, and deleted with the event of the end of a block', async () => {
    const id = pendingAgentId('os::a')
    await expect(stores.pendingAgents.block(id, 'me', 2)).rejects.toMatchObject({ code: 'notFound' })
    await stores.pendingAgents.note(seen('a', 1))
    await stores.pendingAgents.note(seen('b', 1))
    await stores.pendingAgents.block(id, 'me', 2)
    await stores.pendingAgents.block(id, 'another', 3)
    expect(await stores.pendingAgents.get(id)).toMatchObject({ reason: 'blocked', blockedAt: 2, blockedBy: 'me' })
    expect(await stores.pendingAgents.endpointIds('blocked')).toEqual(['os::a'])
    expect((await stores.pendingAgents.endpointIds('all')).sort()).toEqual(['os::a', 'os::b'])
    expect(await stores.pendingAgents.delete(id, 'me', 4)).toBe(true)
    expect(await stores.pendingAgents.delete(id, 'me', 5)).toBe(false)
    expect(await stores.pendingAgents.delete(pendingAgentId('os::b'), 'me', 6)).toBe(true)
    const data = { endpointId: 'os::a', by: 'me' }
    expect(await stores.events.since(undefined, 9)).toMatchObject([
      { type: 'agent.blocked', at: 2, protocol: 'usp', data },
      { type: 'agent.unblocked', at: 4, protocol: 'usp', data },
    ])
    expect(await stores.pendingAgents.endpointIds('all')).toEqual([])
  })
})
