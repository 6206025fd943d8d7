import type { Transform, TransformContext } from '../transform.ts'
import { leafOf, quoted, refusal, type Theme, toSource } from './basics.ts'

const HEX = /^(?:[0-9A-Fa-f]{2})*$/
const PRINTABLE = /^[\x20-\x7e]*$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Returns the bytes of a hexBinary value; a refusal names what it takes. */
function bytesOf(value: string, context: TransformContext): Buffer {
  const text = value.trim()
  if (!HEX.test(text)) throw refusal(context, `${quoted(value)} is no hexBinary; write pairs of hex digits`)
  return Buffer.from(text, 'hex')
}

const base64ToHex: Transform = {
  read(raw) {
    const text = raw.replace(/\s+/g, '')
    if (!BASE64.test(text) || text.length % 4 !== 0) return undefined
    return Buffer.from(text, 'base64').toString('hex').toUpperCase()
  },
  write: (value, context) => toSource(context, bytesOf(value, context).toString('base64')),
}

/** Hex digits in a string; a vendor has 8 of them and a country 4. */
const hexString: Transform = {
  read(raw, context) {
    const digits = raw.replace(/\s+/g, '').replace(/^0x/i, '')
    // Four letters are the text of a vendor.
    if (context.to.endsWith('Vendor') && /^[\x21-\x7e]{4}$/.test(digits) && !/^[0-9A-Fa-f]*$/.test(digits))
      return Buffer.from(digits, 'latin1').toString('hex').toUpperCase()
    if (digits === '' || !/^[0-9A-Fa-f]+$/.test(digits)) return undefined
    const length = context.to.endsWith('Country') ? 4 : context.to.endsWith('Vendor') ? 8 : digits.length
    const whole = digits.padStart(length + (length % 2), '0').toUpperCase()
    return whole.length > length + (length % 2) ? undefined : whole
  },
}

/** Returns the hexBinary of an identifier whose encoding TR-098 leaves open: hex digits as they are, else its bytes. */
function identifier(raw: string): string {
  const text = raw.trim()
  return HEX.test(text) ? text : Buffer.from(text, 'utf8').toString('hex').toUpperCase()
}

const idHex: Transform = {
  read: identifier,
  write(value, context) {
    const bytes = bytesOf(value, context)
    const shown = context.raw(context.from)?.trim() ?? ''
    const text = bytes.toString('latin1')
    const takesText = !HEX.test(shown) && PRINTABLE.test(text) && !HEX.test(text)
    return toSource(context, takesText ? text : value.trim())
  },
}

/** One DHCP option of a host: the vendor class is text, the others are identifiers; an empty one is no option. */
const optHex: Transform = {
  read(raw, context) {
    if (raw.trim() === '') return undefined
    if (leafOf(context) !== 'VendorClassID') return identifier(raw)
    return Buffer.from(raw, 'utf8').toString('hex').toUpperCase()
  },
}

const rgbHex: Transform = {
  read(raw) {
    const digits = raw.trim().replace(/^(#|0x)/i, '')
    return /^[0-9A-Fa-f]{6}$/.test(digits) ? digits.toUpperCase() : undefined
  },
  write(value, context) {
    const digits = value.trim()
    if (!/^[0-9A-Fa-f]{6}$/.test(digits)) throw refusal(context, `${quoted(value)} is no color of 6 hex digits`)
    return toSource(context, `${context.raw(context.from)?.trim().startsWith('#') ? '#' : ''}${digits}`)
  },
}

/** Bytes in the encodings of TR-098, as hexBinary. */
export const BINARY: Theme = { base64ToHex, hexString, idHex, optHex, rgbHex }
