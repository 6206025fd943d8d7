import type { InstanceMap } from '../../datamodel/index.ts'
import type { Timestamp } from '../timestamp.ts'

/** The numbers of a device's rows in TR-181, and what its mapping was chosen by. */
export interface StoredInstanceMap {
  /** 1 for the first; each write raises it by one. */
  version: number
  map: InstanceMap
  /** Name of the vendor family that its own tree shows. */
  family?: string
  /** ModelName and ProductClass. */
  models: string[]
  /** The facts of the record by which rows of operators are chosen; absent in maps of earlier versions. */
  facts?: { manufacturer?: string; model?: string; productClass?: string; softwareVersion?: string }
  /** The version of the rows of operators by which the whole tree was mapped last; absent: without such rows. */
  rows?: string
  /** The last bootstrap on record when the numbers were given anew; 0: none. */
  bootstrapAt: Timestamp
  /** True until the mapped values of the record are those of this map and these rows. */
  pending?: true
}
