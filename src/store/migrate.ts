import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Umzug } from 'umzug'
import { type Clock, type Log, packageRoot, sleep } from '../base/index.ts'
import type { Db, Document_ } from './mongoose.ts'

/** A numbered change of the database, in migrations/. Runs once, in order, under a lock; must be safe to repeat when it was cut off. */
export interface Migration {
  up(db: Db): Promise<void>
}

const LOCK_MS = 60_000

/** Runs the migrations that this database has not seen. Several instances may start at once: one migrates, the others wait. */
export async function migrate(db: Db, instance: string, clock: Clock, log: Log): Promise<string[]> {
  await takeLock(db, instance, clock)
  try {
    const done = db.collection<Document_>('migrations')
    const umzug = new Umzug({
      migrations: files().map(({ name, path }) => ({
        name,
        up: async () => {
          const module = (await import(pathToFileURL(path).href)) as { migration: Migration }
          log.info({ migration: name }, 'migrating the database')
          await module.migration.up(db)
        },
      })),
      storage: {
        logMigration: async ({ name }) =>
          void (await done.updateOne({ _id: name }, { $set: { at: clock.now() } }, { upsert: true })),
        unlogMigration: async ({ name }) => void (await done.deleteOne({ _id: name })),
        executed: async () => (await done.find({}).sort({ _id: 1 }).toArray()).map((document) => document._id),
      },
      logger: undefined,
    })
    return (await umzug.up()).map((migration) => migration.name)
  } finally {
    await db.collection<Document_>('locks').deleteOne({ _id: 'migrate', by: instance })
  }
}

/** Numbered files; from the sources they end in .ts, from the build in .js. */
function files(): { name: string; path: string }[] {
  const root = packageRoot(import.meta.url)
  const built = import.meta.url.endsWith('.js')
  const folder = built ? join(root, 'dist/migrations') : join(root, 'migrations')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.(ts|js)$/.test(name))
    .sort()
    .map((name) => ({ name: name.replace(/\.(ts|js)$/, ''), path: join(folder, name) }))
}

async function takeLock(db: Db, instance: string, clock: Clock): Promise<void> {
  const locks = db.collection<Document_>('locks')
  for (;;) {
    const now = clock.now()
    try {
      await locks.updateOne(
        { _id: 'migrate', until: { $lt: now } },
        { $set: { by: instance, until: now + LOCK_MS } },
        { upsert: true },
      )
      return
    } catch (error) {
      // Another holds it: the upsert met its document.
      if ((error as { code?: number }).code !== 11000) throw error
      await sleep(clock, 200)
    }
  }
}
