import { afterEach, expect, it, vi } from 'vitest'
import { steadyClock, systemClock } from '../../../src/base/index.ts'

afterEach(() => vi.restoreAllMocks())

it('a steady clock follows no step of the machine’s clock', () => {
  const before = steadyClock.now()
  const wall = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(wall - 7_200_000)
  const after = steadyClock.now()
  expect(systemClock.now()).toBe(wall - 7_200_000)
  expect(after).toBeGreaterThanOrEqual(before)
})
