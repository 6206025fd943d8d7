import type { VendorFamily } from './family.ts'
import { connectionIpv6, cpu, IGD, linkVlan, optics, snr, USUAL_OPTICS, WAN, width } from './places.ts'

/** Nokia ONTs (X_ALU); their VLAN is mostly in the object of CT-COM. */
export const NOKIA: VendorFamily = {
  name: 'nokia',
  prefixes: ['X_ALU', 'X_ALU_', 'X_ALU-COM_', 'X_ALU_COM', 'X_ASB_COM_', 'X_D0542D_'],
  kind: 'maker',
  rows: [
    ...optics(`${IGD}X_ALU_OntOpticalParam.`, USUAL_OPTICS, { evidence: '5 lineages, 5 models, live' }),
    ...optics(`${WAN}X_ALU-COM_GponInterfaceConfig.`, USUAL_OPTICS, {
      rank: 2,
      evidence: '1 lineage, simulator',
    }),
    ...optics(
      `${IGD}X_ALU_COM.OntOpticalParam.`,
      { rx: ['RxPower'], tx: ['TxPower'] },
      { rank: 3, evidence: '1 lineage, simulator' },
    ),
    ...linkVlan('WANEthernetLinkConfig.', 'X_ALU-COM_VLANIDMark', { evidence: 'Beacon' }, 'X_ALU-COM_Mode'),
    ...connectionIpv6(
      { address: 'X_ALU-COM_IPv6IPAddress', prefix: 'X_ALU-COM_IPv6Prefix' },
      { evidence: '28 models of several makers' },
    ),
    width('X_ALU_COM_ChannelBandWidthExtend', 'wlanWidth', { evidence: '5 models' }),
    snr('X_ALU-COM_SNR', { evidence: '4 models, live' }),
    // ProcessStatus reads 0 on some of the models that have it.
    cpu('X_ALU-COM_CPUMEMMonitor.cpu', { rank: 0, evidence: 'G-140W-C, live' }),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: {
    parameters: [],
    objects: [],
  },
}
