import type { Operation, OperationResult, OperationStore, Operations, Page } from '../../domain/index.ts'
import { operationViews } from './views.ts'

/** Characters of each part of a result that a list shows; the operation itself has all of it. */
export const MAX_LISTED = 8192
/** Operations that are read at once: a result may have a megabyte. */
const AT_ONCE = 20

/** Returns a page of operations in which large parts of results are left out, so that no page is of any size. */
export async function operationPage(
  store: Pick<OperationStore, 'list'>,
  query: Parameters<OperationStore['list']>[0],
  engine: Pick<Operations, 'waitingFor'>,
): Promise<Page<Record<string, unknown>>> {
  const items: Record<string, unknown>[] = []
  for (let cursor = query.cursor; ; ) {
    const limit = Math.min(AT_ONCE, query.limit - items.length)
    const found = await store.list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
    items.push(...(await operationViews(found.items.map(shortened), engine)))
    const { next } = found
    if (next === undefined) return { items }
    if (items.length >= query.limit) return { items, next }
    cursor = next
  }
}

/** Returns the operation without the parts of its result that are too large for a list. */
function shortened(operation: Operation): Operation {
  const { result } = operation
  if (result === undefined) return operation
  const { output, read, ...rest } = result
  const short: OperationResult & { shortened?: true } = { ...rest }
  if (isLarge(result.results)) short.results = []
  if (output !== undefined && !isLarge(output)) short.output = output
  if (read !== undefined && !isLarge(read)) short.read = read
  const isWhole = short.results === result.results && short.output === output && short.read === read
  return isWhole ? operation : { ...operation, result: { ...short, shortened: true } as OperationResult }
}

function isLarge(part: unknown): boolean {
  return JSON.stringify(part).length > MAX_LISTED
}
