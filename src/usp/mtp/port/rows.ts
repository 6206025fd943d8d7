/** The address of the Controller as Agents reach it. */
export interface ControllerAddress {
  host: string
  port: number
  path: string
  tls: boolean
}

/**
 * An MTP as TR-181 describes it below `Controller.{i}.MTP.{i}.`: the values that a plan writes, recognises and restores
 * there. The names are relative to that row and are the same over CWMP and USP.
 */
export interface MtpRows {
  /** `Protocol` of the row, and the name of this MTP in `SupportedProtocols` of an Agent. */
  readonly protocol: string
  /**
   * Values without which an Agent does not reach the Controller, each made of the address and of the secret of the
   * device.
   */
  readonly needed: Readonly<Record<string, (address: ControllerAddress, secret: string) => string>>
  /** Values that an Agent may refuse. */
  readonly wished: Readonly<Record<string, string>>
  /** The needed value that is the host: a row that holds the host of the Controller was written by a plan. */
  readonly host: string
  /** The needed value that ends in the secret. */
  readonly secret: string
}

/** Returns the needed values of a row. */
export function neededValues(mtp: MtpRows, address: ControllerAddress, secret: string): Record<string, string> {
  return Object.fromEntries(Object.entries(mtp.needed).map(([name, value]) => [name, value(address, secret)]))
}

/** Returns the names of all values that a plan writes into a row, except `Protocol` and `Enable`. */
export function writtenNames(mtp: MtpRows): string[] {
  return [...Object.keys(mtp.needed), ...Object.keys(mtp.wished)]
}

/** Returns true when `SupportedProtocols`, a list with commas, names the MTP. */
export function speaks(mtp: MtpRows, supportedProtocols: string): boolean {
  const names = supportedProtocols.split(',').map((name) => name.trim().toLowerCase())
  return names.includes(mtp.protocol.toLowerCase())
}
