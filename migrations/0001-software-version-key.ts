import { versionKey } from '../src/datamodel/index.ts'
import type { Migration } from '../src/store/index.ts'

/** Records from before versions were ordered naturally get the key they are ordered by. */
export const migration: Migration = {
  async up(db) {
    const devices = db.collection('devices')
    const old = devices.find(
      { softwareVersion: { $exists: true }, softwareVersionKey: { $exists: false } },
      { projection: { softwareVersion: 1 } },
    )
    for await (const device of old) {
      await devices.updateOne(
        { _id: device._id },
        { $set: { softwareVersionKey: versionKey(String(device.softwareVersion)) } },
      )
    }
  },
}
