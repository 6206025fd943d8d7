import { AppError, type AppErrorCode, PeerFault, ProtocolError } from '../../base/index.ts'

/** An RFC 9457 problem. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** What is wrong with which part of the request. */
  errors?: { path: string; message: string }[]
}

const ROWS: Record<AppErrorCode, { status: number; title: string }> = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'The API key does not allow this' },
  notFound: { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'This does not fit the present state' },
  tooLarge: { status: 413, title: 'The request is too large' },
  rateLimited: { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'Not available now' },
  timeout: { status: 504, title: 'No answer in time' },
  internal: { status: 500, title: 'The server failed' },
}

/** A refusal that HTTP has a status of its own for. */
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
  405: { name: 'methodNotAllowed', title: 'The path has no such method' },
  412: { name: 'preconditionFailed', title: 'It has changed meanwhile' },
  415: { name: 'unsupportedMediaType', title: 'The body is of another type' },
} as const

/** Any error as a problem; what is no answer of ours says nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpRefusal) {
    const { name, title } = REFUSALS[error.status]
    return { type: `urn:isthmus:problem:${name}`, title, status: error.status, detail: error.message }
  }
  if (error instanceof AppError) return of(error.code, error.message)
  if (error instanceof ProtocolError || error instanceof PeerFault) return of('invalid', error.message)
  const http = error as { status?: unknown; type?: unknown; message?: unknown }
  if (http.type === 'entity.too.large') return of('tooLarge', 'the body is larger than 256 KB')
  if (typeof http.status === 'number' && http.status >= 400 && http.status < 500)
    return of('invalid', String(http.message ?? 'the request cannot be read'))
  return of('internal', 'the failure was logged')
}

function of(code: AppErrorCode, detail: string): Problem {
  const { status, title } = ROWS[code]
  return { type: `urn:isthmus:problem:${code}`, title, status, detail }
}
