import type { VendorFamily } from './family.ts'
import { IGD, optics } from './places.ts'

/** Zyxel (X_ZYXEL_, X_5067F0_). */
export const ZYXEL: VendorFamily = {
  name: 'zyxel',
  prefixes: ['X_ZYXEL_', 'X_5067F0_'],
  kind: 'maker',
  rows: optics(
    `${IGD}X_ZYXEL_EXT.Optical.`,
    { rx: ['rxPower'], tx: ['txPower'], temperature: ['temperature'], voltage: ['voltage'] },
    { evidence: 'PX3321-T1, live' },
  ),
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: {
    parameters: [
      {
        on: `${IGD}X_5067F0_Ext.LoginPrivilegeMgmt.{i}.UserName`,
        values: ['admin'],
        refuses: { fault: 9003, why: 'the device does not take this name' },
        evidence: '1 model',
      },
    ],
    objects: [],
  },
}
