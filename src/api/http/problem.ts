import { AppError, type AppErrorCode, defined, PeerFault, ProtocolError } from '../../base/index.ts'
import { ConfirmationNeeded } from '../../desk/index.ts'

/** An RFC 9457 problem. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** The parts of the request that are not valid. */
  errors?: { path: string; message: string }[]
  /** The token that the same request has to have, and its end (ISO 8601). */
  confirm?: string
  expiresAt?: string
  /** The file that a device would be given. */
  preview?: string
  /** Names that a list lacks. */
  missing?: string[]
}

const ROWS: Record<AppErrorCode, { status: number; title: string }> = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A valid API key is needed' },
  forbidden: { status: 403, title: 'The API key does not allow this' },
  notFound: { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'The request conflicts with the present state' },
  tooLarge: { status: 413, title: 'The request is too large' },
  rateLimited: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Not available now' },
  timeout: { status: 504, title: 'No answer in time' },
  internal: { status: 500, title: 'The server failed' },
}

/** A refusal with an HTTP status of its own. */
export class HttpRefusal extends Error {
  readonly status: 405 | 412 | 415
  readonly headers: Record<string, string>
  constructor(status: 405 | 412 | 415, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.status = status
    this.headers = headers
  }
}

const REFUSALS = {
  405: { name: 'methodNotAllowed', title: 'The path does not have this method' },
  412: { name: 'preconditionFailed', title: 'The revision has changed' },
  415: { name: 'unsupportedMediaType', title: 'The type of the body is not supported' },
} as const

/** Returns an error as a problem. A defect of the server shows nothing of its inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpRefusal) {
    const { name, title } = REFUSALS[error.status]
    return { type: `urn:isthmus:problem:${name}`, title, status: error.status, detail: error.message }
  }
  if (error instanceof ConfirmationNeeded) return confirmationOf(error)
  if (error instanceof AppError && Array.isArray(error.context.missing))
    return { ...of(error.code, error.message), missing: error.context.missing.map(String) }
  if (error instanceof AppError) return of(error.code, error.message)
  if (error instanceof ProtocolError || error instanceof PeerFault) return of('invalid', error.message)
  const http = error as { status?: unknown; type?: unknown; message?: unknown }
  if (http.type === 'entity.too.large')
    return of('tooLarge', 'the body is larger than 256 KB; send less in one request')
  if (typeof http.status === 'number' && http.status >= 400 && http.status < 500)
    return of('invalid', String(http.message ?? 'the request cannot be read'))
  return of('internal', 'the server failed and logged the cause under the x-request-id of this answer')
}

function confirmationOf({ message, confirm, expiresAt, preview }: ConfirmationNeeded): Problem {
  return {
    type: 'urn:isthmus:problem:confirmationNeeded',
    title: 'The request needs a confirmation',
    status: ROWS.conflict.status,
    detail: message,
    confirm,
    expiresAt: new Date(expiresAt).toISOString(),
    ...defined({ preview }),
  }
}

function of(code: AppErrorCode, detail: string): Problem {
  const { status, title } = ROWS[code]
  return { type: `urn:isthmus:problem:${code}`, title, status, detail }
}
