import { AppError, type Log, type Settled } from '../base/index.ts'
import { type CollectionName, inWriteOrder } from './collections.ts'
import { isAmbiguous, isTransient, persevere } from './failure.ts'
import { type ClientSession, type Connection, type Document_, MongoError, within } from './mongoose.ts'
import { DONE, gather, MARK, type MarkedSet, type SetWriter, type Write, witnessOf } from './write-set.ts'

/** All sets in one transaction with one journal sync, or none of them. */
export class TransactionWriter implements SetWriter {
  readonly #connection: Connection
  readonly #log: Log

  constructor(connection: Connection, log: Log) {
    this.#connection = connection
    this.#log = log
  }

  async write(sets: MarkedSet[], deadline: number): Promise<Settled<void>[]> {
    const byCollection = gather(sets)
    const single = byCollection.size === 1 && [...byCollection.values()].every((writes) => writes.length === 1)
    try {
      await persevere(async (last) => {
        if (last !== undefined) this.#log.debug({ err: last }, 'commit is tried again')
        if (isAmbiguous(last) && (await this.#wasDone(sets))) return
        if (single) await this.#run(byCollection, undefined)
        else await this.#inTransaction(byCollection)
      }, deadline)
    } catch (error) {
      // Refused, maybe by itself: the driver repeats a write whose answer was lost, and not every server remembers the first.
      if (isTransient(error) || sets.length > 1 || !(await this.#wasDone(sets))) throw error
    }
    return sets.map(() => DONE)
  }

  async #inTransaction(byCollection: Map<CollectionName, Write[]>): Promise<void> {
    const session = await this.#connection.startSession()
    try {
      session.startTransaction({ writeConcern: { w: 'majority', journal: true } })
      await this.#run(byCollection, session)
      await this.#commit(session)
    } catch (error) {
      if (session.inTransaction())
        await within(this.#connection, session.abortTransaction()).catch((err) =>
          this.#log.debug({ err }, 'abort failed; the server forgets the transaction by itself'),
        )
      throw error
    } finally {
      await within(this.#connection, session.endSession())
    }
  }

  async #run(byCollection: Map<CollectionName, Write[]>, session: ClientSession | undefined): Promise<void> {
    for (const name of inWriteOrder(byCollection.keys())) {
      const writes = byCollection.get(name)
      if (writes === undefined) continue
      const result = await this.#connection.collection<Document_>(name).bulkWrite(
        writes.map((write) => write.operation),
        { ordered: name !== 'events', ...(session === undefined ? {} : { session }) },
      )
      const guarded = writes.filter((write) => write.mustMatch !== undefined)
      // Which one it was shows when each set is alone.
      if (result.matchedCount < guarded.length) throw new AppError('conflict', guarded[0]?.mustMatch ?? '')
    }
  }

  /** Whether a transaction whose answer was lost, or a single write, was done: all of it, if any. */
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

  /** After this has begun, any failure is ambiguous, including that the server does not know the transaction any more. */
  async #commit(session: ClientSession): Promise<void> {
    try {
      await within(this.#connection, session.commitTransaction())
    } catch (error) {
      if (error instanceof MongoError) error.addErrorLabel('UnknownTransactionCommitResult')
      throw error
    }
  }
}
