import { describe, expect, it } from 'vitest'
import { bootKind, isExclusive } from '../../../src/operations/index.ts'

describe('commands that restart a box', () => {
  it.each(['Device.', 'InternetGatewayDevice.'])('are known under the root %s', (root) => {
    expect(bootKind({ verb: 'operate', command: `${root}Reboot()`, input: {} })).toBe('reboot')
    expect(bootKind({ verb: 'operate', command: `${root}FactoryReset()`, input: {} })).toBe('factoryReset')
    expect(isExclusive({ verb: 'operate', command: `${root}Reboot()`, input: {} })).toBe(true)
  })

  it('are not those of other objects', () => {
    const command = 'Device.SoftwareModules.ExecutionUnit.1.Reboot()'
    expect(bootKind({ verb: 'operate', command, input: {} })).toBeUndefined()
  })
})
