import type { RouterOsError } from './router-os-error.ts'

/** A row of a menu, or of a reply: texts by property name. */
export type RouterRow = Readonly<Record<string, string>>

/** One command of RouterOS. Its words come from fixed templates; callers put in values alone. */
export interface RouterCommand {
  /** Path of the command with slashes, e.g. `/ip/address/print`. */
  path: string
  /** Attributes, sent as `=name=value`. */
  args?: Readonly<Record<string, string>>
  /** Properties that are wanted, sent as `.proplist`. */
  proplist?: readonly string[]
  /** Query words without their first `?`, in order: a stack (RouterOS manual, API queries). */
  query?: readonly string[]
  /** True for a command that changes something: such commands run one at a time, and none is sent twice. */
  writes?: boolean
}

/** All rows of a reply. */
export interface RouterReply {
  rows: readonly RouterRow[]
  /** `=ret=` of the end of the reply, e.g. the `.id` of an added row. */
  ret?: string
}

/** Bounds of one call. */
export interface RouterCallOptions {
  /** Ends the call with RouterOsError `cancelled`; the router is asked to stop. */
  signal?: AbortSignal
  /** Milliseconds from the call to RouterOsError `timeout`. Each adapter has a default. */
  deadlineMs?: number
}

/** A command that sends rows until it is stopped. */
export interface RouterStream {
  /** Resolves when the router has ended it, or the connection has ended. */
  stop(): Promise<void>
}

/** Receiver of a stream. */
export interface RouterStreamEvents {
  onRow(row: RouterRow): void
  /** Called once. Without an error after stop(), and when the router has no more rows. */
  onEnd(error?: RouterOsError): void
}

/** A router that can be given commands. */
export interface RouterOs {
  /** Resolves with the reply. RouterOsError. */
  command(command: RouterCommand, options?: RouterCallOptions): Promise<RouterReply>
  /** Starts a command whose rows come one by one; errors go to `onEnd`, never before this returns. */
  stream(command: RouterCommand, events: RouterStreamEvents, options?: RouterCallOptions): RouterStream
  /** Own address of the connection, or undefined: the management path of the router is found by it. */
  readonly localAddress: string | undefined
  /** Address of the router, or undefined while there is no connection. */
  readonly remoteAddress: string | undefined
  /** Ends the connection; commands under way end with RouterOsError `closed`. */
  close(): Promise<void>
}
