import { describe, expect, it } from 'vitest'
import { type ContextFacts, readBy, refusedBy, transformOf, writtenBy } from '../../../../support/transform-context.ts'

const WLANS = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
const WLAN = `${WLANS}1.`
const SECURITY = 'Device.WiFi.AccessPoint.1.Security.'

/** Parameters of TR-098 that every network has. */
const PARTS = {
  BasicEncryptionModes: 'None',
  BasicAuthenticationMode: 'None',
  WPAEncryptionModes: 'TKIPEncryption',
  WPAAuthenticationMode: 'PSKAuthentication',
  IEEE11iEncryptionModes: 'AESEncryption',
  IEEE11iAuthenticationMode: 'PSKAuthentication',
}

/** Returns a network with these parameters, and the rest of the facts. */
function network(parts: Readonly<Record<string, string>>, more: ContextFacts = {}): ContextFacts {
  const raw = Object.fromEntries(Object.entries(parts).map(([name, value]) => [WLAN + name, value]))
  return { from: `${WLAN}BeaconType`, to: `${SECURITY}ModeEnabled`, ...more, raw: { ...raw, ...more.raw } }
}

const mode = (parts: Readonly<Record<string, string>>) =>
  readBy('wlanSecurityMode', parts.BeaconType ?? '', network({ ...PARTS, ...parts }))

/** Returns what a write gives each parameter, by its name in the network. */
function write(value: string, parts: Readonly<Record<string, string>>, more?: ContextFacts) {
  const written = writtenBy('wlanSecurityMode', value, network(parts, more))
  if (typeof written !== 'object') return { BeaconType: written ?? '' }
  return Object.fromEntries(Object.entries(written).map(([path, text]) => [path.replace(WLAN, ''), text]))
}

const refused = (value: string, parts: Readonly<Record<string, string>>, more?: ContextFacts) =>
  refusedBy('wlanSecurityMode', value, network(parts, more))?.message

const EAP = 'EAPAuthentication'

describe('reading the security mode', () => {
  it.each([
    ['None', 'None'],
    ['Basic', 'None'],
    ['WPA', 'WPA-Personal'],
    ['11i', 'WPA2-Personal'],
    ['WPAand11i', 'WPA-WPA2-Personal'],
    ['BasicandWPA', 'WPA-Personal'],
    ['Basicand11i', 'WPA2-Personal'],
    ['BasicandWPAand11i', 'WPA-WPA2-Personal'],
    // Words of vendors.
    ['WPA2', 'WPA2-Personal'],
    ['WPA/WPA2', 'WPA-WPA2-Personal'],
    ['WPAandWPA2', 'WPA-WPA2-Personal'],
    ['WPA3', 'WPA3-Personal'],
    ['11iandWPA3', 'WPA3-Personal-Transition'],
    ['WPA2WPA3', 'WPA3-Personal-Transition'],
    ['WPA2/WPA3', 'WPA3-Personal-Transition'],
    ['WPA3-Personal', 'WPA3-Personal'],
    ['odd', undefined],
    ['', undefined],
  ])('takes %j for %j', (BeaconType, value) => {
    expect(mode({ BeaconType })).toBe(value)
  })

  it('takes the authentication for a server or a key', () => {
    expect(mode({ BeaconType: 'WPA', WPAAuthenticationMode: EAP })).toBe('WPA-Enterprise')
    expect(mode({ BeaconType: '11i', IEEE11iAuthenticationMode: EAP })).toBe('WPA2-Enterprise')
    expect(mode({ BeaconType: '11i', IEEE11iAuthenticationMode: 'EAPandPSKAuthentication' })).toBe('WPA2-Enterprise')
    expect(mode({ BeaconType: 'WPAand11i', IEEE11iAuthenticationMode: EAP })).toBe('WPA-WPA2-Enterprise')
    expect(mode({ BeaconType: 'WPA/WPA2', IEEE11iAuthenticationMode: '', WPAAuthenticationMode: EAP })).toBe(
      'WPA-WPA2-Enterprise',
    )
    expect(mode({ BeaconType: '11i', WPAAuthenticationMode: EAP })).toBe('WPA2-Personal')
  })

  it('takes the length of the selected key for the mode of WEP, and the capability where it is not readable', () => {
    const wep = { BeaconType: 'Basic', BasicEncryptionModes: 'WEPEncryption' }
    expect(mode({ ...wep, WEPKeyIndex: '1', 'WEPKey.1.WEPKey': '0123456789' })).toBe('WEP-64')
    expect(mode({ ...wep, WEPKeyIndex: '2', 'WEPKey.2.WEPKey': '0123456789ABCDEF0123456789' })).toBe('WEP-128')
    expect(mode({ ...wep, 'WEPKey.1.WEPKey': 'abcde' })).toBe('WEP-64')
    expect(mode({ ...wep, 'WEPKey.1.WEPKey': 'abcdefghijklm' })).toBe('WEP-128')
    expect(mode({ ...wep, 'WEPKey.1.WEPKey': '', WEPEncryptionLevel: 'Disabled,40-bit,104-bit' })).toBe('WEP-128')
    expect(mode({ ...wep, 'WEPKey.1.WEPKey': '*****', WEPEncryptionLevel: 'Disabled,40-bit' })).toBe('WEP-64')
  })

  it('counts BasicEncryptionModes only under Basic', () => {
    expect(mode({ BeaconType: '11i', BasicEncryptionModes: 'None' })).toBe('WPA2-Personal')
    expect(mode({ BeaconType: '11i', BasicEncryptionModes: 'WEPEncryption' })).toBe('WPA2-Personal')
    expect(readBy('wlanSecurityMode', 'Basic', network({ BeaconType: 'Basic' }))).toBeUndefined()
  })

  it('knows every parameter that it looks at', () => {
    const reads = transformOf('wlanSecurityMode').reads ?? []
    for (const name of [...Object.keys(PARTS), 'WEPKeyIndex', 'WEPKey.1.WEPKey', 'WEPEncryptionLevel'])
      expect(reads).toContain(name)
  })

  it('reads a list of words of a device', () => {
    expect(readBy('beaconTypes', 'None,WPA,11i,WPAand11i')).toBe('None,WPA-Personal,WPA2-Personal,WPA-WPA2-Personal')
    expect(readBy('beaconTypes', 'odd')).toBeUndefined()
  })
})

