import type { VendorFamily } from './family.ts'
import { keyPlace, linkVlan, optics, USUAL_OPTICS, WAN, width } from './places.ts'

/** ONTs with CATV (X_CATV_), such as those of Cianet. */
export const CATV: VendorFamily = {
  name: 'catv',
  prefixes: ['X_CATV_'],
  kind: 'maker',
  rows: [
    ...optics(`${WAN}X_CATV_GponInterfaceConfig.`, USUAL_OPTICS, { evidence: 'HW01N' }),
    ...linkVlan('X_CATV_WANGponLinkConfig.', 'VLANIDMark', { evidence: 'HW01N' }, 'Mode'),
    width('X_CATV_ChannelWidth', 'wlanWidth2013x', { evidence: '13 models of several makers' }),
    keyPlace('PreSharedKey.{i}.PreSharedKey', { rank: 3, family: 'catv', evidence: 'HW01N' }),
  ],
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: { parameters: [], objects: [] },
}
