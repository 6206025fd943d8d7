import type { Document_, Migration } from '../src/store/index.ts'

/** The devices that described a supported model are in `describedBy`. Before, the field had another name. */
export const migration: Migration = {
  async up(db) {
    const models = db.collection<Document_>('supportedModels')
    await models.updateMany({ toldBy: { $exists: true } }, { $rename: { toldBy: 'describedBy' } })
  },
}
