import type { BulkOperation, Collection, Filter, UpdateFilter } from './mongoose.ts'

/** Documents whose ids are read, and that are written, in one command. */
const PAGE = 500

/**
 * Updates every document that a filter finds, each by a statement of its own. Resolves with how many it changed.
 *
 * Not `updateMany`: while that one waits for a document that a transaction has written, SecantusDB lets nobody else
 * write to the collection, the transaction included, and so neither ends.
 */
export function updateEach(collection: Collection, filter: Filter, update: UpdateFilter): Promise<number> {
  return each(collection, filter, (one) => ({ updateOne: { filter: one, update } }))
}

/** Deletes every document that a filter finds, as `updateEach` updates it. Resolves with how many it deleted. */
export function deleteEach(collection: Collection, filter: Filter): Promise<number> {
  return each(collection, filter, (one) => ({ deleteOne: { filter: one } }))
}

async function each(
  collection: Collection,
  filter: Filter,
  statement: (one: Filter) => BulkOperation,
): Promise<number> {
  let count = 0
  let ids: string[] = []
  const write = async () => {
    if (ids.length === 0) return
    // The whole filter again: a document may have changed since it was found.
    const statements = ids.map((_id) => statement({ ...filter, _id }))
    ids = []
    const { modifiedCount, deletedCount } = await collection.bulkWrite(statements, { ordered: false })
    count += modifiedCount + deletedCount
  }
  const found = collection.find(filter, { projection: { _id: 1 }, batchSize: PAGE })
  for await (const { _id } of found) {
    ids.push(_id)
    if (ids.length === PAGE) await write()
  }
  await write()
  return count
}
