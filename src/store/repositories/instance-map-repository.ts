import { defined, isConflict } from '../../base/index.ts'
import type { DeviceId, InstanceMapStore, StoredInstanceMap } from '../../domain/index.ts'
import type { GroupCommit } from '../commit/group-commit.ts'
import { type InstanceMapFields, instanceMapWrite } from '../commit/instance-map-write.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { createGroupRead, type GroupRead } from '../reads/group-read.ts'

/** Instance maps in MongoDB. */
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
    const { version, map, family, models, bootstrapAt, facts, rows, pending } = document as Document_ &
      InstanceMapFields
    const parsed = JSON.parse(map) as StoredInstanceMap['map']
    return defined({ version, map: parsed, family, models, bootstrapAt, facts, rows, pending })
  }

  async put(deviceId: DeviceId, stored: StoredInstanceMap): Promise<boolean> {
    try {
      await this.#commit.commit({ writes: [instanceMapWrite(deviceId, stored)] })
      return true
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
  }
}
