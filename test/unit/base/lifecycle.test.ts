import { describe, expect, it } from 'vitest'
import { endsWithin } from '../../../src/base/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'

describe('endsWithin', () => {
  it('resolves with true when the work ends first, and leaves no timer', async () => {
    const clock = createManualClock()
    expect(await endsWithin(Promise.resolve('done'), 1000, clock)).toBe(true)
  })

  it('resolves with false when the limit comes first', async () => {
    const clock = createManualClock()
    const ended = endsWithin(new Promise(() => undefined), 1000, clock)
    clock.advance(1000)
    expect(await ended).toBe(false)
  })

  it('rejects with the error of the work', async () => {
    await expect(endsWithin(Promise.reject(new Error('broken')), 1000, createManualClock())).rejects.toThrow('broken')
  })
})
