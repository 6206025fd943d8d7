import type { Clock, Log, Random } from '../../base/index.ts'
import type { TreeView } from '../../tree/index.ts'
import type { RpcName } from '../wire/index.ts'
import type { ListenerAddress } from './connection-request.ts'
import type { DueEvent } from './events.ts'
import type { CpeIdentity, RootObject } from './inform.ts'
import type { CpeQuirks } from './quirks.ts'
import type { Transfer } from './transfers.ts'
import type { CwmpVersion } from './versions.ts'

/** What a simulated CPE is made of. */
export interface CpeOptions {
  view: TreeView
  root: RootObject
  identity: CpeIdentity
  version: CwmpVersion
  quirks: CpeQuirks
  /** Address the listener for connection requests binds to. */
  listenHost: string
  /** PEM certificates that the CPE trusts its ACS by, beside the system's own. */
  trusted: readonly string[]
  /** All waits are divided by this; 1 = as in the field. */
  timeScale: number
  clock: Clock
  random: Random
  log: Log
  /** The box restarts: `reset` means with factory settings. The box calls `stop` and later `start` again. */
  onRestart(reset: boolean): void
  /** Fetches a file and puts it where it belongs; throws TransferFault. `restart`: the box must boot for it to work. */
  onDownload(transfer: Transfer): Promise<{ restart: boolean }>
  /** What `saveState` answers has changed. */
  onState(): void
  /** A command-like parameter was set: `true`, or what it is to be done with. */
  onCommand(path: string, value: string): void
  /** Why a command cannot take this value; undefined: it can. */
  refusesCommand(path: string, value: string): string | undefined
}

/** What survives a reboot (cwmp events and attributes). */
export interface CpeState {
  events: DueEvent[]
  transfers: Transfer[]
  notifications: [string, number][]
  listener: ListenerAddress
}

/** What a box did, to prove that nothing was done twice. */
export interface CpeCounters {
  sessions: number
  failedSessions: number
  rpcs: Partial<Record<RpcName, number>>
}
