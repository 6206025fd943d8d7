/** Floor 3: the trees of devices that are not TR-181, read and written by TR-181 paths. Knows no protocol's bytes. */
export { Normalization } from './normalization.ts'
export { RowSets } from './row-sets.ts'
