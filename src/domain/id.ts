import { AppError } from '../base/index.ts'

declare const deviceIdBrand: unique symbol
declare const endpointIdBrand: unique symbol

/**
 * `OUI-ProductClass-SerialNumber`, each part percent-encoded outside `[A-Za-z0-9_]`, so the two hyphens always
 * separate.
 */
export type DeviceId = string & { readonly [deviceIdBrand]: true }

/** A USP Endpoint ID such as `os::00256D-0123456789` (TR-369 2.2): opaque and case-sensitive when compared. */
export type EndpointId = string & { readonly [endpointIdBrand]: true }

/**
 * The identity that a device reports: DeviceIdStruct of an Inform (TR-069 A.3.3.1) or the triple of an OnBoardRequest.
 */
export interface DeviceIdentity {
  /** Six hex digits, or seven or nine of the longer blocks that USP 1.4 knows; any case, stored upper case. */
  oui: string
  /** May be empty. */
  productClass: string
  serial: string
}

const MAX_PART = 64
/** The longest id: each character of both parts can be four bytes, and each of those three characters when encoded. */
export const MAX_DEVICE_ID = 6 + 2 * (1 + MAX_PART * 4 * 3)

/**
 * Returns the id of a device from its identity. The case of the OUI does not matter, that of everything else does.
 * Throws AppError `invalid` when the OUI is not six, seven or nine hex digits (24, 28 or 36 bits), the serial number is
 * empty or a part is longer than 64 characters.
 */
export function deviceIdOf(identity: DeviceIdentity): DeviceId {
  const oui = identity.oui.trim().toUpperCase()
  if (!/^[0-9A-F]{6}(?:[0-9A-F]|[0-9A-F]{3})?$/.test(oui)) {
    throw new AppError(
      'invalid',
      `OUI must be six, seven or nine hex digits, got ${JSON.stringify(identity.oui.slice(0, 20))}`,
    )
  }
  if (identity.serial === '') throw new AppError('invalid', 'the SerialNumber is empty: an identity needs one')
  for (const part of [identity.productClass, identity.serial]) {
    if ([...part].length > MAX_PART)
      throw new AppError('invalid', `a part of the identity is longer than ${MAX_PART} characters`)
  }
  return `${oui}-${encodePart(identity.productClass)}-${encodePart(identity.serial)}` as DeviceId
}

/** The identity behind an id; AppError `invalid` when the text is not an id that `deviceIdOf` could have made. */
export function parseDeviceId(text: string): DeviceIdentity {
  const parts = text.split('-')
  const [oui, productClass, serial] = parts
  if (parts.length !== 3 || oui === undefined || productClass === undefined || serial === undefined) {
    throw new AppError('invalid', 'a device id has the form OUI-ProductClass-SerialNumber, each part percent-encoded')
  }
  try {
    const identity = { oui, productClass: decodeURIComponent(productClass), serial: decodeURIComponent(serial) }
    if (deviceIdOf(identity) === text) return identity
  } catch (cause) {
    throw new AppError('invalid', 'the device id is not in its canonical form: use it as the record shows it', {
      cause,
    })
  }
  throw new AppError('invalid', 'the device id is not in its canonical form: use it as the record shows it')
}

/** Returns true when the text is an id that `deviceIdOf` could have made. */
export function isDeviceId(text: string): text is DeviceId {
  try {
    parseDeviceId(text)
    return true
  } catch {
    return false
  }
}

/** The id when the text is one. */
export function asDeviceId(text: string): DeviceId {
  parseDeviceId(text)
  return text as DeviceId
}

/**
 * Percent-encodes the UTF-8 bytes of everything outside letters, digits and `_` (TR-069 3.4.4). Lone surrogates become
 * U+FFFD.
 */
export function encodePart(text: string): string {
  if (/^[A-Za-z0-9_]*$/.test(text)) return text
  let out = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte)
    out += /[A-Za-z0-9_]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/**
 * The identity that an Endpoint ID of scheme `os` or `ops` carries (TR-369 2.2); undefined for every other scheme. `os`
 * has no ProductClass.
 */
export function identityInEndpointId(
  endpointId: EndpointId,
): { oui: string; productClass?: string; serial: string } | undefined {
  const match = /^(os|ops)::(.+)$/.exec(endpointId)
  const scheme = match?.[1]
  const instance = match?.[2]
  if (scheme === undefined || instance === undefined) return undefined
  const dash = instance.indexOf('-')
  if (dash < 0) return undefined
  const oui = instance.slice(0, dash).toUpperCase()
  const rest = instance.slice(dash + 1)
  if (scheme === 'os') return { oui, serial: decode(rest) }
  // Hyphens may stand in either part: without one reading there is nothing to hold against a device.
  const parts = rest.split('-')
  const [productClass, serial] = parts
  if (parts.length !== 2 || productClass === undefined || serial === undefined) return undefined
  return { oui, productClass: decode(productClass), serial: decode(serial) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
