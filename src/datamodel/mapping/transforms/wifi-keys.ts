import type { RawValue, Transform, TransformContext } from '../transform.ts'
import { refusal, type Theme, toSource, wholeIn } from './basics.ts'

const WLAN = /^.{0,128}?\.WLANConfiguration\.\d{1,6}\./
/** Families that take the passphrase at PreSharedKey, where TR-098 has 64 hex digits. */
const PASSPHRASE_AT_PSK = new Set(['huawei', 'catv'])
/** Places of the passphrase beside the two of TR-098. */
const VENDOR_PLACES = [
  'X_TP_PreSharedKey',
  'X_TP_Password',
  'X_CUDY_Password',
  'X_CMS_KeyPassphrase',
  'X_000631_KeyPassphrase',
]
const MASK = /^[*\u2022\u25cf]+$/
const DERIVED_KEY = /^[0-9A-Fa-f]{64}$/

/** Returns a secret that a device really shows; undefined when it is blank or masked. */
function secretIn(raw: string): string | undefined {
  return raw.trim() === '' || MASK.test(raw.trim()) ? undefined : raw
}

/** A secret: blank and masked readings are no value, and a write takes any text but a mask. */
const secret: Transform = {
  read: secretIn,
  write(value, context) {
    if (MASK.test(value.trim())) throw refusal(context, 'the value is a mask; write the secret itself')
    return toSource(context, value)
  },
}

/** Returns the WLANConfiguration of the source, or its object where it lies in none. */
function wlanOf(context: TransformContext): string {
  return WLAN.exec(context.from)?.[0] ?? context.from.slice(0, context.from.lastIndexOf('.') + 1)
}

function isPassphrase(text: string): boolean {
  return text.length >= 8 && text.length <= 63
}

/** Returns true when a passphrase may be written to PreSharedKey. */
function takesPassphrase(shown: string, family: string | undefined): boolean {
  const value = secretIn(shown)
  if (value !== undefined) return isPassphrase(value)
  return family !== undefined && PASSPHRASE_AT_PSK.has(family)
}

/** Returns the writes of a passphrase to every place that the device has for it, the source first. */
export function keyWrites(context: TransformContext, key: string): RawValue[] {
  const wlan = wlanOf(context)
  const places = ['KeyPassphrase', 'PreSharedKey.1.KeyPassphrase', ...VENDOR_PLACES].map((name) => wlan + name)
  const paths = places.filter((path) => context.raw(path) !== undefined)
  const hex = `${wlan}PreSharedKey.1.PreSharedKey`
  const shown = context.raw(hex)
  if (shown !== undefined && takesPassphrase(shown, context.family)) paths.push(hex)
  return paths.map((path) => ({ path, value: key }))
}

/** Refuses a passphrase that TR-181 does not take. */
export function checkPassphrase(context: TransformContext, value: string): void {
  if (MASK.test(value.trim())) throw refusal(context, 'the value is a mask; write the passphrase itself')
  if (DERIVED_KEY.test(value)) throw refusal(context, '64 hex digits are a derived key; write Security.PreSharedKey')
  if (!isPassphrase(value))
    throw refusal(context, 'a passphrase has 8 to 63 characters; for an open network write ModeEnabled None')
}

/** Returns true when the network uses WEP, after the write that is made. */
function isWep(context: TransformContext): boolean {
  const mode = context.requested(context.to.replace(/[^.]*$/, 'ModeEnabled'))
  if (mode !== undefined) return mode.startsWith('WEP')
  const wlan = wlanOf(context)
  return (
    context.raw(`${wlan}BeaconType`)?.trim() === 'Basic' &&
    context.raw(`${wlan}BasicEncryptionModes`)?.trim() === 'WEPEncryption'
  )
}

/** The passphrase of a network, at any of its places; a write goes to all places of the device. */
const passphrase: Transform = {
  read(raw) {
    const value = secretIn(raw)
    return value !== undefined && isPassphrase(value) ? value : undefined
  },
  write(value, context) {
    checkPassphrase(context, value)
    // A passphrase makes a device in WEP mode compute all WEP keys anew (TR-098, KeyPassphrase).
    if (isWep(context)) throw refusal(context, 'the network uses WEP; write Security.WEPKey, or ModeEnabled with it')
    const source = toSource(context, value)
    return [...source, ...keyWrites(context, value).filter(({ path }) => path !== context.from)]
  },
}

/** The derived key of 64 hex digits; some devices show the passphrase at its place, which is no value of it. */
const pskHex: Transform = {
  read(raw) {
    const text = raw.trim()
    return DERIVED_KEY.test(text) ? text : undefined
  },
  write(value, context) {
    if (!DERIVED_KEY.test(value.trim()))
      throw refusal(context, 'a derived key has 64 hex digits; write a passphrase to Security.KeyPassphrase')
    if (context.requested(context.to.replace(/[^.]*$/, 'KeyPassphrase')) !== undefined)
      throw refusal(context, 'the request has a passphrase, too; write one of both')
    return toSource(context, value.trim())
  },
}

/** Returns the hexBinary of a WEP key of 5 or 13 bytes; undefined when the text is none. */
export function wepKeyOf(raw: string): string | undefined {
  const text = raw.trim()
  if (/^(?:[0-9A-Fa-f]{10}|[0-9A-Fa-f]{26})$/.test(text)) return text.toUpperCase()
  if (secretIn(raw) === undefined || !/^[\x20-\x7e]*$/.test(raw)) return undefined
  if (raw.length !== 5 && raw.length !== 13) return undefined
  return Buffer.from(raw, 'latin1').toString('hex').toUpperCase()
}

const wepKeyHex: Transform = {
  read: wepKeyOf,
  write(value, context) {
    const text = value.trim()
    if (!/^(?:[0-9A-Fa-f]{10}|[0-9A-Fa-f]{26})$/.test(text)) throw refusal(context, 'a WEP key has 10 or 26 hex digits')
    const shown = context.raw(context.from)
    const ascii = Buffer.from(text, 'hex').toString('latin1')
    const takesText = shown !== undefined && shown.length < 14 && wepKeyOf(shown) !== undefined && shown.length !== 10
    return toSource(context, takesText && wepKeyOf(ascii) === text.toUpperCase() ? ascii : text)
  },
}

/** A PIN of WPS, which a device holds as a number without its leading zeros. */
const pinPad: Transform = {
  read(raw) {
    const digits = raw.trim()
    if (!/^\d{1,8}$/.test(digits) || /^0+$/.test(digits)) return undefined
    return digits.padStart(digits.length <= 4 ? 4 : 8, '0')
  },
  write(value, context) {
    const digits = value.trim()
    if (!/^(?:\d{4}|\d{8})$/.test(digits)) throw refusal(context, 'a PIN has 4 or 8 digits')
    return toSource(context, String(wholeIn(digits)))
  },
}

/** Secrets of networks. */
export const WIFI_KEYS: Theme = { passphrase, pinPad, pskHex, secret, wepKeyHex }
