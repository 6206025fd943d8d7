import type {
  DeviceChange,
  DeviceId,
  FleetStore,
  PresenceCounts,
  Protocol,
  ReadinessClass,
  ReadinessRow,
  Selector,
} from '../../domain/index.ts'
import { filterOf } from '../mongo/filter.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { inBatches } from '../reads/batches.ts'

/** Counts over the device records in MongoDB. */
export class FleetRepository implements FleetStore {
  readonly #devices: Collection
  readonly #listeners: Set<(change: DeviceChange) => void>

  constructor(connection: Connection, listeners: Set<(change: DeviceChange) => void>) {
    this.#devices = connection.collection<Document_>('devices')
    this.#listeners = listeners
  }

  async presence(selector: Selector | undefined): Promise<PresenceCounts> {
    const rows = await this.#devices
      .aggregate([
        { $match: filterOf(selector) },
        { $group: { _id: { owner: '$owner', linked: '$usp.linked' }, count: { $sum: 1 } } },
      ])
      .toArray()
    const counts: PresenceCounts = { cwmp: 0, usp: 0, uspLinked: 0 }
    for (const { _id, count } of rows) {
      const { owner, linked } = _id as { owner: Protocol; linked?: boolean }
      counts[owner] += Number(count)
      if (linked === true) counts.uspLinked += Number(count)
    }
    return counts
  }

  async readiness(selector: Selector | undefined, limit: number): Promise<ReadinessRow[]> {
    const alike = {
      class: '$readiness.class',
      reasons: '$readiness.reasons',
      owner: '$owner',
      manufacturer: '$manufacturer',
      model: '$model',
      softwareVersion: '$softwareVersion',
    }
    const rows = await this.#devices
      .aggregate([
        { $match: filterOf(selector) },
        { $group: { _id: alike, count: { $sum: 1 } } },
        { $sort: { count: -1 } },
        { $limit: limit },
      ])
      .toArray()
    return rows.map(({ _id, count }) => {
      const { class: found, reasons, owner, manufacturer, model, softwareVersion } = _id as Record<string, unknown>
      return {
        ...(typeof found === 'string' ? { class: found as ReadinessClass } : {}),
        reasons: Array.isArray(reasons) ? reasons.map(String) : [],
        owner: owner as Protocol,
        ...(typeof manufacturer === 'string' ? { manufacturer } : {}),
        ...(typeof model === 'string' ? { model } : {}),
        ...(typeof softwareVersion === 'string' ? { softwareVersion } : {}),
        devices: Number(count),
      }
    })
  }

  withoutReadiness(batchSize: number): AsyncIterable<DeviceId[]> {
    // Equal to null, which an absent field is: by this MongoDB uses the index, by the absence of the field it does not.
    const found = this.#devices.find({ 'readiness.class': null }, { projection: { _id: 1 }, batchSize })
    return inBatches(found, batchSize, ({ _id }) => _id as DeviceId)
  }

  onChanged(listener: (change: DeviceChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
