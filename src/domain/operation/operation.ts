import { versionOfPackage } from '../../router-files/index.ts'
import type { MappedFrom, ParameterType } from '../device/parameter.ts'
import type { DeviceId } from '../id.ts'
import type { Actor } from '../principal.ts'
import type { Protocol } from '../protocol.ts'
import type { Timestamp } from '../timestamp.ts'

/**
 * Returns what a command does that restarts the device as a whole: those of the root object alone (TR-181
 * Device.Reboot(), Device.FactoryReset(), and the same under InternetGatewayDevice.). Undefined for any other, such as
 * those of a vendor or of a module.
 */
export function restartOf(command: string): 'reboot' | 'factoryReset' | undefined {
  const name = /^(?:InternetGateway)?Device\.(Reboot|FactoryReset)\(\)$/.exec(command)?.[1]
  if (name === undefined) return undefined
  return name === 'Reboot' ? 'reboot' : 'factoryReset'
}

/**
 * Returns true for a reset of the device to factory settings: it loses its credentials and the settings of its
 * management.
 */
export function isFactoryReset(request: OperationRequest): boolean {
  return (
    request.verb === 'factoryReset' || (request.verb === 'operate' && restartOf(request.command) === 'factoryReset')
  )
}

/** Kinds of notifications that a subscription can ask for (TR-181 Device.LocalAgent.Subscription.{i}.NotifType). */
export const NOTIF_TYPES = ['ValueChange', 'ObjectCreation', 'ObjectDeletion', 'OperationComplete', 'Event'] as const
/** Ways to read a tree over CWMP: object by object, or a whole subtree in one request. */
export const DISCOVERY_MODES = ['walk', 'subtree'] as const

/** A request to one device, independent of the protocol. Paths are those of the root of the device. */
export type OperationRequest =
  | { verb: 'get'; paths: string[]; maxDepth?: number }
  | { verb: 'set'; values: ValueToSet[]; allowPartial?: boolean; mayLockOut?: boolean }
  /**
   * Creates one row, and `more` in the same request: all of them, or with `allowPartial` as many as the device takes.
   */
  | ({ verb: 'add'; more?: RowToAdd[]; allowPartial?: boolean } & RowToAdd)
  /** Instance paths ending in a dot. */
  | { verb: 'delete'; paths: string[]; allowPartial?: boolean; mayLockOut?: boolean }
  /** `command` is a USP command path, e.g. `Device.Reboot()`. */
  | { verb: 'operate'; command: string; input: Record<string, string> }
  /** The rows of tables with their unique keys (TR-369 GetInstances); of all tables below, unless `firstLevelOnly`. */
  | { verb: 'instances'; paths: string[]; firstLevelOnly?: boolean }
  /**
   * Reads the supported model below a path (TR-369 GetSupportedDM, without instance numbers; over CWMP the names that
   * it lists).
   */
  | { verb: 'supported'; path: string; firstLevelOnly?: boolean }
  /** Reads names and values below `path` into the record; the device's root when absent. */
  | { verb: 'discover'; path?: string; mode?: (typeof DISCOVERY_MODES)[number] }
  /**
   * Keeps (or removes, `enable: false`) a subscription known by `id`. On CWMP only ValueChange exists: parameter
   * attributes.
   */
  | {
      verb: 'subscribe'
      id: string
      notifType: (typeof NOTIF_TYPES)[number]
      paths: string[]
      enable: boolean
      /** CWMP: a change comes with the next Inform (passive notification), not with one of its own. */
      passive?: boolean
    }
  /**
   * Fetches a file, by default firmware, and activates it. `version` is what SoftwareVersion says afterwards, if known.
   */
  | {
      verb: 'download'
      url: string
      fileType?: string
      username?: string
      password?: string
      fileSize?: number
      targetFileName?: string
      version?: string
      activate?: boolean
    }
  /** Runs a script of a reviewed template (router-files) on a MikroTik router, over CWMP. */
  | { verb: 'script'; template: string; parameters: Record<string, string> }
  /** Installs packages of RouterOS from their URLs on a MikroTik router, over CWMP by a descriptor. */
  | { verb: 'upgrade'; packages: string[] }
  | { verb: 'reboot' }
  | { verb: 'factoryReset' }

/**
 * A value of a set. One that is not required may be refused without the rest of its object failing (TR-369
 * UpdateParamSetting.required).
 */
interface ValueToSet {
  path: string
  value: string
  type?: ParameterType
  /** False only together with a success of the rest; absent: required, unless the request allows parts. */
  required?: boolean
}

/** A row of table `object` (path ends in a dot, no instance) with values by relative name. */
export interface RowToAdd {
  object: string
  values: Record<string, string>
  /** Names of values that may be refused without the row failing. */
  optional?: string[]
}

/** All rows of an add, in order. */
export function rowsToAdd({
  object,
  values,
  optional,
  more = [],
}: Extract<OperationRequest, { verb: 'add' }>): RowToAdd[] {
  return [{ object, values, ...(optional === undefined ? {} : { optional }) }, ...more]
}

export type Verb = OperationRequest['verb']

/** Verbs without effect on the device: they may run over any protocol, and may be sent again. */
export const READ_VERBS: readonly Verb[] = ['get', 'discover', 'instances', 'supported']

/** Verbs that no other operation may overlap, over either protocol. */
export const EXCLUSIVE_VERBS: readonly Verb[] = ['download', 'script', 'upgrade', 'reboot', 'factoryReset']

/**
 * Verbs that put a file of this server on a MikroTik router and may lose it: they need the policy L3 of the router, and a
 * confirmation.
 */
const CONFIRMED_VERBS: readonly Verb[] = ['script', 'upgrade']

