import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deviceIdOf, type SupportedModel } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const [one, two] = ['1', '2'].map((serial) => deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial }))
const OBJECT = { path: 'Device.A.', access: 'readOnly', multi: false } as const
const model = (id: string, more: Partial<SupportedModel> = {}): SupportedModel => ({
  ...{ id, key: 'Acme|X1|1.0', digest: `digest of ${id}`, describedBy: [], at: 1 },
  objects: [{ ...OBJECT, params: [], commands: [], events: [], uniqueKeys: [] }],
  ...more,
})

describe.each(BOTH_STORES)('supported models %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are put as a whole, and shown without their objects', async () => {
    await stores.supportedModels.put(model('a'))
    await stores.supportedModels.put(model('a', { at: 2 }))
    await stores.supportedModels.put(model('b', { key: 'Acme|X1|2.0' }))
    expect(await stores.supportedModels.get('a')).toEqual(model('a', { at: 2 }))
    expect(await stores.supportedModels.get('c')).toBeUndefined()
    const { objects, ...summary } = model('a', { at: 2 })
    expect(await stores.supportedModels.of('Acme|X1|1.0')).toEqual([{ ...summary, objectCount: objects.length }])
  })

  it('note each device that describes itself so once', async () => {
    if (one === undefined || two === undefined) throw new Error('two devices')
    await stores.supportedModels.put(model('a', { describedBy: [one] }))
    for (const device of [one, two, two]) await stores.supportedModels.confirm('a', device)
    await stores.supportedModels.confirm('missing', one)
    expect((await stores.supportedModels.get('a'))?.describedBy).toEqual([one, two])
    expect(await stores.supportedModels.get('missing')).toBeUndefined()
  })

  it('are listed in the order of their ids, page by page', async () => {
    for (const id of ['c', 'a', 'b']) await stores.supportedModels.put(model(id))
    const first = await stores.supportedModels.list({ limit: 2 })
    expect(first.items.map(({ id }) => id)).toEqual(['a', 'b'])
    const { next: cursor = '' } = first
    const rest = await stores.supportedModels.list({ limit: 2, cursor })
    expect(rest.items.map(({ id }) => id)).toEqual(['c'])
    expect(rest.next).toBeUndefined()
  })

  it('are deleted once, with an event', async () => {
    await stores.supportedModels.put(model('a'))
    const event = { type: 'supportedModel.deleted', at: 1, data: { id: 'a' } } as const
    expect(await stores.supportedModels.delete('a', event)).toBe(true)
    expect(await stores.supportedModels.delete('a', event)).toBe(false)
    expect(await stores.events.since(undefined, 9)).toMatchObject([event])
  })
})
