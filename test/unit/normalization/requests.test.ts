import { describe, expect, it } from 'vitest'
import { startOwnTreeDevice } from '../../support/own-tree-device.ts'

const WLAN = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
const SSID = 'Device.WiFi.SSID.1.SSID'
const STANDARDS = 'Device.WiFi.Radio.1.OperatingStandards'

describe('a write of which the model refuses one value', () => {
  const refused = { path: STANDARDS, from: { path: `${WLAN}1.X_ZTE-COM_WlanStandard` }, error: { code: 'notMapped' } }

  it('is refused as a whole before anything is sent', async () => {
    const device = await startOwnTreeDevice('zte-f670l', { [`${WLAN}1.Standard`]: 'b,g,n' })
    const values = [
      { path: STANDARDS, value: 'b,g' },
      { path: SSID, value: 'Attic' },
    ]
    expect(await device.run({ verb: 'set', values })).toMatchObject({ outcome: 'failed', error: { code: 'notMapped' } })
    expect(device.asked.map(({ verb }) => verb)).not.toContain('set')
  })

  it('is done for the others where the request allows it, or does not require the value', async () => {
    for (const free of [true, false]) {
      const device = await startOwnTreeDevice('zte-f670l', { [`${WLAN}1.Standard`]: 'b,g,n' })
      const values = [
        { path: STANDARDS, value: 'b,g', ...(free ? {} : { required: false }) },
        { path: SSID, value: 'Attic' },
      ]
      const result = await device.run({ verb: 'set', values, allowPartial: free })
      expect(result).toMatchObject({
        outcome: free ? 'failed' : 'done',
        results: [refused, { path: SSID, value: 'Attic' }],
      })
      expect(device.values.get(`${WLAN}1.SSID`)).toBe('Attic')
    }
  })
})
