import type { Migration } from '../src/store/index.ts'

const OLD_INDEXES = [
  ['events', 'keptAt_1'],
  ['operations', 'endedAt_1'],
] as const

/**
 * Old events and operations are deleted by ranges of their ids; the indexes of dates that did it before only cost
 * writes.
 */
export const migration: Migration = {
  async up(db) {
    for (const [name, index] of OLD_INDEXES) {
      const present = await db.listCollections({ name }, { nameOnly: true }).toArray()
      if (present.length === 0) continue
      const collection = db.collection(name)
      if (await collection.indexExists(index)) await collection.dropIndex(index)
    }
  },
}
