import type { VendorRow } from './family.ts'
import {
  INFO,
  LAN,
  maxStations,
  onConnections,
  place,
  rssi,
  stationRateInKbps,
  stationStandard,
  WAN,
  WLAN,
  width,
} from './places.ts'

const PORT = `${LAN}LANEthernetInterfaceConfig.{i}.`

/** Models of several families whose stations have rates in kbit/s. */
const KBPS_STATIONS = [
  ...['F660', 'F670L', 'F680', 'F6600', 'F6600P', 'F673A', 'F673AV9', 'F673AV9a'],
  ...['GW24AC', 'G-140W-H', 'G-1425G-A', 'G-1425G-B', 'TK-ONU'],
]

/** Places that devices of many makers have, without an extension in the name. */
export const COMMON_ROWS: readonly VendorRow[] = [
  // Devices count memory in KiB, MB or bytes.
  place(`${INFO}MemoryStatus.Total`, 'Device.DeviceInfo.MemoryStatus.Total', {
    transform: 'memoryKib',
    rank: 0,
    evidence: '7 lineages, 31 models',
  }),
  place(`${INFO}MemoryStatus.Free`, 'Device.DeviceInfo.MemoryStatus.Free', {
    transform: 'memoryKib',
    rank: 0,
    evidence: '7 lineages, 31 models',
  }),
  place(`${WAN}WANCommonInterfaceConfig.WANAccessType`, 'Device.XPON.ONU.{i}.ANI.{i}.PONMode', {
    transform: 'ponMode',
    rank: 2,
    evidence: '9 lineages, dumps',
  }),
  ...['MaxMTUSize', 'InterfaceMtu'].flatMap((leaf, at) =>
    onConnections(leaf, {
      to: 'Device.IP.Interface.{i}.MaxMTUSize',
      writable: true,
      rank: 2 + at,
      evidence: '92 models',
    }),
  ),
  place(`${WAN}WANCommonInterfaceConfig.Layer1DownstreamMaxBitRate`, 'Device.Ethernet.Interface.{i}.MaxBitRate', {
    transform: 'kbpsToMbps',
    copy: true,
    rank: 2,
    models: ['GW24AC', 'DM955'],
    evidence: '2 models, where 15 others have bit/s',
  }),
  // Devices without a parameter for it.
  place(`${WLAN}Channel`, 'Device.WiFi.Radio.{i}.AutoChannelEnable', {
    transform: 'channelAuto',
    writable: true,
    agg: 'first',
    rank: 2,
    evidence: '6 models',
  }),
  maxStations('MaxUserNum', { rank: 3, evidence: 'list' }),
  stationRateInKbps({ models: KBPS_STATIONS, evidence: '14 models' }),
  width('BandWidth', 'wlanWidth', { rank: 3, evidence: '32 models' }),
  width('ChannelWidth', 'wlanWidth2013x', { rank: 4, evidence: '13 models' }),
  rssi('SignalStrength', { rank: 2, evidence: '12 lineages, 39 models' }),
  rssi('AssociatedDeviceRssi', { rank: 3, evidence: '6 lineages, 8 models' }),
  rssi('AssociatedDeviceRSSI', { rank: 4, evidence: '3 models' }),
  rssi('RSSI', { rank: 5, evidence: '4 models, live' }),
  stationStandard('OperatingStandard', { evidence: '4 models' }),
  ...['NegotiatedRate', 'NegotiationRate', 'NegoTxRate'].map((leaf, at) =>
    place(PORT + leaf, 'Device.Ethernet.Interface.{i}.CurrentBitRate', {
      transform: 'bitRateMbps',
      rank: 3 + at,
      evidence: 'list',
    }),
  ),
]
