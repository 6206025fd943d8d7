import type { Permission, Principal } from '../../domain/index.ts'
import type { Request, Response } from './express.ts'
import type { z } from './zod.ts'

/** A request to a route: its checked inputs, and the principal that makes it. */
export interface Call<P, Q, B> {
  params: P
  query: Q
  body: B
  principal: Principal
  /** The address that the request came from. */
  address: string
  /** Header values by lower-case name. */
  header(name: string): string | undefined
  /** Returns true while the principal still has the permission of the route: for answers that take long. */
  allowed(): Promise<boolean>
  /** Aborts when the server stops: a request that waits is answered with the present state. */
  stopping: AbortSignal
}

/** An answer: a JSON body with a status, by default 200. */
interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
}

type Schema = z.ZodType

/** A route declared once: it serves, validates, and describes itself in OpenAPI. */
export interface Route<P extends Schema = Schema, Q extends Schema = Schema, B extends Schema = Schema> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** OpenAPI form: `/devices/{id}`. */
  path: string
  /** operationId. */
  id: string
  tag: string
  summary: string
  description?: string
  permission: Permission
  params?: P
  query?: Q
  body?: B
  /** The type of the body; default `application/json`. The body of another type is its text. */
  bodyType?: 'text/csv'
  /** Request headers that the route reads, by name, with their descriptions. */
  headers?: Record<string, string>
  responses: Record<number, { description: string; schema?: Schema; contentType?: string }>
  handle(call: Call<z.infer<P>, z.infer<Q>, z.infer<B>>): Promise<Answer>
  /** Streams its own answer instead of `handle`. */
  stream?(call: Call<z.infer<P>, z.infer<Q>, z.infer<B>>, request: Request, response: Response): Promise<void>
}

/** Returns a declaration, whose types are inferred here, in the form that a list of routes takes. */
export function route<P extends Schema, Q extends Schema, B extends Schema>(declaration: Route<P, Q, B>): Route {
  // A handler gets only what its own schemas accepted.
  return declaration as unknown as Route
}
