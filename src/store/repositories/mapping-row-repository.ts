import type { MappingRowSet, MappingRowStore, NewEvent, Page } from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

const toSet = (document: Document_) => fromDocument<MappingRowSet>(document)

/** The sets of mapping rows that operators wrote. */
export class MappingRowRepository implements MappingRowStore {
  readonly #sets: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter) {
    this.#sets = connection.collection<Document_>('mappingRows')
    this.#commit = commit
    this.#writer = writer
  }

  async put(set: MappingRowSet, event: NewEvent, expectedRevision?: number): Promise<void> {
    const { _id, ...fields } = toDocument(set)
    const write: Write =
      expectedRevision === undefined
        ? { collection: 'mappingRows', operation: { insertOne: { document: { _id, ...fields } } } }
        : {
            collection: 'mappingRows',
            operation: { replaceOne: { filter: { _id, revision: expectedRevision }, replacement: fields } },
            mustMatch: 'the set of rows has changed since it was read; read it again',
          }
    await this.#commit.commit(this.#writer.withEvents([write], [event]))
  }

  async get(id: string): Promise<MappingRowSet | undefined> {
    const document = await this.#sets.findOne({ _id: id })
    return document === null ? undefined : toSet(document)
  }

  list(limit: number, cursor?: string): Promise<Page<MappingRowSet>> {
    return page(this.#sets, {}, { field: '_id', descending: false }, { limit, cursor }, toSet)
  }

  async delete(id: string, event: NewEvent): Promise<boolean> {
    if ((await this.#sets.countDocuments({ _id: id })) === 0) return false
    const remove: Write = { collection: 'mappingRows', operation: { deleteOne: { filter: { _id: id } } } }
    await this.#commit.commit(this.#writer.withEvents([remove], [event]))
    return true
  }
}
