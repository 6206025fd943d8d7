import type { DeviceId, FeedEvent } from '../device/index.ts'

const MAX_DEVICES = 10_000
/** What a verification writes to: the text parameters of a Controller row, or its interval. */
const OWN_ROW = /^Device\.LocalAgent\.Controller\.\d+\.(ControllerCode|ProvisioningCode|PeriodicNotifInterval)$/

/** Notifications that a verification may be waiting for: the last value of our own Controller row per device, of this process only. */
export interface Heard {
  note(event: FeedEvent): void
  has(deviceId: DeviceId, path: string, value: string): boolean
}

export function createHeard(): Heard {
  const last = new Map<DeviceId, { path: string; value: string }>()
  return {
    note({ type, protocol, deviceId, data }) {
      if (type !== 'parameter.changed' || protocol !== 'usp' || deviceId === undefined) return
      const { path, value } = data
      if (typeof path !== 'string' || typeof value !== 'string' || !OWN_ROW.test(path)) return
      last.delete(deviceId)
      last.set(deviceId, { path, value })
      const oldest = last.size > MAX_DEVICES ? last.keys().next().value : undefined
      if (oldest !== undefined) last.delete(oldest)
    },
    has(deviceId, path, value) {
      const found = last.get(deviceId)
      return found?.path === path && found.value === value
    },
  }
}