describe('writing the security mode', () => {
  it('sets the mode, the authentication and the encryption together', () => {
    expect(write('WPA2-Personal', { ...PARTS, BeaconType: 'None' })).toEqual({
      BeaconType: '11i',
      IEEE11iAuthenticationMode: 'PSKAuthentication',
      IEEE11iEncryptionModes: 'AESEncryption',
    })
    expect(write('WPA-WPA2-Personal', { ...PARTS, BeaconType: '11i' })).toEqual({
      BeaconType: 'WPAand11i',
      WPAAuthenticationMode: 'PSKAuthentication',
      IEEE11iAuthenticationMode: 'PSKAuthentication',
      WPAEncryptionModes: 'TKIPandAESEncryption',
      IEEE11iEncryptionModes: 'TKIPandAESEncryption',
    })
    expect(write('WPA-Personal', { ...PARTS, BeaconType: '11i', WPAAuthenticationMode: EAP })).toEqual({
      BeaconType: 'WPA',
      WPAAuthenticationMode: 'PSKAuthentication',
      WPAEncryptionModes: 'TKIPEncryption',
    })
    expect(write('WPA2-Enterprise', { ...PARTS, BeaconType: '11i' })).toEqual({
      BeaconType: '11i',
      IEEE11iAuthenticationMode: EAP,
      IEEE11iEncryptionModes: 'AESEncryption',
    })
  })

  it('writes no parameter that the device does not have', () => {
    const { WPAEncryptionModes, WPAAuthenticationMode, ...parts } = PARTS
    expect(Object.keys(write('WPA-WPA2-Personal', { ...parts, BeaconType: '11i' }))).toEqual([
      'BeaconType',
      'IEEE11iAuthenticationMode',
      'IEEE11iEncryptionModes',
    ])
    expect(write('WPA2-Personal', { BeaconType: 'None' })).toEqual({ BeaconType: '11i' })
  })

  it('writes the mixed mode of Huawei and of the software of Realtek', () => {
    const huawei = {
      ...PARTS,
      BeaconType: '11i',
      X_HW_WPAand11iAuthenticationMode: 'EAPAuthentication',
      X_HW_WPAand11iEncryptionModes: 'AESEncryption',
    }
    expect(write('WPA-WPA2-Personal', huawei, { family: 'huawei' })).toMatchObject({
      BeaconType: 'WPAand11i',
      X_HW_WPAand11iAuthenticationMode: 'PSKAuthentication',
      X_HW_WPAand11iEncryptionModes: 'TKIPandAESEncryption',
    })
    expect(write('WPA-WPA2-Personal', { ...PARTS, BeaconType: '11i' }, { family: 'realtek' })).toMatchObject({
      WPAEncryptionModes: 'TKIPEncryption',
      IEEE11iEncryptionModes: 'AESEncryption',
    })
  })

  it('takes the encryption of the same request', () => {
    const requested = { [`${SECURITY}EncryptionMode`]: 'AES' }
    expect(write('WPA-WPA2-Personal', { ...PARTS, BeaconType: '11i' }, { requested })).toMatchObject({
      WPAEncryptionModes: 'AESEncryption',
      IEEE11iEncryptionModes: 'AESEncryption',
    })
  })

  it.each([
    ['11i', 'WPA-WPA2-Personal', 'WPAand11i'],
    ['WPAand11i', 'WPA2-Personal', '11i'],
    ['WPA/WPA2', 'WPA2-Personal', 'WPA2'],
    ['WPA2', 'WPA-WPA2-Personal', 'WPA/WPA2'],
    ['WPAandWPA2', 'WPA2-Personal', 'WPA2'],
    ['None', 'WPA2-Personal', '11i'],
  ])('speaks as a device that says %s: %s is %s', (shown, value, word) => {
    expect(write(value, { ...PARTS, BeaconType: shown }).BeaconType).toBe(word)
  })

  it('speaks as the other networks of the device', () => {
    const raw = { [`${WLANS}5.BeaconType`]: 'WPA/WPA2', [`${WLANS}6.BeaconType`]: 'WPA2' }
    const speak = (value: string) => write(value, { ...PARTS, BeaconType: 'None' }, { raw }).BeaconType
    expect(speak('WPA2-Personal')).toBe('WPA2')
    expect(speak('WPA-WPA2-Personal')).toBe('WPA/WPA2')
  })

  it('keeps the word of the device for the mode that it has', () => {
    expect(write('WPA2-Personal', { ...PARTS, BeaconType: 'Basicand11i' })).toEqual({ BeaconType: 'Basicand11i' })
    expect(write('WPA-WPA2-Personal', { ...PARTS, BeaconType: 'WPA/WPA2' })).toEqual({ BeaconType: 'WPA/WPA2' })
  })

  it('opens a network in the way of TR-098, or of the vendor', () => {
    expect(write('None', { ...PARTS, BeaconType: '11i' })).toEqual({
      BeaconType: 'Basic',
      BasicEncryptionModes: 'None',
      BasicAuthenticationMode: 'None',
    })
    expect(write('None', { ...PARTS, BeaconType: '11i' }, { family: 'huawei' }).BeaconType).toBe('Basic')
    expect(write('None', { ...PARTS, BeaconType: '11i' }, { family: 'zte' })).toEqual({ BeaconType: 'None' })
    expect(write('None', { BeaconType: '11i' })).toEqual({ BeaconType: 'None' })
  })

  it('writes WEP with a key of its length alone', () => {
    const parts = { ...PARTS, BeaconType: '11i', 'WEPKey.1.WEPKey': '' }
    expect(refused('WEP-64', parts)).toMatch(/WEPKey of 10 hex digits/)
    const requested = { [`${SECURITY}WEPKey`]: '0123456789' }
    expect(refused('WEP-128', parts, { requested })).toMatch(/WEPKey of 26 hex digits/)
    expect(write('WEP-64', parts, { requested })).toEqual({
      BeaconType: 'Basic',
      BasicEncryptionModes: 'WEPEncryption',
    })
  })

  it('has WPA3 where the device or its family has a word for it', () => {
    const parts = { ...PARTS, BeaconType: '11i' }
    expect(refused('WPA3-Personal', parts)).toMatch(/no word for WPA3/)
    expect(refused('WPA3-Personal-Transition', parts)).toMatch(/no word for WPA3/)
    expect(write('WPA3-Personal', parts, { family: 'zte' })).toEqual({
      BeaconType: 'WPA3',
      IEEE11iAuthenticationMode: 'PSKAuthentication',
      IEEE11iEncryptionModes: 'AESEncryption',
    })
    expect(write('WPA3-Personal-Transition', parts, { family: 'fiberhome' }).BeaconType).toBe('11iandWPA3')
    const raw = { [`${WLANS}5.BeaconType`]: 'WPA2WPA3' }
    expect(write('WPA3-Personal-Transition', parts, { raw }).BeaconType).toBe('WPA2WPA3')
    for (const value of ['WPA3-Enterprise', 'OWE', 'odd'])
      expect(refused(value, parts, { family: 'zte' })).toMatch(/no form on the device.*WPA2-Personal/)
  })

  it('holds to the choices of AVM, whose other parameters take one value', () => {
    const parts = { ...PARTS, BeaconType: '11i', 'X_AVM-DE_PossibleBeaconTypes': 'None,11i,WPAand11i,11iandWPA3' }
    expect(write('WPA-WPA2-Personal', parts, { family: 'avm' })).toEqual({ BeaconType: 'WPAand11i' })
    expect(write('WPA3-Personal-Transition', parts, { family: 'avm' })).toEqual({ BeaconType: '11iandWPA3' })
    expect(refused('WPA3-Personal', parts, { family: 'avm' })).toMatch(/own words are "None", "11i"/)
  })

  it('takes the key of the same request to all places, behind the mode', () => {
    const parts = { ...PARTS, BeaconType: 'None', KeyPassphrase: '', 'PreSharedKey.1.KeyPassphrase': '' }
    const requested = { [`${SECURITY}KeyPassphrase`]: 'correct horse' }
    expect(Object.entries(write('WPA2-Personal', parts, { requested }))).toEqual([
      ['BeaconType', '11i'],
      ['IEEE11iAuthenticationMode', 'PSKAuthentication'],
      ['IEEE11iEncryptionModes', 'AESEncryption'],
      ['KeyPassphrase', 'correct horse'],
      ['PreSharedKey.1.KeyPassphrase', 'correct horse'],
    ])
    expect(refused('WPA2-Personal', parts, { requested: { [`${SECURITY}KeyPassphrase`]: 'short' } })).toMatch(/8 to 63/)
  })

  it.each([
    'WPA-Personal',
    'WPA2-Personal',
    'WPA-WPA2-Personal',
    'WPA-Enterprise',
    'WPA2-Enterprise',
    'WPA-WPA2-Enterprise',
    'WPA3-Personal',
    'WPA3-Personal-Transition',
    'None',
  ])('reads %s again after it wrote it, whatever the device said before', (value) => {
    for (const BeaconType of ['None', 'Basic', 'WPA', '11i', 'WPA2', 'WPA/WPA2', 'WPAandWPA2', '11iandWPA3'])
      for (const family of ['zte', 'huawei', 'fiberhome', undefined]) {
        const before = { ...PARTS, BeaconType, WPA3AuthenticationMode: 'SAEAuthentication' }
        const after: Record<string, string> = { ...before, ...write(value, before, { family }) }
        expect(readBy('wlanSecurityMode', after.BeaconType ?? '', network(after, { family }))).toBe(value)
      }
  })
})

