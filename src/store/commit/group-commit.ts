import { AppError, createBatcher, type FlushResult, type Log, type Random, randomToken } from '../../base/index.ts'
import { isTransient, translate } from '../mongo/failure.ts'
import type { Connection } from '../mongo/mongoose.ts'
import { PlainWriter } from './write-plain.ts'
import { type MarkedSet, markSet, type Over, type SetWriter, type Write, type WriteSet } from './write-set.ts'
import { TransactionWriter } from './write-transaction.ts'
import type { WritingSessions } from './writing-sessions.ts'

/**
 * Concurrent write sets share a flush: one bulk write per collection, one transaction where there are any, one journal
 * sync. A set that is refused fails alone. While the database is away a flush is tried again for a while; what waits
 * behind it, and how long, is bounded.
 */
export interface GroupCommit {
  /**
   * Journaled when it resolves. AppError `conflict` when a guard or a unique index refuses it, `unavailable` when the
   * database is away too long.
   */
  commit(set: WriteSet): Promise<void>
  drain(): Promise<void>
  readonly waiting: number
  /** True while sets wait or are written. */
  readonly isBusy: boolean
}

const MAX_SETS = 512
/**
 * Single writes of one flush: some tenths of a second, so that a fleet under discovery does not hold up an Inform for
 * long.
 */
const MAX_WRITES = 5000
/** Single writes that may wait: some tens of megabytes at the most. */
const MAX_WAITING_WRITES = 50_000
/** Bytes of long values in one set: SecantusDB answers nothing during a transaction of some tens of megabytes. */
const MAX_SET_BYTES = 4_000_000
/** Bytes of a write that counts as one. */
const BYTES_OF_A_WRITE = 2000
const MAX_WAIT_MS = 15_000
/** Milliseconds that sets which can wait gather others while many come: a session of a CPE takes some times as long. */
const PATIENCE_MS = 9
/** Milliseconds that the last attempt of a flush may take beyond the time in which attempts begin. */
const LAST_ATTEMPT_MS = 15_000

interface GroupCommitOptions {
  /** True when the server has transactions: a replica set or a cluster does. */
  transactions: boolean
  sessions: WritingSessions
  /** Milliseconds for which a flush is repeated while the database is away. */
  retryMs: number
  random: Random
  log: Log
  /** Milliseconds after the begin of its last attempt at which a flush without an answer is given up; default 15 s. */
  lastAttemptMs?: number
}

export function createGroupCommit(connection: Connection, options: GroupCommitOptions): GroupCommit {
  const { transactions, sessions, retryMs, random, log, lastAttemptMs = LAST_ATTEMPT_MS } = options
  const writer = transactions ? new TransactionWriter(connection, sessions, log) : new PlainWriter(connection, log)
  const prefix = `${randomToken(random, 6)}.`
  let marks = 0
  const batcher = createBatcher<MarkedSet, void>({
    maxItems: MAX_SETS,
    maxFlush: MAX_WRITES,
    // Writes that arrive within this time go along; under load more of them gather during the flush under way.
    lingerMs: 1,
    patienceMs: PATIENCE_MS,
    concurrency: 1,
    maxWaiting: MAX_WAITING_WRITES,
    maxWaitMs: MAX_WAIT_MS,
    weigh: ({ writes }) => writes.reduce((sum, { bytes = 0 }) => sum + 1 + bytes / BYTES_OF_A_WRITE, 0),
    async flush(sets) {
      const deadline = performance.now() + retryMs
      const results = await inTime(retryMs + lastAttemptMs, (over) => flush(writer, sets, deadline, over))
      results.forEach(({ ok }, i) => {
        if (ok) sets[i]?.onCommitted?.()
      })
      return results
    },
  })
  const add = (set: WriteSet) => batcher.add(markSet(set, prefix + (marks++).toString(36)), set.canWait)
  return {
    // All at once, so that they keep their place among other sets.
    commit: async (set) => void (await Promise.all(partsOf(set).map(add))),
    drain: () => batcher.drain(),
    get waiting() {
      return batcher.waiting
    },
    get isBusy() {
      return batcher.isBusy
    },
  }
}

/**
 * A set that is too large for one transaction as several, of which the last is the set itself: the long values that it
 * refers to go before. None of these is deleted then; one that is not referred to any more does no harm.
 */
function partsOf(set: WriteSet): WriteSet[] {
  const bytesOf = ({ bytes = 0 }: Write) => bytes
  if (set.writes.reduce((sum, write) => sum + bytesOf(write), 0) <= MAX_SET_BYTES) return [set]
  const parts: WriteSet[] = []
  let room = 0
  for (const write of set.writes) {
    if (write.collection !== 'largeValues' || !('replaceOne' in write.operation)) continue
    if (room < bytesOf(write)) {
      parts.push({ writes: [] })
      room = MAX_SET_BYTES
    }
    parts.at(-1)?.writes.push(write)
    room -= bytesOf(write)
  }
  return [...parts, { ...set, writes: set.writes.filter(({ collection }) => collection !== 'largeValues') }]
}

/**
 * Resolves with the result of `work`, or rejects with AppError `unavailable` when it takes too long. `work` gets a
 * signal that it is over, and the next one begins: one call without an answer must not hold up all later ones.
 */
function inTime<T>(limitMs: number, work: (over: Over) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const over = new TimeOver()
    const timer = setTimeout(() => reject(over.abort()), limitMs)
    const end = () => clearTimeout(timer)
    work(over).then(
      (value) => {
        end()
        resolve(value)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
  })
}

/** An AbortSignal without events: one is made for each flush. */
class TimeOver implements Over {
  #error: AppError | undefined

  get aborted(): boolean {
    return this.#error !== undefined
  }

  throwIfAborted(): void {
    if (this.#error !== undefined) throw this.#error
  }

  /** The time is over: returns the error of all that waits. */
  abort(): AppError {
    this.#error = new AppError(
      'unavailable',
      'the database did not answer in time, and the write may be done or not: read the record, and repeat the request where it is not',
    )
    return this.#error
  }
}

/**
 * All in one go; when the server refuses it, in halves, so that the bad set fails alone and its neighbours cost few
 * more round trips.
 */
async function flush(writer: SetWriter, sets: MarkedSet[], deadline: number, over: Over): Promise<FlushResult<void>[]> {
  try {
    return await writer.write(sets, deadline, over)
  } catch (error) {
    if (sets.length === 1 || isTransient(error) || over.aborted)
      return sets.map(() => ({ ok: false, error: translate(error) }))
    const middle = sets.length >> 1
    const first = await flush(writer, sets.slice(0, middle), deadline, over)
    return [...first, ...(await flush(writer, sets.slice(middle), deadline, over))]
  }
}
