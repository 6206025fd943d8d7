import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DeviceId, deviceIdOf, type Group, newDevice } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const group = (id: string, more: Partial<Group> = {}): Group => ({
  id,
  name: id,
  revision: 1,
  createdAt: 1,
  updatedAt: 1,
  ...more,
})

describe.each(BOTH_STORES)('groups %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  const create = async (serial: string): Promise<DeviceId> => {
    const identity = { oui: '0C96BF', productClass: 'Gateway', serial }
    const device = newDevice(deviceIdOf(identity), identity, 'cwmp', 1)
    await stores.devices.commit({ deviceId: device.id, create: device })
    return device.id
  }

  it('are put under the revision that was read, or as new', async () => {
    await stores.groups.put(group('a'))
    await expect(stores.groups.put(group('a'))).rejects.toMatchObject({ code: 'conflict' })
    await stores.groups.put(group('a', { revision: 2, name: 'other' }), 1)
    await expect(stores.groups.put(group('a', { revision: 2 }), 1)).rejects.toMatchObject({ code: 'conflict' })
    expect(await stores.groups.get('a')).toEqual(group('a', { revision: 2, name: 'other' }))
    expect(await stores.groups.get('b')).toBeUndefined()
  })

  it('are listed in the order of their ids, page by page', async () => {
    for (const id of ['c', 'a', 'b']) await stores.groups.put(group(id))
    const first = await stores.groups.list(2)
    expect(first.items.map(({ id }) => id)).toEqual(['a', 'b'])
    const rest = await stores.groups.list(2, first.next)
    expect(rest).toEqual({ items: [group('c')] })
  })

  it('with a selector are found without the others', async () => {
    await stores.groups.put(group('b', { selector: 'owner==cwmp' }))
    await stores.groups.put(group('a', { selector: 'owner==usp' }))
    await stores.groups.put(group('c'))
    expect((await stores.groups.withSelector(9)).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await stores.groups.withSelector(1)).toHaveLength(1)
  })

  it('take static members and name those that are no device', async () => {
    await stores.groups.put(group('a'))
    const [one, two] = [await create('1'), await create('2')]
    const missing = deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial: '9' })
    const { revision = 0 } = (await stores.devices.get(one)) ?? {}
    expect(await stores.groups.changeMembers('a', [one, two, missing], [])).toEqual({ changed: 2, unknown: [missing] })
    expect(await stores.groups.changeMembers('a', [one], [two])).toEqual({ changed: 1, unknown: [] })
    expect(await stores.devices.get(one)).toMatchObject({ groups: ['a'], revision: revision + 1 })
    expect((await stores.devices.get(two))?.groups).toEqual([])
  })

  it('that are deleted leave no member behind', async () => {
    await stores.groups.put(group('a'))
    const one = await create('1')
    await stores.groups.changeMembers('a', [one], [])
    expect(await stores.groups.delete('a')).toBe(true)
    expect(await stores.groups.delete('a')).toBe(false)
    expect((await stores.devices.get(one))?.groups).toEqual([])
  })
})
