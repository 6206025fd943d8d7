import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Umzug } from 'umzug'
import { AppError, type Clock, type Log, packageRoot, sleep } from '../../base/index.ts'
import type { Db, Document_ } from '../mongo/mongoose.ts'

/**
 * A numbered change of the database, in migrations/. Runs once, in order, under a lock; must be safe to repeat when it
 * was cut off.
 */
export interface Migration {
  up(db: Db): Promise<void>
}

/** A migration by the name of its file, `0001-what-it-does`. */
export interface NamedMigration {
  name: string
  load(): Promise<Migration>
}

interface MigrationOptions {
  instance: string
  clock: Clock
  log: Log
  /** Default: those in migrations/. */
  migrations?: NamedMigration[]
}

/** A killed instance's lock is free after so long; a living one renews it however long its migration takes. */
const LOCK_MS = 20_000
const RENEW_MS = 5000

/**
 * Runs the migrations that this database has not seen, and resolves with their names. Several instances may start at
 * once: one migrates, the others wait. AppError `conflict` when the database has seen migrations that this version does
 * not know.
 */
export async function migrate(db: Db, options: MigrationOptions): Promise<string[]> {
  const { instance, clock, log, migrations = files() } = options
  const lock = new MigrationLock(db, instance, clock, log)
  await lock.take()
  try {
    const done = db.collection<Document_>('migrations')
    const executed = async () => (await done.find({}).sort({ _id: 1 }).toArray()).map((document) => document._id)
    refuseNewer(await executed(), migrations, db.databaseName)
    // A database without devices has nothing to migrate: its files run, and one line says so.
    const isNew = (await executed()).length === 0 && (await db.collection('devices').findOne({})) === null
    const umzug = new Umzug({
      migrations: migrations.map(({ name, load }) => ({
        name,
        up: async () => {
          lock.check()
          log[isNew ? 'debug' : 'info']({ migration: name }, 'migrating the database')
          await (await load()).up(db)
          lock.check()
        },
      })),
      storage: {
        logMigration: async ({ name }) =>
          void (await done.updateOne({ _id: name }, { $set: { at: clock.now() } }, { upsert: true })),
        unlogMigration: async ({ name }) => void (await done.deleteOne({ _id: name })),
        executed,
      },
      logger: undefined,
    })
    const ran = (await umzug.up()).map((migration) => migration.name)
    if (isNew && ran.length > 0) log.info({ migrations: ran.length }, 'the new database is set up')
    return ran
  } finally {
    await lock.release()
  }
}

/** Numbered files; from the sources they end in .ts, from the build in .js. */
function files(): NamedMigration[] {
  const root = packageRoot(import.meta.url)
  const built = import.meta.url.endsWith('.js')
  const folder = built ? join(root, 'dist/migrations') : join(root, 'migrations')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.(ts|js)$/.test(name))
    .sort()
    .map((name) => ({
      name: name.replace(/\.(ts|js)$/, ''),
      load: async () => {
        const module = (await import(pathToFileURL(join(folder, name)).href)) as { migration: Migration }
        return module.migration
      },
    }))
}

/** Throws when a newer version has changed the data: this version would misread it. */
function refuseNewer(executed: string[], known: NamedMigration[], databaseName: string): void {
  const unknown = executed.filter((name) => !known.some((migration) => migration.name === name))
  if (unknown.length === 0) return
  throw new AppError(
    'conflict',
    `database ${databaseName} was changed by a newer version of Isthmus (${unknown.join(', ')}); start that version, or restore a backup from before`,
  )
}

/** Held by one instance at a time, and only as long as that one lives. */
class MigrationLock {
  readonly #db: Db
  readonly #instance: string
  readonly #clock: Clock
  readonly #log: Log
  #renewal: NodeJS.Timeout | undefined
  #lost = false

  constructor(db: Db, instance: string, clock: Clock, log: Log) {
    this.#db = db
    this.#instance = instance
    this.#clock = clock
    this.#log = log
  }

  async take(): Promise<void> {
    for (let waited = false; !(await this.#tryTake()); waited = true) {
      if (!waited) this.#log.info({}, 'another instance migrates the database; waiting for it')
      await sleep(this.#clock, 200)
    }
    this.#renewal = setInterval(() => {
      this.#renew().catch((err: unknown) => this.#log.warn({ err }, 'the lock of the migration was not renewed'))
    }, RENEW_MS)
  }

  /** AppError `conflict` when another instance has taken over. */
  check(): void {
    if (this.#lost) throw new AppError('conflict', 'another instance has taken over the migration; start again')
  }

  async release(): Promise<void> {
    clearInterval(this.#renewal)
    await this.#locks.deleteOne({ _id: 'migrate', by: this.#instance })
  }

  get #locks() {
    return this.#db.collection<Document_>('locks')
  }

  async #tryTake(): Promise<boolean> {
    const now = this.#clock.now()
    try {
      await this.#locks.updateOne(
        { _id: 'migrate', until: { $lt: now } },
        { $set: { by: this.#instance, until: now + LOCK_MS } },
        { upsert: true },
      )
      return true
    } catch (error) {
      // Another holds it: the upsert met its document.
      if ((error as { code?: number }).code !== 11_000) throw error
      return false
    }
  }

  async #renew(): Promise<void> {
    const until = this.#clock.now() + LOCK_MS
    const { matchedCount } = await this.#locks.updateOne({ _id: 'migrate', by: this.#instance }, { $set: { until } })
    if (matchedCount === 0) this.#lost = true
  }
}
