import { AppError } from '../base/index.ts'
import type { Page } from '../domain/index.ts'
import { both } from './filter.ts'
import type { Collection, Document_, Filter } from './mongoose.ts'

/** How a list is ordered: one field and the id behind it, both in one direction. */
export interface Order {
  field: string
  descending: boolean
}

/** What is asked of a list: how many, and behind which cursor. */
export interface PageQuery {
  limit: number
  cursor?: string | undefined
  /** Fields that are left out of the answer of the database, because they are large. */
  without?: readonly string[]
}

/** A page in index order. The cursor names the last item by value, so pages stay right while records come and go. */
export async function page<T>(
  collection: Collection,
  filter: Filter,
  order: Order,
  query: PageQuery,
  convert: (document: Document_) => T,
): Promise<Page<T>> {
  const documents = await find(collection, filter, order, query).toArray()
  const more = documents.length > query.limit
  if (more) documents.pop()
  const last = documents[documents.length - 1]
  const items = documents.map(convert)
  return more && last !== undefined ? { items, next: encodeCursor(valueAt(last, order.field), last._id) } : { items }
}

/** One more than the limit tells whether there is a next page. */
function find(collection: Collection, filter: Filter, order: Order, query: PageQuery) {
  const direction = order.descending ? -1 : 1
  const sort: Record<string, 1 | -1> =
    order.field === '_id' ? { _id: direction } : { [order.field]: direction, _id: direction }
  const bounded = query.cursor === undefined ? filter : both(filter, after(order, decodeCursor(query.cursor)))
  return collection
    .find(bounded, { projection: Object.fromEntries((query.without ?? []).map((field) => [field, 0])) })
    .sort(sort)
    .limit(query.limit + 1)
}

/** How the database says that it would answer: the steps of its plan from the innermost on, and what it looks at. */
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
  const told = (await find(collection, filter, order, query).explain('executionStats')) as ExplainAnswer
  const steps: string[] = []
  for (let plan = told.queryPlanner.winningPlan; plan !== undefined; plan = plan.inputStage)
    steps.unshift(plan.indexName === undefined ? plan.stage : `${plan.stage} ${plan.indexName}`)
  const { totalKeysExamined, totalDocsExamined } = told.executionStats
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

function after({ field, descending }: Order, [value, id]: [unknown, string]): Filter {
  const beyond = descending ? '$lt' : '$gt'
  if (field === '_id') return { _id: { [beyond]: id } }
  // A missing field sorts before all others and equals null.
  const sameValue = { [field]: value, _id: { [beyond]: id } }
  if (value === null) return descending ? sameValue : { $or: [sameValue, { [field]: { $ne: null } }] }
  const further: Filter[] = [{ [field]: { [beyond]: value } }, sameValue]
  if (descending) further.push({ [field]: null })
  return { $or: further }
}

/** The cursor behind the item with this value and id. */
export function encodeCursor(value: unknown, id: string): string {
  return Buffer.from(JSON.stringify([value ?? null, id])).toString('base64url')
}

/** Its value and id. AppError `invalid` when no page gave it. */
export function decodeCursor(cursor: string): [unknown, string] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && parts.length === 2 && typeof parts[1] === 'string') {
      const value: unknown = parts[0]
      // Only plain values: an object would be read as query operators.
      if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return [value, parts[1]]
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
