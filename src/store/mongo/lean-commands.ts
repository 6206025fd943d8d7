import { defined } from '../../base/index.ts'
import { leanWayOf } from './connection.ts'
import { labelRepeatable } from './failure.ts'
import type { LeanWay } from './lean-client.ts'
import {
  type BulkOperation,
  type ClientSession,
  type Collection,
  type Document_,
  type Filter,
  MongoServerError,
  type UpdateFilter,
} from './mongoose.ts'

// The few commands of Informs, sent over a client of their own as they are: without a cursor, without the events by which
// other commands are counted (each of which costs the driver a copy of the command and of its answer), and without the
// bookkeeping for writes that the driver repeats. That is half of the work. The driver repeats none of them.

/** One update of a document by its `_id` alone: to do it twice is to do it once. */
interface LeanUpdate {
  q: { _id: string }
  u: UpdateFilter
}

/** One update of a transaction. */
interface TransactionUpdate {
  q: Filter
  u: unknown
  upsert?: boolean
}

/** The parts of answers that are read; all else is `ok`. */
interface Answer {
  n?: number
  upserted?: unknown[]
  writeErrors?: { code: number; errmsg?: string }[]
  cursor?: { id: unknown; firstBatch: Document_[] }
  value?: Document_ | null
}

const DURABLE = { w: 'majority', j: true }
/** Updates of one command of a transaction: more could be larger than a command may be. */
const MAX_UPDATES = 1000
/** Documents of one command: more could be larger than an answer may be. */
const MAX_READ = 100

/**
 * The documents that a filter finds, which are at most `limit`; undefined where one lean command does not read them all.
 */
export async function readLean(
  collection: Collection,
  filter: Filter,
  limit: number,
): Promise<Document_[] | undefined> {
  const way = limit <= MAX_READ ? leanWayOf(collection) : undefined
  if (way === undefined) return undefined
  const { cursor } = await way.send<Answer>('find', { find: way.collection, filter, limit, batchSize: limit })
  return cursor !== undefined && Number(cursor.id) === 0 ? cursor.firstBatch : undefined
}

/**
 * Sends one update and resolves with how many documents it found. Journaled then, on a majority where there is one.
 * Undefined, and nothing was sent, where it cannot go so.
 */
export async function updateLean(collection: Collection, operation: BulkOperation): Promise<number | undefined> {
  const way = leanWayOf(collection)
  const update = leanUpdateOf(operation)
  if (way === undefined || update === undefined) return undefined
  try {
    const command = { update: way.collection, updates: [update], writeConcern: DURABLE }
    const { n = 0, writeErrors: [refused] = [] } = await way.send<Answer>('update', command)
    if (refused !== undefined) throw new MongoServerError(refused)
    return n
  } catch (error) {
    throw labelRepeatable(error)
  }
}

/**
 * Updates a document and returns it as it is then, journaled as `updateLean` does. Null where there is none; undefined,
 * and nothing was sent, where the update cannot go so.
 */
export async function updateAndReadLean(
  collection: Collection,
  operation: BulkOperation,
): Promise<Document_ | null | undefined> {
  const way = leanWayOf(collection)
  const update = leanUpdateOf(operation)
  if (way === undefined || update === undefined) return undefined
  const command = { findAndModify: way.collection, query: update.q, update: update.u, new: true, writeConcern: DURABLE }
  try {
    return (await way.send<Answer>('findAndModify', command)).value ?? null
  } catch (error) {
    throw labelRepeatable(error)
  }
}

/**
 * Sends updates in the transaction of a session and resolves with how many documents they found. Undefined, and nothing
 * was sent, where they cannot go so.
 */
export async function updateInTransaction(
  way: LeanWay,
  operations: readonly BulkOperation[],
  session: ClientSession,
): Promise<number | undefined> {
  if (operations.length > MAX_UPDATES) return undefined
  const updates: TransactionUpdate[] = []
  for (const operation of operations) {
    if (!('updateOne' in operation)) return undefined
    const { filter, update, upsert, ...options } = operation.updateOne
    if (Object.keys(options).length > 0) return undefined
    updates.push({ q: filter, u: update, ...defined({ upsert }) })
  }
  const answer = await way.send<Answer>('update', { update: way.collection, updates }, session)
  const { n = 0, upserted = [], writeErrors: [refused] = [] } = answer
  if (refused !== undefined) throw new MongoServerError(refused)
  return n - upserted.length
}

/**
 * The lean form of an operation; undefined where it is no update by `_id` alone, or one that counts: done again after a
 * lost answer, that would count twice.
 */
function leanUpdateOf(operation: BulkOperation): LeanUpdate | undefined {
  if (!('updateOne' in operation)) return undefined
  const { filter, update, ...options } = operation.updateOne
  if (Array.isArray(update) || update.$inc !== undefined || Object.keys(options).length > 0) return undefined
  const { _id, ...guards } = filter
  return typeof _id === 'string' && Object.keys(guards).length === 0 ? { q: { _id }, u: update } : undefined
}
