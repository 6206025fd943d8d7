import type { Clock, Log, Random } from '../../base/index.ts'
import type { TreeView } from '../../tree/index.ts'
import type { RpcName } from '../wire/index.ts'
import type { ListenerAddress } from './connection-request.ts'
import type { DueEvent } from './events.ts'
import type { CpeIdentity, RootObject } from './inform.ts'
import type { CpeQuirks } from './quirks.ts'
import type { Transfer } from './transfers.ts'
import type { CwmpVersion } from './versions.ts'

/** Options of a simulated CPE. */
export interface CpeOptions {
  view: TreeView
  root: RootObject
  identity: CpeIdentity
  version: CwmpVersion
  quirks: CpeQuirks
  /** Address the listener for connection requests binds to. */
  listenHost: string
  /** PEM certificates by which the CPE trusts its ACS, beside the system's own. */
  trusted: readonly string[]
  /** All waits are divided by this; 1 = as in the field. */
  timeScale: number
  clock: Clock
  random: Random
  log: Log
  /** The device restarts; `reset` means with factory settings. The device calls `stop`, and `start` later. */
  onRestart(reset: boolean): void
  /**
   * Fetches a file and installs it; rejects with TransferFault. `restart` means that the device must boot for it to
   * take effect.
   */
  onDownload(transfer: Transfer): Promise<{ restart: boolean }>
  /** The result of `saveState` has changed. */
  onState(): void
  /** A command-like parameter was set, to `true` or to the argument of the command. */
  onCommand(path: string, value: string): void
  /** Returns the reason why a command cannot take this value; undefined when it can. */
  refusesCommand(path: string, value: string): string | undefined
}

/** The state that survives a reboot: events, transfers and attributes. */
export interface CpeState {
  events: DueEvent[]
  transfers: Transfer[]
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
