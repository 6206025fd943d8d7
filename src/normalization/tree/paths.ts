/** The root of TR-098. */
export const OWN_ROOT = 'InternetGatewayDevice.'
/** The root of TR-181. */
export const TR181 = 'Device.'

/** Returns true for a parameter of a device's own tree that a row may know: of TR-098, or with a name of a vendor. */
export function mayBeMapped(path: string): boolean {
  return path.startsWith(OWN_ROOT) || path.includes('.X_')
}

/** The fault of a CPE for a name that it does not have (TR-069 A.5.1). */
export const ABSENT = '9005'
