import type { ApiKey, ApiKeyStore } from '../../src/security/index.ts'
import { pageOf } from './memory-page.ts'

/** API keys in this process, true to the port. `known`: the content, for assertions. */
export function createMemoryApiKeys(known = new Map<string, ApiKey>()): ApiKeyStore {
  return {
    put: async (key) => void known.set(key.id, structuredClone(key)),
    get: async (id) => structuredClone(known.get(id)),
    async list({ limit, cursor = '' }) {
      const all = [...known.values()].filter(({ id }) => id > cursor).sort((a, b) => (a.id < b.id ? -1 : 1))
      return pageOf(structuredClone(all), limit, ({ id }) => id)
    },
    hasOtherWriter: async (id) =>
      [...known.values()].some((key) => key.id !== id && key.scope === 'write' && key.revokedAt === undefined),
    count: async () => known.size,
  }
}
