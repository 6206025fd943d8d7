import { BoundedMap, createKeyedQueue } from '../../base/index.ts'
import {
  type CoverageNote,
  coverageIdOf,
  coverageWith,
  type Device,
  type MappingCoverage,
  type ModelCoverage,
  type Page,
  type Timestamp,
} from '../../domain/index.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

/** Models and firmware that are kept; beyond them the one that was noted longest ago goes. */
const MAX_MODELS = 5000
/** Trees of one model that are counted one by one; after them one in ten minutes. */
const FIRST = 20
const PAUSE_MS = 600_000
const toCoverage = (document: Document_) => fromDocument<ModelCoverage>(document)

/** The coverage of models in MongoDB: one document per make, model, firmware and root. */
export class MappingCoverageRepository implements MappingCoverage {
  readonly #models: Collection
  readonly #maxModels: number
  readonly #queue = createKeyedQueue()
  readonly #notedAt = new BoundedMap<string, { trees: number; at: number }>(MAX_MODELS)

  constructor(connection: Connection, maxModels = MAX_MODELS) {
    this.#models = connection.collection<Document_>('mappingCoverage')
    this.#maxModels = maxModels
  }

  isDue(device: Device, at: Timestamp): boolean {
    const last = this.#notedAt.get(coverageIdOf(device))
    return last === undefined || last.trees < FIRST || at - last.at >= PAUSE_MS
  }

  async note(device: Device, note: CoverageNote): Promise<void> {
    if (!this.isDue(device, note.at)) return
    const id = coverageIdOf(device)
    await this.#queue.run(id, async () => {
      const document = await this.#models.findOne({ _id: id })
      const next = coverageWith(document === null ? undefined : toCoverage(document), device, note)
      if (document === null) await this.#makeRoom()
      await this.#models.replaceOne({ _id: id }, toDocument(next), { upsert: true })
      this.#notedAt.set(id, { trees: next.trees, at: note.at })
    })
  }

  list(query: { limit: number; cursor?: string }): Promise<Page<ModelCoverage>> {
    return page(this.#models, {}, { field: '_id', descending: false }, query, toCoverage)
  }

  async #makeRoom(): Promise<void> {
    if ((await this.#models.estimatedDocumentCount()) < this.#maxModels) return
    const [oldest] = await this.#models
      .find({}, { projection: { _id: 1 } })
      .sort({ at: 1, _id: 1 })
      .limit(1)
      .toArray()
    if (oldest !== undefined) await this.#models.deleteOne({ _id: oldest._id })
  }
}
