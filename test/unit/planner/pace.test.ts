import { describe, expect, it } from 'vitest'
import type { PlanCounters } from '../../../src/domain/index.ts'
import { allowance, placesTaken } from '../../../src/planner/pace.ts'

type Counters = Pick<PlanCounters, 'states' | 'waits'>
const counters = (states: Counters['states'] = {}, waits: Counters['waits'] = {}): Counters => ({ states, waits })
const limits = (maxInFlight: number, startsPerMinute = 0) => ({ maxInFlight, startsPerMinute })

describe('places', () => {
  it('are taken by devices under way, wherever they are, and by those on their way back that come', () => {
    expect(
      placesTaken(
        counters(
          { QUEUED: 9, PREPARING: 1, AWAITING_USP: 1, BINDING: 1, VERIFYING: 1, DUAL: 1, RETIRING: 1, MIGRATED: 9 },
          { 'DUAL|offline': 1 },
        ),
      ),
    ).toBe(6)
    expect(placesTaken(counters({ ROLLING_BACK: 5, BACKOFF: 3 }, { 'ROLLING_BACK|offline': 2 }))).toBe(3)
    expect(placesTaken(counters({}, { 'ROLLING_BACK|offline': 2 }))).toBe(0)
  })

  it('bound the starts of a plan without a rate', () => {
    expect(allowance(limits(5), counters({ DUAL: 2 }), undefined, 0)).toEqual({ starts: 3 })
    expect(allowance(limits(5), counters({ DUAL: 5 }), undefined, 0)).toEqual({ starts: 0, because: 'place' })
    expect(allowance(limits(5), counters({ DUAL: 9 }), undefined, 0)).toEqual({ starts: 0, because: 'place' })
  })
})

describe('a start rate', () => {
  it('begins with one start, and gives one more each time that the rate allows', () => {
    const first = allowance(limits(100, 12), counters(), undefined, 1000)
    expect(first).toEqual({ starts: 1, pacing: { tokens: 1, at: 1000 }, because: 'rate' })
    const spent = { tokens: 0, at: 1000 }
    expect(allowance(limits(100, 12), counters(), spent, 5999)).toMatchObject({ starts: 0, because: 'rate' })
    expect(allowance(limits(100, 12), counters(), spent, 6000)).toMatchObject({ starts: 1, because: 'rate' })
  })

  it('keeps the part of a start that has grown', () => {
    const { pacing } = allowance(limits(100, 12), counters(), { tokens: 0, at: 0 }, 2500)
    expect(pacing).toEqual({ tokens: 0.5, at: 2500 })
    expect(allowance(limits(100, 12), counters(), pacing, 5000)).toMatchObject({ starts: 1 })
  })

  it('saves up five seconds’ worth of starts, however long it waited', () => {
    const idle = { tokens: 0, at: 0 }
    expect(allowance(limits(1000, 120), counters(), idle, 3_600_000)).toMatchObject({ starts: 10 })
    expect(allowance(limits(1000, 120), counters(), idle, 5000)).toMatchObject({ starts: 10 })
    expect(allowance(limits(1000, 120), counters(), idle, 4500)).toMatchObject({ starts: 9 })
    expect(allowance(limits(1000, 6), counters(), idle, 3_600_000)).toMatchObject({ starts: 1 })
  })

  it('allows no more than there are places, and says which of the two bounds it', () => {
    const full = { tokens: 10, at: 0 }
    expect(allowance(limits(3, 120), counters(), full, 0)).toEqual({ starts: 3, pacing: full })
    expect(allowance(limits(3, 120), counters({ DUAL: 3 }), full, 0)).toEqual({
      starts: 0,
      pacing: full,
      because: 'place',
    })
  })

  it('does not grow backwards', () => {
    expect(allowance(limits(10, 60), counters(), { tokens: 2, at: 5000 }, 1000)).toMatchObject({
      starts: 2,
      pacing: { tokens: 2, at: 1000 },
    })
  })
})
