import { idBoundAt } from '../base/index.ts'
import { FINAL_STATES } from '../device/index.ts'
import type { Collection, Connection, Document_, Filter } from './mongoose.ts'

/** How long what nobody needs for ever is kept, in days. */
export interface Retention {
  eventDays: number
  /** Counted from when an operation was asked for; one that has not ended stays, however old. */
  operationDays: number
}

const DAY_MS = 86_400_000
const BATCH = 5000
/** What a day's growth cannot exceed by far; what is left goes at the next round. */
const MAX_BATCHES = 200

/** Deletes events and ended operations that are too old, oldest first and some at a time, so that no delete holds up the writes of boxes. */
export async function deleteExpired(connection: Connection, retention: Retention, now: number): Promise<number> {
  const before = (days: number): Filter => ({ _id: { $lt: idBoundAt(now - days * DAY_MS) } })
  const events = connection.collection<Document_>('events')
  const operations = connection.collection<Document_>('operations')
  return (
    (await deleteInBatches(events, before(retention.eventDays))) +
    (await deleteInBatches(operations, { ...before(retention.operationDays), state: { $in: FINAL_STATES } }))
  )
}

async function deleteInBatches(collection: Collection, filter: Filter): Promise<number> {
  let deleted = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const found = await collection
      .find(filter, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(BATCH)
      .toArray()
    if (found.length === 0) break
    const { deletedCount } = await collection.deleteMany({ _id: { $in: found.map((document) => document._id) } })
    deleted += deletedCount
    if (found.length < BATCH) break
  }
  return deleted
}
