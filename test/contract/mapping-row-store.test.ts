import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MappingRowSet, NewEvent } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const set = (id: string, more: Partial<MappingRowSet> = {}): MappingRowSet => ({
  id,
  name: id,
  reason: 'the model keeps its load elsewhere',
  scope: { model: 'R-1', firmware: { from: '1.9', before: '2' } },
  rows: [
    {
      from: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_Load',
      to: 'Device.DeviceInfo.ProcessStatus.CPUUsage',
      when: { param: 'InternetGatewayDevice.DeviceInfo.X_EXAMPLE_On', in: ['1'] },
    },
  ],
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
  ...more,
})
const changed = (id: string): NewEvent => ({ type: 'mappingRows.changed', at: 1, data: { id } })

describe.each(BOTH_STORES)('sets of mapping rows %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are put under the revision that was read, or as new, each with its event', async () => {
    const { mappingRows } = stores
    await mappingRows.put(set('a'), changed('a'))
    await expect(mappingRows.put(set('a'), changed('a'))).rejects.toMatchObject({ code: 'conflict' })
    await mappingRows.put(set('a', { revision: 2, scope: {} }), changed('a'), 1)
    await expect(mappingRows.put(set('a', { revision: 2 }), changed('a'), 1)).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await mappingRows.get('a')).toEqual(set('a', { revision: 2, scope: {} }))
    expect(await mappingRows.get('b')).toBeUndefined()
    expect(await stores.events.ofTypes(['mappingRows.changed'], '', 9)).toHaveLength(2)
  })

  it('have names of their own', async () => {
    await stores.mappingRows.put(set('a', { name: 'one' }), changed('a'))
    await expect(stores.mappingRows.put(set('b', { name: 'one' }), changed('b'))).rejects.toMatchObject({
      code: 'conflict',
    })
  })

  it('are listed in the order of their ids, page by page, and deleted with an event', async () => {
    for (const id of ['c', 'a', 'b']) await stores.mappingRows.put(set(id), changed(id))
    const first = await stores.mappingRows.list(2)
    expect(first.items).toEqual([set('a'), set('b')])
    expect(await stores.mappingRows.list(2, first.next)).toEqual({ items: [set('c')] })
    expect(await stores.mappingRows.delete('a', changed('a'))).toBe(true)
    expect(await stores.mappingRows.delete('a', changed('a'))).toBe(false)
    expect((await stores.mappingRows.list(9)).items).toHaveLength(2)
    expect(await stores.mappingRows.count()).toBe(2)
    expect(await stores.events.ofTypes(['mappingRows.changed'], '', 9)).toHaveLength(4)
  })

  it('count their changes, and those of files, beside the work that they leave', async () => {
    const { mappingRows } = stores
    const nothing = { wanted: 0, done: 0, run: 0, looked: 0, mapped: 0, failed: 0 }
    expect(await mappingRows.remapping()).toEqual(nothing)
    await mappingRows.put(set('a'), changed('a'))
    await mappingRows.noteFiles('x')
    await mappingRows.noteFiles('x')
    await mappingRows.delete('a', changed('a'))
    const { wanted: _wanted, ...work } = { ...nothing, run: 3, looked: 4, total: 9, startedAt: 5 }
    await mappingRows.noteRemapping(work)
    expect(await mappingRows.remapping()).toEqual({ ...work, wanted: 3 })
    const { total: _total, ...rest } = work
    await mappingRows.noteRemapping({ ...rest, done: 3, finishedAt: 6 })
    expect(await mappingRows.remapping()).toEqual({ ...rest, wanted: 3, done: 3, finishedAt: 6 })
  })
})
