import { isDeepStrictEqual } from 'node:util'
import { AppError, defined, type Log } from '../../base/index.ts'
import { COLLECTIONS, type Engine, type IndexRow, indexName } from '../mongo/collections.ts'
import { isDuplicate } from '../mongo/failure.ts'
import type { Db } from '../mongo/mongoose.ts'

/** An index in the answer of the server. */
interface PresentIndex {
  key: Record<string, unknown>
  unique?: boolean
  partialFilterExpression?: Record<string, unknown>
  expireAfterSeconds?: number
  sparse?: boolean
}

/**
 * Creates every declared collection and index that is missing. An index of that name with other keys or rules was made
 * by a person: AppError `conflict` names it, and it is not dropped. An index that is not declared is logged only: it
 * may be wanted, but every write pays for it.
 */
export async function checkIndexes(db: Db, log: Log): Promise<void> {
  const engine = await engineOf(db)
  const existing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map((info) => info.name))
  for (const [name, { indexes }] of Object.entries(COLLECTIONS)) {
    if (!existing.has(name)) await createCollection(db, name)
    const wanted = (indexes as readonly IndexRow[]).filter(({ on }) => on === undefined || on === engine)
    await checkCollection(db, name, wanted, log)
  }
}

/** The kind of server that a database is on. */
export async function engineOf(db: Db): Promise<Engine> {
  return 'secantusVersion' in (await db.admin().command({ buildInfo: 1 })) ? 'secantusdb' : 'mongodb'
}

async function createCollection(db: Db, name: string): Promise<void> {
  try {
    await db.createCollection(name)
  } catch (error) {
    // 48: another instance made it a moment ago.
    if ((error as { code?: number }).code !== 48) throw error
  }
}

async function checkCollection(db: Db, name: string, rows: readonly IndexRow[], log: Log): Promise<void> {
  const present = new Map<string, PresentIndex>()
  for (const index of await db.collection(name).indexes()) present.set(index.name ?? '', index)
  present.delete('_id_')
  for (const row of rows) {
    const index = indexName(row.keys)
    const found = present.get(index)
    present.delete(index)
    if (found === undefined) await create(db, name, row, log)
    else if (!isAsDeclared(found, row))
      throw new AppError('conflict', `index ${name}.${index} differs from what Isthmus needs; drop it and start again`)
  }
  for (const index of present.keys()) log.warn({ collection: name, index }, 'an index that Isthmus does not use')
}

async function create(db: Db, collection: string, row: IndexRow, log: Log): Promise<void> {
  const name = indexName(row.keys)
  log.debug({ collection, index: name }, 'creating index')
  try {
    const { unique, sparse, partial } = row
    await db
      .collection(collection)
      .createIndex(row.keys, defined({ name, unique, sparse, partialFilterExpression: partial }))
  } catch (cause) {
    if (!isDuplicate(cause)) throw cause
    throw new AppError('conflict', `index ${collection}.${name} cannot be made: records that must differ are alike`, {
      cause,
    })
  }
}

function isAsDeclared(found: PresentIndex, row: IndexRow): boolean {
  return (
    // The order of keys counts.
    JSON.stringify(found.key) === JSON.stringify(row.keys) &&
    (found.unique ?? false) === (row.unique ?? false) &&
    isDeepStrictEqual(found.partialFilterExpression ?? {}, row.partial ?? {}) &&
    found.expireAfterSeconds === undefined &&
    (found.sparse ?? false) === (row.sparse ?? false)
  )
}
