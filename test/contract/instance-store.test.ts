import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BOTH_STORES, type BothStores, OWN_INSTANCE } from '../support/both-stores.ts'

describe.each(BOTH_STORES)('instances %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  const alive = async (now: number) => (await stores.instances.alive(now)).sort()

  it('are alive until their heartbeat is over, each by its own', async () => {
    expect(await alive(0)).toEqual([])
    await stores.instances.beat('a', 100, 50)
    await stores.instances.beat('b', 100, 80)
    expect(await alive(150)).toEqual(['a', 'b'])
    expect(await alive(151)).toEqual(['b'])
    expect(await alive(181)).toEqual([])
    await stores.instances.beat('a', 160, 50)
    expect(await alive(181)).toEqual(['a'])
  })

  it('whose heartbeat is over are ended once, and come back with the next one', async () => {
    await stores.instances.beat('a', 100, 50)
    await stores.instances.beat('b', 100, 80)
    // No instance is alive and dead at the same time.
    expect(await stores.instances.endDead(150)).toBe(0)
    expect(await stores.instances.endDead(151)).toBe(1)
    expect(await stores.instances.endDead(151)).toBe(0)
    expect(await alive(0)).toEqual(['b'])
    await stores.instances.beat('a', 160, 50)
    expect(await alive(160)).toEqual(['a', 'b'])
  })

  it('do not end themselves, however late their heartbeat is', async () => {
    await stores.instances.beat(OWN_INSTANCE, 100, 50)
    await stores.instances.beat('a', 100, 50)
    expect(await stores.instances.endDead(1000)).toBe(1)
    expect(await alive(150)).toEqual([OWN_INSTANCE])
  })

  it('that leave are gone at once, and repeating it changes nothing', async () => {
    await stores.instances.beat('a', 100, 50)
    await stores.instances.beat('b', 100, 50)
    await stores.instances.leave('a')
    await stores.instances.leave('a')
    expect(await alive(100)).toEqual(['b'])
  })

  it('are forgotten by one that has the database alone', async () => {
    for (const name of ['a', 'b', 'c']) await stores.instances.beat(name, 100, 50)
    await stores.instances.alone('b')
    expect(await alive(100)).toEqual(['b'])
    await stores.instances.alone('b')
    expect(await alive(100)).toEqual(['b'])
  })
})

describe.each(BOTH_STORES)('the service time of an installation %s', (_name, open) => {
  let stores: BothStores
  beforeEach(async () => {
    stores = await open()
  })
  afterEach(() => stores.close())

  it('never goes back, and says when it was stored before', async () => {
    expect(await stores.instances.raise(10, 1000)).toEqual({ ms: 10 })
    expect(await stores.instances.raise(30, 2000)).toEqual({ ms: 30, at: 1000 })
    expect(await stores.instances.raise(20, 1500)).toEqual({ ms: 30, at: 2000 })
    expect(await stores.instances.raise(30, 1600)).toEqual({ ms: 30, at: 1500 })
  })

  it('is the largest of those that instances store at once', async () => {
    const raised = await Promise.all([5, 9, 7].map((ms) => stores.instances.raise(ms, 1)))
    for (const [i, ms] of [5, 9, 7].entries()) expect(raised[i]?.ms).toBeGreaterThanOrEqual(ms)
    expect(await stores.instances.raise(0, 2)).toEqual({ ms: 9, at: 1 })
  })
})
