import type { Migration } from '../src/store/index.ts'

const OLD_INDEX = 'lease.by_1'

/**
 * The index of leases holds the members that have one, without a condition: the embedded engine finds nothing by an
 * index with one.
 */
export const migration: Migration = {
  async up(db) {
    const present = await db.listCollections({ name: 'planMembers' }, { nameOnly: true }).toArray()
    if (present.length === 0) return
    const members = db.collection('planMembers')
    const found = (await members.indexes()).find(({ name }) => name === OLD_INDEX)
    if (found?.partialFilterExpression !== undefined) await members.dropIndex(OLD_INDEX)
  },
}
