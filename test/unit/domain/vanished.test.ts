import { describe, expect, it } from 'vitest'
import { asDeviceId, outcomeError, type PathOutcome, type Protocol, vanishedSince } from '../../../src/domain/index.ts'
import { createManualClock } from '../../support/manual-clock.ts'
import { createMemoryStores } from '../../support/memory-stores.ts'

const deviceId = asDeviceId('00256D-Box-1')
const error = outcomeError('9002', 'no')

/**
 * Returns the names that are gone after a read over `source`, of those that the record had; names with `@usp` came from there, others over CWMP.
 */
async function gone(had: string[], results: (string | PathOutcome)[], source: Protocol = 'cwmp', object = 'Device.') {
  const { devices, parameters, inside } = createMemoryStores(createManualClock())
  for (const name of had) {
    const [path = '', from = 'cwmp'] = name.split('@')
    const write = { path, value: '', type: 'string', source: from as Protocol, collectedAt: 1 } as const
    await devices.commit({ deviceId, parameters: [write] })
  }
  expect(inside.parameters.size).toBe(had.length)
  const outcomes = results.map((result) => (typeof result === 'string' ? { path: result, value: '' } : result))
  const knows = (path: string) => !path.startsWith('Device.LocalAgent.')
  return vanishedSince({ deviceId, objects: [object], results: outcomes, source, knows }, parameters)
}

describe('what a whole read does not show any more', () => {
  it('is the outermost row or object, or the single parameter', async () => {
    const had = ['Device.A.B', 'Device.A.C', 'Device.T.1.X', 'Device.T.2.X', 'Device.T.2.S.4.X', 'Device.Old.Sub.X']
    expect(await gone(had, ['Device.A.B', 'Device.T.1.X'])).toEqual({
      subtrees: ['Device.Old.', 'Device.T.2.'],
      parameters: ['Device.A.C'],
    })
  })

  it('is not what answered with an error, nor what is below an object that could not be read', async () => {
    const had = ['Device.A.B', 'Device.WiFi.SSID.1.SSID', 'Device.WiFi.X']
    const results = [
      { path: 'Device.A.B', error },
      { path: 'Device.WiFi.', error },
    ]
    expect(await gone(had, results)).toEqual({ subtrees: [], parameters: [] })
  })

  it('leaves the object that was asked for, its parameters gone', async () => {
    expect(await gone(['Device.A.B'], [], 'cwmp', 'Device.A.')).toEqual({ subtrees: [], parameters: ['Device.A.B'] })
  })

  it('takes what came over the other protocol where both show it, and leaves what only that one has', async () => {
    const had = ['Device.T.2.X@usp', 'Device.LocalAgent.Controller.1.Alias@usp']
    expect(await gone(had, [])).toEqual({ subtrees: ['Device.T.'], parameters: [] })
  })
})
