import { describe, expect, it } from 'vitest'
import { isFactoryReset } from '../../../src/domain/index.ts'
import { bootKind, isExclusive } from '../../../src/operations/verbs.ts'

describe('commands that restart a device', () => {
  it.each(['Device.', 'InternetGatewayDevice.'])('are known under the root %s', (root) => {
    expect(bootKind({ verb: 'operate', command: `${root}Reboot()`, input: {} })).toBe('reboot')
    expect(bootKind({ verb: 'operate', command: `${root}FactoryReset()`, input: {} })).toBe('factoryReset')
    expect(isExclusive({ verb: 'operate', command: `${root}Reboot()`, input: {} })).toBe(true)
  })

  it.each([
    'Device.SoftwareModules.ExecutionUnit.1.Reboot()',
    'Device.X_ACME.FactoryReset()',
    'Device.X_ACME.Reboot()',
    'Device.X_FactoryReset()',
    'Device.FactoryReset',
  ])('are not those of other objects: %s', (command) => {
    const request = { verb: 'operate', command, input: {} } as const
    expect(bootKind(request)).toBeUndefined()
    expect(isExclusive(request)).toBe(false)
    expect(isFactoryReset(request)).toBe(false)
  })

  it('reset to factory settings by verb and by command', () => {
    expect(isFactoryReset({ verb: 'factoryReset' })).toBe(true)
    expect(isFactoryReset({ verb: 'operate', command: 'Device.FactoryReset()', input: {} })).toBe(true)
    expect(isFactoryReset({ verb: 'operate', command: 'Device.Reboot()', input: {} })).toBe(false)
    expect(isFactoryReset({ verb: 'reboot' })).toBe(false)
  })
})
