import type { FactGroup, LiveFactField, LiveFactsPatch } from '../facts/live-facts.ts'
import type { NewEvent } from '../feed/event.ts'
import type { DeviceId } from '../id.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'
import type { BindingProof, CwmpFacts, Device, MigrationPointer, Readiness, UspFacts } from './device.ts'
import type { StoredInstanceMap } from './instance-map.ts'
import type { ParameterWrite } from './parameter.ts'

type CwmpPatch = { [K in keyof CwmpFacts as `cwmp.${K}`]?: CwmpFacts[K] }
type UspPatch = { [K in keyof UspFacts as `usp.${K}`]?: UspFacts[K] }

type FactsReadPatch = { [K in FactGroup as `factsReadAt.${K}`]?: Timestamp }

/** Fields of a Device to set, by dotted name as the store keeps them. */
export interface DevicePatch
  extends CwmpPatch,
    UspPatch,
    LiveFactsPatch,
    FactsReadPatch,
    Partial<
      Pick<
        Device,
        | 'manufacturer'
        | 'root'
        | 'binding'
        | 'model'
        | 'deviceClass'
        | 'softwareVersion'
        | 'softwareVersionKey'
        | 'hardwareVersion'
        | 'dataModelVersion'
        | 'provisioningCode'
        | 'ipAddress'
        | 'upTimeS'
        | 'owner'
        | 'label'
        | 'routerPolicy'
        | 'tags'
        | 'groups'
        | 'conflict'
        | 'parametersCut'
        | 'factsVersion'
        | 'search'
      >
    > {
  readiness?: Readiness
  migration?: MigrationPointer
  'work.open'?: boolean
}

/** Optional fields that a change may take away. */
export type UnsettableField =
  | 'binding'
  | 'migration'
  | 'conflict'
  | 'usp'
  | 'cwmp'
  | 'readiness'
  | 'label'
  | 'routerPolicy'
  | LiveFactField

/**
 * One atomic change of one device: record fields, events and parameters land together or not at all.
 * Changes of different devices that are committed at the same time share one journal flush (group commit).
 */
export interface DeviceChange {
  deviceId: DeviceId
  /**
   * Insert this record; a record that exists already makes the commit fail with AppError `conflict`, nothing is
   * written. `set` is not used then.
   */
  create?: Device
  set?: DevicePatch
  unset?: UnsettableField[]
  /** Adds one to `work.seq` (and the caller sets `work.open`). */
  countWork?: true
  /** Adds one to `revision`. */
  newRevision?: true
  /** The change lands only while these still hold; else AppError `conflict`. */
  guard?: {
    revision?: number
    workSeq?: number
    owner?: Protocol
    uspConnectedAt?: Timestamp
    migration?: Pick<MigrationPointer, 'planId' | 'state'>
  }
  events?: NewEvent[]
  /** It may wait some milliseconds for others, so that they share a write while many come. */
  canWait?: true
  /** Part of a discovery: what follows from the tree is worked out with the change that ends it. */
  more?: true
  /** The whole stored tree is mapped again with this change. */
  mapAgain?: true
  parameters?: ParameterWrite[]
  /** Each parameter is written only where the stored value was collected earlier; the others stay, and are no error. */
  onlyNewer?: true
  /**
   * Object paths (ending in a dot) whose stored parameters are dropped, with all below them, before `parameters` are
   * written.
   */
  dropSubtrees?: string[]
  /** Single parameters that are dropped, likewise. */
  dropParameters?: string[]
  /**
   * The live facts (domain/facts) follow the parameters of each change. `later`: this is a part of a larger read, whose
   * last change has `all`, by which they are derived from all that is stored.
   */
  facts?: 'later' | 'all'
  /**
   * All that is stored of a tree that was never mapped, where the sender of the change has brought it there: then nothing
   * of it is read again. AppError `conflict` when the tree was mapped meanwhile. A guard sees to it that no other sender
   * has brought anything.
   */
  tree?: KnownTree
  /** The instance map that belongs to the parameters; AppError `conflict` when the version before it is not the stored one. */
  instanceMap?: StoredInstanceMap
}

/** The record of a device and its stored tree, in the memory of the one who brought them there. */
interface KnownTree {
  record: Device
  /** Later ones replace earlier ones of the same path. */
  parameters: readonly ParameterWrite[]
}

/**
 * Adds to changes what follows from them before they are written: the values that raw parameters have in TR-181.
 * Implemented by the room that maps; the store calls it for each change of a device.
 */
export interface ChangeCompletion {
  /** Calls `write` with the completed change, and resolves as it does. A change that says nothing new is not delayed. */
  around<T>(change: DeviceChange, write: (completed: DeviceChange) => Promise<T>): Promise<T>
}

/** Kinds of contradictions between a claim and the stored bindings. */
export const CONFLICT_KINDS = ['endpointAlreadyBound', 'deviceBoundToOther', 'identityMismatch'] as const
/** Decisions of a Conflict. bound: the Endpoint ID was given to a device. dismissed: nothing was changed. */
export const RESOLUTIONS = ['bound', 'dismissed'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

/** Two claims of an identity that contradict each other. A person decides; nothing is merged before that. */
export interface Conflict {
  id: string
  deviceId: DeviceId
  kind: (typeof CONFLICT_KINDS)[number]
  /** The Endpoint ID that made the claim. */
  endpointId: string
  proof: BindingProof
  /** The claim and the stored facts that contradict it, for the person who decides. */
  details: Record<string, string>
  at: Timestamp
  resolvedAt?: Timestamp
  resolution?: Resolution
  resolvedBy?: string
}
