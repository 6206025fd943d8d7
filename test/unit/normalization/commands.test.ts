import { describe, expect, it } from 'vitest'
import type { OperationRequest } from '../../../src/domain/index.ts'
import { startOwnTreeDevice } from '../../support/own-tree-device.ts'

const operate = (command: string): OperationRequest => ({ verb: 'operate', command, input: {} })
const start = () => startOwnTreeDevice('cdata-fd512xw')

describe('a command of TR-181 that TR-098 has no command for', () => {
  it.each([
    ['Device.PPP.Interface.1.Reset()', 'WANConnectionDevice.2.WANPPPConnection.1.Reset'],
    ['Device.IP.Interface.2.Reset()', 'WANConnectionDevice.1.WANIPConnection.1.Reset'],
  ])('is a write of true, in the spelling of the device, to the parameter behind it: %s', async (command, own) => {
    const device = await start()
    const path = `InternetGatewayDevice.WANDevice.1.${own}`
    for (const _again of [1, 2])
      expect(await device.runAndRecord(operate(command))).toMatchObject({ outcome: 'done', results: [], output: {} })
    expect(device.written.flatMap(({ parameters = [] }) => parameters)).not.toContainEqual(
      expect.objectContaining({ path, value: 'true' }),
    )
    const writes = device.asked.filter(({ verb }) => verb !== 'get')
    expect(writes).toEqual([1, 2].map(() => ({ verb: 'set', values: [{ path, value: '1' }], allowPartial: false })))
  })

  it('fails with the error of the device, under its own name', async () => {
    const device = await start()
    const path = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.2.WANPPPConnection.1.Reset'
    device.refused.add(path)
    expect(await device.run(operate('Device.PPP.Interface.1.Reset()'))).toMatchObject({
      outcome: 'failed',
      error: { code: '9007' },
      results: [{ path: 'Device.PPP.Interface.1.Reset()', from: { path }, error: { code: '9007' } }],
    })
  })

  it.each<[string, RegExp]>([
    [
      'Device.PPP.Interface.77.Reset()',
      /no place in the device's own tree; it has Device\.IP\.Interface\.2\.Reset\(\), Device\.PPP\.Interface\.1\.Reset\(\)$/,
    ],
    [
      'Device.WiFi.Reset()',
      /Device\.WiFi\.Reset has no place in the device's own tree; Device\.Reboot\(\) restarts all of it$/,
    ],
    ['Device.WiFi.NeighboringWiFiDiagnostic()', /cannot be run on this device: its own tree has no parameter for it$/],
    ['Device.X_ACME_Do()', /its own tree has no parameter for it$/],
    // A parameter that holds a value is no command.
    ['Device.WiFi.SSID.1.SSID()', /its own tree has no parameter for it$/],
    ['Device.WiFi.SSID.1.Enable()', /its own tree has no parameter for it$/],
  ])('is refused with the reason, and nothing is sent: %s', async (command, reason) => {
    const device = await start()
    const result = await device.run(operate(command))
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' }, results: [{ path: command }] })
    expect(result.error?.text).toMatch(reason)
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
  })
})

it('a command of a device whose own tree is TR-181 goes to it as it is', async () => {
  const device = await startOwnTreeDevice('tplink-xc220')
  await device.run(operate('Device.PPP.Interface.1.Reset()'))
  expect(device.asked).toEqual([operate('Device.PPP.Interface.1.Reset()')])
})