describe('the passphrase', () => {
  const key = 'correct horse'
  const passphrase = (parts: Readonly<Record<string, string>>, more: ContextFacts = {}) =>
    network(parts, { ...more, from: `${WLAN}${more.from ?? 'KeyPassphrase'}`, to: `${SECURITY}KeyPassphrase` })
  const places = (parts: Readonly<Record<string, string>>, more?: ContextFacts) => {
    const written = writtenBy('passphrase', key, passphrase(parts, more))
    return typeof written === 'object' ? Object.keys(written).map((path) => path.replace(WLAN, '')) : ['KeyPassphrase']
  }

  it.each([
    ['correct horse', 'correct horse'],
    [' eight ch', ' eight ch'],
    ['', undefined],
    ['        ', undefined],
    ['****', undefined],
    ['********', undefined],
    ['\u2022\u2022\u2022\u2022\u2022\u2022\u2022\u2022', undefined],
    ['short', undefined],
    ['a'.repeat(64), undefined],
  ])('reads %j as %j', (raw, value) => {
    expect(readBy('passphrase', raw)).toBe(value)
  })

  it('goes to every place that the device has', () => {
    expect(places({ KeyPassphrase: '' })).toEqual(['KeyPassphrase'])
    expect(places({ KeyPassphrase: '', 'PreSharedKey.1.KeyPassphrase': '' })).toEqual([
      'KeyPassphrase',
      'PreSharedKey.1.KeyPassphrase',
    ])
    expect(places({ KeyPassphrase: '', X_TP_PreSharedKey: '' })).toEqual(['KeyPassphrase', 'X_TP_PreSharedKey'])
    const second = { KeyPassphrase: '', 'PreSharedKey.1.KeyPassphrase': '' }
    expect(places(second, { from: 'PreSharedKey.1.KeyPassphrase' })).toEqual([
      'PreSharedKey.1.KeyPassphrase',
      'KeyPassphrase',
    ])
  })

  it('goes to PreSharedKey where the device keeps a passphrase there', () => {
    const parts = { KeyPassphrase: '', 'PreSharedKey.1.PreSharedKey': '' }
    expect(places(parts)).toEqual(['KeyPassphrase'])
    expect(places(parts, { family: 'huawei' })).toEqual(['KeyPassphrase', 'PreSharedKey.1.PreSharedKey'])
    expect(places({ ...parts, 'PreSharedKey.1.PreSharedKey': 'a'.repeat(64) }, { family: 'huawei' })).toEqual([
      'KeyPassphrase',
    ])
    expect(places({ ...parts, 'PreSharedKey.1.PreSharedKey': 'old passphrase' })).toEqual([
      'KeyPassphrase',
      'PreSharedKey.1.PreSharedKey',
    ])
  })

  it.each([
    ['short', /8 to 63 characters/],
    ['', /ModeEnabled None/],
    ['a'.repeat(64), /Security.PreSharedKey/],
    ['b'.repeat(70), /8 to 63 characters/],
    ['********', /is a mask/],
  ])('refuses %j', (value, message) => {
    const refused = refusedBy('passphrase', value, passphrase({ KeyPassphrase: '' }))
    expect(refused?.message).toMatch(message)
    if (value !== '') expect(refused?.message).not.toContain(value)
  })

  it('is refused in WEP mode, unless the same request leaves it', () => {
    const wep = { KeyPassphrase: '', BeaconType: 'Basic', BasicEncryptionModes: 'WEPEncryption' }
    expect(refusedBy('passphrase', key, passphrase(wep))?.message).toMatch(/uses WEP/)
    const leaves = { requested: { [`${SECURITY}ModeEnabled`]: 'WPA2-Personal' } }
    expect(writtenBy('passphrase', key, passphrase(wep, leaves))).toBe(key)
    const enters = { requested: { [`${SECURITY}ModeEnabled`]: 'WEP-64' } }
    expect(refusedBy('passphrase', key, passphrase({ KeyPassphrase: '' }, enters))?.message).toMatch(/uses WEP/)
  })

  it('and a derived key are not written together', () => {
    const requested = { [`${SECURITY}KeyPassphrase`]: key }
    const facts = { from: `${WLAN}PreSharedKey.1.PreSharedKey`, to: `${SECURITY}PreSharedKey`, requested }
    expect(refusedBy('pskHex', 'a'.repeat(64), facts)?.message).toMatch(/one of both/)
  })

  it('of another kind is a secret that reads blank', () => {
    expect(readBy('secret', '')).toBeUndefined()
    expect(readBy('secret', '****')).toBeUndefined()
    expect(readBy('secret', 'ppp')).toBe('ppp')
    expect(writtenBy('secret', 'ppp')).toBe('ppp')
    expect(writtenBy('secret', '')).toBe('')
    expect(refusedBy('secret', '****')?.message).toMatch(/is a mask/)
  })
})
