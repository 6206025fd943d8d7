import type { VendorFamily } from './family.ts'
import { connectionIpv6, optics, USUAL_OPTICS, vlan, WAN, WCD, WLAN } from './places.ts'

/** Tenda ONTs (X_TDTC_). */
export const TENDA: VendorFamily = {
  name: 'tenda',
  prefixes: ['X_TDTC_'],
  kind: 'maker',
  rows: [
    ...optics(`${WAN}WANGponInterfaceConfig.`, USUAL_OPTICS, { rank: 2, evidence: 'HG9, 2 lineages, 1 model' }),
    vlan(`${WCD}X_TDTC_VLAN`, { evidence: 'HG9, 2 lineages, 1 model' }, 'vlanIdByEnable'),
    {
      from: `${WCD}X_TDTC_VLANEnabled`,
      to: 'Device.Ethernet.VLANTermination.{i}.Enable',
      transform: 'bool',
      writable: true,
      evidence: 'HG9, 2 lineages, 1 model',
    },
    ...connectionIpv6({ address: 'X_TDTC_IPv6Address' }, { evidence: '28 models of several makers' }),
  ],
  layouts: [{ '2.4GHz': [6, 7, 8, 9, 10], '5GHz': [1, 2, 3, 4, 5], evidence: '13 models, live' }],
  quirks: {
    parameters: [{ on: `${WLAN}BeaconType`, models: ['HG9'], spelling: { '11i': 'WPA2' }, evidence: '1 model' }],
    objects: [],
  },
}
