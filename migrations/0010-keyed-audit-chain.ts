import type { Migration } from '../src/store/index.ts'

const ID = 'auditChain'
const GENESIS = '0'.repeat(64)

/** Notes where the audit chain ends that has no key: entries behind it are hashed with one. */
export const migration: Migration = {
  async up(db) {
    const last = await db.collection('audit').find({}).sort({ seq: -1 }).limit(1).next()
    const note = { keyedFrom: Number(last?.seq ?? 0) + 1, anchor: String(last?.hash ?? GENESIS) }
    await db.collection<{ _id: string }>('settings').updateOne({ _id: ID }, { $setOnInsert: note }, { upsert: true })
  },
}
