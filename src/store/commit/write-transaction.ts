import { AppError, type FlushResult, type Log } from '../../base/index.ts'
import { type CollectionName, inWriteOrder } from '../mongo/collections.ts'
import { leanClientOf } from '../mongo/connection.ts'
import { MARK } from '../mongo/convert.ts'
import { isAmbiguous, isTransient, persevere } from '../mongo/failure.ts'
import type { LeanClient } from '../mongo/lean-client.ts'
import { updateInTransaction, updateLean } from '../mongo/lean-commands.ts'
import { type ClientSession, type Connection, type Document_, MongoError, MongoServerError } from '../mongo/mongoose.ts'
import { DONE, gather, type MarkedSet, type Over, type SetWriter, type Write, witnessOf } from './write-set.ts'
import type { WritingSessions } from './writing-sessions.ts'

/** The server knows of no such transaction: it has ended. */
const NO_SUCH_TRANSACTION = 251

/**
 * Writes all sets in one transaction with one journal sync, or none of them. A transaction that is left open holds its
 * documents until the server drops it, which takes a minute, and on the embedded engine longer: a write beside it waits
 * all that time. So each one is kept here until the server has confirmed its end, and nothing is written before.
 */
export class TransactionWriter implements SetWriter {
  readonly #connection: Connection
  readonly #lean: LeanClient
  readonly #sessions: WritingSessions
  readonly #log: Log
  /** Sessions of transactions whose end the server has not confirmed yet. */
  readonly #open = new Set<ClientSession>()

  constructor(connection: Connection, sessions: WritingSessions, log: Log) {
    this.#connection = connection
    this.#lean = leanClientOf(connection)
    this.#sessions = sessions
    this.#log = log
  }

  async write(sets: MarkedSet[], deadline: number, over: Over): Promise<FlushResult<void>[]> {
    const byCollection = gather(sets)
    const [first, ...others] = [...byCollection.values()].flat()
    // In a transaction a deletion of many fails at a conflict; alone it would block the collection, see `updateEach`.
    const single = first !== undefined && others.length === 0 && !('deleteMany' in first.operation)
    try {
      await persevere(async (last) => {
        over.throwIfAborted()
        if (last !== undefined) this.#log.debug({ err: last }, 'commit is tried again')
        await this.#endOpen()
        if (isAmbiguous(last) && (await this.#wasDone(sets))) return
        if (single) await this.#run(byCollection, over)
        else await this.#inTransaction(byCollection, over)
      }, deadline)
    } catch (error) {
      // Refused, maybe by itself: the driver repeats a write whose answer was lost, and not every server remembers the
      // first.
      if (isTransient(error) || sets.length > 1 || !(await this.#wasDone(sets))) throw error
    }
    return sets.map(() => DONE)
  }

  async #inTransaction(byCollection: Map<CollectionName, Write[]>, over: Over): Promise<void> {
    const session = await this.#sessions.take()
    this.#open.add(session)
    try {
      session.startTransaction({ writeConcern: { w: 'majority', journal: true } })
      await this.#run(byCollection, over, session)
      over.throwIfAborted()
      await this.#commit(session)
      this.#open.delete(session)
    } catch (error) {
      await this.#endOpen().catch((err) =>
        this.#log.debug({ err }, 'a transaction could not be aborted yet; this is tried again before the next write'),
      )
      throw error
    }
    await this.#sessions.give(session)
  }

  /** Aborts open transactions. Rejects when the server does not confirm their end. */
  async #endOpen(): Promise<void> {
    for (const session of this.#open) {
      await this.#abort(session)
      this.#open.delete(session)
      await this.#lean.end(session)
    }
  }

  async #abort(session: ClientSession): Promise<void> {
    try {
      await this.#lean.abort(session)
    } catch (error) {
      // A flush that was given up may end its transaction at the same time.
      if (session.hasEnded) return
      if (error instanceof MongoServerError && (error.code === NO_SUCH_TRANSACTION || !isTransient(error))) return
      throw error
    }
  }

  async #run(byCollection: Map<CollectionName, Write[]>, over: Over, session?: ClientSession): Promise<void> {
    for (const name of inWriteOrder(byCollection.keys())) {
      over.throwIfAborted()
      const writes = insertsFirst(byCollection.get(name) ?? [])
      if (writes.length === 0) continue
      const matchedCount = await this.#write(name, writes, session)
      const guarded = writes.filter((write) => write.mustMatch !== undefined)
      // The sets are repeated one by one, which shows the one that does not match.
      if (matchedCount < guarded.length) throw new AppError('conflict', guarded[0]?.mustMatch ?? '')
    }
  }

  /** Resolves with how many documents the updates found. */
  async #write(name: CollectionName, writes: Write[], session: ClientSession | undefined): Promise<number> {
    const operations = writes.map((write) => write.operation)
    if (session !== undefined)
      return (
        (await updateInTransaction(this.#lean.wayTo(name), operations, session)) ??
        (await this.#lean.bulkWrite(name, operations, { ordered: name !== 'events', session }))
      )
    // Without a transaction there is one write.
    const [operation] = operations
    if (operation === undefined) return 0
    const collection = this.#connection.collection<Document_>(name)
    const matched = await updateLean(collection, operation)
    if (matched !== undefined) return matched
    // For one update the driver needs half the work of a bulk write.
    if (!('updateOne' in operation)) return (await collection.bulkWrite(operations)).matchedCount
    const { filter, update, ...options } = operation.updateOne
    return (await collection.updateOne(filter, update, options)).matchedCount
  }

  /** Returns true when a transaction whose answer was lost, or a single write, was done: all of it, if any. */
  async #wasDone(sets: MarkedSet[]): Promise<boolean> {
    const witness = sets.map(witnessOf).findLast((found) => found !== undefined)
    if (witness === undefined) return false
    const { collection, id, mark } = witness
    const found = await this.#connection
      .collection<Document_>(collection)
      .findOne({ _id: id }, { projection: { [MARK]: 1 } })
    // An event's id is in no other set.
    return found !== null && (collection === 'events' || found[MARK] === mark)
  }

  /**
   * After this has begun, any failure is ambiguous, including that the server does not know the transaction any more.
   */
  async #commit(session: ClientSession): Promise<void> {
    try {
      await this.#lean.commit(session)
    } catch (error) {
      if (error instanceof MongoError) error.addErrorLabel('UnknownTransactionCommitResult')
      throw error
    }
  }
}

/**
 * The writes of one collection with its inserts in front: the driver sends one command for each run of writes of one
 * kind. Where something is deleted, the order stays, because what is inserted may replace it.
 */
function insertsFirst(writes: Write[]): Write[] {
  if (writes.some(({ operation }) => 'deleteOne' in operation || 'deleteMany' in operation)) return writes
  const isInsert = ({ operation }: Write) => 'insertOne' in operation
  return [...writes.filter(isInsert), ...writes.filter((write) => !isInsert(write))]
}
