import { expect, it } from 'vitest'
import { readIdentity } from '../../../src/bridge/agents/router-identity.ts'

const of = (serial: string, productClass = 'RB') =>
  readIdentity(
    {
      get: async () =>
        new Map([
          ['Device.DeviceInfo.ManufacturerOUI', '18fd74'],
          ['Device.DeviceInfo.ProductClass', productClass],
          ['Device.DeviceInfo.SerialNumber', serial],
        ]),
    },
    0,
  )

it('an identity is what the server takes, whatever the router states', async () => {
  expect((await of('HGF08 A1'))?.identity).toMatchObject({ serial: 'HGF08 A1', endpointId: 'os::18FD74-HGF08%20A1' })
  for (const serial of ['', ' ', 'A'.repeat(65), 'A\u0001', 'A\u0000B', 'A\ufffd', '\ud800', '漢'.repeat(30)])
    expect(await of(serial)).toBeUndefined()
  expect((await of('A1', 'x'.repeat(500)))?.identity.productClass).toHaveLength(64)
})
