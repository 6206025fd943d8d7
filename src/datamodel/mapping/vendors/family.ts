import type { WriteQuirks } from '../quirks/write-quirk.ts'
import type { MappingRow } from '../row.ts'

/** A row of a vendor: there is a reason to believe it. */
export type VendorRow = MappingRow & { evidence: string }

/**
 * The instances of WLANConfiguration (of SSID, in TR-181) that each radio has, for devices that show the band of a
 * network nowhere. Numbers of one list are one radio.
 */
export interface WlanLayout {
  /** ModelName or ProductClass of the devices that have it, in any case of letters; absent: the whole family. */
  models?: readonly string[]
  '2.4GHz': readonly number[]
  '5GHz': readonly number[]
  evidence: string
}

/** One kind of extension of the data model, shared by the devices of one maker or of one operator. */
export interface VendorFamily {
  name: string
  /** Beginnings of the names that the family adds to a data model, e.g. `X_HW_`; the longest that fits decides. */
  prefixes: readonly string[]
  /**
   * `maker`: the extension of a maker or of its software. `operator`: that of a network operator, which devices of many
   * makers carry; one of a maker in the same place goes before it.
   */
  kind: 'maker' | 'operator'
  rows: readonly VendorRow[]
  layouts?: readonly WlanLayout[]
  quirks: WriteQuirks
}
