import { type Batcher, createBatcher, defined, type FlushResult } from '../../base/index.ts'
import {
  type AuditEntry,
  type AuditLog,
  type ChainEnd,
  type ChainedEntry,
  type ChainKey,
  chain,
  GENESIS,
  type Verification,
  verifyChain,
} from '../../security/index.ts'
import { fromDocument } from '../mongo/convert.ts'
import { isDuplicate, persevere, RETRY_MS } from '../mongo/failure.ts'
import { type Collection, type Connection, type Document_, MongoBulkWriteError } from '../mongo/mongoose.ts'
import { decodeCursor, encodeCursor } from '../reads/paging.ts'

const MAX_ENTRIES = 500
/** An entry that nobody waits for waits so long for others, in milliseconds. */
const SOON_MS = 100

/**
 * The audit log: entries in one hash chain. Several instances may append; the unique `seq` makes the loser try again
 * behind the winner.
 */
export class AuditRepository implements AuditLog {
  readonly #audit: Collection
  readonly #key: ChainKey
  readonly #batcher: Batcher<AuditEntry, void>
  readonly #soon: Batcher<AuditEntry, void>
  /** The end of the chain as this process wrote it last; undefined when it has to be read. */
  #end: ChainEnd | undefined

  constructor(connection: Connection, key: ChainKey) {
    this.#key = key
    this.#audit = connection.collection<Document_>('audit')
    this.#batcher = createBatcher<AuditEntry, void>({
      maxItems: MAX_ENTRIES,
      lingerMs: 1,
      concurrency: 1,
      maxWaiting: 20_000,
      maxWaitMs: 15_000,
      flush: (entries) => this.#flush(entries),
    })
    this.#soon = createBatcher<AuditEntry, void>({
      maxItems: MAX_ENTRIES,
      lingerMs: SOON_MS,
      concurrency: 1,
      maxWaiting: 20_000,
      maxWaitMs: 15_000,
      flush: (entries) => Promise.all(entries.map((entry) => resultOf(this.#batcher.add(entry)))),
    })
  }

  append(entry: AuditEntry): Promise<void> {
    return this.#batcher.add(entry)
  }

  appendSoon(entry: AuditEntry): Promise<void> {
    return this.#soon.add(entry)
  }

  async drain(): Promise<void> {
    await this.#soon.drain()
    await this.#batcher.drain()
  }

  async list(query: {
    target?: string
    actor?: string
    limit: number
    cursor?: string
  }): Promise<{ items: ChainedEntry[]; next?: string }> {
    const { cursor, target, actor } = query
    const seq = cursor === undefined ? undefined : { $lt: Number(decodeCursor(cursor).value) }
    const filter = defined({ seq, target, actor })
    const documents = await this.#audit
      .find(filter)
      .sort({ seq: -1 })
      .limit(query.limit + 1)
      .toArray()
    const items = documents.slice(0, query.limit).map(toEntry)
    const last = items[items.length - 1]
    if (documents.length <= query.limit || last === undefined) return { items }
    return { items, next: encodeCursor({ value: last.seq, id: last.hash }) }
  }

  async verify(limit: number, from: ChainEnd = { seq: 0, hash: GENESIS }): Promise<Verification> {
    if (from.seq > 0 && !(await this.#holds(from))) return { entries: 0, lastHash: GENESIS, firstBroken: from.seq }
    const held = await verifyChain(this.#after(from.seq, limit), this.#key, from)
    if (held.firstBroken !== undefined || held.entries < from.seq + limit) return held
    return (await this.#audit.findOne({ seq: { $gt: held.entries } })) === null ? held : { ...held, more: true }
  }

  /** False when that entry is gone or another stands in its place. */
  async #holds({ seq, hash }: ChainEnd): Promise<boolean> {
    return (await this.#audit.findOne({ seq }))?.hash === hash
  }

  async *#after(seq: number, limit: number): AsyncIterable<ChainedEntry> {
    const found = this.#audit
      .find({ seq: { $gt: seq } })
      .sort({ seq: 1 })
      .limit(limit)
    try {
      for await (const document of found) yield toEntry(document)
    } finally {
      await found.close()
    }
  }

  async #flush(entries: AuditEntry[]): Promise<FlushResult<void>[]> {
    let rest = entries
    let tried: ChainedEntry[] = []
    await persevere(async () => {
      while (rest.length > 0) {
        const after = this.#end ?? (await this.#last())
        // Part or all of the last attempt may be stored: its answer was lost, or another instance appended first. This is
        // looked at after the end: what is stored later still has a place behind that, which nothing else can get.
        const landed = await this.#landed(tried)
        tried = []
        rest = rest.slice(landed)
        if (landed > 0) continue
        // Until it is known what became of the insert, the end is not known either.
        this.#end = undefined
        tried = chained(rest, after, this.#key)
        if (!(await this.#insert(tried))) continue
        this.#end = tried.at(-1)
        return
      }
    }, performance.now() + RETRY_MS)
    return entries.map(() => ({ ok: true, value: undefined }))
  }

  /** Returns the number of these entries that are in the log, counted from the first one. */
  async #landed(tried: ChainedEntry[]): Promise<number> {
    const [first] = tried
    if (first === undefined) return 0
    const found = await this.#audit
      .find({ seq: { $gte: first.seq } }, { projection: { hash: 1 } })
      .sort({ seq: 1 })
      .limit(tried.length)
      .toArray()
    const differs = found.findIndex(({ hash }, i) => hash !== tried[i]?.hash)
    return differs < 0 ? found.length : differs
  }

  async #last(): Promise<ChainEnd> {
    const last = await this.#audit.find({}).sort({ seq: -1 }).limit(1).next()
    return last === null ? { seq: 0, hash: GENESIS } : { seq: Number(last.seq), hash: String(last.hash) }
  }

  /** False when a place in the chain was taken meanwhile. */
  async #insert(entries: ChainedEntry[]): Promise<boolean> {
    try {
      await this.#audit.insertMany(
        entries.map((entry) => ({ ...entry, _id: String(entry.seq).padStart(12, '0') })),
        { ordered: true },
      )
      return true
    } catch (error) {
      if (error instanceof MongoBulkWriteError && isDuplicate(error)) return false
      throw error
    }
  }
}

async function resultOf(result: Promise<void>): Promise<FlushResult<void>> {
  try {
    return { ok: true, value: await result }
  } catch (error) {
    return { ok: false, error }
  }
}

function chained(entries: AuditEntry[], last: ChainEnd, key: ChainKey): ChainedEntry[] {
  let { seq, hash } = last
  return entries.map((entry) => {
    const next = chain(entry, ++seq, hash, key)
    hash = next.hash
    return next
  })
}

function toEntry(document: Document_): ChainedEntry {
  const { id: _, ...entry } = fromDocument<ChainedEntry & { id: string }>(document)
  return entry
}
