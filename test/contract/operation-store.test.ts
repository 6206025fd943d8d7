import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DeviceId, deviceIdOf, newDevice, type Operation } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const identity = { oui: '0C96BF', productClass: 'Gateway', serial: '1' }
const ID: DeviceId = deviceIdOf(identity)
const SENT = { at: 5, via: 'cwmp' as const, instance: 'a' }

function operation(id: string, more: Partial<Operation> = {}): Operation {
  return {
    id,
    deviceId: ID,
    request: { verb: 'get', paths: ['Device.'] },
    state: 'queued',
    actor: { kind: 'apiKey', id: 'k1' },
    createdAt: 1,
    expiresAt: 100,
    attempts: 0,
    ...more,
  }
}

describe.each(BOTH_STORES)('operations %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
    await stores.devices.commit({ deviceId: ID, create: newDevice(ID, identity, 'cwmp', 1) })
  })
  afterEach(() => stores.close())

  const ids = (found: Operation[]) => found.map(({ id }) => id)
  const work = async () => (await stores.devices.get(ID))?.work

  it('flag their device when they are created, once for each idempotency key', async () => {
    const first = await stores.operations.create(operation('1', { idempotencyKey: 'k' }))
    expect(first.created).toBe(true)
    const second = await stores.operations.create(operation('2', { idempotencyKey: 'k' }))
    expect(second).toMatchObject({ created: false, operation: { id: '1' } })
    expect(await work()).toEqual({ open: true, seq: 1 })
    expect((await stores.operations.byKey(ID, 'k'))?.id).toBe('1')
    expect(await stores.operations.byKey(ID, 'other')).toBeUndefined()
    const lost = operation('3', { deviceId: deviceIdOf({ ...identity, serial: '9' }) })
    await expect(stores.operations.create(lost)).rejects.toMatchObject({ code: 'notFound' })
  })

  it('move from the state before alone', async () => {
    await stores.operations.create(operation('1'))
    expect(await stores.operations.requeue('1')).toBe(false)
    expect(await stores.operations.markSent('1', SENT)).toBe(true)
    expect(await stores.operations.markSent('1', SENT)).toBe(false)
    expect(await stores.operations.get('1')).toMatchObject({ state: 'sent', attempts: 1, sentVia: 'cwmp', sentAt: 5 })
    expect(await stores.operations.requeue('1')).toBe(true)
    expect(await stores.operations.get('1')).toEqual(operation('1', { attempts: 1 }))
    await stores.operations.markSent('1', SENT)
    expect(await stores.operations.markUnknown('1')).toBe(true)
    expect(await stores.operations.markUnknown('1')).toBe(false)
  })

  it('end once, with what they change in their device, or not at all', async () => {
    await stores.operations.create(operation('1'))
    const result = { outcome: 'done' as const, results: [] }
    const refused = { deviceId: ID, set: { tags: ['a'] }, guard: { workSeq: 7 } }
    const ending = { state: 'done' as const, at: 9, result, owesAudit: true as const }
    expect(await stores.operations.finish('1', ['queued'], { ...ending, change: refused })).toBe(false)
    expect(await stores.operations.finish('1', ['sent'], ending)).toBe(false)
    const change = { deviceId: ID, set: { tags: ['b'] } }
    expect(await stores.operations.finish('1', ['queued'], { ...ending, change })).toBe(true)
    expect(await stores.operations.finish('1', ['queued'], ending)).toBe(false)
    expect(await stores.operations.get('1')).toMatchObject({ state: 'done', finishedAt: 9, result })
    expect((await stores.devices.get(ID))?.tags).toEqual(['b'])
    expect(ids(await stores.operations.owingAudit(10, 9))).toEqual(['1'])
    expect(await stores.operations.owingAudit(9, 9)).toEqual([])
    await stores.operations.audited('1')
    expect(await stores.operations.owingAudit(10, 9)).toEqual([])
  })

  it('are open in the order of their places, whatever the clock said that gave their ids', async () => {
    await stores.operations.create(operation('2'))
    await stores.operations.create(operation('3', { place: 1 }))
    await stores.operations.create(operation('1', { place: 2 }))
    expect(ids(await stores.operations.open(ID, 9))).toEqual(['2', '3', '1'])
  })

  it('are open oldest first, listed newest first, page by page', async () => {
    for (const id of ['1', '2', '3']) await stores.operations.create(operation(id))
    await stores.operations.finish('2', ['queued'], { state: 'cancelled', at: 2 })
    expect(ids(await stores.operations.open(ID, 9))).toEqual(['1', '3'])
    const first = await stores.operations.list({ limit: 2 })
    expect(ids(first.items)).toEqual(['3', '2'])
    expect(ids((await stores.operations.list({ limit: 2, cursor: first.next ?? '' })).items)).toEqual(['1'])
    expect(ids((await stores.operations.list({ limit: 9, states: ['cancelled'] })).items)).toEqual(['2'])
  })

  it('that expired are found once their time is over', async () => {
    await stores.operations.create(operation('1', { expiresAt: 100 }))
    await stores.operations.create(operation('2', { expiresAt: 300 }))
    expect(await stores.operations.expired(100, 9)).toEqual([])
    expect(ids(await stores.operations.expired(101, 9))).toEqual(['1'])
  })

  it('of an instance that is gone are unknown, and those without an answer are named', async () => {
    for (const id of ['1', '2']) {
      await stores.operations.create(operation(id))
      await stores.operations.markSent(id, SENT)
    }
    await stores.operations.notePending('2', { outcome: 'pending', results: [] })
    expect(await stores.operations.unanswered('a')).toEqual([{ id: '1', deviceId: ID }])
    expect(await stores.operations.orphaned(['a'])).toBe(0)
    expect(await stores.operations.orphaned(['b'])).toBe(2)
    expect((await stores.operations.open(ID, 9)).map(({ state }) => state)).toEqual(['unknown', 'unknown'])
  })

  it('whose device lost its flag get it again', async () => {
    await stores.operations.create(operation('1'))
    await stores.devices.commit({ deviceId: ID, set: { 'work.open': false } })
    expect(await stores.operations.repairWorkFlags()).toBe(1)
    expect(await work()).toEqual({ open: true, seq: 2 })
    expect(await stores.operations.repairWorkFlags()).toBe(0)
  })
})
