import { type SupportedModelObject, supportedModelDigest, supportedModelId } from '../src/domain/index.ts'
import type { Migration } from '../src/store/index.ts'

/**
 * A supported model is identified by its description, and lists the devices that described it so. For models from
 * before, these devices are not known: they hold for no device before two have confirmed them.
 */
export const migration: Migration = {
  async up(db) {
    const models = db.collection<{ _id: string }>('supportedModels')
    const old = await models.find({ digest: { $exists: false } }, { projection: { _id: 1 } }).toArray()
    for (const { _id: key } of old) {
      const document = await models.findOne({ _id: key })
      if (document === null) continue
      const { objects: text, at } = document as { objects?: string; at?: number }
      const objects = JSON.parse(text ?? '[]') as SupportedModelObject[]
      const digest = supportedModelDigest(objects)
      const renewed = { key, digest, toldBy: [], objectCount: objects.length, objects: text ?? '[]', at: at ?? 0 }
      await models.replaceOne({ _id: supportedModelId(key, digest) }, renewed, { upsert: true })
      await models.deleteOne({ _id: key })
    }
  },
}
