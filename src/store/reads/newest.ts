import { idBoundAt } from '../../base/index.ts'
import type { Collection, Document_ } from '../mongo/mongoose.ts'

/**
 * Spans before now in which the newest documents are looked for, in milliseconds, before they are looked for among all.
 */
const SPANS_MS = [60_000, 3_600_000, 86_400_000]

/**
 * Returns the newest `limit` documents of a collection whose ids are made of time, newest first. SecantusDB reads all
 * documents for an order without a range, so short spans of ids are read first: one that holds enough of them holds the
 * newest.
 */
export async function newestById(collection: Collection, limit: number, now: number): Promise<Document_[]> {
  for (const span of SPANS_MS) {
    const found = collection.find({ _id: { $gte: idBoundAt(Math.max(0, now - span)) } })
    const documents = await found.sort({ _id: -1 }).limit(limit).toArray()
    if (documents.length === limit) return documents
  }
  return collection.find({}).sort({ _id: -1 }).limit(limit).toArray()
}
