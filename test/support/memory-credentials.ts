import type { CredentialStore, CwmpCredential, DeviceId } from '../../src/domain/index.ts'

/** CWMP credentials in this process, true to the port. `known`: the content, for assertions. */
export function createMemoryCredentials(known = new Map<DeviceId, CwmpCredential>()): CredentialStore {
  /** The stored credential behind each one that was given or taken. */
  const versions = new WeakMap<CwmpCredential, CwmpCredential>()
  return {
    async get(deviceId) {
      const stored = known.get(deviceId)
      const given = structuredClone(stored)
      if (given !== undefined && stored !== undefined) versions.set(given, stored)
      return given
    },
    put: async (credential) => void known.set(credential.deviceId, structuredClone(credential)),
    async replace(before, next) {
      if (known.get(next.deviceId) !== (before === undefined ? undefined : versions.get(before))) return false
      const stored = structuredClone(next)
      known.set(next.deviceId, stored)
      versions.set(next, stored)
      return true
    },
    delete: async (deviceId) => void known.delete(deviceId),
  }
}
