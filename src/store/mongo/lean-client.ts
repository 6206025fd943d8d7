import type { LostCalls } from './lost-calls.ts'
import type { BulkOperation, ClientSession, Collection, Db, Document_, MongoClient } from './mongoose.ts'

/** The way of commands to one collection past the layers of the driver that they do not need. */
export interface LeanWay {
  collection: string
  /** Sends a command to the primary, in the transaction of a session where one is given; it is counted under this name. */
  send<T>(name: string, command: Record<string, unknown>, session?: ClientSession): Promise<T>
}

interface LeanClientOptions {
  /** Without the events of the driver by which commands are counted: each costs it a copy of command and answer. */
  client: MongoClient
  databaseName: string
  /** Ends calls that nothing would end. */
  calls: LostCalls
  /** Called with the name of each command that is sent. */
  count(name: string): void
}

/** A client for what is sent most: single commands as they are, and transactions. */
export class LeanClient {
  readonly #client: MongoClient
  readonly #db: Db
  readonly #calls: LostCalls
  readonly #count: (name: string) => void
  readonly #collections = new Map<string, Collection>()

  constructor({ client, databaseName, calls, count }: LeanClientOptions) {
    this.#client = client
    this.#db = client.db(databaseName)
    this.#calls = calls
    this.#count = count
  }

  wayTo(collection: string): LeanWay {
    return { collection, send: (name, command, session) => this.#send(name, command, session) }
  }

  /** A session at once: mongoose would wait until it takes the connection for one. */
  startSession(): ClientSession {
    return this.#client.startSession()
  }

  /** Writes in the transaction of a session; resolves with how many documents its updates found. */
  async bulkWrite(
    name: string,
    operations: BulkOperation[],
    options: { ordered: boolean; session: ClientSession },
  ): Promise<number> {
    // The driver sends a command for each run of one kind, or for each kind.
    const kinds = operations.map((operation) => KIND[Object.keys(operation)[0] ?? ''] ?? '')
    const runs = options.ordered ? kinds.filter((kind, i) => kind !== kinds[i - 1]) : new Set(kinds)
    for (const kind of runs) this.#count(kind)
    const collection = this.#collections.get(name) ?? this.#db.collection<Document_>(name)
    this.#collections.set(name, collection)
    return (await this.#calls.within(collection.bulkWrite(operations, options))).matchedCount
  }

  async commit(session: ClientSession): Promise<void> {
    this.#count('commitTransaction')
    await this.#calls.within(session.commitTransaction())
  }

  /** Sends the abort as a command of its own: the abort of the driver hides whether the server has received it. */
  async abort(session: ClientSession): Promise<void> {
    this.#count('abortTransaction')
    await this.#calls.within(this.#client.db('admin').command({ abortTransaction: 1 }, { session }))
  }

  /** Gives a session back in which no transaction is open. */
  end(session: ClientSession): Promise<void> {
    return this.#calls.within(session.endSession())
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #send<T>(name: string, command: Record<string, unknown>, session: ClientSession | undefined): Promise<T> {
    this.#count(name)
    const sent = session === undefined ? this.#db.command(command) : this.#db.command(command, { session })
    return this.#calls.within(sent) as Promise<T>
  }
}

/** The command of each kind of write. */
const KIND: Readonly<Record<string, string>> = {
  insertOne: 'insert',
  updateOne: 'update',
  updateMany: 'update',
  replaceOne: 'update',
  deleteOne: 'delete',
  deleteMany: 'delete',
}
