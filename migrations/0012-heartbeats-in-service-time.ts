import type { Migration } from '../src/store/index.ts'

/**
 * Heartbeats of instances were kept in wall-clock time: read as service time they would never end. Living instances
 * write theirs anew.
 */
export const migration: Migration = {
  async up(db) {
    await db.collection('instances').deleteMany({})
  },
}
