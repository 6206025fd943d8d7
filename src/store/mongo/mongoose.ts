import mongoose from 'mongoose'

/** The one door to mongoose and, behind it, the native driver. */
export type Connection = mongoose.Connection
export type Db = NonNullable<mongoose.Connection['db']>
export type Collection = mongoose.mongo.Collection<Document_>
export type BulkOperation = mongoose.mongo.AnyBulkWriteOperation<Document_>
export type FindCursor = mongoose.mongo.FindCursor<Document_>
export type UpdateFilter = mongoose.mongo.UpdateFilter<Document_>
export type Filter = mongoose.mongo.Filter<Document_>
export type MongoClient = mongoose.mongo.MongoClient
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

const USER_EXISTS = 51_003

type ConnectionOptions = mongoose.mongo.MongoClientOptions

/** A connection of mongoose to one database, its own and never the global one. Rejects as the driver does. */
export async function connectTo(uri: string, databaseName: string, options: ConnectionOptions): Promise<Connection> {
  const connection = mongoose.createConnection(uri, {
    ...options,
    dbName: databaseName,
    autoIndex: false,
    autoCreate: false,
    // Mongoose would hold calls back until it takes the connection for open, and fail them with errors that are not
    // repeated.
    bufferCommands: false,
  })
  try {
    return await connection.asPromise()
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** A client of the driver, which is not connected yet. */
export function clientTo(uri: string, options: ConnectionOptions): MongoClient {
  return new mongoose.mongo.MongoClient(uri, options)
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
