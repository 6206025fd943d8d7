import { createKeyedQueue } from '../base/index.ts'
import type { DeviceId } from '../domain/index.ts'

/** Passes over devices: one at a time per device, and of those asked for meanwhile only one more, which sees everything that came before it. */
export interface Passes {
  /** Resolves when a pass that began after this call has ended. Never rejects. */
  request(deviceId: DeviceId): Promise<void>
  /** Resolves when no pass over the device is under way or asked for. */
  settled(deviceId: DeviceId): Promise<void>
  active(deviceId: DeviceId): boolean
  /** Calls back when a pass over the device is asked for; the returned function ends that. One at a time per device. */
  onAsked(deviceId: DeviceId, listener: () => void): () => void
  /** Resolves when nothing is under way at all. */
  idle(): Promise<void>
}

/** `pass` must not reject. */
export function createPasses(pass: (deviceId: DeviceId) => Promise<void>): Passes {
  const queue = createKeyedQueue()
  const waiting = new Map<DeviceId, Promise<void>>()
  const last = new Map<DeviceId, Promise<void>>()
  const listeners = new Map<DeviceId, () => void>()

  const request = (deviceId: DeviceId): Promise<void> => {
    const asked = waiting.get(deviceId)
    if (asked !== undefined) return asked
    // Begun in a later turn: all that is asked for in this one is served by it.
    const run: Promise<void> = queue
      .run(deviceId, async () => {
        await Promise.resolve()
        waiting.delete(deviceId)
        await pass(deviceId)
      })
      .finally(() => {
        if (last.get(deviceId) === run) last.delete(deviceId)
      })
    waiting.set(deviceId, run)
    last.set(deviceId, run)
    listeners.get(deviceId)?.()
    return run
  }

  return {
    request,
    async settled(deviceId) {
      for (let run = last.get(deviceId); run !== undefined; run = last.get(deviceId)) await run
    },
    active: (deviceId) => last.has(deviceId),
    onAsked(deviceId, listener) {
      listeners.set(deviceId, listener)
      return () => {
        if (listeners.get(deviceId) === listener) listeners.delete(deviceId)
      }
    },
    idle: () => queue.idle(),
  }
}
