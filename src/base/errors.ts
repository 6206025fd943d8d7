/**
 * Errors by the party at fault. Every error that Isthmus raises on purpose is one of these four, or one of the family
 * that a room below an edge declares for its own peer (RouterOsError); any other is a defect of Isthmus. Context is in
 * fields, never in the message, and `cause` is always kept. Each edge (SOAP, USP, HTTP) translates once.
 */

/** Place and subject of an error; every field is optional and safe to log. */
type ErrorContext = Readonly<Record<string, unknown>>

/** Base of the family: a message, a stable code and context fields. */
export abstract class IsthmusError extends Error {
  readonly code: string
  readonly context: ErrorContext

  constructor(code: string, message: string, options: { cause?: unknown; context?: ErrorContext } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.context = options.context ?? {}
  }
}

/**
 * The peer broke a rule of its protocol: malformed XML, a Record without to_id, a response without a request. `code`
 * names the rule.
 */
export class ProtocolError extends IsthmusError {}

/** The peer understood and answered no: a CWMP fault (9xxx) or a USP error (7xxx). */
export class PeerFault extends IsthmusError {
  /** The number on the wire, e.g. 9005 or 7026. */
  readonly fault: number
  readonly retryable: boolean

  constructor(
    fault: number,
    message: string,
    options: { retryable?: boolean; cause?: unknown; context?: ErrorContext } = {},
  ) {
    super(String(fault), message, options)
    this.fault = fault
    this.retryable = options.retryable ?? false
  }
}

/**
 * The way to the peer failed: refused, reset, timed out. The peer may have acted, unless `sent` is false.
 */
export class TransportError extends IsthmusError {
  /** True when bytes of the request may have reached the peer. */
  readonly sent: boolean

  constructor(
    code: string,
    message: string,
    options: { sent?: boolean; cause?: unknown; context?: ErrorContext } = {},
  ) {
    super(code, message, options)
    this.sent = options.sent ?? true
  }
}

/** The few codes an application error can carry; the API maps each to one HTTP status. */
export type AppErrorCode =
  | 'invalid'
  | 'notFound'
  | 'conflict'
  | 'unauthorized'
  | 'forbidden'
  | 'tooLarge'
  | 'rateLimited'
  | 'unavailable'
  | 'timeout'
  | 'internal'

/** A request of this server or of a user that cannot be served. */
export class AppError extends IsthmusError {
  declare readonly code: AppErrorCode

  constructor(code: AppErrorCode, message: string, options: { cause?: unknown; context?: ErrorContext } = {}) {
    super(code, message, options)
  }
}

/** Returns true for an AppError `conflict`: a guard did not hold, or something is there already. */
export function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === 'conflict'
}

/** The text of anything thrown, for a log field or a stored reason. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
