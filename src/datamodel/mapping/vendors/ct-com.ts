import type { VendorFamily } from './family.ts'
import {
  band,
  connectionIpv6,
  connectionVlan,
  IGD,
  IP,
  LAN_HOSTS,
  linkVlan,
  optics,
  PPP,
  place,
  rssi,
  USUAL_OPTICS,
  WAN,
  WLAN,
  width,
} from './places.ts'

const EVIDENCE = '6 lineages, 13 models, 156 values of dumps'
const LINKS = ['X_CT-COM_WANGponLinkConfig.', 'X_CT-COM_WANEponLinkConfig.']

/** Firmware for China Telecom (X_CT-COM_), on devices of ZTE, CDATA, Datacom and many others. */
export const CT_COM: VendorFamily = {
  name: 'ct-com',
  prefixes: ['X_CT-COM_'],
  kind: 'operator',
  rows: [
    ...optics(`${WAN}X_CT-COM_GponInterfaceConfig.`, USUAL_OPTICS, {
      evidence: '10 lineages, 9 models, 22 dumps, live',
    }),
    ...optics(`${WAN}X_CT-COM_EponInterfaceConfig.`, USUAL_OPTICS, {
      rank: 2,
      evidence: '12 lineages, 1 model, 67 dumps',
    }),
    ...optics(`${WAN}X_CT-COM_WANPONInterfaceConfig.`, { stats: true }, { rank: 3, evidence: 'Raisecom, 1 model' }),
    ...['Gpon', 'Epon'].flatMap((kind) =>
      optics(
        `${IGD}X_CT-COM_${kind}InterfaceConfig.Stats.`,
        { rx: ['RxPower'] },
        { rank: 4, evidence: '1 lineage, not seen on a device' },
      ),
    ),
    ...LINKS.flatMap((link) => linkVlan(link, 'VLANIDMark', { evidence: EVIDENCE }, 'Mode')),
    ...connectionVlan('X_CT-COM_VLANIDMark', { rank: 2, evidence: 'Stavix, Datacom' }),
    ...connectionVlan('X_CT-COM_VLAN', { rank: 3, evidence: 'Shoreline' }, 'X_CT-COM_VLANEnabled'),
    ...connectionIpv6(
      { address: 'X_CT-COM_IPv6IPAddress', prefix: 'X_CT-COM_IPv6Prefix' },
      { evidence: '28 models of several makers' },
    ),
    band('X_CT-COM_RFBand', { evidence: 'dumps' }),
    width('X_CT-COM_ChannelWidth', 'wlanWidth2013x', { evidence: '13 models' }),
    width('X_CT-COM_ChannelWidth', 'wlanWidthx012x', {
      rank: 0,
      family: 'ct-com',
      models: ['DM986-414'],
      evidence: '1 model',
    }),
    place(`${WLAN}X_CT-COM_SSIDHide`, 'Device.WiFi.AccessPoint.{i}.SSIDAdvertisementEnabled', {
      transform: 'boolNot',
      writable: true,
      rank: 2,
      evidence: 'list',
    }),
    rssi('X_CT-COM_RSSI', { evidence: '2 models' }),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: {
    parameters: [
      {
        on: `${WLAN}BeaconType`,
        models: ['TK-ONU', 'Think'],
        spelling: { WPAand11i: 'WPA/WPA2', '11i': 'WPA2' },
        evidence: '1 model',
      },
      { on: '*', models: ['AC10'], type: 'string', booleans: ['1', '0'], evidence: 'Tenda, 1 model' },
      {
        on: LAN_HOSTS,
        models: ['AC10'],
        before: [{ param: 'DHCPServerConfigurable', value: '1' }],
        evidence: 'Tenda, 1 model',
      },
    ],
    objects: [PPP, IP].map((on) => ({
      on,
      values: [
        { param: 'X_CT-COM_ServiceList', value: 'INTERNET' },
        {
          param: 'X_CT-COM_LanInterface',
          value: `${IGD}LANDevice.1.LANEthernetInterfaceConfig.1,${IGD}LANDevice.1.WLANConfiguration.1`,
        },
      ],
      evidence: '6 lineages, dumps',
    })),
  },
}
