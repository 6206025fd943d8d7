import { createBatcher } from '../base/index.ts'
import type { Collection, Document_ } from './mongoose.ts'

/** Reads of single documents that are asked for together go out as one `$in`; equal ids are read once. */
export interface GroupRead {
  get(id: string): Promise<Document_ | undefined>
}

/** Groups reads by one text field with an index, `_id` unless said otherwise. */
export function createGroupRead(collection: Collection, field = '_id'): GroupRead {
  const batcher = createBatcher<string, Document_ | undefined>({
    maxItems: 1000,
    lingerMs: 0,
    // One at a time: under load the read under way gathers more for the next than two small ones would answer.
    concurrency: 1,
    maxWaiting: 50_000,
    maxWaitMs: 15_000,
    async flush(ids) {
      const found = new Map<unknown, Document_>()
      const wanted = [...new Set(ids)]
      const filter = wanted.length === 1 ? { [field]: wanted[0] } : { [field]: { $in: wanted } }
      for await (const document of collection.find(filter, { batchSize: 1000 }))
        found.set(valueAt(document, field), document)
      return ids.map((id) => ({ ok: true, value: found.get(id) }))
    },
  })
  return { get: (id) => batcher.add(id) }
}

function valueAt(document: Document_, field: string): unknown {
  let value: unknown = document
  for (const part of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value
}
