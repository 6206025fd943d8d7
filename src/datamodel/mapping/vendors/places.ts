import type { MappingRow } from '../row.ts'
import { IGD, IP, LAN, PPP, STATION, WAN, WCD, WLAN } from '../tree/linked.ts'
import type { VendorRow } from './family.ts'

export { IGD, IP, LAN, PPP, STATION, WAN, WCD, WLAN }
/** Objects that vendors add to most: identity and health, and the services of the LAN. */
export const INFO = `${IGD}DeviceInfo.`
export const LAN_HOSTS = `${LAN}LANHostConfigManagement.`

const OPTICAL = 'Device.Optical.Interface.{i}.'
const TRANSCEIVER = 'Device.XPON.ONU.{i}.ANI.{i}.Transceiver.{i}.'
const IP_181 = 'Device.IP.Interface.{i}.'
const VLAN_181 = 'Device.Ethernet.VLANTermination.{i}.'
const RADIO_181 = 'Device.WiFi.Radio.{i}.'
const AP_181 = 'Device.WiFi.AccessPoint.{i}.'
const STATION_181 = `${AP_181}AssociatedDevice.{i}.`

/** Options of rows that are made together. */
type Shared = Pick<VendorRow, 'evidence' | 'rank' | 'family' | 'models'>

/** Names of the parameters of an optical container; several where devices spell them in several ways. */
export interface OpticalNames {
  rx?: readonly string[]
  tx?: readonly string[]
  temperature?: readonly string[]
  voltage?: readonly string[]
  bias?: readonly string[]
  status?: readonly string[]
  partNumber?: readonly string[]
  /** True: it has counters in `Stats.`. */
  stats?: true
}

/** The names that most containers use. */
export const USUAL_OPTICS: OpticalNames = {
  rx: ['RXPower'],
  tx: ['TXPower'],
  temperature: ['TransceiverTemperature'],
  voltage: ['SupplyVoltage', 'SupplyVottage', 'Vottage'],
  bias: ['BiasCurrent'],
  status: ['Status'],
  stats: true,
}

/** Most spellings of one name. */
const SPELLINGS = 10

/**
 * Returns the rows of an optical container (object path with its dot). `rank` counts containers: the spellings of one
 * are asked before those of the next.
 */
export function optics(container: string, names: OpticalNames, shared: Shared): VendorRow[] {
  const rows: VendorRow[] = []
  const add = (leaves: readonly string[] | undefined, to: string, transform?: string) => {
    for (const [at, leaf] of (leaves ?? []).entries()) {
      const rank = ((shared.rank ?? 1) - 1) * SPELLINGS + 1 + at
      rows.push({ from: container + leaf, to, ...(transform === undefined ? {} : { transform }), ...shared, rank })
    }
  }
  add(names.rx, `${OPTICAL}OpticalSignalLevel`, 'opticalRx')
  add(names.rx, `${TRANSCEIVER}RxPower`, 'opticalRxTenths')
  add(names.tx, `${OPTICAL}TransmitOpticalLevel`, 'opticalTx')
  add(names.tx, `${TRANSCEIVER}TxPower`, 'opticalTxTenths')
  add(names.temperature, `${TRANSCEIVER}Temperature`, 'opticalTemperature')
  add(names.voltage, `${TRANSCEIVER}Voltage`, 'opticalVoltage')
  add(names.bias, `${TRANSCEIVER}Bias`, 'opticalBias')
  add(names.partNumber, `${TRANSCEIVER}VendorPartNumber`)
  // A device has a container for each kind of PON, and the line is up where one of them is.
  for (const leaf of names.status ?? [])
    for (const to of [`${OPTICAL}Status`, 'Device.XPON.ONU.{i}.ANI.{i}.Status'])
      rows.push({ from: container + leaf, to, transform: 'ponStatus', agg: 'best', ...shared, rank: 1 })
  if (names.stats === true)
    for (const leaf of ['BytesSent', 'BytesReceived', 'PacketsSent', 'PacketsReceived'])
      rows.push({ from: `${container}Stats.${leaf}`, to: `${OPTICAL}Stats.${leaf}`, transform: 'counter32', ...shared })
  return rows
}

/** Returns a row for each kind of routed connection. */
export function onConnections(leaf: string, row: Omit<VendorRow, 'from'>): VendorRow[] {
  return [
    { ...row, from: PPP + leaf },
    { ...row, from: IP + leaf },
  ]
}

/** Returns the rows of the VLAN of connections, and of its switch where it has one beside it. */
export function connectionVlan(leaf: string, shared: Shared, enable?: string, mode?: string): VendorRow[] {
  const transform = mode !== undefined ? 'vlanIdByMode' : enable !== undefined ? 'vlanIdByEnable' : 'vlanId'
  return [
    ...onConnections(leaf, vlan('', shared, transform)),
    ...(enable === undefined ? [] : onConnections(enable, vlanSwitch('', 'bool', shared))),
    ...(mode === undefined ? [] : onConnections(mode, vlanSwitch('', 'vlanMode', shared))),
  ]
}

/** Returns the rows of the VLAN of a link below WANConnectionDevice, e.g. `X_CT-COM_WANGponLinkConfig.`. */
export function linkVlan(link: string, leaf: string, shared: Shared, mode?: string): VendorRow[] {
  return [
    vlan(WCD + link + leaf, shared, mode === undefined ? 'vlanId' : 'vlanIdByMode'),
    ...(mode === undefined ? [] : [vlanSwitch(WCD + link + mode, 'vlanMode', shared)]),
  ]
}

