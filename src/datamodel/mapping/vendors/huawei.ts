import type { VendorFamily } from './family.ts'
import {
  connectionIpv6,
  connectionVlan,
  cpu,
  IGD,
  INFO,
  IP,
  keyPlace,
  LAN,
  maxStations,
  memoryUse,
  noise,
  onuSerial,
  optics,
  PPP,
  place,
  rssi,
  snr,
  USUAL_OPTICS,
  WAN,
  WLAN,
  width,
} from './places.ts'

/** Models whose X_HW_HT20 takes an unsignedInt alone. */
const UNSIGNED_WIDTH = ['EG8141A5', 'EG8145X6', 'HG8121H', 'HG8145V5', 'HS8145V5', 'HS8546V5']

/** Huawei ONTs (X_HW_), and its routers. */
export const HUAWEI: VendorFamily = {
  name: 'huawei',
  prefixes: ['X_HW_'],
  kind: 'maker',
  rows: [
    // Devices of other makers with the software of Realtek have the container with this spelling, too.
    ...optics(`${WAN}X_GponInterafceConfig.`, USUAL_OPTICS, { evidence: '12 lineages, 17 models, 3 dumps, live' }),
    ...optics(
      `${WAN}X_HW_GponInterfaceConfig.`,
      { rx: ['RXPower'], tx: ['TXPower'], temperature: ['TransceiverTemperature'] },
      { rank: 2, evidence: '3 lineages, not seen on a device' },
    ),
    ...optics(
      `${IGD}X_HW_DEBUG.AMP.Optic.`,
      {
        rx: ['RxPower'],
        tx: ['TxPower'],
        temperature: ['Temperature'],
        voltage: ['Voltage'],
        bias: ['Bias'],
        partNumber: ['VendorPN'],
      },
      { rank: 3, evidence: '4 lineages that read web pages' },
    ),
    ...optics(
      `${IGD}X_HW_DEBUG.AdminTR069.`,
      { rx: ['RxPower'] },
      { rank: 4, evidence: '1 lineage, not seen on a device' },
    ),
    ...connectionVlan('X_HW_VLAN', { evidence: '9 lineages, 9 models, 6 dumps' }),
    ...connectionIpv6(
      { address: 'X_HW_IPv6.IPv6Address.{i}.IPAddress', prefix: 'X_HW_IPv6.IPv6Prefix.{i}.Prefix' },
      { evidence: '28 models' },
    ),
    keyPlace('PreSharedKey.{i}.PreSharedKey', { rank: 3, family: 'huawei', evidence: '14 lineages, 9 models, live' }),
    place(`${WLAN}X_HW_WPAand11iEncryptionModes`, 'Device.WiFi.AccessPoint.{i}.Security.EncryptionMode', {
      transform: 'wlanEncryption',
      writable: true,
      writeAlso: true,
      agg: 'union',
      when: { param: `${WLAN}BeaconType`, in: ['WPAand11i'] },
      evidence: 'live',
    }),
    width('X_HW_HT20', 'wlanWidth01234', { evidence: '8 models, live' }),
    maxStations('X_HW_AssociateNum', { evidence: 'list' }),
    rssi('X_HW_RSSI', { evidence: '4 lineages, 9 models, dumps' }),
    snr('X_HW_SNR', { evidence: '4 lineages, 9 models, dumps' }),
    noise('X_HW_Noise', { evidence: '4 lineages, 9 models, dumps' }),
    cpu('X_HW_CpuUsed', { rank: 2, evidence: '6 lineages, 31 models, live' }),
    memoryUse('X_HW_MemUsed', { evidence: '7 lineages, 31 models' }),
    ...onuSerial(`${INFO}SerialNumber`, { family: 'huawei', evidence: '4 lineages, live' }),
    place(`${LAN}LANEthernetInterfaceConfig.{i}.X_HW_NegotiatedRate`, 'Device.Ethernet.Interface.{i}.CurrentBitRate', {
      transform: 'bitRateMbps',
      rank: 2,
      evidence: 'list',
    }),
  ],
  layouts: [
    { '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models, dumps, live' },
    {
      models: ['WS5200', 'WS7000', 'WS7001', 'WS7100'],
      '2.4GHz': [1],
      '5GHz': [2],
      evidence: '10 models of 6 makers',
    },
  ],
  quirks: {
    parameters: [
      { on: '*.WLANConfiguration.{i}.X_HW_HT20', models: UNSIGNED_WIDTH, type: 'unsignedInt', evidence: '8 models' },
      {
        on: '*.WLANConfiguration.{i}.BeaconType',
        values: ['WPAand11i'],
        after: [
          { param: 'X_HW_WPAand11iAuthenticationMode', value: 'PSKAuthentication' },
          { param: 'X_HW_WPAand11iEncryptionModes', value: 'TKIPandAESEncryption' },
        ],
        evidence: 'live',
      },
      {
        on: '*.WiFi.X_HW_GlobalConfig.BandSteeringCapability',
        refuses: {
          fault: 9003,
          why: 'the device only shows it',
          instead: `${LAN}WiFi.X_HW_GlobalConfig.BandSteeringPolicy`,
        },
        evidence: 'live',
      },
      { on: '*.X_HW_IPv6.IPv6Address.{i}.Origin', reboot: true, evidence: 'Status 1 of a live device' },
      { on: '*.PortMapping.{i}.RemoteHost', omit: true, evidence: 'list' },
    ],
    objects: [PPP, IP].map((on) => ({
      on,
      values: [
        { param: 'X_HW_SERVICELIST', value: 'INTERNET' },
        { param: 'X_HW_LANBIND.Lan1Enable', value: '1' },
        { param: 'X_HW_LANBIND.SSID1Enable', value: '1' },
      ],
      evidence: '4 lineages: without a service and a binding no traffic',
    })),
  },
}
