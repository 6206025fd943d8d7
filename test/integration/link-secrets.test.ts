import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { asDeviceId } from '../../src/domain/index.ts'
import type { Store } from '../../src/store/index.ts'
import { testStore } from '../support/store.ts'

let store: Store
beforeAll(async () => {
  store = await testStore(inject('mongodbUri'))
})
afterAll(() => store.close())

let next = 0
const device = () => asDeviceId(`00256D-Box-L${next++}`)

describe('the secret of a device in the path of its WebSocket', () => {
  it('has 128 bits, is the same each time it is asked for, and of several at once', async () => {
    const id = device()
    const made = await Promise.all([1, 2, 3, 4].map(() => store.linkSecrets.ensure(id)))
    expect(made[0]).toMatch(/^[\w-]{22}$/)
    expect(new Set([...made, await store.linkSecrets.ensure(id)]).size).toBe(1)
    expect(await store.linkSecrets.ensure(device())).not.toBe(made[0])
  })

  it('lies sealed in the database', async () => {
    const id = device()
    const secret = await store.linkSecrets.ensure(id)
    const document = await store.db.collection<{ _id: string }>('linkSecrets').findOne({ _id: id })
    expect(document).not.toBeNull()
    expect(JSON.stringify(document)).not.toContain(secret)
  })

  it('is right as soon as it is made, and required once it was used', async () => {
    const { linkSecrets } = store
    const id = device()
    expect(await linkSecrets.prove(id, undefined)).toBe('notRequired')
    const secret = await linkSecrets.ensure(id)
    expect([await linkSecrets.prove(id, secret), await linkSecrets.prove(id, undefined)]).toEqual([
      'unused',
      'notRequired',
    ])
    await linkSecrets.used(id, 'something else')
    expect(await linkSecrets.prove(id, undefined)).toBe('notRequired')
    await linkSecrets.used(id, secret)
    await linkSecrets.used(id, secret)
    expect(await linkSecrets.prove(id, secret)).toBe('right')
    for (const wrong of [undefined, '', 'x'.repeat(22), await linkSecrets.ensure(device())])
      expect(await linkSecrets.prove(id, wrong)).toBe('required')
    expect(await linkSecrets.ensure(id)).toBe(secret)
  })

  it('may be made anew: the old one is right until the new one was used', async () => {
    const { linkSecrets } = store
    const id = device()
    const old = await linkSecrets.ensure(id)
    await linkSecrets.used(id, old)
    const anew = await linkSecrets.renew(id)
    expect(anew).not.toBe(old)
    expect([await linkSecrets.renew(id), await linkSecrets.ensure(id)]).toEqual([anew, anew])
    expect([await linkSecrets.prove(id, old), await linkSecrets.prove(id, anew)]).toEqual(['right', 'unused'])
    await linkSecrets.used(id, old)
    expect(await linkSecrets.prove(id, old)).toBe('right')
    await linkSecrets.used(id, anew)
    expect([await linkSecrets.prove(id, old), await linkSecrets.prove(id, anew)]).toEqual(['required', 'right'])
  })

  it('tells whose it is, whether it was used or not', async () => {
    const { linkSecrets } = store
    const id = device()
    const old = await linkSecrets.ensure(id)
    expect(await linkSecrets.ownerOf(old)).toBe(id)
    await linkSecrets.used(id, old)
    const anew = await linkSecrets.renew(id)
    expect(await Promise.all([old, anew, 'x'.repeat(22)].map((one) => linkSecrets.ownerOf(one)))).toEqual([
      id,
      id,
      undefined,
    ])
  })

  it('is not required of a device that loses its settings, until it is used again', async () => {
    const { linkSecrets } = store
    const id = device()
    const secret = await linkSecrets.ensure(id)
    await linkSecrets.used(id, secret)
    await linkSecrets.release(id)
    await linkSecrets.release(id)
    expect([await linkSecrets.prove(id, undefined), await linkSecrets.prove(id, secret)]).toEqual([
      'notRequired',
      'unused',
    ])
    await linkSecrets.used(id, secret)
    expect(await linkSecrets.prove(id, undefined)).toBe('required')
  })

  it('goes with its device', async () => {
    const { linkSecrets } = store
    const id = device()
    const secret = await linkSecrets.ensure(id)
    await linkSecrets.delete(id)
    expect([await linkSecrets.prove(id, secret), await linkSecrets.ownerOf(secret)]).toEqual(['notRequired', undefined])
  })
})
