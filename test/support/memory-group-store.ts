import { AppError } from '../../src/base/index.ts'
import type { Group, GroupStore } from '../../src/domain/index.ts'
import { copyOf } from './copy.ts'
import type { DeviceRoom } from './memory-device-store.ts'

/** Groups in memory; static membership stands on the devices. */
export function groupStore(groups: Map<string, Group>, { devices }: DeviceRoom): GroupStore {
  const sorted = () => [...groups.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    async put(group, expectedRevision) {
      if (groups.get(group.id)?.revision !== expectedRevision) throw new AppError('conflict', 'the group has changed')
      groups.set(group.id, copyOf(group))
    },
    get: async (id) => copyOf(groups.get(id)),
    withSelector: async (limit) =>
      copyOf(
        sorted()
          .filter(({ selector }) => selector !== undefined)
          .slice(0, limit),
      ),
    async list(limit, cursor = '') {
      const found = sorted().filter(({ id }) => id > cursor)
      const items = copyOf(found.slice(0, limit))
      const last = items.at(-1)
      return found.length > limit && last !== undefined ? { items, next: last.id } : { items }
    },
    async delete(id) {
      for (const device of devices.values()) {
        if (!device.groups.includes(id)) continue
        device.groups = device.groups.filter((group) => group !== id)
        device.revision++
      }
      return groups.delete(id)
    },
    async changeMembers(groupId, add, remove) {
      let changed = 0
      for (const device of devices.values()) {
        const member = device.groups.includes(groupId)
        if (add.includes(device.id) && !member) device.groups = [...device.groups, groupId]
        else if (remove.includes(device.id) && member) device.groups = device.groups.filter((id) => id !== groupId)
        else continue
        device.revision++
        changed++
      }
      const unknown = [...new Set([...add, ...remove])].filter((id) => !devices.has(id))
      return { changed, unknown }
    },
  }
}
