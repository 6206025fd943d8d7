import { AppError, errorText } from '../../base/index.ts'
import { LeanClient, type LeanWay } from './lean-client.ts'
import { LostCalls } from './lost-calls.ts'
import {
  type Collection,
  type CommandStartedEvent,
  type Connection,
  clientTo,
  connectTo,
  type Db,
  type MongoClient,
  MongoNetworkError,
  MongoServerError,
} from './mongoose.ts'

/**
 * The purpose of a connection: `work` gives up on a server that hangs, `setUp` waits for an index over millions of
 * records.
 */
type ConnectionUse = 'work' | 'setUp'

const UNUSABLE = ['MongoParseError', 'MongoRuntimeError', 'MongoInvalidArgumentError', 'MongoAPIError']
const SELECTION_MS = 10_000
const SOCKET_MS = 30_000
const LOST = { graceMs: 1000, limitMs: SOCKET_MS + 5000 }

const watches = new WeakMap<Connection, LostCalls>()

const leanWays = new WeakMap<object, LeanWay>()
const leanClients = new WeakMap<Connection, LeanClient>()
const countedBy = new WeakMap<Connection, (name: string) => void>()

/** The lean way to a collection; only those of a connection for `work` have one. */
export function leanWayOf(collection: Collection): LeanWay | undefined {
  return leanWays.get(collection)
}

/** The lean client of a connection for `work`. */
export function leanClientOf(connection: Connection): LeanClient {
  const client = leanClients.get(connection)
  if (client === undefined) throw new Error('only a connection for work has a lean client')
  return client
}

/** Calls `onSent` with the name of each command that goes to the database from now on. */
export function onCommands(connection: Connection, onSent: (name: string) => void): void {
  connection.getClient().on('commandStarted', (event: CommandStartedEvent) => onSent(event.commandName))
  countedBy.set(connection, onSent)
}

/** The result of a call to the driver beside collections; one that the driver would never end fails as ambiguous. */
export function within<T>(connection: Connection, result: Promise<T>): Promise<T> {
  return watches.get(connection)?.within(result) ?? result
}

/** The native database of a connection. Over one for `work`, no call to one of its collections can wait without end. */
export function databaseOf(connection: Connection): Db {
  const { db } = connection
  if (db === undefined) throw new Error('the connection has no database')
  const calls = watches.get(connection)
  if (calls === undefined) return db
  return new Proxy(db, {
    get: (of, name) => {
      if (name === 'collection') return (collection: string) => calls.guard(of.collection(collection))
      const member: unknown = Reflect.get(of, name, of)
      return typeof member === 'function' ? member.bind(of) : member
    },
  })
}

/**
 * A connection of its own (never mongoose's global one), journaled majority writes, bounded waits. AppError
 * `unavailable` when nothing answers at that address or it refuses the login, `invalid` when it is no address; none of
 * them shows a password.
 */
export async function openConnection(
  uri: string,
  databaseName: string,
  use: ConnectionUse,
  patienceMs = SELECTION_MS,
): Promise<Connection> {
  let connection: Connection | undefined
  try {
    const options = {
      maxPoolSize: 20,
      serverSelectionTimeoutMS: Math.min(patienceMs, SELECTION_MS),
      waitQueueTimeoutMS: SELECTION_MS,
      connectTimeoutMS: SELECTION_MS,
      socketTimeoutMS: use === 'work' ? SOCKET_MS : 0,
      // Journaled before acknowledged; on a replica set a majority has it.
      w: 'majority' as const,
      journal: true,
      retryWrites: true,
      ignoreUndefined: true,
      promoteLongs: true,
    }
    connection = await connectTo(uri, databaseName, { ...options, monitorCommands: true })
    if (use === 'setUp') return connection
    const lean = clientTo(uri, options)
    watch(connection, lean, databaseName)
    // One that is connected finds its server again; a first connect that fails makes all calls beside it fail.
    await lean.connect()
    return connection
  } catch (cause) {
    await connection?.close()
    throw refusal(uri, cause)
  }
}

/**
 * From now on no call to a collection of this connection can wait without end. Its lean commands and transactions go over
 * `client`, which is closed with it.
 */
function watch(connection: Connection, client: MongoClient, databaseName: string): void {
  const calls = new LostCalls(connection.getClient(), LOST, lostCall)
  watches.set(connection, calls)
  const lean = new LeanClient({
    client,
    databaseName,
    calls: new LostCalls(client, LOST, lostCall),
    count: (name) => countedBy.get(connection)?.(name),
  })
  leanClients.set(connection, lean)
  const guards = new Map<string, object>()
  const { collection, close } = connection
  Object.assign(connection, {
    collection: (name: string) => {
      const known = guards.get(name)
      if (known !== undefined) return known
      const guarded = calls.guard(collection.call(connection, name))
      guards.set(name, guarded)
      leanWays.set(guarded, lean.wayTo(name))
      return guarded
    },
    close: async (...args: Parameters<Connection['close']>) => {
      await lean.close()
      await close.apply(connection, args)
    },
  })
}

function lostCall(): Error {
  return new MongoNetworkError('the connection to the database was lost, and its answer with it')
}

function refusal(uri: string, cause: unknown): AppError {
  const place = uri.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/, '')
  if (cause instanceof MongoServerError)
    return new AppError('unavailable', `MongoDB at ${place} refuses the connection: ${cause.message}`, { cause })
  // Names, for the parser of addresses is a package of its own.
  if (cause instanceof Error && UNUSABLE.includes(cause.name))
    return new AppError('invalid', `MONGODB_URI cannot be used: ${cause.message}`, { cause })
  return new AppError('unavailable', `MongoDB at ${place} does not answer: ${errorText(cause)}`, { cause })
}
