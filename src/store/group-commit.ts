import { AppError, createBatcher, type Log, type Settled } from '../base/index.ts'
import type { CollectionName } from './collections.ts'
import {
  type BulkOperation,
  type ClientSession,
  type Connection,
  type Document_,
  MongoBulkWriteError,
  MongoServerError,
} from './mongoose.ts'

/** One write of a set. Every update that is no upsert carries `mustMatch`: finding nothing makes the whole set fail with that text. */
export interface Write {
  collection: CollectionName
  operation: BulkOperation
  mustMatch?: string
  /** Writes with the same key in one flush become one: later fields win. Only for plain `$set` upserts. */
  mergeKey?: string
}

/** What one caller wants written: all of it or nothing. */
export interface WriteSet {
  writes: Write[]
  /** Called once, when the set is journaled, before its caller goes on. */
  onCommitted?(): void
}

/** Concurrent write sets share a flush: one bulk write per collection, one transaction, one journal sync. */
export interface GroupCommit {
  commit(set: WriteSet): Promise<void>
  drain(): Promise<void>
  readonly waiting: number
}

const ORDER: CollectionName[] = [
  'operations',
  'planMembers',
  'plans',
  'conflicts',
  'credentials',
  'groups',
  'devices',
  'parameters',
  'events',
]
const MAX_SETS = 512
const MAX_TRIES = 8

export function createGroupCommit(connection: Connection, transactions: boolean, log: Log): GroupCommit {
  const flusher = new Flusher(connection, transactions, log)
  const batcher = createBatcher<WriteSet, void>({
    maxItems: MAX_SETS,
    // What arrives within this time goes along; under load the flush under way gathers more than this would.
    lingerMs: 1,
    concurrency: 1,
    flush: (sets) => flusher.flush(sets),
  })
  return {
    commit: (set) => batcher.add(set),
    drain: () => batcher.drain(),
    get waiting() {
      return batcher.waiting
    },
  }
}

class Flusher {
  readonly #connection: Connection
  readonly #transactions: boolean
  readonly #log: Log

  constructor(connection: Connection, transactions: boolean, log: Log) {
    this.#connection = connection
    this.#transactions = transactions
    this.#log = log
  }

  /** All in one go; when one set is refused, halves, so that the bad one fails alone and its neighbours cost few more round trips. */
  async flush(sets: WriteSet[]): Promise<Settled<void>[]> {
    try {
      await this.#write(sets)
      for (const set of sets) set.onCommitted?.()
      return sets.map(() => ({ ok: true, value: undefined }))
    } catch (error) {
      const first = sets[0]
      if (sets.length === 1 && first !== undefined) return [{ ok: false, error: translate(error) }]
      if (!isRefusal(error)) return sets.map(() => ({ ok: false, error: translate(error) }))
      const middle = sets.length >> 1
      return [...(await this.flush(sets.slice(0, middle))), ...(await this.flush(sets.slice(middle)))]
    }
  }

  async #write(sets: WriteSet[]): Promise<void> {
    const byCollection = gather(sets)
    const single = byCollection.size === 1 && [...byCollection.values()].every((writes) => writes.length === 1)
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.#transactions && !single) await this.#inTransaction(byCollection)
        else await this.#run(byCollection, undefined)
        return
      } catch (error) {
        if (attempt >= MAX_TRIES || !isTransient(error)) throw error
        this.#log.debug({ attempt, err: error }, 'commit is tried again')
        await new Promise((resolve) => setTimeout(resolve, Math.min(5 * 2 ** attempt, 500)))
      }
    }
  }

  async #inTransaction(byCollection: Map<CollectionName, Write[]>): Promise<void> {
    const session = await this.#connection.startSession()
    try {
      session.startTransaction({ writeConcern: { w: 'majority', journal: true } })
      await this.#run(byCollection, session)
      await this.#commit(session)
    } catch (error) {
      if (session.inTransaction())
        await session
          .abortTransaction()
          .catch((err) => this.#log.debug({ err }, 'abort failed; the server forgets the transaction by itself'))
      throw error
    } finally {
      await session.endSession()
    }
  }

  /** A commit whose answer is lost is asked for again: committing twice is committing once. */
  async #commit(session: ClientSession): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await session.commitTransaction()
        return
      } catch (error) {
        if (
          attempt >= MAX_TRIES ||
          !(error instanceof MongoServerError) ||
          !error.hasErrorLabel('UnknownTransactionCommitResult')
        )
          throw error
      }
    }
  }

  async #run(byCollection: Map<CollectionName, Write[]>, session: ClientSession | undefined): Promise<void> {
    for (const name of ORDER) {
      const writes = byCollection.get(name)
      if (writes === undefined) continue
      const collection = this.#connection.collection<Document_>(name)
      const result = await collection.bulkWrite(
        writes.map((write) => write.operation),
        { ordered: name !== 'events', ...(session === undefined ? {} : { session }) },
      )
      const guarded = writes.filter((write) => write.mustMatch !== undefined)
      if (result.matchedCount < guarded.length)
        throw new Unmatched(guarded.length === 1 ? (guarded[0]?.mustMatch ?? '') : '')
    }
  }
}

/** A guarded write found nothing to change. */
class Unmatched extends Error {}

function gather(sets: WriteSet[]): Map<CollectionName, Write[]> {
  const byCollection = new Map<CollectionName, Write[]>()
  const merged = new Map<string, Record<string, unknown>>()
  for (const set of sets) {
    for (const write of set.writes) {
      if (write.mergeKey !== undefined && 'updateOne' in write.operation) {
        const update = write.operation.updateOne.update as { $set: Record<string, unknown> }
        const earlier = merged.get(write.mergeKey)
        if (earlier !== undefined) {
          Object.assign(earlier, update.$set)
          continue
        }
        const fields = { ...update.$set }
        merged.set(write.mergeKey, fields)
        push(byCollection, {
          ...write,
          operation: { updateOne: { ...write.operation.updateOne, update: { ...update, $set: fields } } },
        })
      } else {
        // What was merged before a deletion must not swallow what is written after it.
        if (write.collection === 'parameters') merged.clear()
        push(byCollection, write)
      }
    }
  }
  return byCollection
}

function push(byCollection: Map<CollectionName, Write[]>, write: Write): void {
  const list = byCollection.get(write.collection)
  if (list === undefined) byCollection.set(write.collection, [write])
  else list.push(write)
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Unmatched ||
    error instanceof MongoBulkWriteError ||
    (error instanceof MongoServerError && error.code === 11000)
  )
}

function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (
    error.name === 'MongoNetworkError' ||
    error.name === 'MongoServerSelectionError' ||
    error.name === 'MongoPoolClearedError'
  )
    return true
  const labelled = error as { hasErrorLabel?(label: string): boolean; code?: unknown }
  return labelled.hasErrorLabel?.('TransientTransactionError') === true || labelled.code === 112
}

function translate(error: unknown): unknown {
  if (error instanceof Unmatched)
    return new AppError('conflict', error.message === '' ? 'the record has changed meanwhile' : error.message)
  if ((error instanceof MongoServerError || error instanceof MongoBulkWriteError) && error.code === 11000) {
    return new AppError('conflict', 'there is one like it already', { cause: error })
  }
  if (isTransient(error)) return new AppError('unavailable', 'the database does not answer', { cause: error })
  return error
}
