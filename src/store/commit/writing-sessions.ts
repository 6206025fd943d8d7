import { leanClientOf, within } from '../mongo/connection.ts'
import { isTransient } from '../mongo/failure.ts'
import type { LeanClient } from '../mongo/lean-client.ts'
import type { ClientSession, Collection, Connection, Document_ } from '../mongo/mongoose.ts'

type SessionId = NonNullable<ClientSession['id']>

/** Ids that are kept. One is in use nearly always; each lost connection may bring another. */
const MAX_IDS = 100

/**
 * The sessions in which an instance writes its transactions. Each is noted in the document of the instance before its
 * first use: when the process is killed, the server keeps its transaction open, with all documents that it had written
 * to, and other instances find its id there.
 */
export class WritingSessions {
  readonly #connection: Connection
  readonly #lean: LeanClient
  readonly #instances: Collection
  readonly #instance: string
  /** Of this process, by their text, in the order of their use. */
  readonly #ids = new Map<string, SessionId>()
  #free: ClientSession | undefined

  constructor(connection: Connection, instance: string) {
    this.#connection = connection
    this.#lean = leanClientOf(connection)
    this.#instances = connection.collection<Document_>('instances')
    this.#instance = instance
  }

  /** The ids of the sessions, for the document of the instance. */
  get ids(): SessionId[] {
    return [...this.#ids.values()]
  }

  /** Resolves with a session in which no transaction is open. Rejects when it could not be noted. */
  async take(): Promise<ClientSession> {
    const session = this.#free ?? this.#lean.startSession()
    this.#free = undefined
    const { id } = session
    if (id === undefined || this.#use(id)) return session
    try {
      await this.#instances.updateOne(
        { _id: this.#instance },
        { $set: { sessions: this.ids }, $setOnInsert: { until: 0 } },
        { upsert: true },
      )
      return session
    } catch (error) {
      this.#ids.delete(textOf(id))
      await this.#lean.end(session)
      throw error
    }
  }

  /** Takes back a session whose transaction was committed. */
  async give(session: ClientSession): Promise<void> {
    if (this.#free === undefined) this.#free = session
    else await this.#lean.end(session)
  }

  /**
   * Aborts what instances were writing whose heartbeat was over at `now`, and forgets these instances. A living one
   * whose heartbeat is late writes its transaction again. Resolves with how many instances were forgotten. Rejects,
   * once for these instances, when the server refuses to abort: it does so by itself later.
   */
  async endThoseOfDead(now: number): Promise<number> {
    const dead = await this.#instances.find({ until: { $lt: now }, _id: { $ne: this.#instance } }).toArray()
    const ids = dead.flatMap(({ sessions = [] }) => sessions as SessionId[])
    const refused = ids.length === 0 ? undefined : await this.#kill(ids)
    // An instance that beats again meanwhile keeps its document.
    for (const { _id, until } of dead) await this.#instances.deleteOne({ _id, until })
    if (refused !== undefined) throw refused
    return dead.length
  }

  /** Resolves with the error of a server that will not do it. */
  async #kill(ids: SessionId[]): Promise<unknown> {
    try {
      await within(this.#connection, this.#connection.getClient().db('admin').command({ killSessions: ids }))
      return undefined
    } catch (error) {
      if (isTransient(error)) throw error
      return error
    }
  }

  /** Notes the use of a session; false when it was not known. */
  #use(id: SessionId): boolean {
    const text = textOf(id)
    const known = this.#ids.delete(text)
    this.#ids.set(text, id)
    for (const oldest of this.#ids.keys()) {
      if (this.#ids.size <= MAX_IDS) break
      this.#ids.delete(oldest)
    }
    return known
  }
}

function textOf({ id }: SessionId): string {
  return id.toString('base64')
}
