import { type Batcher, createBatcher } from '../../base/index.ts'
import { valueAt } from '../mongo/convert.ts'
import { isUnreachable } from '../mongo/failure.ts'
import { readLean } from '../mongo/lean-commands.ts'
import { type Collection, type Document_, decodedOnce, type Filter } from '../mongo/mongoose.ts'

/** Reads of single documents that are asked for together go out as one `$in`; equal values are read once. */
export interface GroupRead {
  /** `canWait`: it may wait some milliseconds for others while many are asked for. */
  get(id: string, canWait?: boolean): Promise<Document_ | undefined>
  /** True while reads wait or are under way. */
  readonly isBusy: boolean
}

/** Milliseconds that reads which can wait gather others while many come: a session of a CPE takes some times as long. */
const PATIENCE_MS = 9

/** Groups reads by one text field with an index; the default is `_id`. */
export function createGroupRead(collection: Collection, field = '_id'): GroupRead {
  const batcher = readsOf(collection, field)
  return {
    get: async (value, canWait) => (await batcher.add(value, canWait))[0],
    get isBusy() {
      return batcher.isBusy
    },
  }
}

/** Groups reads of all documents with one value of an indexed text field, in the order of their ids. */
export function createGroupListRead(
  collection: Collection,
  field: string,
): { list(value: string): Promise<Document_[]> } {
  const batcher = readsOf(collection, field)
  return { list: async (value) => (await batcher.add(value)).toSorted((a, b) => (a._id < b._id ? -1 : 1)) }
}

function readsOf(collection: Collection, field: string): Batcher<string, Document_[]> {
  return createBatcher<string, Document_[]>({
    maxItems: 1000,
    lingerMs: 0,
    patienceMs: PATIENCE_MS,
    // One at a time: under load the read under way gathers more for the next than two small ones would answer.
    concurrency: 1,
    maxWaiting: 50_000,
    maxWaitMs: 15_000,
    async flush(values) {
      const found = new Map<unknown, Document_[]>()
      const wanted = [...new Set(values)]
      const filter = wanted.length === 1 ? { [field]: wanted[0] } : { [field]: { $in: wanted } }
      const add = (document: Document_) => {
        const value = valueAt(document, field)
        const others = found.get(value)
        if (others === undefined) found.set(value, [document])
        else others.push(document)
      }
      const few = field === '_id' ? await readFew(collection, filter, wanted.length) : undefined
      if (few === undefined)
        for await (const document of decodedOnce(collection, filter, { batchSize: 1000 })) add(document)
      else few.forEach(add)
      return values.map((value) => ({ ok: true, value: found.get(value) ?? [] }))
    },
  })
}

/** The documents with a few ids by one lean command; undefined where they are to be read in the usual way. */
async function readFew(collection: Collection, filter: Filter, count: number): Promise<Document_[] | undefined> {
  try {
    return await readLean(collection, filter, count)
  } catch (error) {
    if (isUnreachable(error)) throw error
    // The usual way repeats a read whose connection was lost, and waits for a new primary.
    return undefined
  }
}
