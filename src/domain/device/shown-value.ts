import { isSecret } from '../../datamodel/index.ts'

/** The text that replaces a secret in logs, events, answers and the audit log. */
export const MASK = '[secret]'

/**
 * A value as it may be shown, logged and kept: a secret is masked, and so is the secret of the device at the end of a
 * value in an MTP row of a Controller. What was read or written is compared with a wanted value in this form where only
 * this form is at hand.
 */
export function shownValue(path: string, value: string): string {
  if (value === '') return value
  if (isSecret(path)) return MASK
  return MTP_ROW.test(path) ? value.replace(LINK_SECRET, `/${MASK}`) : value
}

/** Returns true for a value that holds the mask where `shownValue` puts it: it was read from this server, not known. */
export function isMasked(path: string, value: string): boolean {
  return value.includes(MASK) && (isSecret(path) || MTP_ROW.test(path))
}

/** A parameter of an MTP row of a Controller, over either protocol and by search paths as well. */
const MTP_ROW = /\.(?:USPAgent|LocalAgent)\.Controller\..+\.MTP\..+$/
/** The secret of a device: 128 bits in base64url. */
const LINK_SECRET = /\/[\w-]{22}\/?$/
