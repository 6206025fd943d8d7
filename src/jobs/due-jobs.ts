import { createBatcher } from '../base/index.ts'

/** The part of agenda's repository that locks a due job of one name. */
interface JobLocks<Rest extends unknown[], Job> {
  getNextJobToRun(name: string, nextScanAt: Date, lockDeadline: Date, ...rest: Rest): Promise<Job | undefined>
}

/** Reads the names of all jobs that fulfil a filter of the database. */
type NamesOf = (filter: Record<string, unknown>) => Promise<string[]>

interface Look {
  name: string
  nextScanAt: Date
  lockDeadline: Date
}

/**
 * Makes agenda look for due jobs with one read for all names. Without it, agenda tries to lock a job of each name at
 * each look: one write command per name and second, nearly all of which find nothing. Agenda still locks what the read
 * finds.
 */
export function lookOnceForAll<Rest extends unknown[], Job>(locks: JobLocks<Rest, Job>, namesOf: NamesOf): void {
  const lock = locks.getNextJobToRun.bind(locks)
  const looks = createBatcher<Look, boolean>({
    maxItems: 1000,
    lingerMs: 0,
    concurrency: 1,
    maxWaiting: 10_000,
    maxWaitMs: 15_000,
    async flush(items) {
      const due = { lockedAt: null, nextRunAt: { $lte: latest(items.map(({ nextScanAt }) => nextScanAt)) } }
      const expired = { lockedAt: { $lte: latest(items.map(({ lockDeadline }) => lockDeadline)) } }
      const names = new Set(await namesOf({ $or: [due, expired] }))
      return items.map(({ name }) => ({ ok: true, value: names.has(name) }))
    },
  })
  locks.getNextJobToRun = async (name, nextScanAt, lockDeadline, ...rest) => {
    const isDue = await looks.add({ name, nextScanAt, lockDeadline })
    return isDue ? lock(name, nextScanAt, lockDeadline, ...rest) : undefined
  }
}

function latest(dates: Date[]): Date {
  return new Date(Math.max(...dates.map(Number)))
}
