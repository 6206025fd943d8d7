import { isSecret } from '../../datamodel/index.ts'

/** The text that replaces a secret in logs, events, answers and the audit log. */
export const MASK = '[secret]'

/**
 * A value as it may be shown, logged and kept: a secret is masked, and so are the secret of the device at the end of a
 * value in an MTP row of a Controller, and a login with a password inside a URL. A value that was read or written is
 * compared with a wanted one in this form where only this form is at hand.
 */
export function shownValue(path: string, value: string): string {
  if (value === '') return value
  return isSecret(path) ? MASK : shownPlain(path, value)
}

/** The same for a parameter that is no secret itself. */
export function shownPlain(path: string, value: string): string {
  const shown = hasLogin(value) ? value.replace(URL_LOGIN, `$1${MASK}@`) : value
  return MTP_ROW.test(path) ? shown.replace(LINK_SECRET, `$1${MASK}`) : shown
}

/** Returns true when a value may have a URL with a login in it, such as `http://user:password@host/`. */
export function hasLogin(value: string): boolean {
  return value.includes('@') && value.includes('://')
}

/** Returns a URL without the login before its host, also where that is masked. */
export function withoutLogin(url: string): string {
  return hasLogin(url) ? url.replace(LOGIN_AT_START, '$1') : url
}

/** User name and password up to the last @ before the path (RFC 3986 3.2.1). The length of a scheme is bounded. */
const URL_LOGIN = /\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#:]*:[^\s/?#]*@/gi
const LOGIN_AT_START = /^(\s*[a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#]*@/i

/** Returns true for a value that holds the mask where `shownValue` puts it: it was read from this server, not known. */
export function isMasked(path: string, value: string): boolean {
  return value.includes(MASK) && (isSecret(path) || MTP_ROW.test(path))
}

/** A parameter of an MTP row of a Controller, over either protocol and by search paths as well. */
const MTP_ROW = /\.(?:USPAgent|LocalAgent)\.Controller\..+\.MTP\..+$/
/** The secret of a device: 128 bits in base64url. Devices encode the path that they were given, or add a query to it. */
const LINK_SECRET = /(\/|%2F)[\w-]{22}(?:(?:\/|%2F)?$|(?=[?#]))/i
