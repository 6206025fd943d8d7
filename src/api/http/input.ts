import { AppError } from '../../base/index.ts'
import { asDeviceId, type DeviceId, deviceIdsIn, isDeviceId, parseSelector } from '../../domain/index.ts'
import type { Request } from './express.ts'
import type { Route } from './route.ts'
import { z } from './zod.ts'

/** A request that its schema refuses, with the parts that are not valid. */
export class InputError extends AppError {
  readonly errors: { path: string; message: string }[]
  constructor(errors: { path: string; message: string }[]) {
    super(
      'invalid',
      errors
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; ')
        .slice(0, 1000),
    )
    this.errors = errors
  }
}

/** Returns the path of a route in the form of express. */
export function expressPath(path: string): string {
  return `/api/v1${path.replace(/\{(\w+)\}/g, ':$1')}`
}

/**
 * Returns the path parameters of a request. A device id holds percent signs, which a URL writes as %25; a client that
 * puts an id into a URL as it is shown means that device all the same. AppError `invalid` for a text that can mean
 * several devices.
 */
export function pathParams(route: Route, request: Request): Record<string, unknown> {
  const params: Record<string, unknown> = { ...request.params }
  const names = `/api/v1${route.path}`.split('/')
  const raw = request.path.split('/')
  for (const [i, name] of names.entries()) {
    if (name !== '{deviceId}' && !(name === '{id}' && names[i - 1] === 'devices')) continue
    const key = name.slice(1, -1)
    params[key] = meantId(String(params[key]), raw[i] ?? '')
  }
  return params
}

/** Query parameters that can be the id of a device. */
const ID_PARAMETERS = ['deviceId', 'target']

/**
 * Returns the query parameters of a request, with ids of devices likewise. InputError for parameters that the route
 * does not have.
 */
export function queryParams(route: Route, request: Request): Record<string, unknown> {
  const query: Record<string, unknown> = { ...request.query }
  const known = route.query instanceof z.ZodObject ? Object.keys(route.query.shape) : []
  const unknown = Object.keys(query).filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    const message =
      known.length === 0
        ? 'is not known; this route has no query parameters'
        : `is not known; this route has ${known.join(', ')}`
    throw new InputError(unknown.slice(0, 20).map((name) => ({ path: `query.${name.slice(0, 100)}`, message })))
  }
  const raw = rawQuery(request.originalUrl)
  for (const name of ID_PARAMETERS) {
    const value = query[name]
    if (typeof value === 'string') query[name] = meantId(value, raw.get(name) ?? '')
  }
  if (typeof query.filter === 'string') query.filter = meantFilter(query.filter, raw.get('filter') ?? '')
  return query
}

/**
 * Returns the id that a text and its form in the URL can mean; the text when it can be no id. AppError `invalid` when
 * it can mean several.
 */
function meantId(text: string, raw: string): string {
  if (isDeviceId(text)) return text
  if (isDeviceId(raw)) return raw
  const ids = deviceIdsIn(text)
  const [id, other] = ids
  if (id === undefined || other === undefined) return id ?? text
  throw new AppError(
    'invalid',
    `${text} can be ${ids.slice(0, 3).join(' or ')}: percent-encode the id, as in ${encodeURIComponent(id)}`,
  )
}

/**
 * Returns the filter in the form that can be read: an id with spaces that is in a URL unencoded is readable only there.
 */
function meantFilter(text: string, raw: string): string {
  return !isSelector(text) && isSelector(raw) ? raw : text
}

function isSelector(text: string): boolean {
  try {
    parseSelector(text)
    return true
  } catch {
    return false
  }
}

/** The query parameters of a URL before decoding; of several with one name the first. */
function rawQuery(url: string): Map<string, string> {
  const raw = new Map<string, string>()
  for (const [, name = '', value = ''] of url.replace(/^[^?]*/, '').matchAll(/[?&]([^=&]*)=([^&]*)/g))
    if (!raw.has(name)) raw.set(name, value)
  return raw
}

/** Returns the id that a text of a request names. AppError `invalid` when it names none, or can mean several. */
export function readDeviceId(text: string): DeviceId {
  return asDeviceId(meantId(text, ''))
}

/** Returns true when the request has a body of any type. */
export function hasBody(request: Request): boolean {
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers
  return encoding !== undefined || (length !== undefined && length !== '0')
}

/** Returns a part of the request as its schema reads it. InputError names the parts that are not valid. */
export function checked(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(value ?? (where === 'body' ? undefined : {}))
  if (result.success) return result.data
  throw new InputError(
    result.error.issues
      .slice(0, 20)
      .map((issue) => ({ path: [where, ...issue.path.map(String)].join('.'), message: issue.message })),
  )
}
