import { defined, isConflict } from '../../base/index.ts'
import type { DeviceId, InstanceMapStore, StoredInstanceMap } from '../../domain/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import type { Write } from '../commit/write-set.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'

/** Instance maps in MongoDB. The map itself is kept as text: paths are no field names. */
export class InstanceMapRepository implements InstanceMapStore {
  readonly #maps: Collection
  readonly #commit: GroupCommit
  readonly #byId: GroupRead

  constructor(connection: Connection, commit: GroupCommit) {
    this.#maps = connection.collection<Document_>('instanceMaps')
    this.#commit = commit
    this.#byId = createGroupRead(this.#maps)
  }

  async get(deviceId: DeviceId): Promise<StoredInstanceMap | undefined> {
    const document = await this.#byId.get(deviceId)
    if (document === undefined) return undefined
    const { version, map, family, models, bootstrapAt } = document as Document_ & Fields
    return defined({ version, map: JSON.parse(map) as StoredInstanceMap['map'], family, models, bootstrapAt })
  }

  async put(deviceId: DeviceId, { version, map, family, models, bootstrapAt }: StoredInstanceMap): Promise<boolean> {
    const fields: Fields = defined({ version, map: JSON.stringify(map), family, models, bootstrapAt })
    const operation: Write['operation'] =
      version === 1
        ? { insertOne: { document: { _id: deviceId, ...fields } } }
        : {
            updateOne: {
              filter: { _id: deviceId, version: version - 1 },
              update: { $set: { ...fields }, ...(family === undefined ? { $unset: { family: '' } } : {}) },
            },
          }
    const write: Write = { collection: 'instanceMaps', operation }
    if (version > 1) write.mustMatch = 'the instance map has changed meanwhile'
    try {
      await this.#commit.commit({ writes: [write] })
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }
}

interface Fields {
  version: number
  map: string
  family?: string
  models: string[]
  bootstrapAt: number
}
