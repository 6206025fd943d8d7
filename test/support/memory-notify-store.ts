import type { NotifyStore, OwedNotify } from '../../src/usp/index.ts'

/** A store of owed notifications in memory, and its content by msg_id. */
export function memoryStore(): { store: NotifyStore; owed: Map<string, OwedNotify> } {
  const owed = new Map<string, OwedNotify>()
  const store: NotifyStore = {
    load: async () => [...owed.values()],
    put: async (one) => void owed.set(one.msgId, one),
    remove: async (msgId) => void owed.delete(msgId),
  }
  return { store, owed }
}
