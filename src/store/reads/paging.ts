import { AppError } from '../../base/index.ts'
import type { Page } from '../../domain/index.ts'
import { both } from '../mongo/filter.ts'
import type { Collection, Document_, Filter } from '../mongo/mongoose.ts'

/** The order of a list: one field and the id behind it, both in one direction. */
export interface Order {
  field: string
  descending: boolean
  /** The change of the field in one document while its list is paged; absent: none. */
  moves?: 'forward' | 'anywhere'
  /** The field that holds the time at which an order that moves `anywhere` was written last; default: `MOVED_AT`. */
  movedAt?: string
}

/**
 * Field of a document that holds the time at which a field of an order that moves `anywhere` was last written.
 */
export const MOVED_AT = 'movedAt'
/** A time in such a field, and in `createdAt`, that is further ahead comes from a wrong clock, and is ignored. */
const AHEAD_MS = 60_000

/**
 * The request for one page: the number of items, and the cursor that it is behind. `now` is needed by an order that
 * moves.
 */
interface PageQuery {
  limit: number
  cursor?: string | undefined
  now?: number
  /** Fields that are left out of the answer of the database, because they are large. */
  without?: readonly string[]
}

/** The place behind an item. `began`: when the first page was asked for, of an order that moves. */
interface Place {
  value: unknown
  id: string
  began?: number | undefined
}

/**
 * Returns a page in index order. The cursor names the last item by value, so pages stay right while records are
 * inserted and deleted. In an order that moves, a document whose key changed after the first page was requested is on
 * no later page, because it may have been on an earlier one. So no paging shows it twice, and a page may have fewer
 * items than its limit.
 */
export async function page<T>(
  collection: Collection,
  filter: Filter,
  order: Order,
  query: PageQuery,
  convert: (document: Document_) => T,
): Promise<Page<T>> {
  const place = query.cursor === undefined ? undefined : decodeCursor(query.cursor)
  const documents = await find(collection, filter, order, query, place).toArray()
  const more = documents.length > query.limit
  if (more) documents.pop()
  const last = documents[documents.length - 1]
  const began = order.moves === undefined ? undefined : (place?.began ?? query.now)
  const shown =
    place?.began === undefined ? documents : documents.filter((document) => !hasMoved(document, order, query, began))
  const items = shown.map(convert)
  return more && last !== undefined
    ? { items, next: encodeCursor({ value: valueAt(last, order.field), id: last._id, began }) }
    : { items }
}

/** True when the document may have been on an earlier page under another key. */
function hasMoved(
  document: Document_,
  { moves, movedAt = MOVED_AT }: Order,
  { now = 0 }: PageQuery,
  began = 0,
): boolean {
  const isSince = (at: unknown) => typeof at === 'number' && at >= began && at <= now + AHEAD_MS
  return (
    moves !== undefined &&
    (isSince(document.createdAt) || (moves === 'anywhere' && isSince(valueAt(document, movedAt))))
  )
}

/** Reads one more than the limit, which shows whether there is a next page. */
function find(collection: Collection, filter: Filter, order: Order, query: PageQuery, place: Place | undefined) {
  const direction = order.descending ? -1 : 1
  const sort: Record<string, 1 | -1> =
    order.field === '_id' ? { _id: direction } : { [order.field]: direction, _id: direction }
  const bounded = place === undefined ? filter : both(filter, after(order, place))
  return collection
    .find(bounded, { projection: Object.fromEntries((query.without ?? []).map((field) => [field, 0])) })
    .sort(sort)
    .limit(query.limit + 1)
}

/**
 * The plan of the database for a list: its steps from the innermost on, and the numbers of keys and documents that it
 * examines.
 */
export interface Explained {
  steps: string[]
  keysExamined: number
  documentsExamined: number
}

export async function explainPage(
  collection: Collection,
  filter: Filter,
  order: Order,
  query: PageQuery,
): Promise<Explained> {
  const place = query.cursor === undefined ? undefined : decodeCursor(query.cursor)
  const answer = (await find(collection, filter, order, query, place).explain('executionStats')) as ExplainAnswer
  const steps: string[] = []
  for (let plan = answer.queryPlanner.winningPlan; plan !== undefined; plan = plan.inputStage)
    steps.unshift(plan.indexName === undefined ? plan.stage : `${plan.stage} ${plan.indexName}`)
  const { totalKeysExamined, totalDocsExamined } = answer.executionStats
  return { steps, keysExamined: totalKeysExamined, documentsExamined: totalDocsExamined }
}

interface PlanStage {
  stage: string
  indexName?: string
  inputStage?: PlanStage
}
interface ExplainAnswer {
  queryPlanner: { winningPlan?: PlanStage }
  executionStats: { totalKeysExamined: number; totalDocsExamined: number }
}

function after({ field, descending, moves }: Order, { value, id, began }: Place): Filter {
  const beyond = descending ? '$lt' : '$gt'
  if (field === '_id') return { _id: { [beyond]: id } }
  // Times only grow: one that has changed since the paging began is at or behind that time.
  const end = moves === 'forward' && !descending && began !== undefined ? { $lt: began } : undefined
  // A missing field sorts before all others and equals null.
  const sameValue = { [field]: value, _id: { [beyond]: id } }
  if (value === null) return descending ? sameValue : { $or: [sameValue, { [field]: end ?? { $ne: null } }] }
  const further: Filter[] = [{ [field]: { [beyond]: value, ...end } }, sameValue]
  if (descending) further.push({ [field]: null })
  return { $or: further }
}

/** The cursor behind an item. */
export function encodeCursor({ value, id, began }: Place): string {
  const parts = [value ?? null, id, ...(began === undefined ? [] : [began])]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Its place. AppError `invalid` when no page gave it. */
export function decodeCursor(cursor: string): Place {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && (parts.length === 2 || parts.length === 3) && typeof parts[1] === 'string') {
      const [value, id, began]: unknown[] = parts
      // Only plain values: an object would be read as query operators.
      const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value)
      if (isPlain && typeof id === 'string' && (began === undefined || typeof began === 'number'))
        return { value, id, began }
    }
  } catch (cause) {
    throw new AppError('invalid', 'cursor is not one that a page gave as `next`', { cause })
  }
  throw new AppError('invalid', 'cursor is not one that a page gave as `next`')
}

function valueAt(document: Document_, path: string): unknown {
  let value: unknown = document
  for (const part of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[part]
  return value
}
