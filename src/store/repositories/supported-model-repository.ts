import type {
  DeviceId,
  NewEvent,
  Page,
  SupportedModel,
  SupportedModelStore,
  SupportedModelSummary,
} from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

const TEXT = 'objects'
const toSummary = (document: Document_) => fromDocument<SupportedModelSummary>(document, [TEXT])

/** Supported data models. Their objects are kept as text: paths are no field names. */
export class SupportedModelRepository implements SupportedModelStore {
  readonly #models: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter) {
    this.#models = connection.collection<Document_>('supportedModels')
    this.#commit = commit
    this.#writer = writer
  }

  async of(key: string): Promise<SupportedModelSummary[]> {
    return (await this.#models.find({ key }, { projection: { [TEXT]: 0 } }).toArray()).map(toSummary)
  }

  async get(id: string): Promise<SupportedModel | undefined> {
    const document = await this.#models.findOne({ _id: id })
    if (document === null) return undefined
    const { objectCount: _count, ...summary } = toSummary(document)
    // Written by `put` alone.
    return { ...summary, objects: JSON.parse(String(document.objects)) as SupportedModel['objects'] }
  }

  async put({ objects, ...model }: SupportedModel): Promise<void> {
    const { _id, ...fields } = toDocument(model)
    const document = { ...fields, objectCount: objects.length, objects: JSON.stringify(objects) }
    await this.#models.replaceOne({ _id }, document, { upsert: true })
  }

  async confirm(id: string, deviceId: DeviceId): Promise<void> {
    await this.#models.updateOne(
      { _id: id, describedBy: { $ne: deviceId } },
      { $push: { describedBy: deviceId as never } },
    )
  }

  list(query: { limit: number; cursor?: string }): Promise<Page<SupportedModelSummary>> {
    return page(this.#models, {}, { field: '_id', descending: false }, { ...query, without: [TEXT] }, toSummary)
  }

  async delete(id: string, event: NewEvent): Promise<boolean> {
    if ((await this.#models.countDocuments({ _id: id })) === 0) return false
    const remove: Write = { collection: 'supportedModels', operation: { deleteOne: { filter: { _id: id } } } }
    await this.#commit.commit(this.#writer.withEvents([remove], [event]))
    return true
  }
}
