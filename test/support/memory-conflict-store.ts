import { AppError, isConflict } from '../../src/base/index.ts'
import type { Conflict, ConflictStore, DeviceChange, NewEvent } from '../../src/domain/index.ts'
import { copyOf } from './copy.ts'
import { type DeviceRoom, deviceWrite } from './memory-device-store.ts'
import { pageOf } from './memory-page.ts'

export interface ConflictRoomDeps {
  room: DeviceRoom
  append(events: NewEvent[]): void
  now(): number
}

/** Conflicts in memory. */
export function conflictStore(
  conflicts: Map<string, Conflict>,
  { room, append, now }: ConflictRoomDeps,
): ConflictStore {
  const opened = () => [...conflicts.values()].filter(({ resolvedAt }) => resolvedAt === undefined)
  /** A claim may name a device that was never seen: the Conflict stands by itself then. */
  const onDevice = (change: DeviceChange) => {
    try {
      deviceWrite(room, change, now())()
    } catch (error) {
      if (!isConflict(error)) throw error
    }
  }
  return {
    async open(conflict, event) {
      const { deviceId, kind, endpointId } = conflict
      const present = opened().find(
        (one) => one.deviceId === deviceId && one.kind === kind && one.endpointId === endpointId,
      )
      if (present !== undefined) return copyOf(present)
      if (conflicts.has(conflict.id)) throw new AppError('conflict', 'the conflict exists')
      conflicts.set(conflict.id, copyOf(conflict))
      onDevice({ deviceId, set: { conflict: conflict.id }, newRevision: true })
      append([event])
      return conflict
    },
    isContested: async (endpointId) => opened().some((one) => one.endpointId === endpointId),
    get: async (id) => copyOf(conflicts.get(id)),
    async list({ open, limit, cursor }) {
      const all = [...conflicts.values()]
        .filter(({ resolvedAt }) => open === undefined || open === (resolvedAt === undefined))
        .filter(({ id }) => cursor === undefined || id < cursor)
        .sort((a, b) => (a.id < b.id ? 1 : -1))
      return pageOf(copyOf(all), limit, ({ id }) => id)
    },
    async resolve(id, resolution, by, at) {
      const conflict = opened().find((one) => one.id === id)
      if (conflict === undefined) return false
      Object.assign(conflict, { resolution, resolvedBy: by, resolvedAt: at })
      const { deviceId } = conflict
      const other = opened().find((one) => one.deviceId === deviceId)
      onDevice(
        other === undefined
          ? { deviceId, unset: ['conflict'], newRevision: true }
          : { deviceId, set: { conflict: other.id }, newRevision: true },
      )
      append([{ type: 'device.conflictResolved', at, deviceId, data: { conflict: id, resolution, by } }])
      return true
    },
  }
}
