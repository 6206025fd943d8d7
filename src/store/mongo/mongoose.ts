import mongoose from 'mongoose'
import { AppError, errorText } from '../../base/index.ts'
import { LostCalls } from './lost-calls.ts'

/** The one door to mongoose and, behind it, the native driver. */
export type Connection = mongoose.Connection
export type Db = NonNullable<mongoose.Connection['db']>
export type Collection = mongoose.mongo.Collection<Document_>
export type BulkOperation = mongoose.mongo.AnyBulkWriteOperation<Document_>
export type FindCursor = mongoose.mongo.FindCursor<Document_>
export type UpdateFilter = mongoose.mongo.UpdateFilter<Document_>
export type Filter = mongoose.mongo.Filter<Document_>
export type ClientSession = mongoose.mongo.ClientSession
export type CommandStartedEvent = mongoose.mongo.CommandStartedEvent
/** A document as the bytes that the database sent. */
export type RawDocument = mongoose.mongo.Document & Uint8Array
export type IndexKeys = Record<string, 1 | -1>

/** A raw document; `_id` is always our own text id. */
export interface Document_ {
  _id: string
  [field: string]: unknown
}

export type BulkWriteRefusal = InstanceType<typeof mongoose.mongo.MongoBulkWriteError>

export const { MongoBulkWriteError, MongoServerError, MongoError, MongoNetworkError } = mongoose.mongo

/**
 * The purpose of a connection: `work` gives up on a server that hangs, `setUp` waits for an index over millions of
 * records.
 */
export type ConnectionUse = 'work' | 'setUp'

/**
 * The documents of a find, each decoded once. The driver by itself decodes every answer a second time, for the events
 * by which commands are counted; of raw ones it decodes none.
 */
export async function* decodedOnce(
  collection: Collection,
  filter: Filter,
  options: Pick<mongoose.mongo.FindOptions, 'batchSize' | 'sort'> = {},
): AsyncGenerator<Document_, void> {
  const found = collection.find<RawDocument>(filter, { ...options, raw: true })
  try {
    for await (const bytes of found) yield mongoose.mongo.BSON.deserialize(bytes) as Document_
  } finally {
    await found.close()
  }
}

const UNUSABLE = ['MongoParseError', 'MongoRuntimeError', 'MongoInvalidArgumentError', 'MongoAPIError']
const USER_EXISTS = 51_003
const SELECTION_MS = 10_000
const SOCKET_MS = 30_000
const LOST = { graceMs: 1000, limitMs: SOCKET_MS + 5000 }

const watches = new WeakMap<Connection, LostCalls>()

/** The way of commands to one collection past the layers of the driver that they do not need. */
interface LeanWay {
  collection: string
  /** Sends a command to the primary; it is counted under this name. */
  send<T>(name: string, command: Record<string, unknown>): Promise<T>
}

const leanWays = new WeakMap<object, LeanWay>()
const countedBy = new WeakMap<Connection, (name: string) => void>()

/** The lean way to a collection; only those of a connection for `work` have one. */
export function leanWayOf(collection: Collection): LeanWay | undefined {
  return leanWays.get(collection)
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

/** A session of the driver itself, at once: mongoose would wait until it takes the connection for one. */
export function startSession(connection: Connection): ClientSession {
  return connection.getClient().startSession()
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
    connection = mongoose.createConnection(uri, {
      ...options,
      dbName: databaseName,
      autoIndex: false,
      autoCreate: false,
      // Mongoose would hold calls back until it takes the connection for open, and fail them with errors that are not
      // repeated.
      bufferCommands: false,
      monitorCommands: true,
    })
    await connection.asPromise()
    if (use === 'setUp') return connection
    const lean = new mongoose.mongo.MongoClient(uri, options)
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
 * From now on no call to a collection of this connection can wait without end. Its lean commands go over `client`, which
 * is closed with it.
 */
function watch(connection: Connection, client: mongoose.mongo.MongoClient, databaseName: string): void {
  const calls = new LostCalls(connection.getClient(), LOST, lostCall)
  watches.set(connection, calls)
  const leanCalls = new LostCalls(client, LOST, lostCall)
  const db = client.db(databaseName)
  const send = (name: string, command: Record<string, unknown>) => {
    countedBy.get(connection)?.(name)
    return leanCalls.within(db.command(command))
  }
  const guards = new Map<string, object>()
  const { collection, close } = connection
  Object.assign(connection, {
    collection: (name: string) => {
      const known = guards.get(name)
      if (known !== undefined) return known
      const guarded = calls.guard(collection.call(connection, name))
      guards.set(name, guarded)
      leanWays.set(guarded, { collection: name, send: send as LeanWay['send'] })
      return guarded
    },
    close: async (...args: Parameters<Connection['close']>) => {
      await client.close()
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

/** Makes a fresh mongod the only member of its replica set and waits until it takes writes. */
export async function initiateReplicaSet(uri: string, host: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: 15_000 })
  try {
    await client.connect()
    const admin = client.db('admin')
    try {
      await admin.command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host }] } })
    } catch (error) {
      // 23: it was initiated before. Its own address may be another port now.
      if ((error as { code?: number }).code !== 23) throw error
      const { config } = (await admin.command({ replSetGetConfig: 1 })) as {
        config: { version: number; members: { host: string }[] }
      }
      if (config.members[0] !== undefined && config.members[0].host !== host) {
        config.members[0].host = host
        config.version++
        await admin.command({ replSetReconfig: config, force: true })
      }
    }
    for (let i = 0; i < 300; i++) {
      if ((await admin.command({ hello: 1 })).isWritablePrimary === true) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('mongod did not become primary')
  } finally {
    await client.close()
  }
}

/** Makes a user of a server that asks for no login yet, or gives the one that is there this password. */
export async function putUser(uri: string, user: string, password: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: 15_000 })
  try {
    const admin = client.db('admin')
    try {
      await admin.command({ createUser: user, pwd: password, roles: ['root'], mechanisms: ['SCRAM-SHA-256'] })
    } catch (error) {
      if ((error as { code?: number }).code !== USER_EXISTS) throw error
      await admin.command({ updateUser: user, pwd: password, roles: ['root'], mechanisms: ['SCRAM-SHA-256'] })
    }
  } finally {
    await client.close()
  }
}
