import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deviceIdOf } from '../../src/domain/index.ts'
import { BOTH_STORES, type BothStores } from '../support/both-stores.ts'

const ONE = deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial: '1' })
const TWO = deviceIdOf({ oui: '0C96BF', productClass: 'Gateway', serial: '2' })

describe.each(BOTH_STORES)('secrets of links %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('are made once, and required from their first use on', async () => {
    expect(await stores.linkSecrets.prove(ONE, undefined)).toBe('notRequired')
    const secret = await stores.linkSecrets.ensure(ONE)
    expect(await stores.linkSecrets.ensure(ONE)).toBe(secret)
    expect(await stores.linkSecrets.ensure(TWO)).not.toBe(secret)
    expect(await stores.linkSecrets.prove(ONE, secret)).toBe('unused')
    expect(await stores.linkSecrets.prove(ONE, undefined)).toBe('notRequired')
    await stores.linkSecrets.used(ONE, secret)
    expect(await stores.linkSecrets.prove(ONE, secret)).toBe('right')
    expect(await stores.linkSecrets.prove(ONE, undefined)).toBe('required')
    expect(await stores.linkSecrets.ensure(ONE)).toBe(secret)
  })

  it('replace the earlier one when they are used', async () => {
    const first = await stores.linkSecrets.ensure(ONE)
    await stores.linkSecrets.used(ONE, first)
    const second = await stores.linkSecrets.renew(ONE)
    expect(second).not.toBe(first)
    expect(await stores.linkSecrets.renew(ONE)).toBe(second)
    expect(await stores.linkSecrets.prove(ONE, first)).toBe('right')
    await stores.linkSecrets.used(ONE, 'another')
    expect(await stores.linkSecrets.prove(ONE, first)).toBe('right')
    await stores.linkSecrets.used(ONE, second)
    expect(await stores.linkSecrets.prove(ONE, first)).toBe('required')
    expect(await stores.linkSecrets.prove(ONE, second)).toBe('right')
  })

  it('name their device', async () => {
    const secret = await stores.linkSecrets.ensure(ONE)
    expect(await stores.linkSecrets.ownerOf(secret)).toBe(ONE)
    await stores.linkSecrets.used(ONE, secret)
    expect(await stores.linkSecrets.ownerOf(secret)).toBe(ONE)
    expect(await stores.linkSecrets.ownerOf('another')).toBeUndefined()
    await stores.linkSecrets.delete(ONE)
    expect(await stores.linkSecrets.ownerOf(secret)).toBeUndefined()
    expect(await stores.linkSecrets.prove(ONE, secret)).toBe('notRequired')
  })

  it('are demanded before their first use, until they are released', async () => {
    const secret = await stores.linkSecrets.demand(ONE)
    expect(await stores.linkSecrets.demand(ONE)).toBe(secret)
    expect(await stores.linkSecrets.prove(ONE, undefined)).toBe('required')
    expect(await stores.linkSecrets.prove(ONE, secret)).toBe('unused')
    await stores.linkSecrets.release(ONE)
    expect(await stores.linkSecrets.prove(ONE, undefined)).toBe('notRequired')
    expect(await stores.linkSecrets.prove(ONE, secret)).toBe('unused')
  })

  it('that were used are right after a release, and not required', async () => {
    const secret = await stores.linkSecrets.ensure(ONE)
    await stores.linkSecrets.used(ONE, secret)
    await stores.linkSecrets.release(ONE)
    expect(await stores.linkSecrets.prove(ONE, undefined)).toBe('notRequired')
    expect(await stores.linkSecrets.prove(ONE, secret)).toBe('unused')
    expect(await stores.linkSecrets.ensure(ONE)).toBe(secret)
  })
})
