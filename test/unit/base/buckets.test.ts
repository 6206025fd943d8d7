import { expect, it } from 'vitest'
import { Buckets } from '../../../src/base/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

it('a bucket gives what it holds, refills with time, and pays back what it was overdrawn', () => {
  const clock = createManualClock()
  const buckets = new Buckets({ capacity: 10, perSecond: 2, maxKeys: 100 }, clock)
  expect(buckets.left('a')).toBe(10)
  buckets.take('a', 16)
  expect(buckets.left('a')).toBe(-6)
  clock.advance(4000)
  expect(buckets.left('a')).toBe(2)
  buckets.give('a', 3)
  expect(buckets.left('a')).toBe(5)
  clock.advance(60_000)
  expect(buckets.left('a')).toBe(10)
  expect(buckets.left('b')).toBe(10)
})

it('a clock that is set back gives nothing and takes nothing', () => {
  const clock = createManualClock()
  const buckets = new Buckets({ capacity: 10, perSecond: 1, maxKeys: 100 }, clock)
  buckets.take('a', 5)
  clock.advance(-3_600_000)
  expect(buckets.left('a')).toBe(5)
})

it('remembers a bounded number of buckets, and none that is full', () => {
  const buckets = new Buckets({ capacity: 10, perSecond: 1, maxKeys: 3 }, createManualClock())
  for (const key of ['a', 'b', 'c', 'd']) buckets.take(key, 10)
  expect(buckets.size).toBe(3)
  expect(['a', 'b', 'c', 'd'].map((key) => buckets.left(key))).toEqual([10, 0, 0, 0])
  buckets.give('d', 10)
  expect(buckets.size).toBe(2)
})
