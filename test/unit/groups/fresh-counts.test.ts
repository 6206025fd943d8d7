import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { FreshCounts } from '../../../src/groups/fresh-counts.ts'
import { createManualClock, type ManualClock, settled } from '../../support/manual-clock.ts'

describe('counts over many devices', () => {
  let clock: ManualClock
  let made: string[]
  beforeEach(() => {
    clock = createManualClock(1000)
    made = []
  })
  const counts = (background: boolean) => new FreshCounts<number>({ clock, log: silentLog }, { background })
  const count = (key: string) => async () => made.push(key)

  it('are made once for all who ask at once, and kept for ten seconds', async () => {
    const fresh = counts(false)
    const get = () => fresh.get('a', count('a'))
    expect(await Promise.all([get(), get(), get()])).toEqual(
      Array.from({ length: 3 }, () => ({ value: 1, countedAt: 1000 })),
    )
    clock.advance(9999)
    expect(await get()).toEqual({ value: 1, countedAt: 1000 })
    clock.advance(1)
    expect(await get()).toEqual({ value: 2, countedAt: 11_000 })
    expect(await fresh.get('b', count('b'))).toMatchObject({ value: 3 })
  })

  it('are made anew when the clock was set back', async () => {
    const fresh = counts(false)
    await fresh.get('a', count('a'))
    clock = createManualClock(0)
    const back = new FreshCounts<number>({ clock, log: silentLog }, { background: false })
    expect(await back.get('a', count('a'))).toMatchObject({ countedAt: 0 })
  })

  it('fail for who asked, and are tried again by the next', async () => {
    const fresh = counts(false)
    await expect(fresh.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
    expect(await fresh.get('a', count('a'))).toMatchObject({ value: 1 })
  })

  it('are renewed in the background while somebody has asked lately, and not longer', async () => {
    const fresh = counts(true)
    await fresh.get('a', count('a'))
    for (let i = 0; i < 3; i++) {
      clock.advance(7000)
      await settled()
    }
    expect(made).toEqual(['a', 'a', 'a', 'a'])
    // The answer comes without a wait for the database.
    expect(await fresh.get('a', count('a'))).toEqual({ value: 4, countedAt: 22_000 })
    for (let i = 0; i < 60; i++) {
      clock.advance(7000)
      await settled(5)
    }
    const after = made.length
    expect(after).toBeLessThan(40)
    clock.advance(60_000)
    await settled()
    expect(made).toHaveLength(after)
    fresh.stop()
  })

  it('that are not asked for again keep no timer when they are stopped', async () => {
    const fresh = counts(true)
    await fresh.get('a', count('a'))
    fresh.stop()
    expect(clock.next()).toBe(false)
  })
})
