import type { IndexKeys } from './mongoose.ts'

/** An index: its keys in order, and what it enforces. */
export interface IndexRow {
  keys: IndexKeys
  unique?: true
  /** Only documents that meet this are held. */
  partial?: Record<string, unknown>
  /** Only documents that have the field are held. */
  sparse?: true
  /** Made on this server alone. */
  on?: Engine
}

/** SecantusDB, which Isthmus brings, or any MongoDB. */
export type Engine = 'mongodb' | 'secantusdb'

/** A collection: its place in the order of writes, and its indexes. */
export interface CollectionRow {
  /**
   * Writes of one set go out by rising rank. A fact that decides has a low rank, a fact that only reports it a high
   * one: on a server without transactions a set that is cut off after its first write has then done nothing that
   * misleads. A device that is flagged for work finds none; an operation without the flag would wait until the flags
   * are repaired.
   */
  rank: number
  indexes: readonly IndexRow[]
}

/**
 * Every collection with its rank and its indexes, which are checked at start. Lists are written so that one index gives
 * both their bounds and their order; `_id` is always text: a device id, a sortable id, or `device|path`. SecantusDB
 * uses an index only when all fields of the filter are in it, and none with a condition on a field's presence; for
 * everything else it looks at each document. So a guard beside an `_id`, for which MongoDB needs nothing, has an index
 * there. Every index costs 3 us of each write there, of the 100 us that an Inform takes; a look at a document costs 0.3
 * us. Fields by which nothing is sorted or found alone have no index.
 */
