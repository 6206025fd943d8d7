import type { VendorFamily } from './family.ts'
import { connectionIpv6, connectionVlan, IGD, linkVlan, optics, rssi, WLAN } from './places.ts'

/** Devices of many makers with the software of Realtek (X_RTK_): VSOL, Parks, Stavix, Datacom. */
export const REALTEK: VendorFamily = {
  name: 'realtek',
  prefixes: ['X_RTK_', 'X_Realtek_'],
  kind: 'maker',
  rows: [
    ...optics(
      `${IGD}X_Realtek_EponInterfaceConfig.Stats.`,
      { rx: ['RxPower'] },
      { rank: 3, evidence: '1 lineage, not seen on a device' },
    ),
    ...linkVlan('X_RTK_WANGponLinkConfig.', 'VLANIDMark', { rank: 2, evidence: '4 models, live' }),
    ...connectionVlan('X_RTK_VlanMuxID', { evidence: 'Parks, live' }, 'X_RTK_VlanEnable'),
    ...connectionIpv6(
      { address: 'X_RTK_IPv6IPAddress', prefix: 'X_RTK_IPv6Prefix' },
      { evidence: '28 models of several makers' },
    ),
    rssi('WLAN_RSSI', { evidence: 'Stavix, GWR1200' }, 'rssiNegated'),
  ],
  layouts: [
    { '2.4GHz': [6, 7, 8, 9, 10], '5GHz': [1, 2, 3, 4, 5], evidence: '13 models, live' },
    {
      models: ['V2802DAC', 'XPON+2GE+2WIFI', 'FW323DAC'],
      '2.4GHz': [5],
      '5GHz': [1],
      evidence: '1 model, live',
    },
    { models: ['GWR1200'], '2.4GHz': [2], '5GHz': [1], evidence: '4 models' },
  ],
  quirks: {
    parameters: [
      {
        on: `${WLAN}BeaconType`,
        models: ['G421RQ', 'MP-G421R', 'X421RQ', 'Stavix'],
        spelling: { '11i': 'WPA2' },
        evidence: '1 model',
      },
      {
        on: `${WLAN}SSID`,
        models: ['FW323DAC', 'GWR300'],
        reboot: true,
        evidence: '2 models, which boot when the name of the 2.4 GHz network changes',
      },
    ],
    objects: [],
  },
}
