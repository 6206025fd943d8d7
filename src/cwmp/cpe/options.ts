import type { Clock, Log, Random } from '../../base/index.ts'
import type { RpcName } from '../wire/index.ts'
import type { ListenerAddress } from './connection-request.ts'
import type { CpeMethods } from './cpe-methods.ts'
import type { CpeModel } from './cpe-model.ts'
import type { CpeTransport } from './cpe-transport.ts'
import type { DueEvent } from './events.ts'
import type { CpeIdentity } from './inform.ts'
import type { SavedTransfer, Transfer } from './transfers.ts'
import type { CwmpVersion } from './versions.ts'

/** The ports of a CPE, its settings, and the device around it. */
export interface CpeOptions {
  model: CpeModel
  /** The connection to the ACS. */
  transport: CpeTransport
  /** Returns the methods that the CPE has, made from those of the standard; by default these. */
  methods?: (standard: CpeMethods) => CpeMethods
  identity: CpeIdentity
  version: CwmpVersion
  /** Address the listener for connection requests binds to. */
  listenHost: string
  /** The clock of all waits. */
  clock: Clock
  /** The clock of all times that the ACS reads. */
  wallClock: Clock
  random: Random
  log: Log
  /** The device restarts; `reset` means with factory settings. The device calls `stop`, and `start` later. */
  onRestart(reset: boolean): void
  /** Types of files of the vendor that Download takes beside firmware and configuration; default: none. */
  vendorFiles?: readonly string[]
  /**
   * Fetches a file and installs it; rejects with TransferFault. `restart` means that the device must boot for it to
   * take effect.
   */
  onDownload(transfer: Transfer): Promise<{ restart: boolean }>
  /** The result of `saveState` has changed. */
  onState(): void
}

/** The state that survives a reboot: events, transfers and attributes. */
export interface CpeState {
  events: DueEvent[]
  transfers: SavedTransfer[]
  notifications: [string, number][]
  listener: ListenerAddress
}

/** Counts of a CPE since it was made. */
export interface CpeCounters {
  sessions: number
  failedSessions: number
  /** The reason that the last failed session ended for. */
  lastFailure?: string
  rpcs: Partial<Record<RpcName, number>>
}
