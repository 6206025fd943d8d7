import type { VendorFamily } from './family.ts'
import { rssi, width } from './places.ts'

/** D-Link (X_DLINK_). */
export const D_LINK: VendorFamily = {
  name: 'd-link',
  prefixes: ['X_DLINK_'],
  kind: 'maker',
  rows: [
    rssi('X_DLINK_RSSI', { evidence: '1 to 3 models' }),
    width('X_DLINK_OperatingChannelBandwidth', 'wlanWidthDlink', { evidence: '3 models' }),
  ],
  layouts: [{ '2.4GHz': [1, 2], '5GHz': [3, 4], evidence: '3 models' }],
  quirks: { parameters: [], objects: [] },
}
