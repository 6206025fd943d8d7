import { valueAt } from './convert.ts'
import type { BulkOperation, Collection, Document_, Filter, UpdateFilter } from './mongoose.ts'

/** Documents whose ids are read, and that are written, in one command. */
const PAGE = 500

/**
 * Updates every document that a filter finds, each by a statement of its own. Resolves with how many it changed. A
 * document that has another value in one of the fields `unchanged` by then is left as it is; without such fields the
 * update must be right for a document that does not match the filter any more.
 *
 * Not `updateMany`: while that one waits for a document that a transaction has written, SecantusDB lets nobody else
 * write to the collection, the transaction included, and so neither ends. The filter is no part of the statements:
 * SecantusDB finds a document at once by its `_id` alone, or by fields that have an index together with it.
 */
export function updateEach(
  collection: Collection,
  filter: Filter,
  update: UpdateFilter,
  unchanged: readonly string[] = [],
): Promise<number> {
  return each(collection, filter, unchanged, (one) => ({ updateOne: { filter: one, update } }))
}

/**
 * Deletes every document that a filter finds, as `updateEach` updates it. The filter is over fields that do not change.
 * Resolves with how many it deleted.
 */
export function deleteEach(collection: Collection, filter: Filter): Promise<number> {
  return each(collection, filter, [], (one) => ({ deleteOne: { filter: one } }))
}

async function each(
  collection: Collection,
  filter: Filter,
  unchanged: readonly string[],
  statement: (one: Filter) => BulkOperation,
): Promise<number> {
  let count = 0
  let statements: BulkOperation[] = []
  const write = async () => {
    if (statements.length === 0) return
    const part = statements
    statements = []
    const { modifiedCount, deletedCount } = await collection.bulkWrite(part, { ordered: false })
    count += modifiedCount + deletedCount
  }
  const projection = Object.fromEntries(['_id', ...unchanged].map((field) => [field, 1]))
  for await (const document of collection.find(filter, { projection, batchSize: PAGE })) {
    statements.push(statement(filterFor(document, unchanged)))
    if (statements.length === PAGE) await write()
  }
  await write()
  return count
}

function filterFor(document: Document_, unchanged: readonly string[]): Filter {
  const values = unchanged.map((field) => [field, valueAt(document, field) ?? null])
  return { ...Object.fromEntries(values), _id: document._id }
}
