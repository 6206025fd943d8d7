import { BoundedMap, BoundedSet, type Clock } from '../base/index.ts'
import type { DeviceId, Operation } from '../domain/index.ts'

/** The next request of somebody who asks step by step comes within this, also on a busy server. */
const FOLLOW_UP_MS = 3000
const MAX = 20_000

/** Devices that are asked for more as soon as their operation has ended, and until when that is waited for. */
export interface FollowUps {
  /** More is asked for when this operation has ended. */
  expect(operationId: string): void
  ended(operation: Operation): void
  /** Milliseconds for which a session is worth holding. */
  leftMs(deviceId: DeviceId): number
  /** Something was asked for. */
  came(deviceId: DeviceId): void
}

export function createFollowUps(clock: Clock): FollowUps {
  const expected = new BoundedSet<string>(MAX)
  const until = new BoundedMap<DeviceId, number>(MAX)
  return {
    expect: (operationId) => void expected.add(operationId),
    ended({ id, deviceId }) {
      if (!expected.delete(id)) return
      until.set(deviceId, clock.now() + FOLLOW_UP_MS)
    },
    leftMs: (deviceId) => Math.min(FOLLOW_UP_MS, (until.get(deviceId) ?? 0) - clock.now()),
    came: (deviceId) => void until.delete(deviceId),
  }
}
