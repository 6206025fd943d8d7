import { AppError } from '../../base/index.ts'
import { MongoBulkWriteError, MongoError, MongoNetworkError, MongoServerError } from './mongoose.ts'

/** No server was found, or none that takes writes, within the driver's patience. */
const UNREACHABLE = ['MongoServerSelectionError', 'MongoWaitQueueTimeoutError']
/** Errors of a client that was closed: repeating does not help. */
const CLOSED = [
  'MongoNotConnectedError',
  'MongoClientClosedError',
  'MongoTopologyClosedError',
  'MongoExpiredSessionError',
]
const BROKEN_SOCKET = [
  'EPIPE',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]
/**
 * Text in the answers of an engine that could not write (WiredTiger); it does nothing more until it is started again.
 */
const CANNOT_WRITE = /WT_PANIC|No space left on device/
/** BSONObjectTooLarge, and its older forms for what an update makes. */
const TOO_LARGE = [10_334, 17_419, 17_420]
const DUPLICATE_KEY = 11_000
const WRITE_CONFLICT = 112

/** Returns true when a write met a unique index or an `_id` that is taken. */
export function isDuplicate(error: unknown): boolean {
  return (error instanceof MongoServerError || error instanceof MongoBulkWriteError) && error.code === DUPLICATE_KEY
}

/**
 * Returns true when the answer was lost, or the server did not know the outcome: the request may have been done or not.
 */
export function isAmbiguous(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    // A socket that broke while it was written to; the driver passes that on as it is.
    (error instanceof Error && 'code' in error && BROKEN_SOCKET.includes(String(error.code))) ||
    // The driver wraps every error that cuts off a bulk write; only an answer of the server has a code.
    (error instanceof MongoBulkWriteError && error.code === undefined) ||
    (error instanceof MongoError &&
      (CANNOT_WRITE.test(error.message) ||
        error.hasErrorLabel('UnknownTransactionCommitResult') ||
        error.hasErrorLabel('RetryableWriteError')))
  )
}

/** Answers of a server that is no primary any more, or ends: the write was done or not (codes of the driver's rules). */
const STATE_CHANGED = [91, 189, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436]

/**
 * Labels an error of a write that the driver would repeat by itself, where it does not: servers put the label on the
 * answers to repeatable writes alone.
 */
export function labelRepeatable(error: unknown): unknown {
  if (error instanceof MongoServerError && STATE_CHANGED.includes(Number(error.code)))
    error.addErrorLabel('RetryableWriteError')
  return error
}

/** Returns true when no server was found in the time that a call may wait for one: nothing was sent. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof MongoError && UNREACHABLE.includes(error.name)
}

/**
 * Returns true when the same request may succeed a moment later: the database is away, has a new primary, or two
 * transactions met.
 */
export function isTransient(error: unknown): boolean {
  if (isAmbiguous(error)) return true
  if (!(error instanceof MongoError)) return false
  return isUnreachable(error) || error.hasErrorLabel('TransientTransactionError') || error.code === WRITE_CONFLICT
}

/** Returns the AppError for one refused write of several, by the code of the server. */
export function refusal(code: number, text: string, cause: unknown): AppError {
  return code === DUPLICATE_KEY
    ? new AppError(
        'conflict',
        'an object with the same key is stored already: read it and change it, or use another key',
        { cause },
      )
    : new AppError('internal', text, { cause })
}

/**
 * Returns true when a document or a command is larger than the database takes (16 MiB): the driver finds that out while
 * it writes it, or the server does.
 */
function isTooLarge(error: unknown): boolean {
  if (error instanceof RangeError) return /out of range/.test(error.message)
  return (
    error instanceof MongoError &&
    (TOO_LARGE.includes(Number(error.code)) || /larger than|too large/i.test(error.message))
  )
}

/** Returns an error of the driver as an AppError `conflict`, `invalid` or `unavailable`; any other stays as it is. */
export function translate(error: unknown): unknown {
  if (isTooLarge(error))
    return new AppError(
      'invalid',
      'the record is larger than what the database keeps in one document (16 MiB), and was not stored: store less',
      {
        cause: error,
      },
    )
  if (isDuplicate(error)) return refusal(DUPLICATE_KEY, '', error)
  if (isTransient(error) || (error instanceof MongoError && CLOSED.includes(error.name)))
    return new AppError('unavailable', textOf(error), { cause: error })
  return error
}

function textOf(error: unknown): string {
  return error instanceof Error && CANNOT_WRITE.test(error.message)
    ? 'the database cannot write; its disk may be full'
    : 'the database does not answer'
}

const FIRST_PAUSE_MS = 10
const MAX_PAUSE_MS = 500

/** The time at which repeated work on the database gives up, in the milliseconds of `performance.now()`. */
type Deadline = number

/**
 * Milliseconds for which a write is repeated while the database is away: long enough for a restarted engine or a new
 * primary.
 */
export const RETRY_MS = 20_000

/**
 * Runs `attempt` again, with growing pauses, while it fails for reasons that pass and there is time. `attempt` gets the
 * error of the last attempt, so that it can first check whether that one was done.
 */
export async function persevere<T>(attempt: (last: unknown) => Promise<T>, deadline: Deadline): Promise<T> {
  let last: unknown
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await attempt(last)
    } catch (error) {
      if (!isTransient(error) || performance.now() + pauseMs > deadline) throw error
      // Once the outcome is not known, it stays so, whatever the next error is.
      if (last === undefined || !isAmbiguous(last)) last = error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** Returns a repository whose rejections are AppErrors. */
export function translated<T extends object>(repository: T): T {
  const wrapped = new Map<PropertyKey, unknown>()
  return new Proxy(repository, {
    get(target, name) {
      const known = wrapped.get(name)
      if (known !== undefined) return known
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      const method = (...args: unknown[]): unknown => {
        const result: unknown = member.apply(target, args)
        return result instanceof Promise ? result.catch(rethrow) : result
      }
      wrapped.set(name, method)
      return method
    },
  })
}

function rethrow(error: unknown): never {
  throw translate(error)
}
