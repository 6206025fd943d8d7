import type { RouterLogin, RouterSettings, RouterState } from '../../domain/index.ts'

/** A router that the bridge serves. */
export interface RouterRow extends RouterSettings {
  id: string
  /** Another number: the row has changed. */
  revision: number
  /** Undefined: the bridge cannot open the login, and a new one has to be sent. */
  login: RouterLogin | undefined
  /** False: its Agent does not run; its state is reported all the same. Absent: true. */
  agent?: boolean
}

/** The state of a router as its supervisor finds it. */
export type FoundState = Omit<RouterState, 'reportedAt'>

/** A Controller that Agents connect to. */
export interface AgentController {
  endpointId: string
  host: string
  port: number
  path: string
  tls: boolean
  /** PEM certificate that its links are trusted by; absent: those of the system. */
  certificate?: string
}

/** The certificate that proves the Endpoint ID of an Agent, with its key; both PEM. */
export interface AgentProof {
  certificate: string
  key: string
}

/** The source of the routers of a bridge: a file, or a server. */
export interface RouterRows {
  /** The Controllers of every Agent. Known when `start` has resolved. */
  readonly controllers: readonly AgentController[]
  /** Begins; `onRows` is called with all routers, at first before it resolves, and after each change. */
  start(onRows: (rows: readonly RouterRow[]) => void): Promise<void>
  /** Ends. Resolves when what was reported is delivered, or after some seconds. */
  stop(): Promise<void>
  /** Takes the state of a router; it is delivered when that is possible, the newest alone. */
  report(routerId: string, state: FoundState): void
  /**
   * Resolves with the proof of an Agent; undefined where links have none. AppError with a sentence for people when there
   * is none now: `conflict` when a person has to decide, else it may be there later.
   */
  proofOf(routerId: string, endpointId: string): Promise<AgentProof | undefined>
  /** Forgets what is kept of a router that is gone. */
  forget(routerId: string): void
}
