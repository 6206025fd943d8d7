import { randomToken, systemRandom } from '../../src/base/index.ts'
import type { DeviceId, LinkSecrets } from '../../src/domain/index.ts'

/** Secrets of WebSocket paths in this process, true to the port. */
export function createMemoryLinkSecrets(): LinkSecrets {
  const known = new Map<DeviceId, { current?: string; pending?: string; demanded?: true }>()
  const of = (deviceId: DeviceId) => {
    const entry = known.get(deviceId) ?? {}
    known.set(deviceId, entry)
    return entry
  }
  const made = () => randomToken(systemRandom, 16)
  const ensure = async (deviceId: DeviceId) => {
    const entry = of(deviceId)
    const kept = entry.pending ?? entry.current
    if (kept !== undefined) return kept
    entry.pending = made()
    return entry.pending
  }
  return {
    ensure,
    async demand(deviceId) {
      of(deviceId).demanded = true
      return ensure(deviceId)
    },
    async renew(deviceId) {
      const entry = of(deviceId)
      entry.pending ??= made()
      return entry.pending
    },
    async prove(deviceId, secret) {
      const { current, pending, demanded } = known.get(deviceId) ?? {}
      if (secret !== undefined && secret === current) return 'right'
      if (secret !== undefined && secret === pending) return 'unused'
      return current === undefined && demanded === undefined ? 'notRequired' : 'required'
    },
    ownerOf: async (secret) =>
      [...known].find(([, { current, pending }]) => secret === current || secret === pending)?.[0],
    async used(deviceId, secret) {
      const entry = of(deviceId)
      if (entry.pending === secret) known.set(deviceId, { current: secret })
    },
    async release(deviceId) {
      const { current, pending = current, demanded } = of(deviceId)
      if (current === undefined && demanded === undefined) return
      known.set(deviceId, pending === undefined ? {} : { pending })
    },
    delete: async (deviceId) => void known.delete(deviceId),
  }
}
