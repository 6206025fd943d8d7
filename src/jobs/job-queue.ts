import { type Db, MongoBackend } from '@agendajs/mongo-backend'
import { Agenda } from 'agenda'
import type { Log } from '../base/index.ts'
import type { JobQueue } from '../device/index.ts'

/** The database handle that jobs are kept in; the composition root takes it from the store. Agenda brings a driver of its own, same protocol. */
export type JobDatabase = { readonly databaseName: string }

/** How long a job may run before another instance takes it for dead. */
const LOCK_MS = 120_000

/**
 * Recurring work through agenda: a job is a document, and the instance that locks it runs it. A handler that throws is logged and runs again
 * at its next time. Per-message work never comes here.
 */
export function createJobQueue(db: JobDatabase, log: Log): JobQueue {
  const agenda = new Agenda({
    backend: new MongoBackend({ mongo: db as Db, collection: 'jobs' }),
    processEvery: 1000,
    defaultConcurrency: 1,
    maxConcurrency: 8,
    defaultLockLifetime: LOCK_MS,
  })
  const jobs: { name: string; intervalMs: number }[] = []
  agenda.on('error', (err: unknown) => log.error({ err }, 'job queue error'))
  return {
    every(name, intervalMs, handler) {
      jobs.push({ name, intervalMs })
      agenda.define(name, async () => {
        try {
          await handler()
        } catch (err) {
          log.error({ err, job: name }, 'job failed; it runs again at its next time')
        }
      })
    },
    async start() {
      await agenda.start()
      for (const job of jobs) await agenda.every(job.intervalMs, job.name)
    },
    async stop() {
      await agenda.drain(10_000)
    },
  }
}
