import type { RawValue, Transform, TransformContext } from '../transform.ts'
import { itemsOf, objectOf, quoted, refusal, type Theme, toSource } from './basics.ts'
import { checkPassphrase, keyWrites, wepKeyOf } from './wifi-keys.ts'
import { type Beacon, beaconOf, beaconWord, encryptionOf, encryptionWord } from './wifi-words.ts'

/**
 * Families that hold to TR-098, where nobody can join a network of BeaconType None; an open network of the others, where
 * the device shows an extension of a family at all, is None.
 */
const OPEN_IS_BASIC = new Set(['huawei', 'avm'])
/** Families that have words for WPA3, whether or not this device shows one. */
const KNOWS_WPA3 = new Set(['zte', 'fiberhome', 'avm'])
/** Families with devices whose mixed mode has TKIP for WPA and AES for WPA2 (VSOL, Parks): what they show is kept. */
const SPLIT_CIPHERS = new Set(['realtek', 'skyworth', 'vsol', 'parks'])
/** The family whose authentication and encryption parameters take one value alone. */
const FIXED_PARTS = 'avm'

const HUAWEI_MIXED = 'X_HW_WPAand11i'
const MIXED = 'TKIPandAESEncryption'
const POSSIBLE = 'X_AVM-DE_PossibleBeaconTypes'

/** Returns a parameter beside the source, trimmed; undefined where the device does not show it. */
function part(context: TransformContext, name: string): string | undefined {
  return context.raw(objectOf(context) + name)?.trim()
}

function isEnterprise(authentication: string | undefined): boolean {
  return authentication?.startsWith('EAP') === true
}

/** Returns the WEP mode by the length of the selected key; by the capability where the key is not readable. */
function wepMode(context: TransformContext): string {
  const index = part(context, 'WEPKeyIndex') ?? '1'
  const key = wepKeyOf(part(context, `WEPKey.${/^[1-4]$/.test(index) ? index : '1'}.WEPKey`) ?? '')
  if (key !== undefined) return key.length === 10 ? 'WEP-64' : 'WEP-128'
  return part(context, 'WEPEncryptionLevel')?.includes('104') ? 'WEP-128' : 'WEP-64'
}

function basicMode(context: TransformContext): string | undefined {
  const encryption = part(context, 'BasicEncryptionModes')
  if (encryption === 'None') return 'None'
  return encryption === 'WEPEncryption' ? wepMode(context) : undefined
}

/** Returns true when the mode is one of a RADIUS server. */
function enterprise(beacon: Beacon, context: TransformContext): boolean {
  const wpa = part(context, 'WPAAuthenticationMode')
  const wpa2 = part(context, 'IEEE11iAuthenticationMode')
  if (beacon === 'wpa') return isEnterprise(wpa)
  if (beacon === 'wpa2') return isEnterprise(wpa2)
  return isEnterprise(part(context, `${HUAWEI_MIXED}AuthenticationMode`) || wpa2 || wpa)
}

function read(raw: string, context: TransformContext): string | undefined {
  const beacon = beaconOf(raw)
  if (beacon === undefined) return undefined
  if (beacon === 'none') return 'None'
  if (beacon === 'basic') return basicMode(context)
  if (beacon === 'wpa2-wpa3') return 'WPA3-Personal-Transition'
  if (beacon === 'wpa3')
    return isEnterprise(part(context, 'WPA3AuthenticationMode')) ? 'WPA3-Enterprise' : 'WPA3-Personal'
  const name = { wpa: 'WPA', wpa2: 'WPA2', 'wpa-wpa2': 'WPA-WPA2' }[beacon]
  return `${name}-${enterprise(beacon, context) ? 'Enterprise' : 'Personal'}`
}

/** BeaconType of this network and of the others of the device: they show its spelling. */
function spellings(context: TransformContext): string[] {
  const table = objectOf(context).replace(/\d+\.$/, '')
  const others = context.children(table).map((row) => context.raw(`${table}${row}.BeaconType`)?.trim())
  return [part(context, 'BeaconType'), ...others].flatMap((word) => (word === undefined || word === '' ? [] : [word]))
}

/** Returns the word of BeaconType for a mode. */
function wordFor(beacon: Beacon, value: string, context: TransformContext): string {
  const shown = spellings(context)
  const choices = itemsOf(part(context, POSSIBLE) ?? '')
  const word = beaconWord(beacon, shown, choices)
  if (word === undefined)
    throw refusal(context, `the device has no ${quoted(value)}; its own words are ${choices.map(quoted).join(', ')}`)
  return word
}

