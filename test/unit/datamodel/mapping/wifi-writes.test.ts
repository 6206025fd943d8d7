import { describe, expect, it } from 'vitest'
import { MappingRefusal, planWrite } from '../../../../src/datamodel/index.ts'
import { compiled, mappedDevice } from '../../../support/mapping.ts'
import { tr098Router } from '../../../support/tr098-router.ts'

const WLANS = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
const mapping = compiled()

/** Returns what a request in TR-181 writes on a router whose parameters show these values first. */
function written(
  request: Readonly<Record<string, string>>,
  shown: Readonly<Record<string, string>> = {},
  family?: string,
) {
  const values = tr098Router().filter(({ path }) => !(path in shown))
  const changed = Object.entries(shown).map(([path, value]) => ({ path, value }))
  const { device, tree } = mappedDevice([...values, ...changed], mapping, family)
  const asked = Object.entries(request).map(([path, value]) => ({ path, value }))
  const plan = planWrite(device, asked, tree, { at: Date.UTC(2026, 0, 1) })
  return plan.values.map(({ path, value }) => [path.replace(WLANS, ''), value])
}

const SECURITY = 'Device.WiFi.AccessPoint.1.Security.'

describe('the security of a network', () => {
  it('is one write: mode, authentication, encryption and every place of the key', () => {
    expect(
      written({ [`${SECURITY}ModeEnabled`]: 'WPA-WPA2-Personal', [`${SECURITY}KeyPassphrase`]: 'correct horse' }),
    ).toEqual([
      ['1.BeaconType', 'WPAand11i'],
      ['1.WPAAuthenticationMode', 'PSKAuthentication'],
      ['1.IEEE11iAuthenticationMode', 'PSKAuthentication'],
      ['1.WPAEncryptionModes', 'TKIPandAESEncryption'],
      ['1.IEEE11iEncryptionModes', 'TKIPandAESEncryption'],
      ['1.KeyPassphrase', 'correct horse'],
      ['1.PreSharedKey.1.KeyPassphrase', 'correct horse'],
    ])
  })

  it('is the same in any order of the request', () => {
    const mode = [`${SECURITY}ModeEnabled`, 'WPA-WPA2-Personal'] as const
    const ciphers = [`${SECURITY}EncryptionMode`, 'AES'] as const
    const key = [`${SECURITY}KeyPassphrase`, 'correct horse'] as const
    const orders = [
      [mode, ciphers, key],
      [ciphers, mode, key],
      [key, ciphers, mode],
      [key, mode, ciphers],
    ]
    const results = orders.map((order) => written(Object.fromEntries(order)).sort())
    for (const result of results) expect(result).toEqual(results[0])
    expect(results[0]).toContainEqual(['1.WPAEncryptionModes', 'AESEncryption'])
    expect(results[0]).toContainEqual(['1.IEEE11iEncryptionModes', 'AESEncryption'])
  })

  it('speaks as the device', () => {
    const shown = { [`${WLANS}1.BeaconType`]: 'WPA/WPA2', [`${WLANS}5.BeaconType`]: 'WPA/WPA2' }
    expect(written({ [`${SECURITY}ModeEnabled`]: 'WPA2-Personal' }, shown)).toContainEqual(['1.BeaconType', 'WPA2'])
    expect(written({ [`${SECURITY}ModeEnabled`]: 'WPA-WPA2-Personal' }, shown)).toEqual([])
  })

  it('is not opened by a word that the device does not have', () => {
    expect(() => written({ [`${SECURITY}ModeEnabled`]: 'WPA3-Personal' })).toThrow(MappingRefusal)
    expect(() => written({ [`${SECURITY}KeyPassphrase`]: 'short' })).toThrow(/8 to 63 characters/)
    expect(() => written({ [`${SECURITY}KeyPassphrase`]: '********' })).toThrow(/is a mask/)
  })

  it('takes WEP only with a key of its length', () => {
    const wep = { [`${SECURITY}ModeEnabled`]: 'WEP-64' }
    expect(() => written(wep)).toThrow(/WEPKey of 10 hex digits/)
    expect(() => written({ ...wep, [`${SECURITY}KeyPassphrase`]: 'correct horse' })).toThrow(/WEP/)
  })
})

describe('the channel of a radio', () => {
  const CHANNEL = 'Device.WiFi.Radio.1.Channel'
  const of = (shown: Record<string, string>) =>
    Object.fromEntries(Object.entries(shown).map(([name, value]) => [`${WLANS}1.${name}`, value]))

  it.each([
    ['its standard', of({ Channel: '0', PossibleChannels: '', Standard: 'ac,n,a' }), '11', '48'],
    ['its channel', of({ Channel: '44', Standard: '' }), '11', '48'],
    ['its possible channels', of({ Channel: '0', PossibleChannels: '1-13', Standard: '' }), '48', '11'],
    ['a name of the vendor', of({ Channel: '6', X_CMCC_RFBand: '1' }), '11', '48'],
  ])('is one of its band, as %s tells', (_name, shown, other, own) => {
    expect(() => written({ [CHANNEL]: other }, shown)).toThrow(/GHz/)
    expect(written({ [CHANNEL]: own }, shown)).toContainEqual(['1.Channel', own])
  })

  it('is any where nothing tells the band', () => {
    const blank = ['Channel', 'PossibleChannels', 'Standard'].flatMap((name) =>
      [1, 2, 5, 6].map((network) => [`${WLANS}${network}.${name}`, name === 'Channel' ? '0' : '']),
    )
    for (const channel of ['11', '48'])
      expect(written({ [CHANNEL]: channel }, Object.fromEntries(blank))).toContainEqual(['1.Channel', channel])
  })
})

describe('other values of one write', () => {
  it('fill the slots of the time servers', () => {
    const time = 'InternetGatewayDevice.Time.'
    expect(written({ 'Device.Time.Client.1.Servers': 'a.example,b.example' })).toEqual([
      [`${time}NTPServer1`, 'a.example'],
      [`${time}NTPServer2`, 'b.example'],
    ])
  })

  it('switch the firewall on at its level', () => {
    const off = { 'InternetGatewayDevice.Firewall.Config': 'Off' }
    const on = { 'Device.Firewall.Enable': 'true', 'Device.Firewall.Config': 'High' }
    expect(written(on, off)).toEqual([['InternetGatewayDevice.Firewall.Config', 'High']])
    expect(() => written({ 'Device.Firewall.Enable': 'true' }, off)).toThrow(/level is not known/)
    expect(written({ 'Device.Firewall.Enable': 'false' }, { 'InternetGatewayDevice.Firewall.Config': 'Low' })).toEqual([
      ['InternetGatewayDevice.Firewall.Config', 'Off'],
    ])
  })
})
