import { describe, expect, it } from 'vitest'
import { loadModel } from '../../../src/datamodel/index.ts'
import { asDeviceId, collected, PARAMETERS_PER_COMMIT, parameterChanges } from '../../../src/domain/index.ts'

const DEVICE = asDeviceId('00AA00-X-1')
const from = { source: 'usp' as const, collectedAt: 7 }

describe('collected values', () => {
  it('take the type that came with them, then that of the model, then none', () => {
    const model = loadModel('tr181-usp')
    const values = [
      { path: 'Device.DeviceInfo.UpTime', value: '5', type: 'int' as const },
      { path: 'Device.DeviceInfo.UpTime', value: '5' },
      { path: 'Device.X_ACME', value: '5' },
    ]
    const types = collected(values, { ...from, modelOf: () => model }).map(({ type }) => type)
    expect(types).toEqual(['int', 'unsignedInt', 'unknown'])
  })

  it('leave out what has no value and what the record does not keep, and store secrets empty', () => {
    const values = [
      { path: 'Device.A' },
      { path: 'Device.B', value: '****' },
      { path: `Device.${'C'.repeat(1024)}`, value: '1' },
      { path: 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase', value: 'hidden', writable: true },
    ]
    expect(collected(values, from)).toEqual([
      {
        path: 'Device.WiFi.AccessPoint.1.Security.KeyPassphrase',
        value: '',
        type: 'unknown',
        writable: true,
        source: 'usp',
        collectedAt: 7,
      },
    ])
  })

  it('go into the record in as many commits as they need', () => {
    const values = Array.from({ length: PARAMETERS_PER_COMMIT + 1 }, (_, n) => ({ path: `Device.A${n}`, value: '1' }))
    const changes = parameterChanges(DEVICE, collected(values, from))
    expect(changes.map(({ parameters }) => parameters?.length)).toEqual([PARAMETERS_PER_COMMIT, 1])
    expect(parameterChanges(DEVICE, [])).toEqual([])
  })
})
