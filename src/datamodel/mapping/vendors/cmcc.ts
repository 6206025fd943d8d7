import type { VendorFamily } from './family.ts'
import {
  band,
  connectionIpv6,
  connectionVlan,
  cpu,
  IP,
  linkVlan,
  optics,
  PPP,
  USUAL_OPTICS,
  WAN,
  WLAN,
  width,
} from './places.ts'

/** Nokia devices with the firmware of this operator. */
const NOKIA = ['G-140W-C', 'G-1426-MA', 'G-1426-MB']

/** Firmware for China Mobile (X_CMCC_), on devices of ZTE, Nokia, CMDC and others. */
export const CMCC: VendorFamily = {
  name: 'cmcc',
  prefixes: ['X_CMCC_'],
  kind: 'operator',
  rows: [
    ...optics(`${WAN}X_CMCC_GponInterfaceConfig.`, USUAL_OPTICS, { evidence: '8 lineages, 4 models, 3 dumps, live' }),
    ...optics(`${WAN}X_CMCC_EponInterfaceConfig.`, USUAL_OPTICS, { rank: 2, evidence: '7 lineages, 33 dumps' }),
    ...connectionVlan(
      'X_CMCC_VLANIDMark',
      { evidence: '5 lineages, 4 models, 100 values of dumps' },
      undefined,
      'X_CMCC_VLANMode',
    ),
    // Devices with both places show one VLAN in both.
    ...linkVlan(
      'X_CMCC_WANGponLinkConfig.',
      'VLANIDMark',
      { rank: 2, evidence: '5 lineages, 4 models, 100 values of dumps' },
      'Mode',
    ).map((row) => ({ ...row, writeAlso: true as const })),
    ...connectionIpv6(
      { address: 'X_CMCC_IPv6IPAddress', prefix: 'X_CMCC_IPv6Prefix' },
      { evidence: '28 models of several makers' },
    ),
    band('X_CMCC_RFBand', { evidence: 'dumps' }),
    width('X_CMCC_ChannelWidth', 'wlanWidth2013x', { evidence: '13 models of several makers' }),
    cpu('X_CMCC_SysInfo.CPUUsage', { rank: 2, evidence: 'list' }),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: {
    parameters: [
      { on: '*', models: NOKIA, booleans: ['TRUE', 'FALSE'], evidence: '3 to 5 models' },
      {
        on: `${WLAN}BeaconType`,
        models: NOKIA,
        spelling: { WPAand11i: 'WPA/WPA2', '11i': 'WPA2' },
        evidence: '3 to 5 models',
      },
    ],
    // A new connection with all values in one SetParameterValues is refused.
    objects: [PPP, IP].map((on) => ({ on, oneByOne: true as const, evidence: '2 models' })),
  },
}
