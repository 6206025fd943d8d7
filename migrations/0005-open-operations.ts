import type { Migration } from '../src/store/index.ts'

const OLD_INDEX = 'deviceId_1_state_1__id_1'

/**
 * Operations that have not ended name their device once more, in the field that queues are read by; the index before it
 * is dropped.
 */
export const migration: Migration = {
  async up(db) {
    const present = await db.listCollections({ name: 'operations' }, { nameOnly: true }).toArray()
    if (present.length === 0) return
    const operations = db.collection('operations')
    const open = operations.find(
      { state: { $in: ['queued', 'sent', 'unknown'] }, openOf: { $exists: false } },
      { projection: { deviceId: 1, state: 1 } },
    )
    for await (const { _id, deviceId } of open) await operations.updateOne({ _id }, { $set: { openOf: deviceId } })
    if (await operations.indexExists(OLD_INDEX)) await operations.dropIndex(OLD_INDEX)
  },
}
