import { idBoundAt } from '../../base/index.ts'
import { FINAL_STATES } from '../../domain/index.ts'
import type { Collection, Connection, Document_, Filter } from '../mongo/mongoose.ts'

/** Days for which data that is not needed permanently is kept. */
export interface Retention {
  eventDays: number
  /** Counted from when an operation was asked for; one that has not ended stays, however old. */
  operationDays: number
}

const DAY_MS = 86_400_000
/** Certificates are remembered after their end: their names show which Endpoint IDs bridges have spoken for. */
const CERTIFICATE_DAYS = 400
const BATCH = 5000
/** Of one round, so that it ends; what is left goes at the next one. */
const MAX_BATCHES = 200

/** A time by both clocks: that of the machine, which can be set, and service time, which only passes. */
interface Look {
  wallMs: number
  serviceMs: number
}

const LOOK_ID = 'retention'

/**
 * Deletes events, ended operations and the records of certificates that are too old, oldest first and some at a time,
 * so that no delete holds up the writes of CPE. The age of a document is measured by the machine's clock, and a clock
 * that is wrong for an hour must delete nothing. So a look is stored, and what was too old then is deleted when it
 * still is, a day of service time later.
 */
export async function deleteExpired(connection: Connection, retention: Retention, now: Look): Promise<number> {
  const settings = connection.collection<Document_>('settings')
  const earlier = await settings.findOne({ _id: LOOK_ID })
  const serviceMs = Number(earlier?.serviceMs)
  // A service time before that of the look: the database is another one, or it was restored.
  if (earlier !== null && serviceMs <= now.serviceMs && now.serviceMs - serviceMs < DAY_MS) return 0
  const wallMs = Math.min(Number(earlier?.wallMs), now.wallMs)
  const { deleted, isAll } =
    earlier === null || serviceMs > now.serviceMs
      ? { deleted: 0, isAll: true }
      : await deleteBefore(connection, retention, wallMs)
  if (isAll) await settings.updateOne({ _id: LOOK_ID }, { $set: { ...now } }, { upsert: true })
  return deleted
}

/** The number of deleted documents, and whether these were all. */
interface Deleted {
  deleted: number
  isAll: boolean
}

async function deleteBefore(connection: Connection, retention: Retention, wallMs: number): Promise<Deleted> {
  const before = (days: number): Filter => ({ _id: { $lt: idBoundAt(wallMs - days * DAY_MS) } })
  const events = connection.collection<Document_>('events')
  const operations = connection.collection<Document_>('operations')
  const first = await deleteInBatches(events, before(retention.eventDays))
  const ended = { ...before(retention.operationDays), state: { $in: FINAL_STATES } }
  const second = await deleteInBatches(operations, ended)
  const old = { notAfter: { $lt: wallMs - CERTIFICATE_DAYS * DAY_MS } } as Filter
  const third = await deleteInBatches(connection.collection<Document_>('certificates'), old)
  const parts = [first, second, third]
  return { deleted: parts.reduce((sum, part) => sum + part.deleted, 0), isAll: parts.every((part) => part.isAll) }
}

async function deleteInBatches(collection: Collection, filter: Filter): Promise<Deleted> {
  let deleted = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const found = await collection
      .find(filter, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(BATCH)
      .toArray()
    if (found.length === 0) return { deleted, isAll: true }
    const statements = found.map(({ _id }) => ({ deleteOne: { filter: { _id } } }))
    deleted += (await collection.bulkWrite(statements, { ordered: false })).deletedCount
    if (found.length < BATCH) return { deleted, isAll: true }
  }
  return { deleted, isAll: false }
}
