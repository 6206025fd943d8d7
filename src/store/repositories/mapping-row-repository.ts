import { defined } from '../../base/index.ts'
import type { MappingRowSet, MappingRowStore, NewEvent, Page, Remapping } from '../../domain/index.ts'
import type { ChangeWriter } from '../commit/changes.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import { fromDocument, toDocument } from '../mongo/convert.ts'
import type { Collection, Connection, Document_, UpdateFilter } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'

const toSet = (document: Document_) => fromDocument<MappingRowSet>(document)

/** The sets of mapping rows that operators wrote. */
export class MappingRowRepository implements MappingRowStore {
  readonly #sets: Collection
  readonly #remapping: Collection
  readonly #commit: GroupCommit
  readonly #writer: ChangeWriter

  constructor(connection: Connection, commit: GroupCommit, writer: ChangeWriter) {
    this.#sets = connection.collection<Document_>('mappingRows')
    this.#remapping = connection.collection<Document_>('remapping')
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
    await this.#commit.commit(this.#writer.withEvents([wantRemapping(), write], [event]))
  }

  async get(id: string): Promise<MappingRowSet | undefined> {
    const document = await this.#sets.findOne({ _id: id })
    return document === null ? undefined : toSet(document)
  }

  list(limit: number, cursor?: string): Promise<Page<MappingRowSet>> {
    return page(this.#sets, {}, { field: '_id', descending: false }, { limit, cursor }, toSet)
  }

  count(): Promise<number> {
    return this.#sets.countDocuments({})
  }

  async delete(id: string, event: NewEvent): Promise<boolean> {
    if ((await this.#sets.countDocuments({ _id: id })) === 0) return false
    const remove: Write = { collection: 'mappingRows', operation: { deleteOne: { filter: { _id: id } } } }
    await this.#commit.commit(this.#writer.withEvents([wantRemapping(), remove], [event]))
    return true
  }

  async remapping(): Promise<Remapping> {
    const document = await this.#remapping.findOne({ _id: REMAPPING })
    if (document === null) return NOTHING
    const {
      id: _id,
      files: _files,
      ...work
    } = fromDocument<Partial<Remapping> & { id: string; files?: string }>(document)
    return { ...NOTHING, ...work }
  }

  async noteRemapping(work: Omit<Remapping, 'wanted'>): Promise<void> {
    const { after, total, startedAt, finishedAt, ...counts } = work
    const optional = { after, total, startedAt, finishedAt }
    const set = defined(optional)
    const absent = Object.keys(optional).filter((name) => !(name in set))
    const unset = Object.fromEntries(absent.map((name) => [name, '']))
    const update = { $set: { ...counts, ...set }, ...(absent.length === 0 ? {} : { $unset: unset }) }
    await this.#remapping.updateOne({ _id: REMAPPING }, update as UpdateFilter, { upsert: true })
  }

  async noteFiles(digest: string): Promise<void> {
    await this.#remapping.updateOne({ _id: REMAPPING }, { $setOnInsert: { wanted: 0 } }, { upsert: true })
    const update = { $set: { files: digest }, $inc: { wanted: 1 as never } }
    const noted = digest === '' ? ['', null] : [digest]
    await this.#remapping.updateOne({ _id: REMAPPING, files: { $nin: noted } }, update)
  }
}

/** The one document of the work. */
const REMAPPING = 'devices'
const NOTHING: Remapping = { wanted: 0, done: 0, run: 0, looked: 0, mapped: 0, failed: 0 }

function wantRemapping(): Write {
  const updateOne = { filter: { _id: REMAPPING }, update: { $inc: { wanted: 1 as never } }, upsert: true }
  return { collection: 'remapping', operation: { updateOne } }
}
