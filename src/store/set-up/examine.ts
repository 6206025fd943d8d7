import { databaseOf, openConnection } from '../mongo/connection.ts'

/** A database as it shows itself. */
export interface Examination {
  /** A replica set or a sharded cluster: what is written is on several machines, and transactions can be used. */
  isReplicated: boolean
  /** The clock of the database, in milliseconds; NaN where it does not report one. */
  clock: number
  roundTripMs: number
  /** The database holds the data of an installation. */
  isUsed: boolean
}

/**
 * Connects, asks, and leaves everything as it is. AppError `unavailable` when the database does not answer in
 * `patienceMs`.
 */
export async function examineDatabase(uri: string, databaseName: string, patienceMs: number): Promise<Examination> {
  const connection = await openConnection(uri, databaseName, 'setUp', patienceMs)
  try {
    const db = databaseOf(connection)
    const asked = performance.now()
    const hello = await db.admin().command({ hello: 1 })
    const roundTripMs = performance.now() - asked
    return {
      isReplicated: hello.setName !== undefined || hello.msg === 'isdbgrid',
      clock: hello.localTime instanceof Date ? hello.localTime.getTime() : Number.NaN,
      roundTripMs,
      isUsed: (await db.collection('apiKeys').countDocuments({}, { limit: 1 })) > 0,
    }
  } finally {
    await connection.close()
  }
}
