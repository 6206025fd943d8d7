import { describe, expect, it } from 'vitest'
import { newTlsKey, selfSigned } from '../../../src/pki/index.ts'
import { checkSettings, type SettingsInput } from '../../../src/planner/settings.ts'
import { planOf } from '../../support/plans.ts'

const own = planOf().settings.controller
const refused = (settings: SettingsInput) => expect(() => checkSettings(settings, own))

describe('settings of a plan', () => {
  it.each(['usp.example.net', 'localhost', 'usp', '192.0.2.1', '2001:db8::1', '[2001:db8::1]', 'büro.example'])(
    'have a host like %s',
    (host) => {
      checkSettings({ controller: { host } }, own)
    },
  )

  it.each([
    'x y',
    'wss://usp.example',
    'usp.example:8183',
    'usp.example/usp',
    '-',
    'a@b',
    '[::1',
    'usp..example',
    'a'.repeat(254),
  ])('have no host like %s', (host) => {
    refused({ controller: { host } }).toThrow('settings.controller.host: ')
  })

  it('name this Controller, whose port and path may be those of a proxy', () => {
    checkSettings({ controller: { endpointId: own.endpointId, port: 443, path: '/isp/usp' } }, own)
    refused({ controller: { endpointId: 'proto::other' } }).toThrow(`this server is ${own.endpointId}`)
    for (const path of ['usp', '/a b', '/usp?x=1', '/a\u0000b'])
      refused({ controller: { path } }).toThrow('settings.controller.path')
  })

  it('have a certificate that can be read', () => {
    const key = newTlsKey()
    const cert = selfSigned({
      commonName: 'usp.example',
      names: [],
      notBefore: 0,
      notAfter: 1e12,
      serial: Buffer.from([1]),
      key,
    })
    checkSettings({ controller: { certificate: cert } }, own)
    checkSettings({ controller: { certificate: `${cert}\n${cert}` } }, own)
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
    for (const certificate of ['junk', broken, `${cert}\n${broken}`, `${cert}\n${key}`])
      refused({ controller: { certificate } }).toThrow('settings.controller.certificate: ')
  })

  it('compare parameters of the data model that both protocols show', () => {
    checkSettings(
      { parityPaths: ['Device.DeviceInfo.SoftwareVersion', 'Device.X_ACME.Mode', 'Device.WiFi.SSID.1.SSID'] },
      own,
    )
    for (const path of ['foo', 'Device.', 'Device.DeviceInfo.', 'Device..Name', 'InternetGatewayDevice.X'])
      refused({ parityPaths: ['Device.DeviceInfo.SoftwareVersion', path] }).toThrow(`settings.parityPaths: "${path}"`)
    // A search path would be passed over as a value that neither protocol shows.
    for (const path of ['*.SSID', '{i}.SSID', '[Name=="x"].SSID', 'Upstream+.Name'])
      refused({ parityPaths: [`Device.WiFi.SSID.${path}`] }).toThrow('is no single parameter')
  })
})
