import type { VendorFamily } from './family.ts'
import { connectionVlan, optics, WAN } from './places.ts'

/** Firmware for China Unicom (X_CU_), on devices of ZTE. */
export const CU: VendorFamily = {
  name: 'cu',
  prefixes: ['X_CU_'],
  kind: 'operator',
  rows: [
    ...['EPON', 'GPON'].flatMap((kind, at) => [
      ...optics(
        `${WAN}X_CU_WAN${kind}InterfaceConfig.OpticalTransceiver.`,
        { rx: ['RXPower'], tx: ['TXPower'], temperature: ['Temperature'] },
        { rank: 1 + at, evidence: '7 lineages, 17 dumps' },
      ),
      ...optics(
        `${WAN}X_CU_WAN${kind}InterfaceConfig.`,
        { status: ['Status'] },
        { rank: 1 + at, evidence: '7 lineages, 17 dumps' },
      ),
    ]),
    ...connectionVlan('X_CU_VLAN', { evidence: '1 lineage, dumps' }, 'X_CU_VLANEnabled'),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: {
    parameters: [],
    objects: [],
  },
}
