import { AppError } from '../base/index.ts'
import { asDeviceId } from '../device/index.ts'
import type { Request } from './express.ts'
import type { Route } from './route.ts'
import type { z } from './zod.ts'

/** A request that its schema refuses, with the places. */
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

/** A route's path as express takes it. */
export function expressPath(path: string): string {
  return `/api/v1${path.replace(/\{(\w+)\}/g, ':$1')}`
}

/**
 * A device id holds percent signs, which a URL writes as %25. Who puts an id into a URL as it is shown means that device all the same: what
 * is decoded is no id then, and as it stands it is one.
 */
export function pathParams(route: Route, request: Request): Record<string, unknown> {
  const params: Record<string, unknown> = { ...request.params }
  const names = `/api/v1${route.path}`.split('/')
  const raw = request.path.split('/')
  for (const [i, name] of names.entries()) {
    if (name !== '{deviceId}' && !(name === '{id}' && names[i - 1] === 'devices')) continue
    const key = name.slice(1, -1)
    if (!isDeviceId(String(params[key])) && isDeviceId(raw[i] ?? '')) params[key] = raw[i]
  }
  return params
}

function isDeviceId(text: string): boolean {
  try {
    asDeviceId(text)
    return true
  } catch {
    return false
  }
}

/** Whether a body comes with the request, of whatever type. */
export function hasBody(request: Request): boolean {
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers
  return encoding !== undefined || (length !== undefined && length !== '0')
}

/** What a schema makes of a part of the request; InputError names the places it refuses. */
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
