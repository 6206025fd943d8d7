import type { DeviceIdentity } from '../id.ts'

/**
 * Returns true when two identities have a part that both show and that differs. The case of an OUI does not count, nor
 * blanks around a part; a part that is empty contradicts nothing, because ProductClass and others are optional.
 */
export function identitiesDiffer(a: DeviceIdentity, b: DeviceIdentity): boolean {
  return (
    unlike(a.oui.toUpperCase(), b.oui.toUpperCase()) ||
    unlike(a.productClass, b.productClass) ||
    unlike(a.serial, b.serial)
  )
}

/** As `identitiesDiffer`, by the serial number alone. */
export function serialsDiffer(a: Pick<DeviceIdentity, 'serial'>, b: Pick<DeviceIdentity, 'serial'>): boolean {
  return unlike(a.serial, b.serial)
}

/** Returns true when both show the same serial number. Blanks around it do not count: some protocols keep them. */
export function sameSerial(a: Pick<DeviceIdentity, 'serial'>, b: Pick<DeviceIdentity, 'serial'>): boolean {
  return a.serial.trim() === b.serial.trim()
}

function unlike(a: string, b: string): boolean {
  const [one, other] = [a.trim(), b.trim()]
  return one !== '' && other !== '' && one !== other
}
