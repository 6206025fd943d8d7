import { describe, expect, it } from 'vitest'
import { failedResult, outcomeError, resultOf } from '../../../src/domain/index.ts'

const REFUSED = outcomeError(9005, 'Invalid parameter name')

describe('the result that its paths make', () => {
  it('is done without an error, also without paths', () => {
    expect(resultOf([])).toEqual({ outcome: 'done', results: [] })
    expect(resultOf([{ path: 'Device.A', value: '1' }])).toMatchObject({ outcome: 'done' })
  })

  it('is failed with the first error of a path that had to succeed', () => {
    const results = [
      { path: 'Device.A', optional: true as const, error: outcomeError(9007, 'Invalid value') },
      { path: 'Device.B', error: REFUSED },
      { path: 'Device.C', error: outcomeError(9008, 'Not writable') },
    ]
    expect(resultOf(results)).toEqual(failedResult(REFUSED, results))
  })

  it('is done when only what was not required failed', () => {
    expect(resultOf([{ path: 'Device.A', optional: true, error: REFUSED }]).outcome).toBe('done')
  })
})
