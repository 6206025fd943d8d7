import { createKeyedQueue } from '../base/index.ts'
import { isSearch } from '../datamodel/index.ts'
import {
  type Completion,
  isFinal,
  type Operation,
  type OperationRequest,
  type OperationResult,
  type OperationState,
  type OperationStore,
  type PathOutcome,
  type Protocol,
  resultOf,
} from '../domain/index.ts'
import type { Finisher } from './finish.ts'

/** Rows that are kept before the answer names them, and characters of the outputs of all rows. */
const MAX_ROWS = 1000
const MAX_OUTPUTS = 2 * 1024 * 1024

/** Returns true for a command over a search path: it runs in several rows, and each of them ends by itself. */
export function runsInRows(request: OperationRequest): boolean {
  return request.verb === 'operate' && isSearch(request.command)
}

/** Returns the result of a command of which no answer has named its rows: the search path itself is pending. */
export function beforeAnswer(request: OperationRequest): OperationResult {
  const results =
    request.verb === 'operate' && runsInRows(request) ? [{ path: request.command, pending: true as const }] : []
  return { outcome: 'pending', results }
}

/** Returns true when the answer to a command has come, and has accepted it. */
export function isAccepted({ request, result }: Pick<Operation, 'request' | 'result'>): boolean {
  if (result?.outcome !== 'pending') return false
  return request.verb !== 'operate' || !result.results.some(({ path, pending }) => pending === true && isSearch(path))
}

/**
 * Keeps the outcome of each row of a command over a search path. The operation ends when every row that was accepted
 * has ended, and fails when one has failed. The end of a row may arrive before the answer that names the rows, so that
 * both are taken in turn.
 */
export class CommandRows {
  readonly #store: OperationStore
  readonly #finisher: Finisher
  readonly #turns = createKeyedQueue()

  constructor({ store, finisher }: { store: OperationStore; finisher: Finisher }) {
    this.#store = store
    this.#finisher = finisher
  }

  /** Stores the answer that accepted an operation, with the rows that have ended meanwhile. */
  async accepted(operation: Operation, result: OperationResult): Promise<void> {
    const { id, request } = operation
    if (!runsInRows(request)) return this.#store.notePending(id, result)
    await this.#turns.run(id, async () => {
      const early = (await this.#store.get(id))?.result?.results ?? []
      const ended = new Map(early.flatMap((row) => (row.pending === true ? [] : [[row.path, row] as const])))
      const results = result.results.map((row) => (row.pending === true ? (ended.get(row.path) ?? row) : row))
      if (results.some(({ pending }) => pending === true) || ended.size === 0)
        return this.#store.notePending(id, { ...result, results })
      await this.#end(operation, results, ['sent', 'unknown'])
    })
  }

  /**
   * Takes the end of one row. Resolves with true when it ended the operation, and with undefined when the rows of the
   * operation are not known, so that this end is that of the whole.
   */
  completed({ id }: Operation, completion: Completion, from: OperationState[]): Promise<boolean | undefined> {
    return this.#turns.run(id, async () => {
      const operation = await this.#store.get(id)
      if (operation === undefined || isFinal(operation)) return false
      const { results } = operation.result ?? beforeAnswer(operation.request)
      if (!results.some(({ pending }) => pending === true)) return undefined
      const row = bounded(rowOf(completion), results)
      const [only] = results.length === 1 && isAccepted(operation) ? results : []
      const known = only ?? results.find(({ path }) => path === row.path)
      // The first end of a row counts, and a row that the answer does not name is none of this command.
      const isLate = known === undefined ? isAccepted(operation) || results.length >= MAX_ROWS : known.pending !== true
      if (isLate) return false
      const ended = known === undefined ? row : { ...row, path: known.path }
      const rows = known === undefined ? [...results, ended] : results.map((one) => (one === known ? ended : one))
      if (!rows.some(({ pending }) => pending === true))
        return this.#end(operation, rows, from, operation.sentVia ?? completion.protocol)
      await this.#store.notePending(id, { ...operation.result, outcome: 'pending', results: rows })
      return false
    })
  }

  #end(operation: Operation, rows: PathOutcome[], from: OperationState[], via?: Protocol): Promise<boolean> {
    const result = resultOf(rows)
    return this.#finisher.finish(operation, from, result.error === undefined ? 'done' : 'failed', result, via)
  }
}

/** Returns a row without its output where the outputs of all rows are too large to be kept together. */
function bounded(row: PathOutcome, others: readonly PathOutcome[]): PathOutcome {
  if (row.output === undefined) return row
  const { output, ...bare } = row
  const size = [row, ...others].reduce((sum, one) => sum + JSON.stringify(one.output ?? {}).length, 0)
  return size <= MAX_OUTPUTS ? row : { ...bare, output: { omitted: String(Object.keys(output).length) } }
}

function rowOf({ command = '', output, fault }: Completion): PathOutcome {
  if (fault !== undefined) return { path: command, error: fault }
  return output === undefined ? { path: command } : { path: command, output }
}
