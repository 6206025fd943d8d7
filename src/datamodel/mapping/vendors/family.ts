import type { MappingRow } from '../row.ts'
import type { WriteQuirks } from '../write-quirk.ts'

/** Transforms that rows of vendors name beside those of the standard rows. */
export type VendorTransform =
  /** Received power, as text with or without unit in dBm, 0.1 to 0.001 dBm or 0.1 uW, to 0.001 dBm (even). */
  | 'opticalRx'
  /** The same to 0.1 dBm. */
  | 'opticalRxTenths'
  /** Transmitted power in dBm, 0.1 or 0.01 dBm or 0.1 uW, to 0.001 dBm (even). */
  | 'opticalTx'
  /** The same to 0.1 dBm. */
  | 'opticalTxTenths'
  /** Degrees Celsius, 1/256 degree or, by family, 1/100 degree, to whole degrees Celsius. */
  | 'opticalTemperature'
  /** V, mV or 100 uV to mV. */
  | 'opticalVoltage'
  /** mA, units of 2 uA or, below an X_ALU object, uA, to uA. */
  | 'opticalBias'
  /** Text with GPON or XG(S)PON in it to the word of TR-181; EPON has none. */
  | 'ponMode'
  /** A whole number of dBm below 0, with or without unit; 0 and above were not measured. */
  | 'rssi'
  /** The same with a positive number for a level below 0. */
  | 'rssiNegated'
  /** Received channel power indicator (IEEE 802.11 9.4.2.37) to dBm: raw / 2 - 110. */
  | 'rcpi'
  /** A whole number of dB above 0. */
  | 'snr'
  /** Kbit/s, whole number; 0 was not measured. */
  | 'kbps'
  /** Percent with or without sign; several joined by `;` (one for each core) to their mean. */
  | 'percent'
  /** Amount of memory in MB (below 8192), bytes (above 8,000,000) or KiB, to KiB. */
  | 'memoryKib'
  /** 2 is true, 0 (untagged) and 1 (off) are false; false is written as 1 where the device shows neither. */
  | 'vlanMode'
  /** The number behind `VID_` in the name of a connection, e.g. `2_INTERNET_R_VID_100`. */
  | 'vlanOfName'
  /** 1 to 4094; anything else is no VLAN. */
  | 'vlanId'
  /** A passphrase of 8 to 63 characters; 64 hex digits are a derived key and no passphrase. */
  | 'passphrase'
  /** Boolean of the opposite sense. */
  | 'inverted'
  /** 0 or 2.4.., 1 or 5.., 2 or 6.. to 2.4GHz, 5GHz, 6GHz. */
  | 'rfBand'
  /** Width of a channel in text: 20MHz, 20Mhz, 20M, Auto; with digits alone the code of the family. */
  | 'wlanWidth'
  /** Width of a channel in codes; the digits are the codes of Auto, 20, 40, 80 and 160 MHz, `x` where there is none. */
  | 'wlanWidth01234'
  | 'wlanWidth0123x'
  | 'wlanWidth2013x'
  | 'wlanWidth3124x'
  /** The words of D-Link: `20/40MHz Coexistent` is Auto, `20/40/80MHz` is 80MHz, `20/40MHz` is 40MHz. */
  | 'wlanWidthDlink'
  /** The words `Auto20M40M`, `Auto20M40M80M`, `20M`, `40M`, `80M`. */
  | 'wlanWidthAuto'
  /** A list of values of BeaconType to modes of security. */
  | 'beaconTypes'
  /** An IPv6 address with or without prefix length to the address; `::` and empty are none. */
  | 'ipv6Address'
  /** An IPv6 prefix with its length; `::/0` and empty are none. */
  | 'ipv6Prefix'

/** A row of a vendor: `transform` is one of the standard rows or of VendorTransform. */
export type VendorRow = MappingRow & { evidence: string }

/** The instances of WLANConfiguration (or of SSID, in TR-181) by band, where nothing in the tree shows the band. */
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
  /** Tables that only the family has, with the tables of TR-181 that show their objects under the same numbers. */
  tables?: readonly { from: string; to: string }[]
  layouts?: readonly WlanLayout[]
  quirks: WriteQuirks
}