/** Returns the row of one VLAN; the transform writes a mode or switch beside it first. */
export function vlan(from: string, shared: Shared, transform: string): VendorRow {
  return { from, to: `${VLAN_181}VLANID`, transform, writable: true, ...shared }
}

function vlanSwitch(from: string, transform: string, shared: Shared): VendorRow {
  return { from, to: `${VLAN_181}Enable`, transform, writable: true, ...shared }
}

/** Returns the rows of the IPv6 address and of the prefix of connections; absent names have none. */
export function connectionIpv6(names: { address?: string; prefix?: string }, shared: Shared): VendorRow[] {
  const { address, prefix } = names
  return [
    ...(address === undefined
      ? []
      : onConnections(address, { to: `${IP_181}IPv6Address.{i}.IPAddress`, transform: 'ipv6Address', ...shared })),
    ...(prefix === undefined
      ? []
      : onConnections(prefix, { to: `${IP_181}IPv6Prefix.{i}.Prefix`, transform: 'ipv6Prefix', ...shared })),
  ]
}

/** Returns the row of the channel width of a radio. */
export function width(leaf: string, transform: string, shared: Shared): VendorRow {
  return {
    from: WLAN + leaf,
    to: `${RADIO_181}OperatingChannelBandwidth`,
    transform,
    writable: true,
    agg: 'first',
    ...shared,
  }
}

/** Returns the row of the band of a radio. */
export function band(leaf: string, shared: Shared): VendorRow {
  return {
    from: WLAN + leaf,
    to: `${RADIO_181}OperatingFrequencyBand`,
    transform: 'rfBand',
    agg: 'first',
    ...shared,
  }
}

/** Returns the row of the standards of a radio. */
export function standards(leaf: string, shared: Shared): VendorRow {
  return {
    from: WLAN + leaf,
    to: `${RADIO_181}OperatingStandards`,
    transform: 'wlanStandard',
    writable: true,
    agg: 'union',
    ...shared,
  }
}

/** Returns the row of the greatest number of stations of a network. */
export function maxStations(leaf: string, shared: Shared): VendorRow {
  return { from: WLAN + leaf, to: `${AP_181}MaxAllowedAssociations`, writable: true, ...shared }
}

/** Returns the row of the number of stations of a network. */
export function stationCount(leaf: string, shared: Shared): VendorRow {
  return { from: WLAN + leaf, to: `${AP_181}AssociatedDeviceNumberOfEntries`, ...shared }
}

/** Returns the row of a place of the passphrase beside those of TR-098; a write goes to every place. */
export function keyPlace(leaf: string, shared: Shared): VendorRow {
  return {
    from: WLAN + leaf,
    to: `${AP_181}Security.KeyPassphrase`,
    transform: 'passphrase',
    writable: true,
    writeAlso: true,
    ...shared,
  }
}

/** Returns the row of the received level of a station, in dBm. */
export function rssi(leaf: string, shared: Shared, transform = 'rssi'): VendorRow {
  return { from: STATION + leaf, to: `${STATION_181}SignalStrength`, transform, ...shared }
}

/** Returns the row of the noise at a station, in dBm. */
export function noise(leaf: string, shared: Shared): VendorRow {
  return { from: STATION + leaf, to: `${STATION_181}Noise`, transform: 'rssi', ...shared }
}

/** Returns the row of the signal to noise ratio of a station, in dB. */
export function snr(leaf: string, shared: Shared): VendorRow {
  return { from: STATION + leaf, to: `${STATION_181}SNR`, transform: 'snr', ...shared }
}

/** Returns the row of the rate of a station on devices that give kbit/s where TR-098 says Mbit/s. */
export function stationRateInKbps(shared: Shared): VendorRow {
  return {
    from: `${STATION}LastDataTransmitRate`,
    to: `${STATION_181}LastDataDownlinkRate`,
    transform: 'kbps',
    ...shared,
    rank: 0,
  }
}

/** Returns the rows of the serial number of an ONU, from a parameter that holds vendor and number. */
export function onuSerial(from: string, shared: Shared): VendorRow[] {
  const to = 'Device.XPON.ONU.{i}.ANI.{i}.TC.ONUActivation.'
  return [
    { from, to: `${to}SerialNumber`, transform: 'gponSerial', ...shared },
    { from, to: `${to}VendorID`, transform: 'gponVendor', ...shared },
  ]
}

/** Returns the row of the standard that a station uses. */
export function stationStandard(leaf: string, shared: Shared): VendorRow {
  return { from: STATION + leaf, to: `${STATION_181}OperatingStandard`, transform: 'stationStandard', ...shared }
}

/** Returns the row of the load of the CPU, in percent. */
export function cpu(leaf: string, shared: Shared): VendorRow {
  return { from: INFO + leaf, to: 'Device.DeviceInfo.ProcessStatus.CPUUsage', transform: 'percent', ...shared }
}

/** Returns the row of the use of memory, in percent. */
export function memoryUse(leaf: string, shared: Shared): VendorRow {
  const to = 'Device.DeviceInfo.MemoryStatus.MemoryMonitor.MemUtilization'
  return { from: INFO + leaf, to, transform: 'percent', ...shared }
}

/** Returns a row on another parameter. */
export function place(from: string, to: string, row: Omit<MappingRow, 'from' | 'to'> & Shared): VendorRow {
  return { from, to, ...row }
}
