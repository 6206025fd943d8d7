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
    const { version, map, family, models, bootstrapAt, facts, rows, pending } = document as Document_ & Fields
    const parsed = JSON.parse(map) as StoredInstanceMap['map']
    return defined({ version, map: parsed, family, models, bootstrapAt, facts, rows, pending })
  }

  async put(deviceId: DeviceId, { map, ...stored }: StoredInstanceMap): Promise<boolean> {
    const { version } = stored
    const fields: Fields = { ...stored, map: JSON.stringify(map) }
    const operation: Write['operation'] =
      version === 1
        ? { insertOne: { document: { _id: deviceId, ...fields } } }
        : { replaceOne: { filter: { _id: deviceId, version: version - 1 }, replacement: { ...fields } } }
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

type Fields = Omit<StoredInstanceMap, 'map'> & { map: string }
