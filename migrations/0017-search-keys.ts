import { type Device, type DeviceId, searchKeys } from '../src/domain/index.ts'
import type { Document_, Migration } from '../src/store/index.ts'

const BATCH = 500

/**
 * Records from before devices were searched get the texts by which they are found. Their live facts come with the next
 * change of a parameter that they are derived from.
 */
export const migration: Migration = {
  async up(db) {
    const devices = db.collection<Document_>('devices')
    const old = devices.find({ search: { $exists: false } }, { batchSize: BATCH })
    let updates: { updateOne: { filter: { _id: string }; update: { $set: { search: string[] } } } }[] = []
    const flush = async () => {
      if (updates.length > 0) await devices.bulkWrite(updates, { ordered: false })
      updates = []
    }
    for await (const { _id, ...record } of old) {
      const search = searchKeys({ tags: [], ...(record as Omit<Device, 'id' | 'tags'>), id: _id as DeviceId })
      updates.push({ updateOne: { filter: { _id }, update: { $set: { search } } } })
      if (updates.length >= BATCH) await flush()
    }
    await flush()
  },
}
