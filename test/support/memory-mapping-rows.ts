import { AppError } from '../../src/base/index.ts'
import type { MappingRowSet, MappingRowStore, NewEvent, Remapping } from '../../src/domain/index.ts'
import { copyOf } from './copy.ts'
import { pageOf } from './memory-page.ts'

/** Sets of mapping rows in memory. */
export function mappingRowStore(
  sets: Map<string, MappingRowSet>,
  append: (events: NewEvent[]) => void,
): MappingRowStore {
  let remapping: Remapping = { wanted: 0, done: 0, run: 0, looked: 0, mapped: 0, failed: 0 }
  let noted = ''
  return {
    async put(set, event, expectedRevision) {
      const isTaken = [...sets.values()].some(({ id, name }) => id !== set.id && name === set.name)
      if (isTaken || sets.get(set.id)?.revision !== expectedRevision)
        throw new AppError('conflict', 'the set of rows has changed, or its name is taken')
      sets.set(set.id, copyOf(set))
      append([event])
      remapping.wanted++
    },
    get: async (id) => copyOf(sets.get(id)),
    async list(limit, cursor) {
      const found = [...sets.values()]
        .filter(({ id }) => cursor === undefined || id > cursor)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
      return copyOf(pageOf(found, limit, ({ id }) => id))
    },
    count: async () => sets.size,
    async delete(id, event) {
      if (!sets.delete(id)) return false
      append([event])
      remapping.wanted++
      return true
    },
    remapping: async () => copyOf(remapping),
    async noteRemapping(work) {
      remapping = { ...copyOf(work), wanted: remapping.wanted }
    },
    async noteFiles(digest) {
      if (noted !== digest) remapping.wanted++
      noted = digest
    },
  }
}
