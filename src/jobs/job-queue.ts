import { type Db, MongoBackend } from '@agendajs/mongo-backend'
import { Agenda, type Job } from 'agenda'
import type { Log } from '../base/index.ts'
import type { JobQueue } from '../domain/index.ts'
import { lookOnceForAll } from './due-jobs.ts'

/**
 * The database in which jobs are stored; the composition root takes it from the store. Agenda has a driver of its own.
 */
type JobDatabase = { readonly databaseName: string }

interface JobQueueOptions {
  db: JobDatabase
  /** This server instance: its name stands on the jobs that it runs. */
  instance: string
  /** The instances that live, this one included. */
  alive(): Promise<string[]>
  log: Log
  /** Interval of the search for due jobs in milliseconds, default 1 s. No job can recur faster. */
  pollMs?: number
  /** Interval of the search for due times that a step of the wall clock has moved, in milliseconds; default 5 s. */
  rearmMs?: number
}

const COLLECTION = 'jobs'
/** An instance that has not renewed its hold on a job for so long is dead, and another takes the job. */
const LOCK_MS = 15_000
const RENEW_MS = 5000
const REARM_MS = 5000
/** A job holds its place for so long unless it was given more time. */
const LIMIT_MS = 120_000
/** The clocks of two instances may differ by so much. */
const SKEW_MS = 5000
const DRAIN_MS = 10_000

/**
 * Runs recurring work through agenda: a job is one document, and the instance that locks it runs it. A handler that
 * throws is logged and runs again at its next time. The jobs of an instance are free at once when it stops, when it
 * starts again after it was killed, or else when it has not renewed its hold, which it does for a bounded time only.
 * Due times are wall-clock times; one that lies further ahead than the period of its job was written before the clock
 * was set back, and the job is due at once. Work per message does not belong here.
 */
export function createJobQueue(options: JobQueueOptions): JobQueue {
  return new AgendaQueue(options)
}

class AgendaQueue implements JobQueue {
  readonly #agenda: Agenda
  readonly #db: Db
  readonly #instance: string
  readonly #alive: () => Promise<string[]>
  readonly #log: Log
  readonly #jobs: { name: string; intervalMs: number }[] = []
  readonly #rearmMs: number
  #rearming: NodeJS.Timeout | undefined

  constructor({ db, instance, alive, log, pollMs = 1000, rearmMs = REARM_MS }: JobQueueOptions) {
    this.#rearmMs = rearmMs
    this.#db = db as Db
    this.#instance = instance
    this.#alive = alive
    this.#log = log
    const backend = new MongoBackend({ mongo: this.#db, collection: COLLECTION })
    lookOnceForAll(backend.repository, async (filter) => {
      const found = await this.#collection.find(filter, { projection: { name: 1 } }).toArray()
      return found.map(({ name }) => String(name))
    })
    this.#agenda = new Agenda({
      backend,
      name: instance,
      processEvery: pollMs,
      defaultConcurrency: 1,
      maxConcurrency: 8,
      defaultLockLifetime: LOCK_MS,
    })
    this.#agenda.on('error', (err: unknown) => log.error({ err }, 'job queue error'))
  }

  every(name: string, intervalMs: number, handler: () => Promise<void>, limitMs = LIMIT_MS): void {
    this.#jobs.push({ name, intervalMs })
    this.#agenda.define(name, (job) => this.#run(job, () => inTime(handler, limitMs)))
  }

  async start(): Promise<void> {
    await this.#oneDocumentPerJob()
    await this.#agenda.ready
    const alive = await this.#alive()
    await this.#collection.updateMany({ lockedAt: { $ne: null }, lastModifiedBy: { $nin: alive } }, FREE)
    for (const job of this.#jobs) await this.#declare(job.name, job.intervalMs)
    await this.#rearm()
    await this.#agenda.start()
    // A timer of the process runs by a monotonic clock.
    this.#rearming = setInterval(() => {
      this.#rearm().catch((err: unknown) => this.#log.warn({ err }, 'due times of jobs were not checked'))
    }, this.#rearmMs)
    this.#rearming.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#rearming)
    const { running } = await this.#agenda.drain(DRAIN_MS)
    if (running > 0) this.#log.warn({ running }, 'jobs were still running when the queue stopped')
    // Agenda keeps what it had locked for its next second.
    await this.#collection.updateMany({ lockedAt: { $ne: null }, lastModifiedBy: this.#instance }, FREE)
  }

  get #collection() {
    return this.#db.collection(COLLECTION)
  }

  /**
   * Instances that start at the same time would each insert the job, and it would run as often as there are documents
   * of it.
   */
  async #oneDocumentPerJob(): Promise<void> {
    const unique = () =>
      this.#collection.createIndex({ name: 1 }, { unique: true, partialFilterExpression: { type: 'single' } })
    try {
      await unique()
    } catch (error) {
      if ((error as { code?: unknown }).code !== 11_000) throw error
      this.#log.warn({}, 'jobs were stored twice in the database; they are declared again')
      await this.#collection.deleteMany({ type: 'single' })
      await unique()
    }
  }

  /** Agenda's own way to declare a job would also take away the hold of the instance that runs it already. */
  async #declare(name: string, intervalMs: number): Promise<void> {
    const due = { repeatInterval: intervalMs, nextRunAt: new Date() }
    const one = { name, type: 'single' }
    try {
      await this.#collection.insertOne({ ...one, ...due, priority: 0, lockedAt: null, lastModifiedBy: this.#instance })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 11_000) throw error
      // It is there; only another interval is news.
      await this.#collection.updateOne({ ...one, repeatInterval: { $ne: intervalMs } }, { $set: due })
    }
  }

  /**
   * Makes jobs due whose times lie further ahead than any instance writes them, and lets holds of that kind run out.
   */
  async #rearm(): Promise<void> {
    const now = Date.now()
    const ahead = this.#jobs.map(({ name, intervalMs }) => ({
      name,
      nextRunAt: { $gt: new Date(now + intervalMs + SKEW_MS) },
    }))
    if (ahead.length === 0) return
    const { modifiedCount } = await this.#collection.updateMany({ $or: ahead }, { $set: { nextRunAt: new Date(now) } })
    if (modifiedCount > 0) this.#log.warn({ jobs: modifiedCount }, 'the clock was set back; jobs are due at once')
    await this.#collection.updateMany(
      { lockedAt: { $gt: new Date(now + SKEW_MS) } },
      { $set: { lockedAt: new Date(now) } },
    )
  }

  async #run(job: Job, handler: () => Promise<void>): Promise<void> {
    const renewal = setInterval(() => {
      job
        .touch()
        .catch((err: unknown) => this.#log.warn({ err, job: job.attrs.name }, 'the hold on a job was not renewed'))
    }, RENEW_MS)
    try {
      await handler()
    } catch (err) {
      this.#log.error({ err, job: job.attrs.name }, 'job failed; it runs again at its next time')
    } finally {
      clearInterval(renewal)
    }
  }
}

/** Rejects when the handler has not ended in time; what it does later is its own. */
async function inTime(handler: () => Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`it did not end within ${limitMs / 1000} s and is given up`)
    timer = setTimeout(() => reject(error), limitMs)
  })
  try {
    await Promise.race([handler(), late])
  } finally {
    clearTimeout(timer)
  }
}

const FREE = { $set: { lockedAt: null } }
