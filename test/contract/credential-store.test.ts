import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CwmpCredential, deviceIdOf } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const deviceOf = (serial: string) => deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial })
const ONE = deviceOf('1')
const TWO = deviceOf('2')
const login = (text: string) => ({ username: `user ${text}`, password: `password ${text}` })

const FULL: CwmpCredential = {
  deviceId: ONE,
  current: login('now'),
  pending: login('next'),
  delivered: true,
  earlier: [login('a'), login('b')],
  replaced: [login('c')],
  unused: 2,
  connectionRequest: login('ours'),
  updatedAt: 7,
}

describe.each(BOTH_STORES)('CWMP credentials %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are read as they were put, each by its device', async () => {
    expect(await stores.credentials.get(ONE)).toBeUndefined()
    await stores.credentials.put(FULL)
    await stores.credentials.put({ deviceId: TWO, updatedAt: 8 })
    expect(await stores.credentials.get(ONE)).toEqual(FULL)
    expect(await stores.credentials.get(TWO)).toEqual({ deviceId: TWO, updatedAt: 8 })
  })

  it('are replaced as a whole: no login of the one before is accepted any more', async () => {
    await stores.credentials.put(FULL)
    const next: CwmpCredential = { deviceId: ONE, current: login('next'), updatedAt: 9 }
    await stores.credentials.put(next)
    expect(await stores.credentials.get(ONE)).toEqual(next)
    await stores.credentials.put(next)
    expect(await stores.credentials.get(ONE)).toEqual(next)
  })

  it('are replaced under the one that was read or written before, so that two writers never undo each other', async () => {
    const { credentials } = stores
    const first: CwmpCredential = { deviceId: ONE, pending: login('a'), updatedAt: 1 }
    const both = await Promise.all([
      credentials.replace(undefined, first),
      credentials.replace(undefined, { ...first, updatedAt: 2 }),
    ])
    expect(both.filter(Boolean)).toHaveLength(1)
    const read = await credentials.get(ONE)
    const next = { ...first, current: login('b') }
    expect(await credentials.replace(read, next)).toBe(true)
    expect(await credentials.replace(read, FULL)).toBe(false)
    expect(await credentials.get(ONE)).toEqual(next)
    expect(await credentials.replace(next, FULL)).toBe(true)
    await credentials.put(first)
    expect(await credentials.replace(FULL, next)).toBe(false)
    await stores.credentials.delete(ONE)
    expect(await credentials.replace(await credentials.get(ONE), next)).toBe(true)
    expect(await credentials.replace(first, FULL)).toBe(false)
    expect(await credentials.get(ONE)).toEqual(next)
  })

  it('of many devices that are put at once are all there when their call returns', async () => {
    const devices = Array.from({ length: 40 }, (_, i) => deviceOf(`S${i}`))
    const read = await Promise.all(
      devices.map(async (deviceId, i) => {
        await stores.credentials.put({ deviceId, current: login(`${i}`), updatedAt: i })
        return stores.credentials.get(deviceId)
      }),
    )
    expect(read).toEqual(devices.map((deviceId, i) => ({ deviceId, current: login(`${i}`), updatedAt: i })))
  })

  it('do not change with the object that was put or read', async () => {
    const given = structuredClone(FULL)
    await stores.credentials.put(given)
    if (given.current !== undefined) given.current.password = 'changed'
    const read = await stores.credentials.get(ONE)
    read?.earlier?.pop()
    expect(await stores.credentials.get(ONE)).toEqual(FULL)
  })

  it('that are deleted are gone, those of others stay, and repeating it changes nothing', async () => {
    await stores.credentials.put(FULL)
    await stores.credentials.put({ deviceId: TWO, updatedAt: 8 })
    await stores.credentials.delete(ONE)
    await stores.credentials.delete(ONE)
    expect(await stores.credentials.get(ONE)).toBeUndefined()
    expect(await stores.credentials.get(TWO)).toBeDefined()
  })
})