interface Mode {
  beacon: Beacon
  enterprise: boolean
}

const MODES: ReadonlyMap<string, Mode> = new Map([
  ['WPA-Personal', { beacon: 'wpa', enterprise: false }],
  ['WPA2-Personal', { beacon: 'wpa2', enterprise: false }],
  ['WPA-WPA2-Personal', { beacon: 'wpa-wpa2', enterprise: false }],
  ['WPA-Enterprise', { beacon: 'wpa', enterprise: true }],
  ['WPA2-Enterprise', { beacon: 'wpa2', enterprise: true }],
  ['WPA-WPA2-Enterprise', { beacon: 'wpa-wpa2', enterprise: true }],
  ['WPA3-Personal', { beacon: 'wpa3', enterprise: false }],
  ['WPA3-Personal-Transition', { beacon: 'wpa2-wpa3', enterprise: false }],
])

/** Returns the parameters beside the source, those that the device has alone. */
function parts(context: TransformContext, values: Readonly<Record<string, string>>): RawValue[] {
  return Object.entries(values).flatMap(([name, value]) =>
    part(context, name) === undefined ? [] : [{ path: objectOf(context) + name, value }],
  )
}

const MODES_OF: Readonly<Record<Beacon, readonly string[]>> = {
  none: ['None'],
  basic: ['WEP-64', 'WEP-128'],
  wpa: ['WPA-Personal'],
  wpa2: ['WPA2-Personal'],
  'wpa-wpa2': ['WPA-WPA2-Personal'],
  wpa3: ['WPA3-Personal'],
  'wpa2-wpa3': ['WPA3-Personal-Transition'],
}

function writeOpen(context: TransformContext): RawValue[] {
  const hasBasic = part(context, 'BasicEncryptionModes') !== undefined
  const vendorOpen = context.family !== undefined && !OPEN_IS_BASIC.has(context.family)
  if (!hasBasic || vendorOpen) return toSource(context, wordFor('none', 'None', context))
  return [
    ...toSource(context, 'Basic'),
    ...parts(context, { BasicEncryptionModes: 'None', BasicAuthenticationMode: 'None' }),
  ]
}

function writeWep(value: string, context: TransformContext): RawValue[] {
  const digits = value === 'WEP-64' ? 10 : 26
  const index = part(context, 'WEPKeyIndex') ?? '1'
  const key = context.requested(context.to.replace(/[^.]*$/, 'WEPKey')) ?? part(context, `WEPKey.${index}.WEPKey`)
  if (wepKeyOf(key ?? '')?.length !== digits)
    throw refusal(context, `the length of the key decides the mode; write WEPKey of ${digits} hex digits with it`)
  return [
    ...toSource(context, wordFor('basic', value, context)),
    ...parts(context, { BasicEncryptionModes: 'WEPEncryption' }),
  ]
}

/** Returns what a parameter of encryption is written as: what it shows where that is no WEP, else a default. */
function kept(shown: string | undefined, otherwise: string): string {
  return shown !== undefined && /^(?:TKIP|AES|TKIPandAES)Encryption$/.test(shown) ? shown : otherwise
}

/** Returns the encryption parameters of a mode. */
function ciphers({ beacon }: Mode, context: TransformContext): Record<string, string> {
  const list = context.requested(context.to.replace(/[^.]*$/, 'EncryptionMode'))
  const asked = list === undefined ? undefined : encryptionWord(list)
  if (beacon === 'wpa')
    return { WPAEncryptionModes: asked ?? kept(part(context, 'WPAEncryptionModes'), 'TKIPEncryption') }
  if (beacon !== 'wpa-wpa2') return { IEEE11iEncryptionModes: asked ?? 'AESEncryption' }
  const split = context.family !== undefined && SPLIT_CIPHERS.has(context.family)
  return {
    WPAEncryptionModes: asked ?? (split ? kept(part(context, 'WPAEncryptionModes'), 'TKIPEncryption') : MIXED),
    IEEE11iEncryptionModes: asked ?? (split ? kept(part(context, 'IEEE11iEncryptionModes'), 'AESEncryption') : MIXED),
    [`${HUAWEI_MIXED}EncryptionModes`]: asked ?? MIXED,
  }
}

