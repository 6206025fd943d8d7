import type { DeviceMapping, ReadingTime } from '../../datamodel/index.ts'
import type {
  Contact,
  ExecuteHooks,
  Operation,
  OperationRequest,
  OperationResult,
  ParameterStore,
  PathOutcome,
} from '../../domain/index.ts'
import type { DeviceMaps, MappedDevice } from '../tree/device-maps.ts'
import { readingTime } from '../tree/readings.ts'
import { bringRows } from '../tree/rows.ts'
import { StoredTree } from '../tree/stored-tree.ts'

interface OwnSideOptions {
  contact: Contact
  operation: Operation
  hooks: ExecuteHooks
  device: MappedDevice
  parameters: ParameterStore
  maps: DeviceMaps
  now: number
}

/**
 * The device's own tree during one request: what the record has of it, and above that what the device has answered.
 * Everything that was asked and answered is kept for the record.
 */
export class OwnSide {
  readonly tree: StoredTree
  readonly time: ReadingTime
  readonly #options: OwnSideOptions
  readonly #results = new Map<string, PathOutcome>()
  readonly #asked: string[] = []
  #device: MappedDevice

  constructor(options: OwnSideOptions) {
    this.#options = options
    this.#device = options.device
    this.tree = new StoredTree(options.contact.deviceId, options.parameters)
    this.time = readingTime(this.tree, options.now)
  }

  get mapping(): DeviceMapping {
    return this.#device.mapping
  }

  /** The answers of all reads so far, by path. */
  get results(): ReadonlyMap<string, PathOutcome> {
    return this.#results
  }

  /** Executes a request with own paths over the contact. */
  execute(request: OperationRequest, hooks: Partial<ExecuteHooks> = {}): Promise<OperationResult> {
    const { contact, operation } = this.#options
    return contact.execute({ ...operation, request }, { ...this.#options.hooks, ...hooks })
  }

  /** Reads own parameters and objects in one request. Rows that are new get their numbers. */
  async read(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return
    this.#asked.push(...paths)
    const { results } = await this.execute({ verb: 'get', paths: [...paths] })
    for (const outcome of results) this.#results.set(outcome.path, outcome)
    const fresh = results.flatMap(({ path, value }) => (value === undefined ? [] : [{ path, value }]))
    const isNew = await bringRows(this.mapping, fresh, this.tree)
    this.tree.add(fresh)
    if (isNew) this.#device = await this.#options.maps.grow(this.#options.contact.deviceId, this.#device, this.tree)
  }

  /** Returns all reads as one, for the record. */
  reads(): { request: OperationRequest; results: PathOutcome[] } {
    return { request: { verb: 'get', paths: this.#asked }, results: [...this.#results.values()] }
  }
}
