import { expect, it } from 'vitest'
import { encodeEnvelope } from '../../../src/cwmp/wire/index.ts'
import { startAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, cookieOf } from '../../support/cwmp-wire.ts'
import { decodeEnvelope } from '../../support/decode-envelope.ts'

const URN = 'urn:dslforum-org:cwmp-1-2'
const VERSION = 'Device.DeviceInfo.SoftwareVersion'

/** One session of a device that has these parameters and answers what it is asked. */
async function session(port: number, version: string, paths: string[]): Promise<void> {
  const cpe = new CpeWire(port)
  const values = new Map([[VERSION, version], ...paths.map((path): [string, string] => [path, 'v'])])
  const value = (name: string) => ({ name, value: values.get(name) ?? '', type: 'string' })
  const inform = encodeEnvelope(
    URN,
    { id: '1' },
    {
      kind: 'request',
      name: 'Inform',
      body: {
        DeviceId: { Manufacturer: 'Acme', OUI: '00256D', ProductClass: 'Box', SerialNumber: '1' },
        Event: [{ EventCode: '1 BOOT', CommandKey: '' }],
        MaxEnvelopes: 1,
        CurrentTime: '2026-01-01T00:00:00Z',
        RetryCount: 0,
        ParameterList: [value(VERSION)],
      },
    },
  )
  const names = [...values.keys()].map((Name) => ({ Name, Writable: true }))
  const answerOf = (request: { name: string; body: object }) => {
    if (request.name === 'GetRPCMethods') return { name: 'GetRPCMethods' as const, body: { MethodList: [] } }
    return 'ParameterNames' in request.body
      ? {
          name: 'GetParameterValues' as const,
          body: { ParameterList: (request.body.ParameterNames as string[]).map(value) },
        }
      : { name: 'GetParameterNames' as const, body: { ParameterList: names } }
  }
  const cookie = cookieOf(await cpe.post(inform))
  let answer = await cpe.post('', cookie)
  while (answer.status === 200) {
    const { message, header } = decodeEnvelope(Buffer.from(answer.text))
    if (message.kind !== 'request') throw new Error(`unexpected ${message.kind}`)
    // It does not let itself be enrolled, and so is never asked for a credential.
    const response =
      message.name === 'SetParameterValues'
        ? { kind: 'fault' as const, fault: { code: 9001, text: '', parameters: [] } }
        : { kind: 'response' as const, ...answerOf(message) }
    answer = await cpe.post(encodeEnvelope(URN, header.id === undefined ? {} : { id: header.id }, response), cookie)
  }
  expect(answer.status).toBe(204)
  cpe.close()
}

it('a new firmware takes what it does not have any more out of the record', async () => {
  const { acs, stores, stop } = await startAcs({ discovery: 'subtree' })
  const stored = () => [...stores.inside.parameters.values()].map(({ path }) => path).toSorted()
  await session(acs.port, '1.0', ['Device.DeviceInfo.X_ACME_Old', 'Device.WiFi.SSID.1.SSID'])
  expect(stored()).toEqual([
    'Device.DeviceInfo.SoftwareVersion',
    'Device.DeviceInfo.X_ACME_Old',
    'Device.WiFi.SSID.1.SSID',
  ])
  await session(acs.port, '2.0', [])
  expect(stored()).toEqual(['Device.DeviceInfo.SoftwareVersion'])
  await stop()
})
