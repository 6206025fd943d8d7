import { IsthmusError } from '../base/index.ts'

/**
 * Reason for which a command of RouterOS has no reply:
 *
 * - `trap`: the router answered with an error.
 * - `fatal`: the router ended the connection and gave its reason.
 * - `closed`: the connection ended.
 * - `timeout`: no end of the reply in time.
 * - `cancelled`: the caller's signal was aborted.
 * - `login`: the router refused the account, or asked for a login that is not allowed.
 * - `refused`: this side does not send it: a word that may not be sent, or a call that this transport cannot carry.
 * - `busy`: too many commands wait for this router already.
 * - `tooLarge`: the reply has more rows or bytes than are read.
 * - `protocol`: the router broke the rules of the wire.
 * - `unreachable`: no connection could be opened.
 * - `untrusted`: what answers does not show the certificate or the host key of the router; nothing was sent to it.
 */
export type RouterOsErrorKind =
  | 'trap'
  | 'fatal'
  | 'closed'
  | 'timeout'
  | 'cancelled'
  | 'login'
  | 'refused'
  | 'busy'
  | 'tooLarge'
  | 'protocol'
  | 'unreachable'
  | 'untrusted'

/** Further facts of an error; `sent` is true where nothing else is said. */
interface RouterOsErrorDetails {
  sent?: boolean
  category?: number
  all?: readonly string[]
  cause?: unknown
  context?: Readonly<Record<string, unknown>>
}

/** A command of RouterOS that failed. Message and context hold no value of an attribute. */
export class RouterOsError extends IsthmusError {
  readonly kind: RouterOsErrorKind
  /** False when no byte of the command has left: the router cannot have acted. */
  readonly sent: boolean
  /** Category of a trap, 0 to 7 (RouterOS manual, API); undefined where the router gave none, which is usual. */
  readonly category: number | undefined
  /** Texts of all traps of one command, in order; empty for other kinds. */
  readonly all: readonly string[]

  constructor(kind: RouterOsErrorKind, message: string, details: RouterOsErrorDetails = {}) {
    const { cause, context } = details
    super(kind, message, { ...(cause === undefined ? {} : { cause }), ...(context === undefined ? {} : { context }) })
    this.kind = kind
    this.sent = details.sent ?? true
    this.category = details.category
    this.all = details.all ?? []
  }
}
