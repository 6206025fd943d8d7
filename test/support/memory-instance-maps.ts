import type { InstanceMapStore, StoredInstanceMap } from '../../src/domain/index.ts'
import { copyOf } from './copy.ts'

/** Instance maps in memory. */
export function instanceMapStore(maps: Map<string, StoredInstanceMap>): InstanceMapStore {
  return {
    get: async (deviceId) => {
      const found = maps.get(deviceId)
      return found === undefined ? undefined : copyOf(found)
    },
    async put(deviceId, stored) {
      if ((maps.get(deviceId)?.version ?? 0) !== stored.version - 1) return false
      maps.set(deviceId, copyOf(stored))
      return true
    },
  }
}
