import type { Migration } from '../src/store/index.ts'

/** The Endpoint ID of a Conflict that is open is a field of its own, by which an arriving Agent is looked up. */
export const migration: Migration = {
  async up(db) {
    const conflicts = db.collection('conflicts')
    const open = conflicts.find({ open: true, openEndpointId: { $exists: false } }, { projection: { endpointId: 1 } })
    for await (const { _id, endpointId } of open)
      await conflicts.updateOne({ _id, open: true }, { $set: { openEndpointId: endpointId } })
  },
}
