import type { CredentialStore, CwmpCredential, DeviceId } from '../../src/domain/index.ts'

/** CWMP credentials in this process, true to the port. `known`: the content, for assertions. */
export function createMemoryCredentials(known = new Map<DeviceId, CwmpCredential>()): CredentialStore {
  return {
    get: async (deviceId) => structuredClone(known.get(deviceId)),
    put: async (credential) => void known.set(credential.deviceId, structuredClone(credential)),
    delete: async (deviceId) => void known.delete(deviceId),
  }
}
