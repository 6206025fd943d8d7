import type { IndexKeys } from './mongoose.ts'

/** An index: its keys in order, and what it enforces. */
export interface IndexRow {
  keys: IndexKeys
  unique?: true
  /** Only documents with this field present are held. */
  partial?: Record<string, unknown>
}

/**
 * Every collection with its indexes, checked at start. Lists are written so that one index gives both their bounds and their order;
 * `_id` is always text: a device id, a sortable id, or `device|path`.
 */
export const COLLECTIONS = {
  /** Small and hot: one document per box. */
  devices: [
    { keys: { 'binding.endpointId': 1 }, unique: true, partial: { 'binding.endpointId': { $exists: true } } },
    { keys: { createdAt: 1, _id: 1 } },
    { keys: { manufacturer: 1, _id: 1 } },
    { keys: { model: 1, softwareVersionKey: 1, _id: 1 } },
    { keys: { softwareVersionKey: 1, _id: 1 } },
    { keys: { 'cwmp.lastInformAt': 1, _id: 1 } },
    { keys: { 'usp.lastSeenAt': 1, _id: 1 } },
    { keys: { groups: 1, _id: 1 } },
    { keys: { tags: 1, _id: 1 } },
    { keys: { owner: 1, _id: 1 } },
    { keys: { productClass: 1, _id: 1 } },
    { keys: { serial: 1, _id: 1 } },
    { keys: { 'migration.planId': 1, 'migration.state': 1, _id: 1 } },
    { keys: { 'migration.state': 1, _id: 1 } },
    { keys: { 'readiness.class': 1, _id: 1 } },
    { keys: { 'binding.proof': 1, _id: 1 } },
    { keys: { 'usp.linked': 1, _id: 1 } },
    { keys: { oui: 1, _id: 1 } },
    { keys: { root: 1, _id: 1 } },
    { keys: { hardwareVersion: 1, _id: 1 } },
    { keys: { provisioningCode: 1, _id: 1 } },
    { keys: { softwareVersion: 1, _id: 1 } },
    { keys: { 'usp.instance': 1 }, partial: { 'usp.linked': true } },
    { keys: { 'work.open': 1 }, partial: { 'work.open': true } },
  ],
  /** One document per device and object path: `_id` is `device|path`, so a subtree is one range of `_id`. */
  parameters: [],
  operations: [
    { keys: { deviceId: 1, _id: 1 } },
    { keys: { deviceId: 1, key: 1 }, unique: true, partial: { key: { $exists: true } } },
    { keys: { state: 1, _id: 1 } },
    { keys: { instance: 1, state: 1 }, partial: { state: 'sent' } },
    { keys: { expiresAt: 1 }, partial: { state: 'queued' } },
    { keys: { finishedAt: 1 }, partial: { owesAudit: true } },
  ],
  groups: [{ keys: { name: 1 }, unique: true }],
  plans: [{ keys: { groupId: 1, _id: 1 } }, { keys: { state: 1, _id: 1 } }],
  planMembers: [
    { keys: { planId: 1, state: 1, nextAt: 1 } },
    { keys: { 'lease.by': 1 }, partial: { 'lease.by': { $exists: true } } },
    { keys: { planId: 1, _id: 1 } },
    { keys: { planId: 1, endedAt: 1 }, partial: { endedAt: { $exists: true } } },
    { keys: { planId: 1, 'reason.code': 1 }, partial: { 'reason.code': { $exists: true } } },
    { keys: { planId: 1, waiting: 1 }, partial: { waiting: { $exists: true } } },
  ],
  /** Ids are made of time: what is too old is a range of `_id`, and no second index of times has to be kept up by every Notify. */
  events: [{ keys: { deviceId: 1, _id: 1 } }],
  audit: [{ keys: { seq: 1 }, unique: true }, { keys: { target: 1, seq: 1 } }, { keys: { actor: 1, seq: 1 } }],
  credentials: [],
  supportedModels: [],
  conflicts: [{ keys: { deviceId: 1, _id: 1 } }, { keys: { open: 1, _id: 1 } }],
  apiKeys: [],
  instances: [],
  locks: [],
  settings: [],
  migrations: [],
} as const satisfies Record<string, readonly IndexRow[]>

export type CollectionName = keyof typeof COLLECTIONS

/** The name an index gets: its keys and directions, as the server itself would say. */
export function indexName(keys: IndexKeys): string {
  return Object.entries(keys)
    .map(([field, direction]) => `${field}_${direction}`)
    .join('_')
}
