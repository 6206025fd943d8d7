import type { Clock, Log } from '../base/index.ts'
import { loadModel, Mappings } from '../datamodel/index.ts'
import type {
  ChangeCompletion,
  DeviceStore,
  InstanceMapStore,
  MappingCoverage,
  MappingRowStore,
  ParameterStore,
  Upward,
} from '../domain/index.ts'
import { mappedContact } from './mapped-contact.ts'
import { MappedRecord } from './record/mapped-record.ts'
import { StoredDevices } from './record/stored-devices.ts'
import { RemappingRun } from './remapping.ts'
import type { RowSets } from './row-sets.ts'
import { DeviceMaps } from './tree/device-maps.ts'
import { RecentTrees } from './tree/recent-trees.ts'

/** The needs of the room. */
interface NormalizationDeps {
  devices: DeviceStore
  parameters: ParameterStore
  instanceMaps: InstanceMapStore
  mappingCoverage: Pick<MappingCoverage, 'note'>
  mappingRows: Pick<MappingRowStore, 'remapping' | 'noteRemapping'>
  rowSets: RowSets
  clock: Clock
  log: Log
}

/** Puts the room together: what the store completes changes by, and what stands between contacts and operations. */
export class Normalization {
  /** To be given to the store. */
  readonly changes: ChangeCompletion
  /** The trees that were stored before; for a recurring job. */
  readonly stored: StoredDevices
  /** For the recurring job. */
  readonly remapping: RemappingRun

  readonly #deps: NormalizationDeps & {
    maps: DeviceMaps
    trees: RecentTrees
    record: MappedRecord
  }

  constructor(deps: NormalizationDeps) {
    const { rowSets, instanceMaps, clock } = deps
    const mappings = new Mappings(loadModel('tr181-cwmp'))
    const maps = new DeviceMaps(instanceMaps, mappings, (facts) => rowSets.rowsFor(facts), clock)
    rowSets.onChanged(() => maps.forgetAll())
    const trees = new RecentTrees(deps.parameters, clock)
    const record = new MappedRecord({ ...deps, maps, trees })
    this.changes = record
    this.stored = new StoredDevices({ ...deps, maps, record })
    this.remapping = new RemappingRun({
      ...deps,
      adopt: (deviceId) => record.adopt(deviceId),
      notePending: (deviceId) => maps.notePending(deviceId),
    })
    this.#deps = { ...deps, maps, trees, record }
  }

  /** Returns what a protocol is to be given in place of operations: contacts that answer to paths of TR-181. */
  over(upward: Upward): Upward {
    return {
      contact: (contact) => upward.contact(mappedContact(contact, this.#deps)),
      hasNews: (deviceId) => upward.hasNews(deviceId),
      factsDue: (device) => upward.factsDue(device),
      completed: (completion) => upward.completed(completion),
    }
  }
}
