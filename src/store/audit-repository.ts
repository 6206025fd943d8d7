import { createBatcher, type Settled } from '../base/index.ts'
import { type AuditEntry, type AuditLog, type ChainedEntry, chain, GENESIS } from '../security/index.ts'
import { fromDocument } from './convert.ts'
import { type Collection, type Connection, type Document_, MongoBulkWriteError, MongoServerError } from './mongoose.ts'

/** The audit log: entries in one hash chain. Several instances may append; the unique `seq` makes the loser try again behind the winner. */
export class AuditRepository implements AuditLog {
  readonly #audit: Collection
  readonly #batcher: ReturnType<typeof createBatcher<AuditEntry, void>>

  constructor(connection: Connection) {
    this.#audit = connection.collection<Document_>('audit')
    this.#batcher = createBatcher<AuditEntry, void>({
      maxItems: 500,
      lingerMs: 1,
      concurrency: 1,
      flush: (entries) => this.#flush(entries),
    })
  }

  append(entry: AuditEntry): Promise<void> {
    return this.#batcher.add(entry)
  }

  async list(query: {
    target?: string
    actor?: string
    limit: number
    cursor?: string
  }): Promise<{ items: ChainedEntry[]; next?: string }> {
    const before = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor)
    const filter = {
      seq: { $lt: Number.isNaN(before) ? 0 : before },
      ...(query.target === undefined ? {} : { target: query.target }),
      ...(query.actor === undefined ? {} : { actor: query.actor }),
    }
    const documents = await this.#audit.find(filter).sort({ seq: -1 }).limit(query.limit).toArray()
    const items = documents.map(toEntry)
    const last = items[items.length - 1]
    return items.length === query.limit && last !== undefined ? { items, next: String(last.seq) } : { items }
  }

  async #flush(entries: AuditEntry[]): Promise<Settled<void>[]> {
    for (let attempt = 1; ; attempt++) {
      const last = await this.#audit.find({}).sort({ seq: -1 }).limit(1).next()
      let previous = last === null ? GENESIS : String(last.hash)
      let seq = last === null ? 0 : Number(last.seq)
      const chained = entries.map((entry) => {
        const next = chain(entry, ++seq, previous)
        previous = next.hash
        return next
      })
      try {
        await this.#audit.insertMany(
          chained.map((entry) => ({ ...entry, _id: String(entry.seq).padStart(12, '0') })),
          { ordered: true },
        )
        return entries.map(() => ({ ok: true, value: undefined }))
      } catch (error) {
        const taken =
          (error instanceof MongoServerError || error instanceof MongoBulkWriteError) && error.code === 11000
        if (!taken || attempt >= 20) throw error
      }
    }
  }
}

function toEntry(document: Document_): ChainedEntry {
  const { id: _, ...entry } = fromDocument<ChainedEntry & { id: string }>(document)
  return entry
}
