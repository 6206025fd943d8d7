import type { VendorFamily } from './family.ts'
import { keyPlace } from './places.ts'

/** Calix (X_000631_), and devices with X_CMS_. */
export const CALIX: VendorFamily = {
  name: 'calix',
  prefixes: ['X_000631_', 'X_CMS_'],
  kind: 'maker',
  rows: [
    keyPlace('X_000631_KeyPassphrase', { rank: 4, evidence: '1 to 2 lineages' }),
    keyPlace('X_CMS_KeyPassphrase', { rank: 5, evidence: '1 to 2 lineages' }),
  ],
  quirks: { parameters: [], objects: [] },
}
