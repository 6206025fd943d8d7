import type { VendorFamily } from './family.ts'
import { onConnections } from './places.ts'

/** ONTs with the software of Skyworth (X_SKYW_), such as Parks 6xx; the OLT sets their VLAN. */
export const SKYWORTH: VendorFamily = {
  name: 'skyworth',
  prefixes: ['X_SKYW_'],
  kind: 'maker',
  rows: onConnections('Name', {
    to: 'Device.Ethernet.VLANTermination.{i}.VLANID',
    transform: 'vlanOfName',
    rank: 9,
    family: 'skyworth',
    evidence: 'Parks 6xx, live: the VLAN is in the name of the connection alone',
  }),
  layouts: [{ '2.4GHz': [1, 2, 3, 4], '5GHz': [5, 6, 7, 8], evidence: '15 lineages, 49 models' }],
  quirks: { parameters: [], objects: [] },
}
