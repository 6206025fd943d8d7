import type { VendorFamily } from './family.ts'
import { keyPlace } from './places.ts'

/** Cudy (X_CUDY_). */
export const CUDY: VendorFamily = {
  name: 'cudy',
  prefixes: ['X_CUDY_'],
  kind: 'maker',
  rows: [keyPlace('X_CUDY_Password', { rank: 4, evidence: '1 to 2 lineages' })],
  layouts: [{ '2.4GHz': [1], '5GHz': [2], evidence: '10 models of several makers' }],
  quirks: { parameters: [], objects: [] },
}
