import type { Clock } from '../base/index.ts'
import type { DeviceId } from '../domain/index.ts'

const KEEP_MS = 600_000
const MAX = 50_000

/**
 * Devices for which this process learnt of new work. A session that read the record before that asks here instead of the database;
 * sessions are short, so old news is forgotten: the record's work flag has it.
 */
export interface News {
  add(deviceId: DeviceId): void
  has(deviceId: DeviceId): boolean
  /** Taken by a pass, which looks at the store next. */
  take(deviceId: DeviceId): void
}

export function createNews(clock: Clock): News {
  const since = new Map<DeviceId, number>()
  return {
    add(deviceId) {
      since.delete(deviceId)
      since.set(deviceId, clock.now())
      // In order of age: the oldest come first.
      for (const [oldest, at] of since) {
        if (since.size <= MAX && clock.now() - at <= KEEP_MS) break
        since.delete(oldest)
      }
    },
    has: (deviceId) => since.has(deviceId),
    take: (deviceId) => {
      since.delete(deviceId)
    },
  }
}
