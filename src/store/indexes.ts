import { AppError, type Log } from '../base/index.ts'
import { COLLECTIONS, type IndexRow, indexName } from './collections.ts'
import type { Db } from './mongoose.ts'

/**
 * Makes every declared collection and index there. An index of that name with other keys or rules is a person's doing: AppError `conflict`
 * names it rather than dropping it.
 */
export async function checkIndexes(db: Db, log: Log): Promise<void> {
  const existing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map((info) => info.name))
  for (const [name, rows] of Object.entries(COLLECTIONS)) {
    if (!existing.has(name)) await createCollection(db, name)
    await checkCollection(db, name, rows as readonly IndexRow[], log)
  }
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
  const collection = db.collection(name)
  const present = new Map((await collection.indexes()).map((index) => [index.name ?? '', index]))
  for (const row of rows) {
    const index = indexName(row.keys)
    const found = present.get(index)
    if (found === undefined) {
      log.info({ collection: name, index }, 'creating index')
      await collection.createIndex(row.keys, {
        name: index,
        ...(row.unique === undefined ? {} : { unique: true }),
        ...(row.partial === undefined ? {} : { partialFilterExpression: row.partial }),
      })
      continue
    }
    if (JSON.stringify(found.key) !== JSON.stringify(row.keys) || (found.unique ?? false) !== (row.unique ?? false)) {
      throw new AppError('conflict', `index ${name}.${index} differs from what Isthmus needs; drop it and start again`)
    }
  }
}
