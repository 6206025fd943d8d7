import { describe, expect, it } from 'vitest'
import type { Pacing } from '../../../src/domain/index.ts'
import { allowance } from '../../../src/rollout/pace.ts'

const limits = (maxInFlight: number, startsPerMinute = 0) => ({ settings: { maxInFlight, startsPerMinute } })
const use = (taken = 0, pacing?: Pacing) => ({ taken, pacing })

describe('places', () => {
  it('bound the starts of a plan without a rate', () => {
    expect(allowance(limits(5), use(2), 0)).toEqual({ starts: 3 })
    expect(allowance(limits(5), use(5), 0)).toEqual({ starts: 0, because: 'place' })
    expect(allowance(limits(5), use(9), 0)).toEqual({ starts: 0, because: 'place' })
  })
})

describe('a start rate', () => {
  it('begins with one start, and gives one more each time that the rate allows', () => {
    const first = allowance(limits(100, 12), use(), 1000)
    expect(first).toEqual({ starts: 1, pacing: { tokens: 1, at: 1000 }, because: 'rate', again: 6000 })
    const spent = { tokens: 0, at: 1000 }
    expect(allowance(limits(100, 12), use(0, spent), 5999)).toMatchObject({ starts: 0, because: 'rate' })
    expect(allowance(limits(100, 12), use(0, spent), 6000)).toMatchObject({ starts: 1, because: 'rate' })
  })

  it('names the time from which one start more is allowed', () => {
    const spent = { tokens: 0.25, at: 1000 }
    const { again = 0 } = allowance(limits(100, 12), use(0, spent), 1000)
    expect(again).toBe(4750)
    expect(allowance(limits(100, 12), use(0, spent), again - 1).starts).toBe(0)
    expect(allowance(limits(100, 12), use(0, spent), again).starts).toBe(1)
  })

  it('keeps the part of a start that has grown', () => {
    const { pacing } = allowance(limits(100, 12), use(0, { tokens: 0, at: 0 }), 2500)
    expect(pacing).toEqual({ tokens: 0.5, at: 2500 })
    expect(allowance(limits(100, 12), use(0, pacing), 5000)).toMatchObject({ starts: 1 })
  })

  it('saves up five seconds’ worth of starts, however long it waited', () => {
    const idle = { tokens: 0, at: 0 }
    expect(allowance(limits(1000, 120), use(0, idle), 3_600_000)).toMatchObject({ starts: 10 })
    expect(allowance(limits(1000, 120), use(0, idle), 5000)).toMatchObject({ starts: 10 })
    expect(allowance(limits(1000, 120), use(0, idle), 4500)).toMatchObject({ starts: 9 })
    expect(allowance(limits(1000, 6), use(0, idle), 3_600_000)).toMatchObject({ starts: 1 })
  })

  it('allows no more than there are places, and names the bound', () => {
    const full = { tokens: 10, at: 0 }
    expect(allowance(limits(3, 120), use(0, full), 0)).toEqual({ starts: 3, pacing: full })
    expect(allowance(limits(3, 120), use(3, full), 0)).toEqual({ starts: 0, pacing: full, because: 'place' })
  })

  it('does not grow backwards', () => {
    expect(allowance(limits(10, 60), use(0, { tokens: 2, at: 5000 }), 1000)).toMatchObject({
      starts: 2,
      pacing: { tokens: 2, at: 1000 },
    })
  })
})
