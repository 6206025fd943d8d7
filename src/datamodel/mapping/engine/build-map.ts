import type { BandLayout } from '../rules/band.ts'
import { hostRows, voiceRows } from '../rules/hosts.ts'
import { bridgeRows, lanRows, poolRows } from '../rules/lan.ts'
import { opticalRows, vlanRows } from '../rules/vendor.ts'
import { connectionRows, defaultRouteRows, linkRows, serviceRows, shaperRows, wanDeviceRows } from '../rules/wan.ts'
import { stationRows, wlanRows } from '../rules/wlan.ts'
import { type InstanceMap, Numbering } from '../tree/instance-map.ts'
import type { RawLookup } from '../tree/raw-tree.ts'
import type { CompiledRow, Mapping } from './compile.ts'

/** The rules in the order in which they give numbers on the first reading. */
const RULES = [
  wanDeviceRows,
  lanRows,
  bridgeRows,
  poolRows,
  wlanRows,
  linkRows,
  connectionRows,
  serviceRows,
  defaultRouteRows,
  shaperRows,
  hostRows,
  stationRows,
  voiceRows,
]

/** The facts of a device that are not in its tree. */
interface DeviceTraits {
  /** Name of its vendor family; absent where none was recognised. */
  family?: string | undefined
  /** Bands of its radio networks, where its model or family is known to have them so. */
  layout?: BandLayout | undefined
}

/**
 * Returns the numbers of a device's rows in TR-181 for a tree of its own. An object with a number in `previous` keeps it; a
 * new object takes the next free one. Without `previous` (first reading, or after a BOOTSTRAP) they are given anew.
 */
export function buildInstanceMap(
  mapping: Mapping,
  tree: RawLookup,
  { family, layout }: DeviceTraits,
  previous: InstanceMap | undefined,
): InstanceMap {
  const numbers = new Numbering(previous)
  const context = { tree, numbers, layout }
  for (const rule of RULES) rule(context)
  const ofFamily = ({ row }: CompiledRow) => row.family === undefined || row.family === family
  vlanRows(context, mapping.vlanRows.filter(ofFamily))
  opticalRows(context, mapping.opticalRows.filter(ofFamily))
  return numbers.finish()
}

/** Parameters, by their last name, that decide which rows there are and what is behind them. */
const DECIDING = new Set([
  'WANAccessType',
  'LinkType',
  'LinkEncapsulationUsed',
  'ConnectionType',
  'MACAddress',
  'AssociatedDeviceMACAddress',
  'AddressSource',
  'DNSServers',
  'DefaultGateway',
  'DefaultConnectionService',
  'ShapingRate',
  'PortInterface',
  'InterfaceReference',
  'LocallyServed',
  'PoolOrder',
  'Channel',
  'PossibleChannels',
  'Standard',
  'PhyReferenceList',
  'InterfaceID',
  'Interface',
  'DestIPAddress',
])
/** Endings of vendors' names that do the same: bands, MAC addresses of stations, VLANs. */
const DECIDING_ENDINGS = ['Band', 'MacAddress', 'VLAN', 'VLANID', 'VLANIDMark', 'VlanMuxID']

/**
 * Returns true when a change of a parameter of the device's own tree may change its instance map, as a row that comes
 * or goes does: `buildInstanceMap` is due.
 */
export function decidesRows(rawPath: string): boolean {
  const name = rawPath.slice(rawPath.lastIndexOf('.') + 1)
  return DECIDING.has(name) || DECIDING_ENDINGS.some((ending) => name.endsWith(ending))
}