/** Returns true for a request that needs the policy L3 of its router, and a confirmation by whoever makes it. */
export function needsConfirmation({ verb }: OperationRequest): boolean {
  return CONFIRMED_VERBS.includes(verb)
}

/** Returns the version that a device shows after a request was done, as far as the request says it. */
export function versionAfter(request: OperationRequest): string | undefined {
  if (request.verb === 'download') return request.version
  return request.verb === 'upgrade' ? versionOfPackage(request.packages[0] ?? '') : undefined
}

/** Returns true when a SoftwareVersion is this one; RouterOS may have the channel behind it: `7.18.2 (stable)`. */
export function isVersion(shown: string | undefined, wanted: string): boolean {
  return shown === wanted || shown?.startsWith(`${wanted} (`) === true
}

/**
 * queued: waiting for the device. sent: bytes may have reached it. unknown: sent, and the answer was lost; reconciled
 * by reading, never resent. done, failed, expired, cancelled are final.
 */
export const OPERATION_STATES = ['queued', 'sent', 'unknown', 'done', 'failed', 'expired', 'cancelled'] as const
export type OperationState = (typeof OPERATION_STATES)[number]

export const FINAL_STATES: readonly OperationState[] = ['done', 'failed', 'expired', 'cancelled']

/** Returns true for an operation that has ended. */
export function isFinal({ state }: Pick<Operation, 'state'>): boolean {
  return FINAL_STATES.includes(state)
}

/**
 * A refusal: the number of the device (9xxx, 7xxx) or a word of this server, its text, and whether another attempt can
 * help.
 */
export interface OutcomeError {
  code: string
  text: string
  retryable: boolean
}

/** The answer for one path. */
export interface PathOutcome {
  path: string
  value?: string
  type?: ParameterType
  writable?: boolean
  /** Of an add: the path of the new row, ending in a dot. */
  created?: string
  /** Unique keys of a row, by name, where the device returns them. */
  keys?: Record<string, string>
  /** Output arguments of a command in this row. */
  output?: Record<string, string>
  /** A command was accepted for this row, and its end follows. */
  pending?: true
  /** The value that failed was not required. */
  optional?: true
  /** The parameter of the device's own tree behind this path, where that tree is not TR-181. */
  from?: MappedFrom
  error?: OutcomeError
}

/** Outcomes of an operation. `pending`: accepted; the end follows as a Completion whose key is its id. */
export const OPERATION_OUTCOMES = ['done', 'failed', 'pending'] as const

/** The result of an operation. */
export interface OperationResult {
  outcome: (typeof OPERATION_OUTCOMES)[number]
  results: PathOutcome[]
  /** Output arguments of a command. */
  output?: Record<string, string>
  /** The values of `thenRead`, read right after the request was done; absent when that read had no answer. */
  read?: PathOutcome[]
  /** Some of it was done, and some failed: asking again would do the first part twice. */
  partial?: true
  /** Set when the operation as a whole failed. */
  error?: OutcomeError
  /**
   * The request and its answers in the device's own paths, where it was translated: the record is kept by these. No
   * part of the stored operation.
   */
  own?: { request: OperationRequest; results: PathOutcome[] }
}

/**
 * The state of the device just before a request with an effect was sent; with it a lost answer is reconciled by
 * reading.
 */
export interface Baseline {
  /** Instance paths of the tables before an add. */
  instances?: string[]
  /** The row of this Controller before a subscribe: it is the Recipient of its subscriptions. */
  recipient?: string
}

/** A durable request on one device. Ids sort by creation; operations of one device run in that order. */
export interface Operation {
  id: string
  deviceId: DeviceId
  request: OperationRequest
  state: OperationState
  actor: Actor
  /** Force this protocol; undefined: the owner (writes) or whichever is there (reads). */
  via?: Protocol
  /** The same key on the same device names the same operation: asking twice gives the first one back. */
  idempotencyKey?: string
  /** Remarks on a request that was accepted: paths that no model knows, names that only the device can know. */
  warnings?: string[]
  createdAt: Timestamp
  /**
   * `work.seq` of the device when the request came: of two open operations the one with the lower number goes first, and
   * of equal ones the one with the lower id. Ids have the time of a wall clock, which may be set back. Absent: 0.
   */
  place?: number
  /** Not started by then: expired. */
  expiresAt: Timestamp
  /**
   * The last bootstrap on record when the rows that the request names were read; 0: none. After a factory reset the
   * request is refused (`bootstrap`), because its instance numbers can name other rows.
   */
  bootstrapAt?: Timestamp
  /** Paths that are read right after the request is done, over the same contact: `read` of the result has them. */
  thenRead?: string[]
  sentAt?: Timestamp
  /** The protocol it was sent over. */
  sentVia?: Protocol
  /** The server instance that sent it and, while it runs there, holds it. */
  instance?: string
  baseline?: Baseline
  finishedAt?: Timestamp
  result?: OperationResult
  /** Number of sends, with those that were about to happen and certainly did not. */
  attempts: number
}

/**
 * The later end of an operation that was accepted before: OperationComplete, TransferComplete, or a boot that ends a
 * reboot.
 */
export interface Completion {
  deviceId: DeviceId
  protocol: Protocol
  /** reset: the device was reset, whether it reported so or not. */
  kind: 'command' | 'transfer' | 'boot' | 'reset'
  /** The CommandKey or command_key: the operation's id. Empty on a boot that names none. */
  commandKey: string
  /** The Cause of a boot that an Agent names; empty or absent: it names none. */
  cause?: string
  /** Parameters at boot that end a download or reset: the SoftwareVersion now, and whether it was a BOOTSTRAP. */
  softwareVersion?: string
  bootstrap?: boolean
  output?: Record<string, string>
  fault?: OutcomeError
  /** The command that ended, with the path of its row. */
  command?: string
  at: Timestamp
}
