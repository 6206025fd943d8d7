import { translate } from '../mongo/failure.ts'
import type { Document_ } from '../mongo/mongoose.ts'

/** The documents of a query, which are read while they are iterated. */
interface Found extends AsyncIterable<Document_> {
  close(): Promise<void>
}

/**
 * Yields the items of all documents of a query, `size` at a time; a document whose item is undefined is left out.
 * Closes the query at the end, also when its reader stops early. Throws AppErrors as repositories do.
 */
export async function* inBatches<T>(
  found: Found,
  size: number,
  itemOf: (document: Document_) => T | undefined,
): AsyncIterable<T[]> {
  try {
    let batch: T[] = []
    for await (const document of found) {
      const item = itemOf(document)
      if (item !== undefined) batch.push(item)
      if (batch.length < size) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  } catch (error) {
    throw translate(error)
  } finally {
    await found.close()
  }
}
