import { createHash } from 'node:crypto'
import { AppError } from '../../base/index.ts'
import type { Call, Route } from './route.ts'
import { z } from './zod.ts'

/** Query parameters that may change from page to page: none of them changes which item is the next one. */
const FREE: readonly string[] = ['cursor', 'limit', 'fields']
const MARK_LENGTH = 10

type Inputs = Pick<Call<unknown, unknown, unknown>, 'params' | 'query'>

/** The cursors of one request to a list: each carries a mark of its query, so that it is refused in any other one. */
interface Cursors {
  /**
   * The query with the cursor of the store. AppError `invalid` for a text that is no cursor, or that another query
   * gave.
   */
  readonly query: unknown
  /** The body with `next` marked. */
  marked(body: unknown): unknown
}

/** Returns the cursors of a request; undefined for a route without cursors. */
export function cursorsOf(route: Route, { params, query }: Inputs): Cursors | undefined {
  if (!(route.query instanceof z.ZodObject) || !Object.hasOwn(route.query.shape, 'cursor')) return undefined
  const asked = asRecord(query)
  const mark = markOf([route.id, sorted(asRecord(params)), sorted(asked)])
  const { cursor } = asked
  return {
    query: typeof cursor === 'string' ? { ...asked, cursor: unmarked(cursor, mark) } : query,
    marked(body) {
      const { next } = asRecord(body)
      return typeof next === 'string' ? { ...asRecord(body), next: `${mark}.${next}` } : body
    },
  }
}

function unmarked(cursor: string, mark: string): string {
  const dot = cursor.indexOf('.')
  if (dot !== MARK_LENGTH)
    throw new AppError('invalid', 'query.cursor: is not the `next` of a page; begin again without a cursor')
  if (cursor.slice(0, dot) !== mark)
    throw new AppError(
      'invalid',
      'query.cursor: belongs to another query; use it with the list, filter and sort of the page that gave it, or begin again without a cursor',
    )
  return cursor.slice(dot + 1)
}

function markOf(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, MARK_LENGTH)
}

function sorted(values: Record<string, unknown>): [string, unknown][] {
  return Object.entries(values)
    .filter(([name, value]) => value !== undefined && !FREE.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