/** Returns the authentication parameters of a mode. */
function authentications({ beacon, enterprise }: Mode, context: TransformContext): Record<string, string> {
  const word = enterprise ? 'EAPAuthentication' : 'PSKAuthentication'
  const asShown = (name: string) => {
    const shown = part(context, name)
    return shown !== undefined && shown !== '' && isEnterprise(shown) === enterprise ? shown : word
  }
  const wpa = { WPAAuthenticationMode: asShown('WPAAuthenticationMode') }
  const wpa2 = { IEEE11iAuthenticationMode: asShown('IEEE11iAuthenticationMode') }
  if (beacon === 'wpa') return wpa
  if (beacon !== 'wpa-wpa2') return wpa2
  return { ...wpa, ...wpa2, [`${HUAWEI_MIXED}AuthenticationMode`]: word }
}

function knowsWpa3(context: TransformContext): boolean {
  if (context.family !== undefined && KNOWS_WPA3.has(context.family)) return true
  return part(context, 'WPA3AuthenticationMode') !== undefined || spellings(context).some((word) => /wpa3/i.test(word))
}

/** Returns every key place with the passphrase of the same request. */
function keys(context: TransformContext): RawValue[] {
  const passphrase = context.requested(context.to.replace(/[^.]*$/, 'KeyPassphrase'))
  if (passphrase === undefined) return []
  checkPassphrase(context, passphrase)
  return keyWrites(context, passphrase)
}

function write(value: string, context: TransformContext): RawValue[] {
  const shown = context.raw(context.from)
  if (shown !== undefined && read(shown, context) === value) return [...toSource(context, shown), ...keys(context)]
  if (value === 'None') return writeOpen(context)
  if (value === 'WEP-64' || value === 'WEP-128') return writeWep(value, context)
  const mode = MODES.get(value)
  if (mode === undefined)
    throw refusal(context, `${quoted(value)} has no form on the device; write one of ${[...MODES.keys()].join(', ')}`)
  if (mode.beacon.endsWith('wpa3') && !knowsWpa3(context))
    throw refusal(context, 'the device shows no word for WPA3; write WPA2-Personal, or its own word to the source')
  const beacon = toSource(context, wordFor(mode.beacon, value, context))
  if (context.family === FIXED_PARTS) return [...beacon, ...keys(context)]
  return [
    ...beacon,
    ...parts(context, { ...authentications(mode, context), ...ciphers(mode, context) }),
    ...keys(context),
  ]
}

/** The security mode: BeaconType with its authentication, encryption and keys, in one SetParameterValues. */
const wlanSecurityMode: Transform = {
  merges: true,
  reads: [
    'BasicEncryptionModes',
    'BasicAuthenticationMode',
    'WPAAuthenticationMode',
    'WPAEncryptionModes',
    'IEEE11iAuthenticationMode',
    'IEEE11iEncryptionModes',
    'WPA3AuthenticationMode',
    `${HUAWEI_MIXED}AuthenticationMode`,
    `${HUAWEI_MIXED}EncryptionModes`,
    POSSIBLE,
    'WEPKeyIndex',
    'WEPEncryptionLevel',
    ...[1, 2, 3, 4].map((index) => `WEPKey.${index}.WEPKey`),
  ],
  read,
  write,
}

const wlanEncryption: Transform = {
  merges: true,
  read: encryptionOf,
  write(value, context) {
    const shown = context.raw(context.from)
    const word = encryptionWord(value)
    if (word === undefined || word === 'WEPEncryption')
      throw refusal(context, `${quoted(value)} has no form on the device; write TKIP, AES or TKIP,AES`)
    const keeps = shown !== undefined && encryptionWord(encryptionOf(shown) ?? '') === word
    return toSource(context, keeps ? shown : word)
  },
}

/** Modes of TR-181 for the words of BeaconType that a device lists, in their order. */
const beaconTypes: Transform = {
  read(raw) {
    const modes = itemsOf(raw).flatMap((word) => {
      const beacon = beaconOf(word)
      return beacon === undefined ? [] : MODES_OF[beacon]
    })
    return modes.length === 0 ? undefined : [...new Set(modes)].join(',')
  },
}

/** Security of networks: mode, encryption, and the parameters that count as parts of the mode alone. */
export const WIFI_SECURITY: Theme = {
  beaconTypes,
  wlanEncryption,
  wlanSecurityMode,
  wlanSecurityPart: { read: () => undefined },
}
