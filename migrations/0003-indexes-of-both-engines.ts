import type { Migration } from '../src/store/index.ts'

const OLD_INDEXES = [
  ['devices', 'binding.endpointId_1'],
  ['devices', 'work.open_1'],
  ['operations', 'deviceId_1_key_1'],
  ['planMembers', 'deviceId_1_active_1'],
] as const

/**
 * Unique fields that not every record has are indexed sparsely: the embedded engine finds nothing by an index with a
 * condition. The idempotency key of an operation, unique per device, is one field for that reason.
 */
export const migration: Migration = {
  async up(db) {
    for (const [name, index] of OLD_INDEXES) {
      const present = await db.listCollections({ name }, { nameOnly: true }).toArray()
      if (present.length === 0) continue
      const collection = db.collection(name)
      if (await collection.indexExists(index)) await collection.dropIndex(index)
    }
    const operations = db.collection('operations')
    const old = operations.find({ key: { $exists: true } }, { projection: { deviceId: 1, key: 1 } })
    for await (const { _id, deviceId, key } of old) {
      await operations.updateOne({ _id }, { $set: { onceKey: `${deviceId}|${key}` }, $unset: { key: '' } })
    }
  },
}
