import type { Scope } from '../../security/index.ts'
import type { Request, Response } from './express.ts'
import type { z } from './zod.ts'

/** What a handler is given: checked inputs, and who asks. */
export interface Call<P, Q, B> {
  params: P
  query: Q
  body: B
  /** `apiKey:<id>`, for the audit log. */
  actor: string
  /** Header values by lower-case name. */
  header(name: string): string | undefined
  /** Whether who asks still may: for answers that take long. */
  allowed(): Promise<boolean>
  /** Aborts when the server stops: what waits is to be answered as it stands. */
  stopping: AbortSignal
}

/** An answer: a JSON body with a status, 200 unless said otherwise. */
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
  /** `open`: no key needed. */
  scope: Scope | 'open'
  params?: P
  query?: Q
  body?: B
  /** Request headers that mean something, by name, for the description. */
  headers?: Record<string, string>
  responses: Record<number, { description: string; schema?: Schema; contentType?: string }>
  handle(call: Call<z.infer<P>, z.infer<Q>, z.infer<B>>): Promise<Answer>
  /** Streams its own answer instead of `handle`. */
  stream?(call: Call<z.infer<P>, z.infer<Q>, z.infer<B>>, request: Request, response: Response): Promise<void>
}

/** Keeps the inferred types of one route; lists take them all alike. */
export function route<P extends Schema, Q extends Schema, B extends Schema>(declaration: Route<P, Q, B>): Route {
  // Handlers only ever see what their own schemas let through.
  return declaration as unknown as Route
}
