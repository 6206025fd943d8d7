import type { VendorFamily } from './family.ts'
import {
  connectionIpv6,
  connectionVlan,
  IGD,
  IP,
  LAN_HOSTS,
  PPP,
  place,
  rssi,
  snr,
  standards,
  stationStandard,
  WLAN,
  width,
} from './places.ts'

const TWIBI = ['Twibi', 'Twibi Giga', 'Twibi Fast', 'Twibi Giga+']

/** Intelbras (X_ITBS_); its WiFiber ONTs have the optical container of Realtek with the spelling of Huawei. */
export const INTELBRAS: VendorFamily = {
  name: 'intelbras',
  prefixes: ['X_ITBS_'],
  kind: 'maker',
  rows: [
    ...connectionVlan('X_ITBS_VlanMuxID', { evidence: '4 models' }),
    ...connectionIpv6({ address: 'X_ITBS_IPv6ExternalAddress' }, { evidence: '28 models of several makers' }),
    width('X_ITBS_ChannelWidth', 'wlanWidth', { evidence: '4 models' }),
    width('X_ITBS_BandWidth', 'wlanWidth', { rank: 2, evidence: '4 models' }),
    standards('X_ITBS_WlanStandard', { rank: 0, evidence: 'list' }),
    rssi('X_ITBS_WLAN_ClientSignalStrength', { evidence: '4 models' }),
    snr('X_ITBS_WLAN_SNR', { evidence: '4 models' }),
    stationStandard('X_ITBS_WLAN_ClientMode', { evidence: '4 models' }),
    ...['Device.WiFi.SSID.{i}.Enable', 'Device.WiFi.AccessPoint.{i}.Enable'].map((to) =>
      place(`${WLAN}Enable`, to, {
        transform: 'boolNot',
        writable: true,
        rank: 0,
        family: 'intelbras',
        models: TWIBI,
        evidence: '1 model: 0 is on',
      }),
    ),
  ],
  layouts: [
    { '2.4GHz': [6, 7, 8, 9, 10], '5GHz': [1, 2, 3, 4, 5], evidence: '13 models, live' },
    {
      models: ['RG1200', ...TWIBI, 'W5-1200F'],
      '2.4GHz': [1, 2, 3, 4],
      '5GHz': [5, 6, 7, 8],
      evidence: '49 models',
    },
    { models: ['W5-1200G', 'W5-2100G'], '2.4GHz': [2], '5GHz': [1], evidence: '4 models' },
    { models: ['GX3000', 'IH3000'], '2.4GHz': [1], '5GHz': [3], evidence: '10 models, live' },
  ],
  quirks: {
    parameters: [
      ...[PPP, IP].map((on) => ({
        on: `${on}X_ITBS_VlanMuxID`,
        models: ['AX1800', 'WiFiber AX1800'],
        type: 'int' as const,
        evidence: '1 model',
      })),
      { on: `${WLAN}Enable`, models: TWIBI, type: 'string', evidence: '1 model' },
      ...['PeriodicInformInterval', 'STUNServerPort', 'STUNEnable'].map((leaf) => ({
        on: `${IGD}ManagementServer.${leaf}`,
        models: TWIBI,
        type: 'string' as const,
        evidence: '1 model',
      })),
      {
        on: `${LAN_HOSTS}DNSServers`,
        models: ['RG1200'],
        refuses: { fault: 9002, why: 'the device answers with an internal error' },
        evidence: '1 model',
      },
    ],
    objects: [],
  },
}
