import mongoose from 'mongoose'

/** The one door to mongoose and, behind it, the native driver. */
export type Connection = mongoose.Connection
export type Db = NonNullable<mongoose.Connection['db']>
export type Collection = mongoose.mongo.Collection<Document_>
export type BulkOperation = mongoose.mongo.AnyBulkWriteOperation<Document_>
export type Filter = mongoose.mongo.Filter<Document_>
export type ClientSession = mongoose.mongo.ClientSession
export type CommandStartedEvent = mongoose.mongo.CommandStartedEvent
export type IndexKeys = Record<string, 1 | -1>

/** A raw document; `_id` is always our own text id. */
export interface Document_ {
  _id: string
  [field: string]: unknown
}

export const { MongoBulkWriteError, MongoServerError, MongoError } = mongoose.mongo

/** A connection of its own (never mongoose's global one), journaled majority writes, bounded waits. */
export async function openConnection(uri: string, databaseName: string): Promise<Connection> {
  const connection = mongoose.createConnection(uri, {
    dbName: databaseName,
    autoIndex: false,
    autoCreate: false,
    monitorCommands: true,
    maxPoolSize: 20,
    serverSelectionTimeoutMS: 15_000,
    // Journaled before acknowledged; on a replica set a majority has it.
    w: 'majority',
    journal: true,
    retryWrites: true,
    ignoreUndefined: true,
    promoteLongs: true,
  })
  await connection.asPromise()
  return connection
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