export const COLLECTIONS = {
  /** Small and often read: one document per device. */
  devices: {
    rank: 120,
    indexes: [
      { keys: { 'binding.endpointId': 1 }, unique: true, sparse: true },
      { keys: { createdAt: 1, _id: 1 } },
      { keys: { manufacturer: 1, _id: 1 } },
      { keys: { model: 1, softwareVersionKey: 1, _id: 1 } },
      { keys: { deviceClass: 1, _id: 1 } },
      { keys: { softwareVersionKey: 1, _id: 1 } },
      { keys: { 'cwmp.lastInformAt': 1, _id: 1 } },
      { keys: { 'usp.lastSeenAt': 1, _id: 1 } },
      { keys: { groups: 1, _id: 1 } },
      { keys: { tags: 1, _id: 1 } },
      { keys: { label: 1, _id: 1 }, on: 'mongodb' },
      { keys: { owner: 1, _id: 1 }, on: 'mongodb' },
      { keys: { productClass: 1, _id: 1 }, on: 'mongodb' },
      { keys: { serial: 1, _id: 1 } },
      { keys: { 'migration.planId': 1, 'migration.state': 1, _id: 1 } },
      { keys: { 'migration.state': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'readiness.class': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'binding.proof': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'usp.linked': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'usp.answering': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'usp.weakLink': 1, _id: 1 }, on: 'mongodb' },
      { keys: { oui: 1, _id: 1 }, on: 'mongodb' },
      { keys: { root: 1, _id: 1 }, on: 'mongodb' },
      { keys: { hardwareVersion: 1, _id: 1 }, on: 'mongodb' },
      { keys: { provisioningCode: 1, _id: 1 }, on: 'mongodb' },
      { keys: { ipAddress: 1, _id: 1 }, on: 'mongodb' },
      { keys: { softwareVersion: 1, _id: 1 }, on: 'mongodb' },
      { keys: { search: 1, _id: 1 } },
      { keys: { 'wan.state': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wan.lastError': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wan.ipAddress': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wan.macAddress': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wan.pppUser': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wan.vlanId': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wan.upSince': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'optical.rxPowerDbm': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'optical.txPowerDbm': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'optical.health': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'optical.temperatureC': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wifi.ssids': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wifi.ssids2g': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wifi.ssids5g': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wifi.ssids6g': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'wifi.stations': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'lan.activeHosts': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'system.upSince': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'system.cpuPercent': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'system.memoryUsedPercent': 1, _id: 1 }, on: 'mongodb' },
      { keys: { 'usp.instance': 1 }, partial: { 'usp.linked': true } },
      { keys: { 'work.seq': 1, _id: 1 }, on: 'secantusdb' },
      { keys: { revision: 1, _id: 1 }, on: 'secantusdb' },
      { keys: { 'usp.connectedAt': 1, _id: 1 }, on: 'secantusdb' },
    ],
  },
  /**
   * One document per device and object path. A subtree is a range of paths under one device: SecantusDB looks at every
   * document for a range of `_id`, so the two fields have an index of their own; a report of a CPE changes neither.
   */
  parameters: { rank: 140, indexes: [{ keys: { deviceId: 1, object: 1 } }] },
  /** Values that are too long for the document of their object; before it in the order, which refers to them. */
  largeValues: { rank: 135, indexes: [{ keys: { deviceId: 1, path: 1 } }] },
  /**
   * One document per device whose own tree is not TR-181: a number is stored before a value refers to it, or with it. In
   * one set it comes after the values: a tree whose map is not stored, or is pending, is mapped once more.
   */
  instanceMaps: { rank: 142, indexes: [{ keys: { version: 1, _id: 1 }, on: 'secantusdb' }] },
  operations: {
    rank: 130,
    indexes: [
      { keys: { deviceId: 1, _id: 1 } },
      { keys: { openOf: 1 }, sparse: true },
      { keys: { onceKey: 1 }, unique: true, sparse: true },
      { keys: { state: 1, _id: 1 } },
      { keys: { _id: 1, state: 1 }, on: 'secantusdb' },
      { keys: { instance: 1, state: 1 }, partial: { state: 'sent' } },
      { keys: { expiresAt: 1 }, partial: { state: 'queued' } },
      { keys: { finishedAt: 1 }, partial: { owesAudit: true } },
    ],
  },
  groups: { rank: 30, indexes: [{ keys: { name: 1 }, unique: true }] },
  plans: { rank: 20, indexes: [{ keys: { groupId: 1, _id: 1 } }, { keys: { state: 1, _id: 1 } }] },
  planMembers: {
    rank: 10,
    indexes: [
      { keys: { planId: 1, dueMs: 1 } },
      { keys: { planId: 1, state: 1, waiting: 1, _id: 1 } },
      { keys: { deviceId: 1 } },
      { keys: { 'lease.by': 1 }, sparse: true },
      { keys: { planId: 1, _id: 1 } },
      { keys: { planId: 1, 'reason.code': 1, _id: 1 }, partial: { 'reason.code': { $exists: true } } },
      { keys: { planId: 1, waiting: 1, _id: 1 }, partial: { waiting: { $exists: true } } },
      { keys: { planId: 1, silentAt: 1, _id: 1 }, partial: { silentAt: { $exists: true } } },
      { keys: { revision: 1, _id: 1 }, on: 'secantusdb' },
    ],
  },
  /** One document per device that a plan has changed: its state before. */
  snapshots: { rank: 15, indexes: [] },
  /** One document per plan: counts that change in the commit of the member. */
  planCounters: { rank: 145, indexes: [] },
  /**
   * Ids are made of time: what is too old is a range of `_id`, and no second index of times has to be kept up by every
   * Notify.
   */
  events: { rank: 160, indexes: [{ keys: { deviceId: 1, _id: 1 } }, { keys: { _id: 1, type: 1 }, on: 'secantusdb' }] },
  audit: {
    rank: 150,
    indexes: [{ keys: { seq: 1 }, unique: true }, { keys: { target: 1, seq: 1 } }, { keys: { actor: 1, seq: 1 } }],
  },
  /** Rows of routers, with the states that their bridges report; before the bridge, which counts their changes. */
  bridgeRouters: {
    rank: 45,
    indexes: [
      { keys: { bridgeId: 1, place: 1 }, unique: true },
      { keys: { bridgeId: 1, _id: 1 } },
      { keys: { bridgeId: 1, 'state.reachable': 1, _id: 1 } },
      { keys: { bridgeId: 1, tags: 1, _id: 1 } },
      { keys: { 'state.identity.endpointId': 1 }, sparse: true },
      { keys: { 'state.identity.serial': 1 }, sparse: true },
      { keys: { revision: 1, bridgeId: 1, _id: 1 }, on: 'secantusdb' },
    ],
  },
  bridges: {
    rank: 46,
    indexes: [
      { keys: { name: 1 }, unique: true },
      { keys: { revision: 1, _id: 1 }, on: 'secantusdb' },
    ],
  },
  /** Certificates that were issued, by serial number. */
  certificates: {
    rank: 48,
    indexes: [
      { keys: { owner: 1, _id: 1 } },
      { keys: { owner: 1, revokedAt: 1 } },
      { keys: { names: 1, revokedAt: 1 } },
      { keys: { notAfter: 1 } },
    ],
  },
  credentials: { rank: 50, indexes: [{ keys: { version: 1, _id: 1 }, on: 'secantusdb' }] },
  /** Found by what a link shows; sparse, for most devices have one of the two. */
  linkSecrets: {
    rank: 55,
    indexes: [
      { keys: { 'current.digest': 1 }, unique: true, sparse: true },
      { keys: { 'pending.digest': 1 }, unique: true, sparse: true },
      { keys: { revision: 1, _id: 1 }, on: 'secantusdb' },
    ],
  },
  /** One document: how often rows were changed, and how far the devices are mapped by them. */
  remapping: { rank: 61, indexes: [] },
  /** Some hundred at most; a change of one is guarded by its revision. */
  mappingRows: {
    rank: 62,
    indexes: [
      { keys: { name: 1 }, unique: true },
      { keys: { revision: 1, _id: 1 }, on: 'secantusdb' },
    ],
  },
  supportedModels: { rank: 60, indexes: [{ keys: { key: 1 } }] },
  /** One document per make, model, firmware and root. */
  mappingCoverage: { rank: 64, indexes: [{ keys: { at: 1, _id: 1 } }] },
  conflicts: {
    rank: 40,
    indexes: [
      { keys: { deviceId: 1, _id: 1 } },
      { keys: { open: 1, _id: 1 } },
      { keys: { openEndpointId: 1 }, sparse: true },
    ],
  },
  pendingAgents: {
    rank: 65,
    indexes: [{ keys: { firstSeenAt: 1, _id: 1 } }, { keys: { reason: 1, firstSeenAt: 1, _id: 1 } }],
  },
  apiKeys: { rank: 70, indexes: [] },
  instances: { rank: 90, indexes: [] },
  locks: { rank: 100, indexes: [] },
  settings: { rank: 80, indexes: [] },
  migrations: { rank: 110, indexes: [] },
} as const satisfies Record<string, CollectionRow>

export type CollectionName = keyof typeof COLLECTIONS

/**
 * Returns the names in the order in which they are written. Throws for a name that is no collection: such a write would
 * not be done.
 */
export function inWriteOrder(names: Iterable<CollectionName>): CollectionName[] {
  return [...names].sort((a, b) => rankOf(a) - rankOf(b))
}

/** Returns the place of a collection in the order of writes. Throws for a name that is no collection. */
export function rankOf(name: CollectionName): number {
  if (!Object.hasOwn(COLLECTIONS, name)) throw new Error(`there is no collection ${name}; COLLECTIONS lists them`)
  return COLLECTIONS[name].rank
}

/** Returns the name of an index: its keys and directions, in the form that the server itself gives. */
export function indexName(keys: IndexKeys): string {
  return Object.entries(keys)
    .map(([field, direction]) => `${field}_${direction}`)
    .join('_')
}
