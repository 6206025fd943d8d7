import type { Page } from '../../domain/index.ts'
import type { ApiKey, ApiKeyStore } from '../../security/index.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

/** API keys by id; the hash is all that is kept of a secret. */
export class ApiKeyRepository implements ApiKeyStore {
  readonly #keys: Collection

  constructor(connection: Connection) {
    this.#keys = connection.collection<Document_>('apiKeys')
  }

  async put(key: ApiKey): Promise<void> {
    const { _id, ...rest } = toDocument(key)
    await this.#keys.replaceOne({ _id }, rest, { upsert: true })
  }

  async get(id: string): Promise<ApiKey | undefined> {
    const document = await this.#keys.findOne({ _id: id })
    return document === null ? undefined : fromDocument<ApiKey>(document)
  }

  list(query: { limit: number; cursor?: string }): Promise<Page<ApiKey>> {
    return page(this.#keys, {}, { field: '_id', descending: false }, query, (document) =>
      fromDocument<ApiKey>(document),
    )
  }

  async hasOtherWriter(id: string): Promise<boolean> {
    const found = await this.#keys.findOne({ scope: 'write', revokedAt: { $exists: false }, _id: { $ne: id } })
    return found !== null
  }

  count(): Promise<number> {
    return this.#keys.countDocuments({})
  }
}
