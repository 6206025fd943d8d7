import { type DeviceIdentity, encodePart } from '../../../domain/index.ts'

/**
 * The relation of the common name of a certificate to an identity: it names it, it can be read as this one or another
 * one, or it names another.
 */
type NameReading = 'names' | 'ambiguous' | 'other'

/**
 * Reads the common name of a CPE's certificate against an identity (TR-069 3.4.4: OUI-ProductClass-SerialNumber or
 * OUI-SerialNumber, each part percent-encoded). The encoded form always has one reading. A name without the encoding is
 * taken only where its hyphens and percent signs leave no other reading: `00256D-HGW-12-34` is class HGW with serial
 * 12-34 as well as class HGW-12 with serial 34.
 */
export function readCertificateName(name: string, identity: DeviceIdentity): NameReading {
  const oui = identity.oui.trim()
  const prefix = `${oui}-`
  if (name.slice(0, prefix.length).toUpperCase() !== prefix.toUpperCase()) return 'other'
  const rest = name.slice(prefix.length)
  const [productClass, serial] = [encodePart(identity.productClass), encodePart(identity.serial)]
  const encoded = rest.replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase())
  if (encoded === `${productClass}-${serial}` || encoded === serial) return 'names'
  if (rest !== `${identity.productClass}-${identity.serial}`) return 'other'
  return hasOneReading(rest) ? 'names' : 'ambiguous'
}

/** The common name that names this identity and no other. */
export function certificateNameOf({ oui, productClass, serial }: DeviceIdentity): string {
  return `${oui.trim().toUpperCase()}-${encodePart(productClass)}-${encodePart(serial)}`
}

/**
 * One hyphen only splits a text into class and serial in one way; a percent escape could be the encoding of another
 * character.
 */
function hasOneReading(rest: string): boolean {
  return rest.split('-').length === 2 && !/%[0-9A-Fa-f]{2}/.test(rest)
}
