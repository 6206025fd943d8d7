import { resolve } from 'node:path'
import { AppError, createLog, keptSecret, type Log, systemClock, systemRandom } from '../../base/index.ts'
import type { Config } from '../../config/index.ts'
import { createSecretBox } from '../../security/index.ts'
import { EmbeddedDatabase, hasDatabase, openStore, runningAddress, type Store } from '../../store/index.ts'
import { engineCache } from './engine-cache.ts'
import { inStartWords } from './start-error.ts'

/**
 * Runs work over the database of an installation, from its machine: MONGODB_URI, else the database of the server that
 * runs over the data folder, else one that is started for the work and stopped afterwards. AppError `notFound`, and
 * nothing is made, when the data folder has no database: most likely it is the wrong one.
 */
export async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  const log = createLog({ level: 'error', destination: process.stderr })
  const address = config.mongodbUri ?? runningAddress(config.dataDir)
  if (address !== undefined) return overStore(config, address, log, work)
  if (!hasDatabase(config.dataDir))
    throw new AppError(
      'notFound',
      `data folder ${resolve(config.dataDir)} has no database; give the --data-dir of the server, or MONGODB_URI; ` +
        'a new server makes its database when it starts',
    )
  const database = new EmbeddedDatabase({
    dataDir: config.dataDir,
    cacheDir: engineCache(config.dataDir),
    log,
    say: (line) => console.error(line),
  })
  try {
    await database.start()
    return await overStore(config, database.uri, log, work)
  } catch (error) {
    throw inStartWords(error, config)
  } finally {
    await database.stop()
  }
}

async function overStore<T>(config: Config, uri: string, log: Log, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({
    uri,
    databaseName: config.databaseName,
    instance: `machine-${process.pid}`,
    retention: { eventDays: config.eventRetentionDays, operationDays: config.operationRetentionDays },
    secretBox: createSecretBox(keptSecret(config.dataDir, 'server.key', config.secretKey, systemRandom), systemRandom),
    clock: systemClock,
    random: systemRandom,
    log,
  })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
