import type { NextFunction, Request, Response } from './express.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = 'authorization, content-type, idempotency-key, if-match, last-event-id, x-api-key, x-request-id'
const ANSWER_HEADERS = 'allow, etag, location, retry-after, x-request-id'
const MAX_AGE_S = '600'

/**
 * Lets pages of these origins call from a browser (Fetch standard, CORS protocol) and answers their preflights. Other
 * origins get no CORS header, so browsers keep the answer from them.
 */
export function cors(origins: readonly string[]): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    if (origins.length === 0) return next()
    response.vary('Origin')
    const origin = request.get('origin')
    if (origin === undefined || !origins.includes(origin)) return next()
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', ANSWER_HEADERS)
    if (request.method !== 'OPTIONS' || request.get('access-control-request-method') === undefined) return next()
    response.setHeader('access-control-allow-methods', METHODS)
    response.setHeader('access-control-allow-headers', REQUEST_HEADERS)
    response.setHeader('access-control-max-age', MAX_AGE_S)
    response.status(204).end()
  }
}
