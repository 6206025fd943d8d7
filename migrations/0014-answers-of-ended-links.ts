import type { Document_, Migration } from '../src/store/index.ts'

/** Devices without a USP link have no Agent that answers; the end of a link left the last answer in the record. */
export const migration: Migration = {
  async up(db) {
    const devices = db.collection<Document_>('devices')
    await devices.updateMany({ 'usp.linked': false, 'usp.answering': true }, { $set: { 'usp.answering': false } })
  },
}
