import type { DeviceId, Group, GroupStore, MembersChange, Page } from '../../domain/index.ts'
import { fromDocument } from '../mongo/convert.ts'
import { updateEach } from '../mongo/each.ts'
import type { Collection, Connection, Document_ } from '../mongo/mongoose.ts'
import { page } from '../reads/paging.ts'
import { putRevised } from './revised.ts'

/** Groups; static membership stands on the devices. */
export class GroupRepository implements GroupStore {
  readonly #groups: Collection
  readonly #devices: Collection

  constructor(connection: Connection) {
    this.#groups = connection.collection<Document_>('groups')
    this.#devices = connection.collection<Document_>('devices')
  }

  put(group: Group, expectedRevision?: number): Promise<void> {
    return putRevised(this.#groups, group, expectedRevision)
  }

  async get(id: string): Promise<Group | undefined> {
    const document = await this.#groups.findOne({ _id: id })
    return document === null ? undefined : fromDocument<Group>(document)
  }

  list(limit: number, cursor?: string): Promise<Page<Group>> {
    return page(this.#groups, {}, { field: '_id', descending: false }, { limit, cursor }, (document) =>
      fromDocument<Group>(document),
    )
  }

  async delete(id: string): Promise<boolean> {
    // Members first: cut off in between, the group is still there to be deleted again.
    await updateEach(this.#devices, { groups: id }, { $pull: { groups: id as never }, $inc: { revision: 1 as never } })
    const { deletedCount } = await this.#groups.deleteOne({ _id: id })
    return deletedCount > 0
  }

  async withSelector(limit: number): Promise<Group[]> {
    const found = this.#groups
      .find({ selector: { $exists: true } })
      .sort({ _id: 1 })
      .limit(limit)
    return (await found.toArray()).map((document) => fromDocument<Group>(document))
  }

  async changeMembers(groupId: string, add: DeviceId[], remove: DeviceId[]): Promise<MembersChange> {
    const named = [...new Set([...add, ...remove])]
    const known = new Set<string>()
    const found = this.#devices.find({ _id: { $in: named } }, { projection: { _id: 1 } })
    for await (const { _id } of found) known.add(_id)
    let changed = 0
    if (add.length > 0) {
      changed += await updateEach(
        this.#devices,
        { _id: { $in: add }, groups: { $ne: groupId } },
        { $addToSet: { groups: groupId as never }, $inc: { revision: 1 as never } },
      )
    }
    if (remove.length > 0) {
      changed += await updateEach(
        this.#devices,
        { _id: { $in: remove }, groups: groupId },
        { $pull: { groups: groupId as never }, $inc: { revision: 1 as never } },
      )
    }
    return { changed, unknown: named.filter((id) => !known.has(id)) }
  }
}
