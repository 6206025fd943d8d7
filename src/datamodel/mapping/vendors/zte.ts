import type { VendorFamily } from './family.ts'
import {
  band,
  connectionIpv6,
  connectionVlan,
  cpu,
  INFO,
  IP,
  linkVlan,
  maxStations,
  memoryUse,
  noise,
  type OpticalNames,
  onuSerial,
  optics,
  PPP,
  rssi,
  snr,
  standards,
  WAN,
  width,
} from './places.ts'

const OPTICS: OpticalNames = {
  rx: ['RXPower', 'RxPower'],
  tx: ['TXPower', 'TxPower'],
  temperature: ['TransceiverTemperature', 'Temperature'],
  voltage: ['SupplyVoltage', 'SupplyVottage'],
  bias: ['BiasCurrent'],
  status: ['Status'],
  stats: true,
}
/** Models that apply a change of a WAN connection at the next boot. */
const WAN_REBOOT = ['F6600', 'F6600P', 'F673A', 'F673AV9', 'F673AV9a']

/** ZTE with its own firmware (X_ZTE-COM_); with the firmware of an operator it is of the operator's family. */
export const ZTE: VendorFamily = {
  name: 'zte',
  prefixes: ['X_ZTE-COM_'],
  kind: 'maker',
  rows: [
    ...optics(`${WAN}X_ZTE-COM_WANPONInterfaceConfig.`, OPTICS, { evidence: '12 lineages, 7 models, live' }),
    ...connectionVlan('X_ZTE-COM_VLANID', { evidence: '9 lineages, 7 models' }, 'X_ZTE-COM_VLANEnable'),
    ...linkVlan('X_ZTE-COM_WANPONLinkConfig.', 'VLANID', { rank: 2, evidence: '9 lineages, 7 models' }),
    ...connectionIpv6(
      { address: 'X_ZTE-COM_ExternalIPv6Address', prefix: 'X_ZTE-COM_PD' },
      { evidence: '28 models of several makers' },
    ),
    ...connectionIpv6(
      { prefix: 'X_ZTE-COM_IPv6PrefixDelegationAddress' },
      { rank: 2, evidence: '28 models of several makers' },
    ),
    band('X_ZTE-COM_RFBand', { evidence: 'list' }),
    band('X_ZTE-COM_OperatingFrequencyBand', { rank: 2, evidence: 'list' }),
    width('X_ZTE-COM_BandWidth', 'wlanWidth', { evidence: '11 models' }),
    standards('X_ZTE-COM_WlanStandard', { rank: 0, evidence: '2 models' }),
    maxStations('X_ZTE-COM_MaxUserNum', { evidence: 'list' }),
    maxStations('X_ZTE-COM_MaximumClients', { rank: 2, evidence: 'list' }),
    rssi('X_ZTE-COM_RSSI', { evidence: '2 lineages, 4 models' }),
    rssi('X_ZTE-COM_WLAN_RSSI', { rank: 2, evidence: '1 model' }),
    snr('X_ZTE-COM_SNR', { evidence: '2 lineages, 4 models' }),
    snr('X_ZTE-COM_WLAN_SNR', { rank: 2, evidence: '1 model' }),
    noise('X_ZTE-COM_Noise', { evidence: '2 lineages, 4 models' }),
    cpu('X_ZTE-COM_CpuUsed', { rank: 2, evidence: '6 lineages, live' }),
    memoryUse('X_ZTE-COM_MemUsed', { evidence: '7 lineages, live' }),
    ...onuSerial(`${INFO}X_ZTE-COM_GPONSN`, { evidence: '4 lineages' }),
    ...onuSerial(`${INFO}SerialNumber`, { family: 'zte', rank: 2, evidence: '4 lineages' }),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models, live' }],
  quirks: {
    parameters: [
      { on: '*.WLANConfiguration.{i}.SSID', after: [{ param: 'Name', same: true }], evidence: '4 models' },
      {
        on: '*.WLANConfiguration.{i}.Standard',
        refuses: {
          fault: 9008,
          why: 'the device only shows it',
          instead: 'InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.X_ZTE-COM_WlanStandard',
        },
        evidence: '49 models of several makers',
      },
      {
        on: '*.LANHostConfigManagement.DNSServers',
        before: [{ param: 'X_ZTE-COM_IspDNS', value: '0' }],
        evidence: '13 lineages',
      },
      ...[PPP, IP].map((on) => ({ on, models: WAN_REBOOT, reboot: true as const, evidence: '2 models' })),
    ],
    objects: [],
  },
}
