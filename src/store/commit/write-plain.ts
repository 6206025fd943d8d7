import { AppError, type FlushResult, type Log } from '../../base/index.ts'
import { type CollectionName, inWriteOrder } from '../mongo/collections.ts'
import { MARK } from '../mongo/convert.ts'
import { isDuplicate, isTransient, persevere, refusal, translate } from '../mongo/failure.ts'
import { type BulkWriteRefusal, type Connection, type Document_, MongoBulkWriteError } from '../mongo/mongoose.ts'
import { DONE, gather, idOf, isRepeatable, type MarkedSet, type Over, type SetWriter, type Write } from './write-set.ts'

/** A set under way, and what refused it. */
interface Entry {
  set: MarkedSet
  error?: unknown
}

/**
 * Writes on a server without transactions: collection by collection, one bulk write for the sets that are still good.
 * The mark in each document shows which writes were done, so that neither a lost answer nor the refusal of another set
 * makes a set fail that was done, or do it twice.
 */
export class PlainWriter implements SetWriter {
  readonly #connection: Connection
  readonly #log: Log

  constructor(connection: Connection, log: Log) {
    this.#connection = connection
    this.#log = log
  }

  async write(sets: MarkedSet[], deadline: number, over: Over): Promise<FlushResult<void>[]> {
    const entries = sets.map((set): Entry => ({ set }))
    for (const round of rounds(entries)) {
      const names = new Set(round.flatMap(({ set }) => set.writes.map(({ collection }) => collection)))
      for (const name of inWriteOrder(names)) await this.#collection(name, round, deadline, over)
    }
    return entries.map(({ error }) => (error === undefined ? DONE : { ok: false, error: translate(error) }))
  }

  async #collection(name: CollectionName, round: Entry[], deadline: number, over: Over): Promise<void> {
    let open = round.filter(
      ({ set, error }) => error === undefined && set.writes.some((write) => write.collection === name),
    )
    if (open.length === 0) return
    try {
      await persevere(async (last) => {
        over.throwIfAborted()
        if (last !== undefined) {
          this.#log.debug({ err: last, collection: name }, 'write is tried again')
          open = await this.#undone(name, open)
        }
        if (open.length > 0) await this.#bulk(name, open)
      }, deadline)
    } catch (error) {
      if (!isTransient(error)) throw error
      for (const entry of open) entry.error = error
    }
  }

  async #bulk(name: CollectionName, entries: Entry[]): Promise<void> {
    const writes = gather(
      entries.map(({ set }) => ({ writes: set.writes.filter((write) => write.collection === name) })),
    ).get(name)
    if (writes === undefined) return
    const guards = writes.filter((write) => write.mustMatch !== undefined).length
    try {
      const operations = writes.map((write) => write.operation)
      // Drops and writes of parameters and their values keep their order; all others are of different documents.
      const { matchedCount } = await this.#connection
        .collection<Document_>(name)
        .bulkWrite(operations, { ordered: name === 'parameters' || name === 'largeValues' })
      if (matchedCount < guards) await this.#refuse(name, entries, new Map())
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError) || isTransient(error)) throw error
      if (!isRepeatable(name)) await this.#refuse(name, entries, refusals(error, writes))
      // An event that is there already was appended by the attempt whose answer was lost.
      else if (name === 'events' && isDuplicate(error)) return
      else if (entries.length > 1) for (const entry of entries) await this.#bulk(name, [entry])
      else for (const entry of entries) entry.error = error
    }
  }

  /** Sets that were not done were refused by the server, or a guarded write of theirs found nothing. */
  async #refuse(name: CollectionName, entries: Entry[], refused: Map<Write, unknown>): Promise<void> {
    for (const entry of await this.#undone(name, entries)) {
      const write = entry.set.writes.find(({ collection }) => collection === name)
      const missing = new AppError('conflict', write?.mustMatch ?? 'the write was not done')
      entry.error = (write === undefined ? undefined : refused.get(write)) ?? missing
    }
  }

  /** Returns the sets whose mark is not in the document that they change in this collection. */
  async #undone(name: CollectionName, entries: Entry[]): Promise<Entry[]> {
    if (isRepeatable(name)) return entries
    const idOfEntry = ({ set }: Entry) =>
      set.writes
        .map((write) => (write.collection === name ? idOf(write.operation) : undefined))
        .find((id) => id !== undefined)
    const ids = entries.map(idOfEntry).filter((id) => id !== undefined)
    const marks = new Map<string, unknown>()
    const found = this.#connection
      .collection<Document_>(name)
      .find({ _id: { $in: ids } }, { projection: { [MARK]: 1 } })
    for await (const document of found) marks.set(document._id, document[MARK])
    return entries.filter((entry) => marks.get(idOfEntry(entry) ?? '') !== entry.set.mark)
  }
}

/** Returns the answer of the server for each write that it refused. */
function refusals(error: BulkWriteRefusal, writes: Write[]): Map<Write, unknown> {
  const refused = new Map<Write, unknown>()
  for (const { index, code, errmsg } of [error.writeErrors].flat()) {
    const write = writes[index]
    if (write !== undefined) refused.set(write, refusal(code, errmsg ?? error.message, error))
  }
  return refused
}

/**
 * Cuts sets into rounds in which no two change the same marked document: the mark of the later would hide that of the
 * earlier.
 */
function* rounds(entries: Entry[]): Iterable<Entry[]> {
  let round: Entry[] = []
  let touched = new Set<string>()
  for (const entry of entries) {
    const documents = entry.set.writes
      .filter(({ collection }) => !isRepeatable(collection))
      .map(({ collection, operation }) => `${collection}/${idOf(operation)}`)
    if (documents.some((document) => touched.has(document))) {
      yield round
      round = []
      touched = new Set()
    }
    round.push(entry)
    for (const document of documents) touched.add(document)
  }
  if (round.length > 0) yield round
}
